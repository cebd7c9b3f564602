/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between the requests and the application that comes and goes: while it is
 * being restarted they wait, and a restart waits for those that are
 * inside. The main thread opens and closes; request threads go through. */
#ifndef RPS_SERVER_GATE_H
#define RPS_SERVER_GATE_H

#include <pthread.h>
#include <stddef.h>

struct rps_session;

#define RPS_GATE_REASON_MAX 16384

struct rps_gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int is_open;
	int is_broken; /* there is nothing to wait for: `reason` says why */
	unsigned n_inside;
	struct rps_session *session; /* who listens to the application that runs now */
	char reason[RPS_GATE_REASON_MAX];
};

enum rps_gate_result {
	RPS_GATE_INSIDE = 0,
	RPS_GATE_BROKEN,    /* `reason` says why */
	RPS_GATE_TIMED_OUT, /* it is still being restarted */
	RPS_GATE_GIVEN_UP,  /* `give_up` said so */
};

void rps_gate_init(struct rps_gate *gate);

/* Goes in, waiting up to `wait_ms`; `*session` gets a reference to the session of now. */
enum rps_gate_result rps_gate_enter(struct rps_gate *gate, unsigned wait_ms, struct rps_session **session,
				    char *reason, size_t reason_size, int (*give_up)(void *cls), void *cls);
void rps_gate_leave(struct rps_gate *gate);

/* Lets requests in, to be recorded by `session`. */
void rps_gate_open(struct rps_gate *gate, struct rps_session *session);
/* Lets none in. */
void rps_gate_close(struct rps_gate *gate);
/* Tells all who wait, and all who come, `reason`. */
void rps_gate_break(struct rps_gate *gate, const char *reason);
/* Is nobody inside any more? */
int rps_gate_is_empty(struct rps_gate *gate);

#endif
