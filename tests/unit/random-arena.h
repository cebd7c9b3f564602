/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Copies of arenas that no program has recorded: a tree at random with calls at random along it, back up (recursion), and across
 * (collapsed contexts). The same seed gives the same.
 */
#ifndef TESTS_UNIT_RANDOM_ARENA_H
#define TESTS_UNIT_RANDOM_ARENA_H

#include "collect/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static inline uint32_t random_below(uint32_t *state, uint32_t n)
{
	*state = *state * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)(*state >> 8) * n >> 24);
}

/* `calls` calls, of which `timed` are timed, each as long as the next: `ticks` with what is timed below, `own_ticks` without. */
static inline struct rps_arena_edge *random_arena_call(struct rps_arena_copy *copy, uint32_t from, uint32_t to, uint32_t calls,
						       uint32_t timed, uint64_t own_ticks, uint64_t ticks)
{
	struct rps_arena_edge *edge = &copy->edges[copy->n_edges++];

	memset(edge, 0, sizeof(*edge));
	edge->from = from;
	edge->to = to;
	edge->wire.granted = calls;
	edge->wire.n_timed = timed;
	edge->wire.weight = timed > 0 ? calls : 0;
	edge->wire.ticks = timed * own_ticks;
	edge->wire.weighted_ticks = edge->wire.weight * own_ticks;
	edge->wire.outermost_ticks = edge->wire.weight * ticks;
	copy->calls += calls;
	return edge;
}

static inline void random_arena_create(struct rps_arena_copy *copy, uint32_t n_nodes, uint32_t n_edges_max)
{
	memset(copy, 0, sizeof(*copy));
	copy->nodes = calloc(n_nodes, sizeof(*copy->nodes));
	copy->edges = calloc(n_edges_max, sizeof(*copy->edges));
	copy->n_nodes = n_nodes;
}

static inline uint32_t random_ancestor(const struct rps_arena_copy *copy, uint32_t *state, uint32_t node)
{
	while (copy->nodes[node].parent != 0 && random_below(state, 3) > 0)
		node = copy->nodes[node].parent;
	return node;
}

/* A node that calls lead to; of every tenth node they were taken back, so nothing is called from there. */
static inline uint32_t random_called(uint32_t *state, uint32_t n)
{
	uint32_t node = random_below(state, n);

	return node % 10 == 9 ? node - 1 : node;
}

/* Node I has function I * `id_step`. */
static inline void random_arena_make(struct rps_arena_copy *copy, uint32_t seed, uint32_t n_nodes, uint32_t id_step, int is_across)
{
	uint32_t state = seed, n_more = n_nodes > 2 ? random_below(&state, 2 * n_nodes) : 0;

	random_arena_create(copy, n_nodes, n_nodes + n_more);
	for (uint32_t i = 1; i < n_nodes; i++) {
		uint32_t calls = 1 + random_below(&state, 1000), timed = 1 + random_below(&state, calls);
		uint64_t ticks = random_below(&state, 100000);

		copy->nodes[i].parent = random_called(&state, i);
		copy->nodes[i].function = i * id_step;
		copy->nodes[i].offset = i;
		if (i % 10 != 9)
			random_arena_call(copy, copy->nodes[i].parent, i, calls, timed, ticks, ticks + random_below(&state, 100000));
	}
	for (uint32_t i = 0; i < n_more; i++) {
		uint32_t from = random_called(&state, n_nodes);
		uint32_t to = is_across ? random_called(&state, n_nodes) : random_ancestor(copy, &state, from);
		uint32_t calls = random_below(&state, 50); /* or a link that counts nothing */

		if (from != 0 && to != 0)
			random_arena_call(copy, from, to, calls, calls / 2, random_below(&state, 10000),
					  random_below(&state, 10000));
	}
}

#endif
