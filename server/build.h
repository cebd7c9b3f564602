/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --build=CMD: runs it by the shell when it is wanted, one at a time; what it
 * says goes to the terminal, and, if it fails, onto a page. Main thread. */
#ifndef RPS_SERVER_BUILD_H
#define RPS_SERVER_BUILD_H

struct rps_build;

struct rps_build *rps_build_create(const char *command);
void rps_build_destroy(struct rps_build *build);

/* Sources have changed: it is due once they have been left in peace for a moment, and no other is running. */
void rps_build_want(struct rps_build *build);
int rps_build_is_wanted(const struct rps_build *build);
int rps_build_is_due(const struct rps_build *build);
void rps_build_start(struct rps_build *build);
int rps_build_is_running(const struct rps_build *build);

/* Its output; -1 when none is running. */
int rps_build_fd(const struct rps_build *build);
/* Takes in output. 1 when it has ended. */
int rps_build_read(struct rps_build *build);
int rps_build_has_succeeded(const struct rps_build *build);
/* What to show instead of the application. Allocated; NULL without memory. */
char *rps_build_page(const struct rps_build *build);
/* Ends it. */
void rps_build_stop(struct rps_build *build);

#endif
