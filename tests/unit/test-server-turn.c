/* SPDX-License-Identifier: GPL-3.0-or-later */
/* server/turn.c: one at a time, handed on, and nobody waits for ever. */
#include "server/turn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static struct rps_turn turn;
static atomic_int n_holders, n_most, n_served;

static int never(void *cls)
{
	return 0;
}

static int always(void *cls)
{
	return 1;
}

static int is_waited_for(void)
{
	int is;

	pthread_mutex_lock(&turn.lock);
	is = turn.waiters != NULL;
	pthread_mutex_unlock(&turn.lock);
	return is;
}

static void *hold(void *cls)
{
	int now;

	assert_int_equal(rps_turn_take(&turn, never, NULL), RPS_TURN_TAKEN);
	now = atomic_fetch_add(&n_holders, 1) + 1;
	if (now > atomic_load(&n_most))
		atomic_store(&n_most, now);
	atomic_fetch_add(&n_served, 1);
	usleep(1000);
	atomic_fetch_sub(&n_holders, 1);
	rps_turn_give(&turn);
	return NULL;
}

static void one_at_a_time(void **state)
{
	pthread_t threads[16];

	rps_turn_init(&turn, 60000);
	for (int i = 0; i < 16; i++)
		pthread_create(&threads[i], NULL, hold, NULL);
	for (int i = 0; i < 16; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(n_most, 1);
	assert_int_equal(n_served, 16);
	assert_int_equal(turn.is_taken, 0);
	assert_null(turn.waiters);
}

static void *wait_in_line(void *result)
{
	*(enum rps_turn_result *)result = rps_turn_take(&turn, never, NULL);
	if (*(enum rps_turn_result *)result == RPS_TURN_TAKEN)
		rps_turn_give(&turn);
	return NULL;
}

static void who_keeps_it_too_long_is_passed_by(void **state)
{
	enum rps_turn_result result = RPS_TURN_GIVEN_UP;
	pthread_t thread;

	rps_turn_init(&turn, 50);
	assert_int_equal(rps_turn_take(&turn, never, NULL), RPS_TURN_TAKEN);
	pthread_create(&thread, NULL, wait_in_line, &result);
	pthread_join(thread, NULL);
	assert_int_equal(result, RPS_TURN_TIMED_OUT);
	assert_int_equal(rps_turn_take(&turn, always, NULL), RPS_TURN_GIVEN_UP);
	rps_turn_give(&turn);
	/* Those who went without it left nothing behind. */
	assert_null(turn.waiters);
	assert_int_equal(rps_turn_take(&turn, never, NULL), RPS_TURN_TAKEN);
}

static void it_is_handed_on(void **state)
{
	enum rps_turn_result result = RPS_TURN_GIVEN_UP;
	pthread_t thread;

	rps_turn_init(&turn, 60000);
	assert_int_equal(rps_turn_take(&turn, never, NULL), RPS_TURN_TAKEN);
	pthread_create(&thread, NULL, wait_in_line, &result);
	while (!is_waited_for())
		usleep(1000);
	rps_turn_give(&turn);
	pthread_join(thread, NULL);
	assert_int_equal(result, RPS_TURN_TAKEN);
	assert_int_equal(turn.is_taken, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_at_a_time),
	    cmocka_unit_test(who_keeps_it_too_long_is_passed_by),
	    cmocka_unit_test(it_is_handed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
