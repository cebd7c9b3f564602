/* SPDX-License-Identifier: GPL-3.0-or-later */
/* profile/model.c and profile/model_check.c: building profiles, and noticing broken ones. */
#include "profile/model.h"

#include "profile/id_table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Running out of memory (the linker sends the library's allocations here) ------------------ */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static long n_allocations_left = -1; /* -1: no limit */

static int allocation_fails(void)
{
	if (n_allocations_left < 0)
		return 0;
	return n_allocations_left == 0 || n_allocations_left-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return allocation_fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return allocation_fails() ? NULL : __real_realloc(memory, size);
}

/* ---- Building ------------------------------------------------------------------------------------ */

static uint32_t function(struct rps_profile *profile, const char *name)
{
	return rps_profile_function(profile,
				    &(struct rps_function){.name = name, .file = "/src/a.c", .line = 1});
}

static void an_empty_profile(void **state)
{
	struct rps_profile *profile = rps_profile_create("GET /");
	char why[200];

	assert_int_equal(profile->n_events, 1);
	assert_string_equal(profile->events[0].name, "Wall_ns");
	assert_string_equal(profile->events[0].long_name, "Wall time (ns)");
	assert_int_equal(profile->n_nodes, 1);
	assert_int_equal(profile->nodes[0].parent, RPS_NONE);
	assert_string_equal(profile->functions[profile->nodes[0].function].name, "GET /");
	assert_string_equal(profile->functions[0].file, "");
	assert_string_equal(profile->command, "");
	assert_int_equal(profile->volatile_headers, 1);
	assert_int_equal(profile->overflow, RPS_NONE);
	assert_int_equal(rps_profile_total(profile, 0), 0);
	assert_int_equal(rps_profile_check(profile, why, sizeof(why)), 0);
	rps_profile_destroy(profile);
	rps_profile_destroy(NULL);
}

static void everything_is_there_once(void **state)
{
	struct rps_profile *profile = rps_profile_create("r");
	struct rps_function all = {"f", "_f", "/src/a.c", "/bin/app", 7}, other;
	char file[] = "/src/a.c";
	uint32_t f = rps_profile_function(profile, &all), g, node, edge;

	all.file = file; /* the same text elsewhere */
	assert_int_equal(rps_profile_function(profile, &all), f);
	file[5] = 'b'; /* copied, so this is another one */
	g = rps_profile_function(profile, &all);
	assert_int_not_equal(g, f);
	assert_string_equal(profile->functions[f].file, "/src/a.c");
	other = all;
	other.name = "g";
	assert_int_not_equal(rps_profile_function(profile, &other), g);
	other = all;
	other.symbol = NULL;
	assert_int_not_equal(rps_profile_function(profile, &other), g);
	assert_string_equal(profile->functions[rps_profile_function(profile, &other)].symbol, "");
	other = all;
	other.object = "/bin/other";
	assert_int_not_equal(rps_profile_function(profile, &other), g);
	other = all;
	other.line = 8;
	assert_int_not_equal(rps_profile_function(profile, &other), g);

	node = rps_profile_node(profile, 0, f);
	assert_int_equal(rps_profile_node(profile, 0, f), node);
	assert_int_not_equal(rps_profile_node(profile, 0, g), node);
	assert_int_not_equal(rps_profile_node(profile, node, f), node);

	edge = rps_profile_edge(profile, 0, node, "/src/a.c", 3);
	assert_int_equal(profile->edges[edge].calls, 0);
	assert_int_equal(rps_profile_edge(profile, 0, node, "/src/a.c", 3), edge);
	assert_int_not_equal(rps_profile_edge(profile, 0, node, "/src/a.c", 4), edge);
	assert_int_not_equal(rps_profile_edge(profile, 0, node, "/src/b.c", 3), edge);
	assert_int_not_equal(rps_profile_edge(profile, node, node, "/src/a.c", 3), edge);
	assert_int_equal(profile->n_edges, 4);
	/* Equal strings are one pointer, among edges and functions alike. */
	assert_ptr_equal(profile->edges[edge].site_file, profile->functions[f].file);
	assert_string_equal(profile->edges[rps_profile_edge(profile, 0, node, NULL, 0)].site_file, "");
	rps_profile_destroy(profile);
}

static void metas_and_command(void **state)
{
	struct rps_profile *profile = rps_profile_create("r");

	assert_int_equal(rps_profile_add_meta(profile, "Id", "1"), 0);
	assert_int_equal(rps_profile_add_volatile_meta(profile, "Time", "2"), 0);
	assert_int_equal(rps_profile_add_meta(profile, "Id", NULL), 0);
	assert_int_equal(profile->n_metas, 3);
	assert_string_equal(profile->metas[0].key, "Id");
	assert_string_equal(profile->metas[0].value, "1");
	assert_false(profile->metas[0].is_volatile);
	assert_string_equal(profile->metas[1].key, "Time");
	assert_true(profile->metas[1].is_volatile);
	assert_string_equal(profile->metas[2].value, "");
	assert_int_equal(rps_profile_set_command(profile, "./app -x"), 0);
	assert_string_equal(profile->command, "./app -x");
	assert_int_equal(rps_profile_set_command(profile, NULL), 0);
	assert_string_equal(profile->command, "");
	rps_profile_destroy(profile);
}

static void sums_stay_at_the_top(void **state)
{
	struct rps_profile *profile = rps_profile_create("r");

	rps_profile_node(profile, 0, function(profile, "f"));
	profile->nodes[0].self[0] = UINT64_MAX - 1;
	profile->nodes[1].self[0] = 1;
	assert_true(rps_profile_total(profile, 0) == UINT64_MAX);
	profile->nodes[1].self[0] = 100;
	assert_true(rps_profile_total(profile, 0) == UINT64_MAX);
	assert_true(rps_cost_add(2, 3) == 5);
	rps_profile_destroy(profile);
}

/* A table with a bad hash or without growth would not come to an end here. */
static void hundreds_of_thousands_of_nodes(void **state)
{
	const uint32_t n_functions = 2000, n_nodes = 300000;
	struct rps_profile *profile = rps_profile_create("r");
	char name[40], why[200];
	uint32_t node;

	for (uint32_t i = 0; i < n_functions; i++) {
		snprintf(name, sizeof(name), "function_%u", i);
		assert_int_equal(function(profile, name), i + 1);
	}
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 1; i <= n_nodes; i++) {
			/* Node i below node i / 7: the same in each round. */
			node = rps_profile_node(profile, i / 7, 1 + i % n_functions);
			assert_int_equal(node, i);
			assert_int_equal(rps_profile_edge(profile, i / 7, node, "/src/a.c", i % 97), i - 1);
		}
	}
	assert_int_equal(profile->n_nodes, n_nodes + 1);
	assert_int_equal(rps_profile_check(profile, why, sizeof(why)), 0);
	rps_profile_destroy(profile);
}

static bool is_ten_times(const void *owner, uint32_t id, const void *key)
{
	return id * 10 == *(const uint32_t *)key;
}

/* One hash for all: only comparing tells them apart. */
static void equal_hashes_are_compared(void **state)
{
	struct rps_id_table table = {0};
	uint32_t key = 70;

	assert_int_equal(rps_id_table_find(&table, 5, is_ten_times, NULL, &key), UINT32_MAX);
	for (uint32_t id = 0; id < 200; id++) {
		assert_int_equal(rps_id_table_reserve(&table), 0);
		rps_id_table_put(&table, 5, id);
	}
	for (uint32_t id = 0; id < 200; id++) {
		key = id * 10;
		assert_int_equal(rps_id_table_find(&table, 5, is_ten_times, NULL, &key), id);
		assert_int_equal(rps_id_table_find(&table, 6, is_ten_times, NULL, &key), UINT32_MAX);
	}
	key = 7;
	assert_int_equal(rps_id_table_find(&table, 5, is_ten_times, NULL, &key), UINT32_MAX);
	rps_id_table_clear(&table);
}

static void hashes_of_short_texts_differ(void **state)
{
	/* The length counts, so that zero bytes at the end do too. */
	assert_true(rps_hash_bytes("\0\0", 1) != rps_hash_bytes("\0\0", 2));
	assert_true(rps_hash_bytes("abcdefgh", 8) != rps_hash_bytes("abcdefgi", 8));
	assert_true(rps_hash_bytes("abcdefghi", 9) != rps_hash_bytes("abcdefghj", 9));
	assert_true(rps_hash_mix(rps_hash_mix(0, 1), 2) != rps_hash_mix(rps_hash_mix(0, 2), 1));
}

/* ---- Out of memory ---------------------------------------------------------------------------------- */

/* root -> f -> f, g; 0, or -1 when something said that there is no memory. */
static int build_something(struct rps_profile **profile)
{
	uint32_t f, g, at_f, at_g;
	char name[16];

	*profile = rps_profile_create("r");
	if (*profile == NULL)
		return -1;
	f = function(*profile, "f");
	g = function(*profile, "g");
	if (f == RPS_NONE || g == RPS_NONE)
		return -1;
	at_f = rps_profile_node(*profile, 0, f);
	if (at_f == RPS_NONE)
		return -1;
	at_g = rps_profile_node(*profile, at_f, g);
	if (at_g == RPS_NONE)
		return -1;
	if (rps_profile_edge(*profile, 0, at_f, "/src/x.c", 1) == RPS_NONE ||
	    rps_profile_edge(*profile, at_f, at_f, "/src/x.c", 2) == RPS_NONE ||
	    rps_profile_edge(*profile, at_f, at_g, "/src/y.c", 3) == RPS_NONE)
		return -1;
	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "%d", i);
		if (rps_profile_add_meta(*profile, name, name) != 0)
			return -1;
	}
	return rps_profile_set_command(*profile, "app") != 0 ? -1 : 0;
}

static void each_allocation_may_fail(void **state)
{
	struct rps_profile *profile;
	int failed = -1;
	long limit;
	char why[200];

	for (limit = 0; failed != 0; limit++) {
		n_allocations_left = limit;
		failed = build_something(&profile);
		n_allocations_left = -1;
		/* What is there is whole: the second try completes it. */
		if (failed != 0 && profile != NULL) {
			assert_int_equal(rps_profile_check(profile, why, sizeof(why)), 0);
			assert_int_not_equal(function(profile, "again"), RPS_NONE);
		}
		rps_profile_destroy(profile);
	}
	assert_true(limit > 10);
	assert_int_equal(build_something(&profile), 0);
	for (limit = 0, failed = -1; failed != 0; limit++) {
		n_allocations_left = limit;
		failed = rps_profile_check(profile, why, sizeof(why));
		n_allocations_left = -1;
		assert_true(failed == 0 || failed == -ENOMEM);
	}
	assert_int_equal(limit, 3);
	rps_profile_destroy(profile);
}

/* ---- Broken profiles ----------------------------------------------------------------------------------- */

/* root -> f (10, 1 call); f -> g (4); g -> f folded, g -> g; h is a child of g: total 10 + 1 of the root. */
static struct rps_profile *sound_profile(void)
{
	struct rps_profile *profile = rps_profile_create("r");
	uint32_t f = rps_profile_node(profile, 0, function(profile, "f"));
	uint32_t g = rps_profile_node(profile, f, function(profile, "g"));
	uint32_t h = rps_profile_node(profile, g, function(profile, "h"));
	uint32_t edge;

	profile->nodes[0].self[0] = 1;
	profile->nodes[f].self[0] = 6;
	profile->nodes[g].self[0] = 3;
	profile->nodes[h].self[0] = 1;
	edge = rps_profile_edge(profile, 0, f, "", 0);
	profile->edges[edge].calls = 1;
	profile->edges[edge].inclusive[0] = 10;
	edge = rps_profile_edge(profile, f, g, "/src/a.c", 3);
	profile->edges[edge].calls = 2;
	profile->edges[edge].inclusive[0] = 4;
	edge = rps_profile_edge(profile, g, f, "/src/a.c", 9);
	profile->edges[edge].calls = 1;
	edge = rps_profile_edge(profile, g, g, "/src/a.c", 9);
	profile->edges[edge].calls = 5;
	edge = rps_profile_edge(profile, g, h, "/src/a.c", 10);
	profile->edges[edge].calls = 1;
	profile->edges[edge].inclusive[0] = 1;
	return profile;
}

static void is_broken(struct rps_profile *profile, const char *expected)
{
	char why[200] = "";

	assert_int_equal(rps_profile_check(profile, why, sizeof(why)), -EINVAL);
	if (strstr(why, expected) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", why, expected);
	rps_profile_destroy(profile);
}

static void broken_profiles_are_noticed(void **state)
{
	struct rps_profile *profile = sound_profile();
	char why[200];
	uint32_t node, edge;

	assert_int_equal(rps_profile_check(profile, why, sizeof(why)), 0);
	profile->n_events = 0;
	is_broken(profile, "0 events");

	profile = sound_profile();
	profile->n_events = RPS_EVENTS_MAX + 1;
	is_broken(profile, "17 events");

	profile = sound_profile();
	profile->events[0].name = "Wall time";
	is_broken(profile, "bad name \"Wall time\"");

	profile = sound_profile();
	profile->events[0].name = "2nd";
	is_broken(profile, "bad name \"2nd\"");

	profile = sound_profile();
	profile->events[0].name = "";
	is_broken(profile, "bad name \"\"");

	profile = sound_profile();
	profile->events[1] = profile->events[0];
	profile->n_events = 2;
	is_broken(profile, "two events");

	profile = sound_profile();
	profile->nodes[0].parent = 0;
	is_broken(profile, "node 0 is no root");

	profile = sound_profile();
	profile->nodes[2].function = profile->n_functions;
	is_broken(profile, "node 2: no function 4");

	profile = sound_profile();
	profile->nodes[1].parent = 2;
	is_broken(profile, "node 1: parent 2");

	profile = sound_profile();
	profile->overflow = profile->n_nodes;
	is_broken(profile, "no overflow node");

	profile = sound_profile();
	profile->edges[2].to = profile->n_nodes;
	is_broken(profile, "edge 2: no such node");

	profile = sound_profile();
	profile->edges[2].to = 0;
	is_broken(profile, "edge 2: leads to the root");

	profile = sound_profile();
	profile->edges[0].inclusive[0] = 12;
	is_broken(profile, "edge 0: inclusive Wall_ns is above the total");

	profile = sound_profile();
	profile->nodes[2].self[0]++;
	is_broken(profile, "Wall_ns: the root's self and calls make 11, all self costs 12");

	profile = sound_profile();
	profile->nodes[1].first_edge = profile->n_edges;
	is_broken(profile, "node 1: no edge 5");

	profile = sound_profile();
	profile->edges[3].from = 1;
	is_broken(profile, "edge 3: in the list of node 2");

	profile = sound_profile();
	profile->edges[2].next = 4;
	is_broken(profile, "a ring");

	profile = sound_profile();
	profile->nodes[1].first_edge = RPS_NONE;
	is_broken(profile, "1 of 5 edges are in no list");

	/* Node 4 costs something, but nothing calls it. */
	profile = sound_profile();
	node = rps_profile_node(profile, 0, function(profile, "orphan"));
	profile->nodes[node].self[0] = 2;
	edge = rps_profile_edge(profile, 0, 1, "", 0);
	profile->edges[edge].inclusive[0] = 12;
	is_broken(profile, "node 4: has costs, but nothing calls it");
}

static void edges_lead_to_children_and_ancestors_only(void **state)
{
	/* A tree of a few levels; every pair of nodes is tried. */
	const uint32_t n_nodes = 40;

	for (uint32_t from = 1; from < n_nodes; from++) {
		for (uint32_t to = 1; to < n_nodes; to++) {
			struct rps_profile *profile = rps_profile_create("r");
			uint32_t f = function(profile, "f"), g = function(profile, "g");
			uint32_t h = function(profile, "h"), above = from;
			char why[200];

			for (uint32_t i = 1; i < n_nodes; i++)
				assert_int_equal(rps_profile_node(profile, (i - 1) / 3,
								  i % 3 == 0   ? f
								  : i % 3 == 1 ? g
									       : h),
						 i);
			rps_profile_edge(profile, from, to, "", 0);
			while (above != RPS_NONE && above != to)
				above = profile->nodes[above].parent;
			assert_int_equal(rps_profile_check(profile, why, sizeof(why)),
					 above == to || profile->nodes[to].parent == from ? 0 : -EINVAL);
			/* Below the overflow node nobody knows the context. */
			profile->overflow = profile->nodes[to].parent;
			assert_int_equal(rps_profile_check(profile, why, sizeof(why)), 0);
			rps_profile_destroy(profile);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_profile),
	    cmocka_unit_test(everything_is_there_once),
	    cmocka_unit_test(metas_and_command),
	    cmocka_unit_test(sums_stay_at_the_top),
	    cmocka_unit_test(hundreds_of_thousands_of_nodes),
	    cmocka_unit_test(equal_hashes_are_compared),
	    cmocka_unit_test(hashes_of_short_texts_differ),
	    cmocka_unit_test(each_allocation_may_fail),
	    cmocka_unit_test(broken_profiles_are_noticed),
	    cmocka_unit_test(edges_lead_to_children_and_ancestors_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
