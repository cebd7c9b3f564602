/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The application's processes: started, watched, ended. The main thread starts,
 * reaps and stops (the kernel kills the application when the thread that forked
 * it ends); request threads only ask. */
#ifndef RPS_SERVER_APP_H
#define RPS_SERVER_APP_H

#include "server/app_port.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How to start it; filled in by a gateway. */
struct rps_app_command {
	char *program;     /* path to execute */
	char **argv;       /* NULL-terminated */
	const char *shown; /* what messages call it: "./shop". Lives as long as the options */
	uint16_t port;     /* offered as PORT */
	int port_is_fixed; /* by --app-port: no other will do */
	/* What it gets as stdin, with a connection to it at `address`; -1: none. It may listen elsewhere all
	 * the same, if `listens_itself`. */
	int listen_fd;
	int listens_itself;
	struct rps_address address; /* where it listens, if that is known beforehand */
};
void rps_app_command_clear(struct rps_app_command *command);
/* Copies `argv`, "{port}" replaced by the port, behind `n_before` strings. 0 or -ENOMEM. */
int rps_app_command_set_argv(struct rps_app_command *command, const char *const *before, size_t n_before,
			     char *const *argv);

struct rps_app;

/* NULL when out of memory. `command` must live as long as the application; it may change between two starts.
 */
struct rps_app *rps_app_create(const struct rps_app_command *command);
/* Ends it, if it runs, and frees it. */
void rps_app_destroy(struct rps_app *app);

/* Starts the process, with `environment` ("NAME=VALUE", NULL-terminated) added to our own. 0, or -errno with
 * a line in `error`. */
int rps_app_start(struct rps_app *app, const char *const *environment, char *error, size_t error_size);

/* Processes whose parents have ended become our children. */
void rps_app_become_subreaper(void);
/* SIGKILL for all our descendants. */
void rps_app_kill_descendants(void);

/* To be called for SIGCHLD. 1 if the application has ended by that, else 0. */
int rps_app_reap(struct rps_app *app);

/* Looks whether it listens by now: 1 yes, 0 not yet, -errno. */
int rps_app_find_port(struct rps_app *app);
/* It does not listen by itself: takes the socket it got as stdin. */
void rps_app_take_given_socket(struct rps_app *app);

/* Ends all its processes: SIGTERM, and after `grace_ms`, or when one of
 * `signals` (blocked) arrives, SIGKILL. Waits until they are gone. */
void rps_app_stop(struct rps_app *app, unsigned grace_ms, const sigset_t *signals);

pid_t rps_app_pid(const struct rps_app *app);
/* Any thread. "127.0.0.1:43211", "" while none is known, as in the middle of a restart. */
const char *rps_app_address(struct rps_app *app, char text[RPS_ADDRESS_TEXT_MAX]);
int rps_app_has_address(struct rps_app *app);
const char *rps_app_shown(const struct rps_app *app);
/* Does it listen on the port it was offered? */
int rps_app_took_port(const struct rps_app *app);
/* Any thread. A connection to it, or -errno. */
int rps_app_connect(struct rps_app *app);

/* Any thread. Has it ended, or does it within `wait_ms`? If so, 1, and in `how`
 * "was killed by SIGSEGV" or "has ended with exit status 3". */
int rps_app_has_ended(struct rps_app *app, unsigned wait_ms, char *how, size_t how_size);

#endif
