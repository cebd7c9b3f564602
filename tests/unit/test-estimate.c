/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Times of all calls from those of some. Whatever was sampled, the sum over all functions is the time that was measured, less what hooks
 * cost; no function has less than none.
 */
#include "collect/estimate.h"
#include "tests/unit/random-arena.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define TICKS 256u /* a cost of one tick */

static void assert_near(double value, double expected)
{
	if (fabs(value - expected) > 1e-6 * (1 + fabs(expected)))
		fail_msg("%.3f is not %.3f", value, expected);
}

static double sum_of_self(const struct rps_arena_copy *copy, const struct rps_estimate *estimate)
{
	double sum = 0;

	for (uint32_t i = 0; i < copy->n_nodes; i++) {
		assert_true(estimate->self_ticks[i] >= 0);
		sum += estimate->self_ticks[i];
	}
	return sum;
}

/* What timed calls have reported. */
static double measured(const struct rps_arena_copy *copy)
{
	double sum = 0;

	for (uint32_t i = 0; i < copy->n_edges; i++)
		sum += (double)copy->edges[i].wire.ticks;
	return sum;
}

static void estimate_of(const struct rps_arena_copy *copy, struct rps_estimate *estimate)
{
	assert_int_equal(rps_estimate_make(copy, estimate), 0);
}

static void where_all_is_timed_nothing_is_estimated(void **state)
{
	for (uint32_t seed = 1; seed <= 200; seed++) {
		struct rps_arena_copy copy;
		struct rps_estimate estimate;

		random_arena_make(&copy, seed, 2 + seed % 40, 1, seed % 2);
		for (uint32_t i = 0; i < copy.n_edges; i++) {
			struct rps_wire_edge *wire = &copy.edges[i].wire;

			wire->n_timed = (uint32_t)wire->granted;
			wire->weight = wire->n_timed;
			wire->weighted_ticks = wire->ticks;
		}
		estimate_of(&copy, &estimate);
		for (uint32_t node = 0; node < copy.n_nodes; node++) {
			double own = 0;

			for (uint32_t i = 0; i < copy.n_edges; i++)
				if (copy.edges[i].to == node && copy.edges[i].wire.granted > 0)
					own += (double)copy.edges[i].wire.ticks;
			assert_near(estimate.self_ticks[node], own);
		}
		assert_near(estimate.overhead_ticks, 0);
		rps_estimate_free(&estimate);
		rps_arena_copy_free(&copy);
	}
}

/* Long calls: sampled all the same, for the test's sake. A caller that seems to have less than nothing takes from its own caller; at the root that
 * ends. So the sum may be more, never less; and it is exactly what was measured where each caller has room. */
static void however_few_are_timed_the_sum_is_what_was_measured(void **state)
{
	uint32_t n_exact = 0;

	for (uint32_t seed = 1; seed <= 400; seed++) {
		struct rps_arena_copy copy;
		struct rps_estimate estimate;
		int has_room = 1;
		double sum;

		random_arena_make(&copy, seed, 2 + seed % 40, 1, 0);
		for (uint32_t i = 0; i < copy.n_edges; i++) {
			struct rps_wire_edge *wire = &copy.edges[i].wire;

			/* What is called from the root is always timed. */
			if (copy.edges[i].from == 0 || wire->n_timed == 0) {
				wire->n_timed = (uint32_t)wire->granted;
				wire->weight = wire->granted;
				wire->ticks = wire->weighted_ticks = wire->granted * 400000;
			}
			wire->n_fenced = wire->n_timed;
		}
		estimate_of(&copy, &estimate);
		sum = sum_of_self(&copy, &estimate);
		for (uint32_t i = 1; i < copy.n_nodes; i++)
			has_room &= estimate.self_ticks[i] > 0;
		assert_true(sum >= measured(&copy) * (1 - 1e-9));
		if (has_room) {
			assert_near(sum, measured(&copy));
			n_exact++;
		}
		rps_estimate_free(&estimate);
		rps_arena_copy_free(&copy);
	}
	assert_true(n_exact >= 20);
}

/* root > a > b, 10,000 short calls of which 100 were timed at 20 ticks each. Of a's 300,000 ticks b has 9,900 * 20, and had reported 2,000. */
static void short_calls_that_were_not_timed_are_taken_from_their_caller(void **state)
{
	struct rps_arena_copy copy;
	struct rps_estimate estimate;

	random_arena_create(&copy, 3, 2);
	copy.nodes[2].parent = 1;
	random_arena_call(&copy, 0, 1, 1, 1, 300000, 302000);
	random_arena_call(&copy, 1, 2, 10000, 100, 20, 20);
	estimate_of(&copy, &estimate);
	assert_near(estimate.self_ticks[2], 200000);
	assert_near(estimate.self_ticks[1], 300000 - 198000);
	rps_estimate_free(&estimate);

	/* As many hooks as there were cost what they cost, inside and around. */
	copy.process.costs.inlined.inside = 5 * TICKS;
	copy.process.costs.inlined.outside = 7 * TICKS;
	copy.process.costs.inlined.untimed = 2 * TICKS;
	estimate_of(&copy, &estimate);
	assert_near(estimate.overhead_ticks, 5 * 101 + 7 * 101 + 2 * 9900);
	assert_near(estimate.self_ticks[2], 10000 * (20 - 5));
	assert_near(estimate.self_ticks[1], 300000 - 5 - 7 * 100 - 2 * 9900 - 9900 * 15);
	rps_estimate_free(&estimate);

	/* The caller took 100,000 only: then they can't have taken 198,000, but 0.8 of that at most. */
	memset(&copy.process, 0, sizeof(copy.process));
	copy.edges[0].wire.ticks = copy.edges[0].wire.weighted_ticks = 100000;
	estimate_of(&copy, &estimate);
	assert_near(estimate.self_ticks[1], 20000);
	assert_near(estimate.self_ticks[2], 80000 * 10000. / 9900);
	rps_estimate_free(&estimate);
	rps_arena_copy_free(&copy);
}

/* What the hooks of a timed call cost is never more than the shortest leaf seems to take. */
static void a_leaf_shows_what_hooks_cost_at_most(void **state)
{
	struct rps_arena_copy copy;
	struct rps_estimate estimate;

	random_arena_create(&copy, 3, 2);
	copy.nodes[2].parent = 1;
	random_arena_call(&copy, 0, 1, 1, 1, 100000, 100000);
	random_arena_call(&copy, 1, 2, 1000, 1000, 12, 12);
	copy.process.costs.inlined.inside = 50 * TICKS;
	estimate_of(&copy, &estimate);
	assert_near(estimate.costs.inlined.inside, 12);
	assert_near(estimate.self_ticks[2], 0);
	assert_near(estimate.self_ticks[1], 100000 - 12);
	rps_estimate_free(&estimate);
	rps_arena_copy_free(&copy);
}

static void without_a_clock_there_are_no_times(void **state)
{
	struct rps_arena_copy copy;
	struct rps_estimate estimate;

	random_arena_make(&copy, 5, 20, 1, 1);
	copy.time_mode = RPS_TIME_NONE;
	estimate_of(&copy, &estimate);
	assert_near(sum_of_self(&copy, &estimate), 0);
	assert_near(estimate.overhead_ticks, 0);
	rps_estimate_free(&estimate);
	rps_arena_copy_free(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(where_all_is_timed_nothing_is_estimated),
	    cmocka_unit_test(however_few_are_timed_the_sum_is_what_was_measured),
	    cmocka_unit_test(short_calls_that_were_not_timed_are_taken_from_their_caller),
	    cmocka_unit_test(a_leaf_shows_what_hooks_cost_at_most),
	    cmocka_unit_test(without_a_clock_there_are_no_times),
	};

	return cmocka_run_group_tests_name("estimate", tests, NULL, NULL);
}
