/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See turn.h. Called by request_app.c, on the client connections' threads. */
#include "server/turn.h"

#include "server/clock.h"

#include <time.h>
#include <utlist.h>

#define STEP_MS 100 /* how often a waiter looks around */

struct rps_turn_waiter {
	pthread_cond_t is_mine_cond;
	int is_mine;
	struct rps_turn_waiter *prev, *next;
};

void rps_turn_init(struct rps_turn *turn, uint32_t timeout_ms)
{
	pthread_mutex_init(&turn->lock, NULL);
	turn->waiters = NULL;
	turn->is_taken = 0;
	turn->taken_ms = 0;
	turn->timeout_ms = timeout_ms;
}

static void wait_a_step(struct rps_turn *turn, struct rps_turn_waiter *waiter)
{
	const struct timespec until = rps_clock_after(STEP_MS);

	pthread_cond_clockwait(&waiter->is_mine_cond, &turn->lock, CLOCK_MONOTONIC, &until);
}

enum rps_turn_result rps_turn_take(struct rps_turn *turn, int (*give_up)(void *cls), void *cls)
{
	struct rps_turn_waiter waiter = {.is_mine_cond = PTHREAD_COND_INITIALIZER};
	enum rps_turn_result result = RPS_TURN_TAKEN;

	pthread_mutex_lock(&turn->lock);
	if (!turn->is_taken) {
		turn->is_taken = 1;
		turn->taken_ms = rps_clock_now_ms();
		pthread_mutex_unlock(&turn->lock);
		return RPS_TURN_TAKEN;
	}
	DL_APPEND(turn->waiters, &waiter);
	while (!waiter.is_mine) {
		int is_hopeless;

		wait_a_step(turn, &waiter);
		if (waiter.is_mine)
			break;
		/* Not under the lock: it may take its time. */
		pthread_mutex_unlock(&turn->lock);
		is_hopeless = give_up(cls);
		pthread_mutex_lock(&turn->lock);
		if (waiter.is_mine)
			break;
		if (!is_hopeless && rps_clock_now_ms() - turn->taken_ms < turn->timeout_ms)
			continue;
		result = is_hopeless ? RPS_TURN_GIVEN_UP : RPS_TURN_TIMED_OUT;
		DL_DELETE(turn->waiters, &waiter);
		break;
	}
	pthread_mutex_unlock(&turn->lock);
	pthread_cond_destroy(&waiter.is_mine_cond);
	return result;
}

void rps_turn_give(struct rps_turn *turn)
{
	struct rps_turn_waiter *first;

	pthread_mutex_lock(&turn->lock);
	first = turn->waiters;
	turn->is_taken = first != NULL;
	if (first) {
		DL_DELETE(turn->waiters, first);
		turn->taken_ms = rps_clock_now_ms();
		first->is_mine = 1;
		pthread_cond_signal(&first->is_mine_cond);
	}
	pthread_mutex_unlock(&turn->lock);
}
