/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The collector reads arenas that a hostile or dying application wrote. Real ones, made by the
 * runtime's own call tree, are damaged at random: reading must end, stay within its memory (run under
 * AddressSanitizer or valgrind), and give a tree that keeps its promises, or refuse.
 */
#include "collect/arena.h"
#include "collect/build.h"
#include "collect/functions.h"
#include "collect/pool.h"
#include "profile/model.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct rps_pool pool;
static char *original; /* an arena as it was made */

/* ---- Three functions in the dictionary --------------------------------------------------- */

#define ID_A 1024u
#define ID_B 2048u
#define ID_C 3072u

static void write_entry(uint32_t id, uint32_t kind, const void *payload, uint32_t size)
{
	struct rps_entry *entry = (struct rps_entry *)((char *)pool.header + RPS_DICT_HEAP_OFFSET + id);

	entry->kind = kind;
	entry->size = size;
	memcpy(entry + 1, payload, size);
}

static void write_function(uint32_t id, const char *name)
{
	struct rps_function_entry function = {.name = id + 512, .line = 7};

	write_entry(id + 512, RPS_ENTRY_STRING, name, (uint32_t)strlen(name));
	write_entry(id, RPS_ENTRY_FUNCTION, &function, sizeof(function));
}

/* ---- A small arena, written by hand ------------------------------------------------------ */

static uint32_t used;

static void *give(uint32_t *offset, size_t size)
{
	*offset = used;
	used += (uint32_t)size;
	return (char *)rps_pool_arena(&pool, 0) + *offset;
}

static uint32_t make_node(uint32_t function, uint32_t parent)
{
	uint32_t offset;
	struct rps_wire_node *node = give(&offset, sizeof(*node));

	node->function = function;
	node->parent = parent;
	node->first = offset;
	node->own_offset = offset;
	node->table = offset + (uint32_t)offsetof(struct rps_wire_node, own_place);
	return offset;
}

/* All calls timed; `ticks` without the timed calls inside, `outermost_ticks` with. */
static uint32_t make_edge(uint32_t from, uint32_t to, uint32_t calls, uint64_t ticks, uint64_t outermost_ticks)
{
	uint32_t offset;
	struct rps_wire_edge *edge = give(&offset, sizeof(*edge));
	struct rps_wire_node *node = (struct rps_wire_node *)((char *)rps_pool_arena(&pool, 0) + from);

	edge->to = to;
	edge->granted = edge->weight = calls;
	edge->n_timed = calls;
	edge->ticks = edge->weighted_ticks = ticks;
	edge->outermost_ticks = outermost_ticks;
	edge->next = node->first_edge;
	node->first_edge = offset;
	return offset;
}

/*  root -> 1 (a) -> 2 (b) -> [1], 3 (c) below the outer a, called by the inner one. Own times: a 50, b 150, c 800. */
static void make_arena(void)
{
	struct rps_arena_header *arena = rps_pool_arena(&pool, 0);
	struct rps_wire_frame *bottom = (struct rps_wire_frame *)((char *)arena + RPS_STACK_OFFSET);
	uint32_t root, a, b, c;

	memset(arena, 0, RPS_ARENA_SIZE);
	used = RPS_TREE_OFFSET;
	root = make_node(0, 0);
	a = make_node(ID_A, root);
	make_edge(root, a, 1, 30, 1000);
	b = make_node(ID_B, a);
	make_edge(a, b, 1, 150, 900);
	make_edge(b, a, 1, 20, 0);
	c = make_node(ID_C, a);
	make_edge(a, c, 2, 800, 800);
	arena->root = root;
	arena->used = used;
	arena->n_nodes = 4;
	arena->n_edges = 4;
	arena->base = 1 << 20;
	arena->top = arena->base + RPS_STACK_OFFSET;
	bottom->cfa = UINT64_MAX;
	bottom->child_ticks = 1000;
}

static int make_pool(void **state)
{
	assert_int_equal(rps_pool_create(&pool, 1, RPS_CLOCK_MONOTONIC), 0);
	write_function(ID_A, "a");
	write_function(ID_B, "b");
	write_function(ID_C, "c");
	original = malloc(RPS_ARENA_SIZE);
	assert_non_null(original);
	make_arena();
	memcpy(original, rps_pool_arena(&pool, 0), RPS_ARENA_SIZE);
	return 0;
}

static int destroy_pool(void **state)
{
	free(original);
	rps_pool_destroy(&pool);
	return 0;
}

/* ---- What a copy promises -------------------------------------------------------------------- */

static void assert_sound(const struct rps_arena_copy *copy)
{
	assert_true(copy->n_nodes >= 1);
	for (uint32_t i = 1; i < copy->n_nodes; i++)
		assert_true(copy->nodes[i].parent < i);
	for (uint32_t i = 0; i < copy->n_edges; i++) {
		assert_true(copy->edges[i].from < copy->n_nodes);
		assert_true(copy->edges[i].to < copy->n_nodes);
	}
}

static void restore(void)
{
	memcpy(rps_pool_arena(&pool, 0), original, RPS_ARENA_SIZE);
}

static void a_sound_arena_is_read_whole(void **state)
{
	struct rps_arena_copy copy;

	restore();
	assert_int_equal(rps_arena_copy(&pool, 0, 0, &copy), 0);
	assert_sound(&copy);
	assert_int_equal(copy.n_nodes, 4);
	assert_int_equal(copy.n_edges, 4);
	assert_int_equal(copy.n_unfinished, 0);
	rps_arena_copy_free(&copy);
}

static void damaged_arenas_are_refused_or_sound(void **state)
{
	uint32_t n_refused = 0;

	srandom(3);
	for (int round = 0; round < 20000; round++) {
		uint32_t *words = (uint32_t *)rps_pool_arena(&pool, 0);
		struct rps_arena_copy copy;
		int n_hits = 1 + (int)(random() % 4), error;

		restore();
		for (int i = 0; i < n_hits; i++) {
			uint32_t at = (uint32_t)random() % (used / 4);

			switch (random() % 4) {
			case 0:
				words[at] = (uint32_t)random() << 1;
				break;
			case 1:
				words[at] = (uint32_t)(random() % (used / RPS_TREE_UNIT)) * RPS_TREE_UNIT;
				break;
			case 2:
				words[at] ^= 1u << random() % 32;
				break;
			default:
				words[at] = UINT32_MAX;
				break;
			}
		}
		error = rps_arena_copy(&pool, 0, (uint64_t)random(), &copy);
		assert_true(error == 0 || error == -EINVAL);
		if (error == 0)
			assert_sound(&copy);
		else
			n_refused++;
		rps_arena_copy_free(&copy);
	}
	assert_true(n_refused > 100);
	restore();
}

static void open_activations_are_closed_at_the_end(void **state)
{
	struct rps_arena_header *arena = rps_pool_arena(&pool, 0);
	struct rps_wire_frame *frames = (struct rps_wire_frame *)((char *)arena + RPS_STACK_OFFSET);
	struct rps_wire_node *root, *a;
	struct rps_arena_copy copy;

	restore();
	root = (struct rps_wire_node *)((char *)arena + arena->root);
	a = (struct rps_wire_node *)((char *)arena + ((struct rps_wire_edge *)((char *)arena + root->first_edge))->to);
	/* A timed activation, and one that is not, above it. */
	frames[1] = (struct rps_wire_frame){.cfa = 100, .mark = 1, .start_ticks = 5000, .child_ticks = 30, .weight = 1,
					    .edge = root->first_edge, .table = a->table};
	frames[2] = (struct rps_wire_frame){.cfa = 50, .table = a->table};
	frames[3] = (struct rps_wire_frame){.cfa = 0}; /* was being pushed */
	arena->top += 3 * sizeof(struct rps_wire_frame);
	assert_int_equal(rps_arena_copy(&pool, 0, 5100, &copy), 0);
	assert_int_equal(copy.n_unfinished, 2);
	assert_int_equal(copy.unfinished[0], ID_A);
	assert_int_equal(copy.unfinished[1], ID_A);
	assert_int_equal(copy.nodes[1].function, ID_A);
	assert_int_equal(copy.edges[0].wire.n_timed, 2);
	assert_int_equal(copy.edges[0].wire.ticks, 30 + 70);
	assert_int_equal(copy.timed_ticks, 1100);
	rps_arena_copy_free(&copy);
	restore();
}

/* Half of b's calls were timed, at 150 each with the untimed calls of others inside: of the 300 they took in all, the half not
 * reported is part of what a has reported. */
static void untimed_calls_are_taken_from_their_caller(void **state)
{
	struct rps_functions *functions = rps_functions_create(&pool);
	struct rps_profile *profile = rps_profile_create("root");
	struct rps_build build = {.ns_per_tick = 1, .events = RPS_EVENT_BIT(WALL_NS) | RPS_EVENT_BIT(CALLS)};
	struct rps_arena_copy copy;

	restore();
	assert_int_equal(rps_arena_copy(&pool, 0, 0, &copy), 0);
	for (uint32_t i = 0; i < copy.n_edges; i++) {
		struct rps_wire_edge *wire = &copy.edges[i].wire;

		if (copy.nodes[copy.edges[i].to].function == ID_B)
			wire->granted = 4, wire->n_timed = 2, wire->weight = 3, wire->weighted_ticks = 225;
		if (copy.edges[i].from == 0)
			wire->ticks = wire->weighted_ticks = 630;
	}
	assert_int_equal(rps_build_set_events(profile, build.events), 0);
	assert_int_equal(rps_build_add(profile, &copy, functions, &build), 0);
	/* b: 4 calls at 75 each are 300, of which 150 were reported. a: 630 + 20 - 150. */
	for (uint32_t i = 1; i < profile->n_nodes; i++) {
		const char *name = profile->functions[profile->nodes[i].function].name;

		if (strcmp(name, "b") == 0)
			assert_int_equal(profile->nodes[i].self[0], 300);
		if (strcmp(name, "a") == 0)
			assert_int_equal(profile->nodes[i].self[0], 500);
		if (strcmp(name, "b") == 0)
			assert_int_equal(profile->nodes[i].self[1], 4);
	}
	assert_int_equal(rps_profile_total(profile, 0), 630 + 20 + 150 + 800);
	assert_int_equal(rps_profile_total(profile, 1), 1 + 4 + 1 + 2);
	rps_arena_copy_free(&copy);
	rps_profile_destroy(profile);
	rps_functions_destroy(functions);
}

/* b's own subtree is 150, but it was active during 800 of c: only the clock knows. */
static void inclusive_times_agree_to_the_unit(void **state)
{
	struct rps_functions *functions = rps_functions_create(&pool);
	struct rps_profile *profile = rps_profile_create("root");
	struct rps_arena_copy copy;
	struct rps_build build = {.ns_per_tick = 1, .events = RPS_EVENT_BIT(WALL_NS)};
	uint64_t root_sum = 0;
	char why[200] = "";

	restore();
	assert_non_null(functions);
	assert_int_equal(rps_arena_copy(&pool, 0, 0, &copy), 0);
	assert_int_equal(rps_build_add(profile, &copy, functions, &build), 0);
	assert_int_equal(rps_profile_total(profile, 0), 1000);
	for (uint32_t i = 0; i < profile->n_edges; i++)
		if (profile->edges[i].from == 0)
			root_sum += profile->edges[i].inclusive[0];
	assert_int_equal(root_sum + profile->nodes[0].self[0], 1000);
	assert_int_equal(build.overhead_ns, 0);
	rps_profile_check(profile, why, sizeof(why));
	assert_string_equal(why, "");
	rps_arena_copy_free(&copy);
	rps_profile_destroy(profile);
	rps_functions_destroy(functions);
}

static void what_hooks_cost_is_subtracted_once(void **state)
{
	struct rps_functions *functions = rps_functions_create(&pool);
	struct rps_profile *profile = rps_profile_create("root");
	struct rps_arena_copy copy;
	struct rps_build build = {.ns_per_tick = 1, .events = RPS_EVENT_BIT(WALL_NS)};

	restore();
	assert_int_equal(rps_arena_copy(&pool, 0, 0, &copy), 0);
	copy.process.costs.inlined.inside = 10 * 256;
	copy.process.costs.inlined.outside = 5 * 256;
	assert_int_equal(rps_build_add(profile, &copy, functions, &build), 0);
	/* 5 calls cost 10 each inside and 5 each in the caller; nothing of that is in the root, which has no time of its own. */
	assert_int_equal(build.overhead_ns, 5 * 10 + 5 * 5);
	assert_int_equal(rps_profile_total(profile, 0), 1000 - 5 * 10 - 4 * 5);
	rps_arena_copy_free(&copy);
	rps_profile_destroy(profile);
	rps_functions_destroy(functions);
}

static void dictionary_ids_out_of_range_mean_nothing(void **state)
{
	struct rps_function_entry entry;
	struct rps_functions *functions = rps_functions_create(&pool);

	assert_true(rps_pool_entry(&pool, 0, RPS_ENTRY_FUNCTION, &entry, sizeof(entry)) < 0);
	assert_true(rps_pool_entry(&pool, UINT32_MAX & ~7u, RPS_ENTRY_FUNCTION, &entry, sizeof(entry)) < 0);
	assert_true(rps_pool_entry(&pool, 12, RPS_ENTRY_FUNCTION, &entry, sizeof(entry)) < 0);
	assert_null(rps_pool_string(&pool, 16));
	assert_string_equal(rps_functions_get(functions, 4096)->name, "[unknown function]");
	rps_functions_destroy(functions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_sound_arena_is_read_whole),
	    cmocka_unit_test(damaged_arenas_are_refused_or_sound),
	    cmocka_unit_test(open_activations_are_closed_at_the_end),
	    cmocka_unit_test(inclusive_times_agree_to_the_unit),
	    cmocka_unit_test(untimed_calls_are_taken_from_their_caller),
	    cmocka_unit_test(what_hooks_cost_is_subtracted_once),
	    cmocka_unit_test(dictionary_ids_out_of_range_mean_nothing),
	};

	return cmocka_run_group_tests(tests, make_pool, destroy_pool);
}
