/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nothing is lost or made on the way from arenas to a profile: of arenas at random, recursive and across, whatever was measured and however
 * badly, the sums agree to the unit, for the whole and for each cycle of functions; counts are those of the arena.
 */
#include "collect/build.h"
#include "collect/pool.h"
#include "tests/unit/random-arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define N_NODES_MAX 48
#define ID_STEP 128u
#define N_RING 5000u

static struct rps_pool pool;
static struct rps_functions *functions;

static void write_entry(uint32_t id, uint32_t kind, const void *payload, uint32_t size)
{
	struct rps_entry *entry = (struct rps_entry *)((char *)pool.header + RPS_DICT_HEAP_OFFSET + id);

	entry->kind = kind;
	entry->size = size;
	memcpy(entry + 1, payload, size);
}

static int make_pool(void **state)
{
	assert_int_equal(rps_pool_create(&pool, 1, RPS_CLOCK_MONOTONIC), 0);
	for (uint32_t i = 1; i <= N_RING; i++) {
		struct rps_function_entry function = {.name = i * ID_STEP + 64, .line = i};
		char name[24];

		snprintf(name, sizeof(name), "function_%u", i);
		write_entry(i * ID_STEP + 64, RPS_ENTRY_STRING, name, (uint32_t)strlen(name));
		write_entry(i * ID_STEP, RPS_ENTRY_FUNCTION, &function, sizeof(function));
	}
	functions = rps_functions_create(&pool);
	return functions == NULL;
}

static int destroy_pool(void **state)
{
	rps_functions_destroy(functions);
	rps_pool_destroy(&pool);
	return 0;
}

static struct rps_profile *build(const struct rps_arena_copy *copy, struct rps_build *with)
{
	struct rps_profile *profile = rps_profile_create("root");

	assert_non_null(profile);
	assert_int_equal(rps_build_set_events(profile, with->events), 0);
	assert_int_equal(rps_build_add(profile, copy, functions, with), 0);
	return profile;
}

/* ---- Sums ------------------------------------------------------------------------------------ */

static int reaches[N_NODES_MAX][N_NODES_MAX];

static void find_ways(const struct rps_profile *profile)
{
	memset(reaches, 0, sizeof(reaches));
	for (uint32_t i = 0; i < profile->n_nodes; i++)
		reaches[i][i] = 1;
	for (uint32_t i = 0; i < profile->n_edges; i++)
		reaches[profile->edges[i].from][profile->edges[i].to] = 1;
	for (uint32_t over = 0; over < profile->n_nodes; over++)
		for (uint32_t from = 0; from < profile->n_nodes; from++)
			for (uint32_t to = 0; to < profile->n_nodes; to++)
				reaches[from][to] |= reaches[from][over] && reaches[over][to];
}

static int is_cycle(uint32_t a, uint32_t b)
{
	return reaches[a][b] && reaches[b][a];
}

/* What goes into a function, or a cycle of them, is what it spends and what goes out of it. */
static void check_cycle_of(const struct rps_profile *profile, uint32_t node, uint32_t event)
{
	uint64_t into = 0, out_of = 0;

	for (uint32_t i = 0; i < profile->n_nodes; i++)
		if (is_cycle(node, i))
			out_of += profile->nodes[i].self[event];
	for (uint32_t i = 0; i < profile->n_edges; i++) {
		int is_from = is_cycle(node, profile->edges[i].from), is_to = is_cycle(node, profile->edges[i].to);

		if (is_to && !is_from)
			into += profile->edges[i].inclusive[event];
		if (is_from && !is_to)
			out_of += profile->edges[i].inclusive[event];
	}
	if (node == 0)
		into = rps_profile_total(profile, event);
	assert_int_equal(into, out_of);
}

static void check_sums(const struct rps_profile *profile)
{
	find_ways(profile);
	for (uint32_t event = 0; event < profile->n_events; event++) {
		for (uint32_t node = 0; node < profile->n_nodes; node++)
			check_cycle_of(profile, node, event);
		for (uint32_t i = 0; i < profile->n_edges; i++)
			assert_true(profile->edges[i].inclusive[event] <= rps_profile_total(profile, event));
	}
}

static uint64_t calls_in(const struct rps_profile *profile)
{
	uint64_t calls = 0;

	for (uint32_t i = 0; i < profile->n_edges; i++)
		calls += profile->edges[i].calls;
	return calls;
}

static void sums_agree_to_the_unit(void **state)
{
	for (uint32_t seed = 1; seed <= 600; seed++) {
		struct rps_build with = {.ns_per_tick = 0.3 + seed % 7, .events = RPS_EVENT_BIT(WALL_NS) | RPS_EVENT_BIT(CALLS)};
		struct rps_arena_copy copy;
		struct rps_profile *profile;
		char why[200] = "";

		random_arena_make(&copy, seed, 2 + seed % (N_NODES_MAX - 2), ID_STEP, seed % 2 == 0);
		copy.process.costs.inlined.inside = seed % 3 * 20 * 256;
		copy.process.costs.inlined.outside = seed % 5 * 10 * 256;
		copy.process.costs.inlined.untimed = seed % 4 * 256;
		profile = build(&copy, &with);
		check_sums(profile);
		assert_int_equal(calls_in(profile), copy.calls);
		assert_int_equal(rps_profile_total(profile, 1), copy.calls);
		if (seed % 2 != 0) {
			rps_profile_check(profile, why, sizeof(why));
			assert_string_equal(why, "");
		}
		rps_profile_destroy(profile);
		rps_arena_copy_free(&copy);
	}
}

/* A function's cost by calls is how often it was called. */
static void calls_cost_their_callee(void **state)
{
	struct rps_build with = {.ns_per_tick = 1, .events = RPS_EVENT_BIT(CALLS)};

	for (uint32_t seed = 1; seed <= 100; seed++) {
		struct rps_arena_copy copy;
		struct rps_profile *profile;

		random_arena_make(&copy, seed, 2 + seed % (N_NODES_MAX - 2), ID_STEP, 1);
		profile = build(&copy, &with);
		for (uint32_t node = 1; node < profile->n_nodes; node++) {
			uint64_t calls = 0;

			for (uint32_t i = 0; i < profile->n_edges; i++)
				if (profile->edges[i].to == node)
					calls += profile->edges[i].calls;
			assert_int_equal(profile->nodes[node].self[0], calls);
		}
		rps_profile_destroy(profile);
		rps_arena_copy_free(&copy);
	}
}

/* Several threads of one request: as if their sums were one. */
static void arenas_add_up(void **state)
{
	struct rps_build with = {.ns_per_tick = 1, .events = RPS_EVENT_BIT(WALL_NS)};
	struct rps_profile *together = rps_profile_create("root");
	uint64_t total = 0, calls = 0;

	for (uint32_t seed = 1; seed <= 10; seed++) {
		struct rps_arena_copy copy;
		struct rps_profile *alone;

		random_arena_make(&copy, seed, N_NODES_MAX / 2, ID_STEP, 0);
		alone = build(&copy, &with);
		total += rps_profile_total(alone, 0);
		calls += copy.calls;
		assert_int_equal(rps_build_add(together, &copy, functions, &with), 0);
		rps_profile_destroy(alone);
		rps_arena_copy_free(&copy);
	}
	assert_int_equal(rps_profile_total(together, 0), total);
	assert_int_equal(calls_in(together), calls);
	rps_profile_destroy(together);
}

/* Thousands of functions that all reach each other, and are entered at one place only, which is the last to be looked at. */
static void a_large_cycle_has_the_cost_of_all_its_functions(void **state)
{
	struct rps_build with = {.ns_per_tick = 1, .events = RPS_EVENT_BIT(WALL_NS)};
	struct rps_arena_copy copy;
	struct rps_profile *profile;

	random_arena_create(&copy, N_RING + 1, 5 * N_RING);
	for (uint32_t i = 1; i <= N_RING; i++) {
		copy.nodes[i].parent = i - 1;
		copy.nodes[i].function = i * ID_STEP;
		random_arena_call(&copy, i - 1, i, 1, 1, 10, 10 * (N_RING + 1 - i));
	}
	for (uint32_t i = 1; i <= N_RING; i++)
		for (uint32_t k = 1; k <= 3; k++)
			random_arena_call(&copy, i, 1 + i * k * 7 % i, 2, 2, 5, 5);
	random_arena_call(&copy, N_RING, 1, 1, 1, 1, 1);
	profile = build(&copy, &with);
	assert_int_equal(rps_profile_total(profile, 0), N_RING * 10 + N_RING * 3 * 2 * 5 + 1);
	assert_int_equal(profile->nodes[0].self[0], 0);
	assert_int_equal(profile->edges[profile->nodes[0].first_edge].inclusive[0], rps_profile_total(profile, 0));
	rps_profile_destroy(profile);
	rps_arena_copy_free(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sums_agree_to_the_unit),
	    cmocka_unit_test(calls_cost_their_callee),
	    cmocka_unit_test(arenas_add_up),
	    cmocka_unit_test(a_large_cycle_has_the_cost_of_all_its_functions),
	};

	return cmocka_run_group_tests_name("build", tests, make_pool, destroy_pool);
}
