/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tools/student.c against the tables of statistics books. */
#include "tools/student.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check(double p_outside, uint32_t freedom, double expected)
{
	double bound = rps_student_bound(p_outside, freedom), off = bound / expected - 1;

	if (off > 0.0002 || off < -0.0002)
		fail_msg("%g outside, %u degrees of freedom: %g instead of %g", p_outside, freedom, bound,
			 expected);
}

static void bounds_are_those_of_the_tables(void **state)
{
	check(0.05, 1, 12.706);
	check(0.05, 2, 4.3027);
	check(0.05, 3, 3.1824);
	check(0.05, 4, 2.7764);
	check(0.05, 10, 2.2281);
	check(0.05, 30, 2.0423);
	check(0.05, 120, 1.9799);
	check(0.01, 1, 63.657);
	check(0.01, 5, 4.0321);
	check(0.01, 60, 2.6603);
	check(0.001, 9, 4.7809);
	check(0.5, 20, 0.68695);
}

static void many_degrees_are_the_normal_distribution(void **state)
{
	assert_true(rps_student_bound(0.05, 1000) < 1.963);
	assert_true(rps_student_bound(0.05, 4000000000u) > 1.9599);
}

static void a_cache_forgets_what_was_asked_for_another_probability(void **state)
{
	static struct rps_student_cache cache;

	for (int i = 0; i < 2; i++) {
		assert_true(rps_student_cached_bound(&cache, 0.05, 4) == rps_student_bound(0.05, 4));
		assert_true(rps_student_cached_bound(&cache, 0.01, 4) == rps_student_bound(0.01, 4));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bounds_are_those_of_the_tables),
	    cmocka_unit_test(many_degrees_are_the_normal_distribution),
	    cmocka_unit_test(a_cache_forgets_what_was_asked_for_another_probability),
	};

	return cmocka_run_group_tests_name("student", tests, NULL, NULL);
}
