/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The set of addresses that turned out to be instrumented: what is in it is found, what is not is never; from several threads at once, and
 * when it is full, which only makes it forget.
 */
#include "runtime/callees.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define N_THREADS 4
#define N_EACH 500u

static int empty(void **state)
{
	for (uint32_t i = 0; i < RPS_CALLEES_PLACES; i++)
		rps_callees[i] = 0;
	return 0;
}

static uintptr_t address_of(uint32_t i)
{
	return UINT64_C(0x555500000000) + (uintptr_t)i * 16;
}

static void what_was_added_is_found_and_nothing_else(void **state)
{
	assert_int_equal(rps_callees_has(address_of(0)), 0);
	for (uint32_t i = 0; i < N_EACH; i++) {
		rps_callees_add(address_of(2 * i));
		rps_callees_add(address_of(2 * i));
	}
	for (uint32_t i = 0; i < N_EACH; i++) {
		assert_int_equal(rps_callees_has(address_of(2 * i)), 1);
		assert_int_equal(rps_callees_has(address_of(2 * i + 1)), 0);
	}
}

/* Added twice it has one place. */
static void an_address_has_one_place(void **state)
{
	uint32_t n = 0;

	for (int i = 0; i < 100; i++)
		rps_callees_add(address_of(7));
	for (uint32_t i = 0; i < RPS_CALLEES_PLACES; i++)
		n += rps_callees[i] != 0;
	assert_int_equal(n, 1);
}

/* Those that fall into one place have the next ones, as many as are looked at; no more are kept. */
static void places_in_a_row_are_shared(void **state)
{
	const uint32_t place = rps_callees_place(address_of(0)) % RPS_CALLEES_PLACES;
	uintptr_t same[RPS_CALLEES_PROBES + 1];
	uint32_t n = 0;

	for (uint32_t i = 0; n < RPS_CALLEES_PROBES + 1; i++)
		if (rps_callees_place(address_of(i)) % RPS_CALLEES_PLACES == place)
			same[n++] = address_of(i);
	for (uint32_t i = 0; i < n; i++)
		rps_callees_add(same[i]);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(rps_callees_has(same[i]), i < RPS_CALLEES_PROBES);
}

static void *add_some(void *arg)
{
	uint32_t first = *(const uint32_t *)arg;

	for (uint32_t i = 0; i < N_EACH; i++)
		rps_callees_add(address_of(first + i));
	return NULL;
}

/* Half of each thread's are the next one's, too. */
static void threads_add_at_once(void **state)
{
	pthread_t threads[N_THREADS];
	uint32_t first[N_THREADS], n = 0;

	for (uint32_t i = 0; i < N_THREADS; i++) {
		first[i] = i * N_EACH / 2;
		assert_int_equal(pthread_create(&threads[i], NULL, add_some, &first[i]), 0);
	}
	for (uint32_t i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	for (uint32_t i = 0; i < (N_THREADS + 1) * N_EACH / 2; i++)
		assert_int_equal(rps_callees_has(address_of(i)), 1);
	for (uint32_t i = 0; i < RPS_CALLEES_PLACES; i++)
		n += rps_callees[i] != 0;
	assert_int_equal(n, (N_THREADS + 1) * N_EACH / 2);
}

/* A program of more functions than there are places: some are found out anew each time, none is taken for another. */
static void a_full_set_forgets_but_does_not_lie(void **state)
{
	uint32_t n_found = 0;

	for (uint32_t i = 0; i < 3 * RPS_CALLEES_PLACES; i++)
		rps_callees_add(address_of(2 * i));
	for (uint32_t i = 0; i < 3 * RPS_CALLEES_PLACES; i++) {
		n_found += (uint32_t)rps_callees_has(address_of(2 * i));
		assert_int_equal(rps_callees_has(address_of(2 * i + 1)), 0);
	}
	assert_true(n_found <= RPS_CALLEES_PLACES && n_found > RPS_CALLEES_PLACES * 9 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(what_was_added_is_found_and_nothing_else, empty),
	    cmocka_unit_test_setup(an_address_has_one_place, empty),
	    cmocka_unit_test_setup(places_in_a_row_are_shared, empty),
	    cmocka_unit_test_setup(threads_add_at_once, empty),
	    cmocka_unit_test_setup(a_full_set_forgets_but_does_not_lie, empty),
	};

	return cmocka_run_group_tests_name("callees", tests, NULL, NULL);
}
