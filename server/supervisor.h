/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keeps the application running: starts it, starts it again when it has ended
 * or its files have changed, builds it when its sources have, and lets requests
 * through the gate while it can take them. Main thread. */
#ifndef RPS_SERVER_SUPERVISOR_H
#define RPS_SERVER_SUPERVISOR_H

#include "server/app_elf.h"
#include "server/build.h"
#include "server/process.h"
#include "server/server.h"
#include "server/watch.h"

#include <signal.h>
#include <stdint.h>

enum rps_supervisor_state {
	RPS_SUPERVISOR_RUNS = 0,
	RPS_SUPERVISOR_DRAINS, /* is to be restarted, once the requests inside have ended */
	RPS_SUPERVISOR_DOWN,   /* has ended; is started at `start_ms` */
};

struct rps_supervisor {
	struct rps_server *server;
	struct rps_app_elf elf;
	struct rps_app_command command;
	const char *gateway_why;
	sigset_t signals;
	int signal_fd;

	enum rps_supervisor_state state;
	struct rps_session *session;
	struct rps_watch *watch; /* NULL: --noreload, and nothing to build */
	struct rps_build *build; /* NULL: none */
	int build_has_failed;
	uint64_t started_ms;  /* when it last began to run */
	uint64_t start_ms;    /* DOWN: when it is started again */
	uint64_t deadline_ms; /* DRAINS: when patience ends */
	unsigned n_failures;  /* in a row */
};

/* Finds out what the application is and how it is started: nothing is started yet. 0, or -errno with a line
 * in `error`. */
int rps_supervisor_prepare(struct rps_supervisor *supervisor, struct rps_server *server, char *error,
			   size_t error_size);

/* Starts it for the first time, and opens the gate. 0; 1 when a signal said to end; an exit status, negated,
 * after a message. */
int rps_supervisor_start(struct rps_supervisor *supervisor);

/* Keeps it running until a signal says to end. */
void rps_supervisor_run(struct rps_supervisor *supervisor);

/* Ends it, and the build. */
void rps_supervisor_stop(struct rps_supervisor *supervisor);
void rps_supervisor_clear(struct rps_supervisor *supervisor);

/* A signal that ends the server? */
int rps_supervisor_is_end_signal(int number);

#endif
