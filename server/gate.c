/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See gate.h. Called by supervisor.c and request_app.c. */
#include "server/gate.h"

#include "server/clock.h"
#include "server/session.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define STEP_MS 100

void rps_gate_init(struct rps_gate *gate)
{
	memset(gate, 0, sizeof(*gate));
	pthread_mutex_init(&gate->lock, NULL);
	pthread_cond_init(&gate->changed, NULL);
}

static void wait_a_step(struct rps_gate *gate)
{
	const struct timespec until = rps_clock_after(STEP_MS);

	pthread_cond_clockwait(&gate->changed, &gate->lock, CLOCK_MONOTONIC, &until);
}

enum rps_gate_result rps_gate_enter(struct rps_gate *gate, unsigned wait_ms, struct rps_session **session,
				    char *reason, size_t reason_size, int (*give_up)(void *cls), void *cls)
{
	enum rps_gate_result result = RPS_GATE_INSIDE;
	unsigned waited_ms = 0;

	pthread_mutex_lock(&gate->lock);
	while (!gate->is_open && !gate->is_broken && waited_ms < wait_ms) {
		int is_hopeless;

		wait_a_step(gate);
		waited_ms += STEP_MS;
		pthread_mutex_unlock(&gate->lock);
		is_hopeless = give_up(cls);
		pthread_mutex_lock(&gate->lock);
		if (is_hopeless && !gate->is_open) {
			result = RPS_GATE_GIVEN_UP;
			goto out;
		}
	}
	if (gate->is_open) {
		gate->n_inside++;
		*session = rps_session_get(gate->session);
	} else {
		result = gate->is_broken ? RPS_GATE_BROKEN : RPS_GATE_TIMED_OUT;
		snprintf(reason, reason_size, "%s", gate->reason);
	}
out:
	pthread_mutex_unlock(&gate->lock);
	return result;
}

void rps_gate_leave(struct rps_gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->n_inside--;
	pthread_mutex_unlock(&gate->lock);
}

void rps_gate_open(struct rps_gate *gate, struct rps_session *session)
{
	pthread_mutex_lock(&gate->lock);
	gate->session = session;
	gate->is_open = 1;
	gate->is_broken = 0;
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
}

void rps_gate_close(struct rps_gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->is_open = gate->is_broken = 0;
	*gate->reason = 0;
	pthread_mutex_unlock(&gate->lock);
}

void rps_gate_break(struct rps_gate *gate, const char *reason)
{
	pthread_mutex_lock(&gate->lock);
	gate->is_open = 0;
	gate->is_broken = 1;
	snprintf(gate->reason, sizeof(gate->reason), "%s", reason);
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
}

int rps_gate_is_empty(struct rps_gate *gate)
{
	int is_empty;

	pthread_mutex_lock(&gate->lock);
	is_empty = !gate->n_inside;
	pthread_mutex_unlock(&gate->lock);
	return is_empty;
}
