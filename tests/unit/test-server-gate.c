/* SPDX-License-Identifier: GPL-3.0-or-later */
/* server/gate.c: who waits, who goes in, who is told why not. */
#include "server/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>
#include <unistd.h>

static struct rps_gate gate;

static int never(void *cls)
{
	return 0;
}

static int always(void *cls)
{
	return 1;
}

static enum rps_gate_result enter(unsigned wait_ms, int (*give_up)(void *cls), char *reason)
{
	struct rps_session *session = NULL;

	*reason = 0;
	return rps_gate_enter(&gate, wait_ms, &session, reason, RPS_GATE_REASON_MAX, give_up, NULL);
}

static void *enter_late(void *result)
{
	static char reason[RPS_GATE_REASON_MAX];

	*(enum rps_gate_result *)result = enter(60000, never, reason);
	return NULL;
}

static void closed_it_is_waited_at(void **state)
{
	static char reason[RPS_GATE_REASON_MAX];
	enum rps_gate_result result = RPS_GATE_GIVEN_UP;
	pthread_t thread;

	rps_gate_init(&gate);
	assert_int_equal(enter(0, never, reason), RPS_GATE_TIMED_OUT);
	assert_int_equal(enter(100, never, reason), RPS_GATE_TIMED_OUT);
	assert_int_equal(enter(60000, always, reason), RPS_GATE_GIVEN_UP);
	pthread_create(&thread, NULL, enter_late, &result);
	rps_gate_open(&gate, NULL);
	pthread_join(thread, NULL);
	assert_int_equal(result, RPS_GATE_INSIDE);
	assert_false(rps_gate_is_empty(&gate));
	/* Closing sends nobody out. */
	rps_gate_close(&gate);
	assert_false(rps_gate_is_empty(&gate));
	rps_gate_leave(&gate);
	assert_true(rps_gate_is_empty(&gate));
}

static void broken_it_says_why(void **state)
{
	static char reason[RPS_GATE_REASON_MAX], long_reason[RPS_GATE_REASON_MAX + 10];
	enum rps_gate_result result = RPS_GATE_GIVEN_UP;
	pthread_t thread;

	rps_gate_init(&gate);
	pthread_create(&thread, NULL, enter_late, &result);
	usleep(1000);
	rps_gate_break(&gate, "it does not start");
	pthread_join(thread, NULL);
	assert_int_equal(result, RPS_GATE_BROKEN);
	assert_int_equal(enter(60000, never, reason), RPS_GATE_BROKEN);
	assert_string_equal(reason, "it does not start");
	memset(long_reason, 'x', sizeof(long_reason) - 1);
	rps_gate_break(&gate, long_reason);
	assert_int_equal(enter(60000, never, reason), RPS_GATE_BROKEN);
	assert_int_equal(strlen(reason), RPS_GATE_REASON_MAX - 1);
	assert_true(rps_gate_is_empty(&gate));
	rps_gate_open(&gate, NULL);
	assert_int_equal(enter(0, never, reason), RPS_GATE_INSIDE);
	rps_gate_leave(&gate);
	/* Closed for a restart, it forgets. */
	rps_gate_break(&gate, "again");
	rps_gate_close(&gate);
	assert_int_equal(enter(0, never, reason), RPS_GATE_TIMED_OUT);
	assert_string_equal(reason, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(closed_it_is_waited_at),
	    cmocka_unit_test(broken_it_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
