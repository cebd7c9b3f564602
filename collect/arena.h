/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A private copy of one arena, checked, so that what follows need not distrust
 * it: every link leads to a node or an edge, parents stand before children, no list has a cycle.
 * Activations still open are closed at the end of the request.
 */
#ifndef RPS_COLLECT_ARENA_H
#define RPS_COLLECT_ARENA_H

#include "collect/pool.h"
#include "wire/layout.h"

#include <stddef.h>
#include <stdint.h>

struct rps_arena_node {
	uint32_t offset; /* in the arena */
	uint32_t parent; /* index; the root's own */
	uint32_t function;
};

struct rps_arena_edge {
	uint32_t from, to; /* indices of nodes */
	struct rps_wire_edge wire;
	struct rps_wire_counts counts; /* 0 where nothing is counted */
};

struct rps_arena_copy {
	struct rps_arena_node *nodes; /* [0] is the root; parents before children */
	uint32_t n_nodes;
	struct rps_arena_edge *edges;
	uint32_t n_edges;
	uint32_t overflow;    /* index of the overflow node; 0: none */
	uint32_t *unfinished; /* function ids of activations that were open, outermost first */
	uint32_t n_unfinished;
	uint64_t calls, lost_calls, deep_calls, abandoned, miss_ticks;
	uint64_t scope_ticks; /* 0 in application scope */
	uint64_t timed_ticks; /* of which in timed activations the root has called */
	int is_busy;          /* a hook was in the middle of a change: the copy may lack one call, or be refused */
	uint32_t time_mode;   /* enum rps_time_mode */
	uint32_t counters;    /* bits 1 << enum rps_counter */
	uint64_t counted[RPS_N_COUNTERS];
	struct rps_process_slot process; /* that it ran in: what hooks cost there */
};

/* Copies arena `index`; activations still open end at `end_ticks`. 0, -ENOMEM, or -EINVAL: the arena makes no
 * sense (`*copy` is empty then). */
int rps_arena_copy(const struct rps_pool *pool, uint32_t index, uint64_t end_ticks, struct rps_arena_copy *copy);
void rps_arena_copy_free(struct rps_arena_copy *copy);

#endif
