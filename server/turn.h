/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One at a time, first come first served: the requests that may not run beside
 * each other (whole-application scope, --nothreading). Any thread.
 *
 * Whoever has the turn may keep it for ever (a long poll; a request that the
 * application makes to itself, by way of the front, for the sake of another). So when one has had
 * it for too long, all who wait go on without. */
#ifndef RPS_SERVER_TURN_H
#define RPS_SERVER_TURN_H

#include <pthread.h>
#include <stdint.h>

struct rps_turn_waiter;

struct rps_turn {
	pthread_mutex_t lock;
	struct rps_turn_waiter *waiters; /* in the order they came */
	int is_taken;
	uint64_t taken_ms; /* when */
	uint32_t timeout_ms;
};

enum rps_turn_result {
	RPS_TURN_TAKEN = 0,
	RPS_TURN_TIMED_OUT, /* go on without it */
	RPS_TURN_GIVEN_UP,  /* `give_up` said so */
};

void rps_turn_init(struct rps_turn *turn, uint32_t timeout_ms);
/* Waits. `give_up` is asked now and then whether there is any point in it still. */
enum rps_turn_result rps_turn_take(struct rps_turn *turn, int (*give_up)(void *cls), void *cls);
/* Hands it on. */
void rps_turn_give(struct rps_turn *turn);

#endif
