/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which files have changed: the application's own (its program and the shared
 * objects it has loaded), and sources. Main thread. */
#ifndef RPS_SERVER_WATCH_H
#define RPS_SERVER_WATCH_H

#include "server/options.h"

#include <sys/types.h>

struct rps_watch;

/* `directories` with sources, with all below them, may be none. NULL after a message. */
struct rps_watch *rps_watch_create(const struct rps_text_list *directories, const char *program);
void rps_watch_destroy(struct rps_watch *watch);
int rps_watch_fd(const struct rps_watch *watch);

/* It has been started (pid 0: each request starts one): its files are those of now. */
void rps_watch_set_app(struct rps_watch *watch, pid_t pid);

#define RPS_WATCH_APP 1
#define RPS_WATCH_SOURCES 2
/* Takes in what the descriptor has. While a build runs only what is surely a source counts as one. */
int rps_watch_read(struct rps_watch *watch, int is_building);

/* Is a change waiting for its file to be left in peace? */
int rps_watch_is_waiting(const struct rps_watch *watch);
/* A file of the application that is another now, complete and at rest; NULL: none. Valid until the next call.
 */
const char *rps_watch_take_app_change(struct rps_watch *watch);
/* Are the application's files others than those it was started from? */
int rps_watch_app_has_changed(const struct rps_watch *watch);

#endif
