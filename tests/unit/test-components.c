/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The components of graphs at random, against what reaches what, found by trying all ways.
 */
#include "collect/components.h"
#include "tests/unit/random-arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define N_NODES_MAX 40

static int reaches[N_NODES_MAX][N_NODES_MAX];

static int counts(const struct rps_arena_edge *edge)
{
	return rps_wire_edge_calls(&edge->wire) > 0;
}

static void find_ways(const struct rps_arena_copy *copy)
{
	memset(reaches, 0, sizeof(reaches));
	for (uint32_t i = 0; i < copy->n_nodes; i++)
		reaches[i][i] = 1;
	for (uint32_t i = 0; i < copy->n_edges; i++)
		if (counts(&copy->edges[i]))
			reaches[copy->edges[i].from][copy->edges[i].to] = 1;
	for (uint32_t over = 0; over < copy->n_nodes; over++)
		for (uint32_t from = 0; from < copy->n_nodes; from++)
			for (uint32_t to = 0; to < copy->n_nodes; to++)
				reaches[from][to] |= reaches[from][over] && reaches[over][to];
}

/* Is each edge that counts listed once, with the component at that end of it? */
static void check_edges(const struct rps_arena_copy *copy, const struct rps_components *components, const uint32_t *first,
			const uint32_t *listed, int by_target)
{
	uint32_t n_listed[3 * N_NODES_MAX] = {0};

	for (uint32_t c = 0; c < components->n; c++)
		for (uint32_t i = first[c]; i < first[c + 1]; i++) {
			const struct rps_arena_edge *edge = &copy->edges[listed[i]];

			assert_int_equal(components->of[by_target ? edge->to : edge->from], c);
			n_listed[listed[i]]++;
		}
	for (uint32_t i = 0; i < copy->n_edges; i++)
		assert_int_equal(n_listed[i], counts(&copy->edges[i]));
}

static void check_entered(const struct rps_arena_copy *copy, const struct rps_components *components)
{
	for (uint32_t c = 0; c < components->n; c++) {
		int is_entered = 0;

		for (uint32_t i = 0; i < copy->n_edges; i++)
			is_entered |= counts(&copy->edges[i]) && components->of[copy->edges[i].to] == c &&
				      components->of[copy->edges[i].from] != c;
		assert_int_equal(components->is_entered[c], is_entered);
	}
}

static void check(const struct rps_arena_copy *copy)
{
	struct rps_components components;
	uint32_t n_placed[N_NODES_MAX] = {0};

	assert_int_equal(rps_components_find(copy, &components), 0);
	find_ways(copy);
	for (uint32_t a = 0; a < copy->n_nodes; a++)
		for (uint32_t b = 0; b < copy->n_nodes; b++) {
			assert_int_equal(components.of[a] == components.of[b], reaches[a][b] && reaches[b][a]);
			/* Callees first. */
			if (reaches[a][b])
				assert_true(components.of[b] <= components.of[a]);
		}
	for (uint32_t c = 0; c < components.n; c++)
		for (uint32_t i = components.first[c]; i < components.first[c + 1]; i++) {
			assert_int_equal(components.of[components.nodes[i]], c);
			n_placed[components.nodes[i]]++;
		}
	for (uint32_t i = 0; i < copy->n_nodes; i++)
		assert_int_equal(n_placed[i], 1);
	check_edges(copy, &components, components.first_into, components.into, 1);
	check_edges(copy, &components, components.first_out_of, components.out_of, 0);
	check_entered(copy, &components);
	rps_components_free(&components);
}

static void graphs_at_random_are_taken_apart_right(void **state)
{
	for (uint32_t seed = 1; seed <= 400; seed++) {
		struct rps_arena_copy copy;

		random_arena_make(&copy, seed, 1 + seed % N_NODES_MAX, 1, seed % 2 == 0);
		check(&copy);
		rps_arena_copy_free(&copy);
	}
}

/* As deep as the application likes: nothing recurses here. A ring is one component. */
static void a_long_way_needs_no_stack(void **state)
{
	const uint32_t n_nodes = 300000;

	for (int is_ring = 0; is_ring < 2; is_ring++) {
		struct rps_arena_copy copy;
		struct rps_components components;

		random_arena_create(&copy, n_nodes, n_nodes);
		for (uint32_t i = 1; i < n_nodes; i++)
			random_arena_call(&copy, i - 1, i, 1, 1, 1, 1);
		if (is_ring)
			random_arena_call(&copy, n_nodes - 1, 1, 1, 1, 1, 1);
		assert_int_equal(rps_components_find(&copy, &components), 0);
		assert_int_equal(components.n, is_ring ? 2 : n_nodes);
		assert_int_equal(components.of[0], components.n - 1);
		assert_int_equal(components.is_entered[components.of[1]], 1);
		assert_int_equal(components.is_entered[components.of[0]], 0);
		rps_components_free(&components);
		rps_arena_copy_free(&copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(graphs_at_random_are_taken_apart_right),
	    cmocka_unit_test(a_long_way_needs_no_stack),
	};

	return cmocka_run_group_tests_name("components", tests, NULL, NULL);
}
