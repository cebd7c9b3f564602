/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server's child processes: started from any thread, reaped by the main
 * thread (SIGCHLD), waited for by whoever started them. The kernel kills a
 * child when the thread that started it ends: so that thread stays until the
 * child has ended. */
#ifndef RPS_SERVER_PROCESS_H
#define RPS_SERVER_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

struct rps_process_start {
	const char *program;
	char *const *argv;
	char *const *environment;
	const char *directory; /* to change to; NULL: ours */
	int fds[3];            /* its stdin, stdout, stderr; -1: ours */
};

struct rps_process;

/* Starts it, as the leader of a process group of its own. 0, or -errno: it did not come to run. */
int rps_process_start(const struct rps_process_start *start, struct rps_process **process);

pid_t rps_process_pid(const struct rps_process *process);

/* Has it ended, or does it within `wait_ms`? If so 1, and `*status` as waitpid gives it. */
int rps_process_wait(struct rps_process *process, unsigned wait_ms, int *status);

/* Ends its process group: SIGTERM, after `grace_ms` SIGKILL. Not on the main thread, which reaps. */
void rps_process_stop(struct rps_process *process, unsigned grace_ms);

/* Nobody asks for it any more. It is still reaped. */
void rps_process_forget(struct rps_process *process);

/* Main thread, after SIGCHLD: takes note of all that have ended. 1 if we have children left, else 0. */
int rps_process_reap(void);

/* Is `pid` a process that somebody started by rps_process_start and has not forgotten? */
int rps_process_is_known(pid_t pid);

/* "was killed by SIGSEGV", "has ended with exit status 3". */
void rps_process_describe_end(int status, char *how, size_t how_size);

/* Each request needs a handful of descriptors: raises our own limit. Children keep the one we were started
 * with. */
void rps_process_raise_file_limit(void);

#endif
