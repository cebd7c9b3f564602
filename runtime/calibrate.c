/* SPDX-License-Identifier: MIT */
/* See calibrate.h. Three functions call each other in a pattern that changes
 * from round to round: a loop over one pair of hooks would be predicted perfectly, and
 * cost less than hooks do in real code. Of several batches the cheapest counts, since
 * an interrupt only ever adds.
 */
#include "runtime/calibrate.h"

#include "runtime/call_tree.h"
#include "runtime/clock.h"
#include "runtime/pool.h"
#include "runtime/record.h"

#include <stddef.h>

#define N_BATCHES 8
#define N_ROUNDS 256
#define N_LEAVES 4

struct rps_calibration rps_calibration;

/* Told apart by name, or recursion would fold them into one. */
static const char *const names[1 + N_LEAVES] = {"calibration", "calibration 1", "calibration 2", "calibration 3",
						"calibration 4"};
static struct rps_function_record records[1 + N_LEAVES];
static const struct rps_site_record site;

static uint32_t per_pair(uint64_t ticks, uint64_t n_pairs)
{
	uint64_t scaled = ticks * 256 / n_pairs;

	return scaled < UINT32_MAX ? (uint32_t)scaled : UINT32_MAX;
}

/* One batch: an outer function that makes N_ROUNDS calls of empty leaves. Its self time then is
 * what the pairs cost their caller; the leaves' self time is what they cost the callee. */
static void run_batch(void *cfa)
{
	uint32_t pattern = 12345;

	__runprofile_enter_v1(&records[0], cfa, &site);
	for (int i = 0; i < N_ROUNDS; i++) {
		struct rps_function_record *leaf;

		pattern = pattern * 1103515245u + 12345u;
		leaf = &records[1 + (pattern >> 16) % N_LEAVES];
		__runprofile_enter_v1(leaf, cfa, &site);
		__runprofile_exit_v1(leaf, cfa);
	}
	__runprofile_exit_v1(&records[0], cfa);
}

/* Ticks so far in the leaves and in the outer function. */
static void read_self(struct rps_arena_header *arena, uint64_t *leaves, uint64_t *outer)
{
	uint32_t at = rps_call_tree_edge(arena, rps_call_tree_node(arena, arena->root)->first_edge)->to;
	const struct rps_wire_node *node = rps_call_tree_node(arena, at);

	*outer = node->self_ticks;
	*leaves = 0;
	for (at = node->first_edge; at != 0; at = rps_call_tree_edge(arena, at)->next)
		*leaves += rps_call_tree_node(arena, rps_call_tree_edge(arena, at)->to)->self_ticks;
}

void rps_calibrate(void)
{
	struct rps_thread *thread = &rps_thread;
	uint32_t hooks_seen = atomic_load_explicit(&rps_pool->hooks_seen, memory_order_relaxed);
	struct rps_arena_header *arena;
	uint32_t inside = UINT32_MAX, outside = UINT32_MAX;
	uint32_t slot = rps_pool_claim(0, 0, &arena);
	uint64_t leaves_before, outer_before, leaves, outer;

	if (slot == RPS_NO_SLOT)
		return;
	for (int i = 0; i < 1 + N_LEAVES; i++)
		records[i].name = names[i];
	thread->epoch = atomic_load_explicit(&rps_pool->epoch, memory_order_relaxed);
	thread->arena = arena;
	run_batch(__builtin_dwarf_cfa()); /* makes the tree */
	for (int batch = 0; batch < N_BATCHES; batch++) {
		read_self(arena, &leaves_before, &outer_before);
		run_batch(__builtin_dwarf_cfa());
		read_self(arena, &leaves, &outer);
		if (per_pair(leaves - leaves_before, N_ROUNDS) < inside)
			inside = per_pair(leaves - leaves_before, N_ROUNDS);
		if (per_pair(outer - outer_before, N_ROUNDS) < outside)
			outside = per_pair(outer - outer_before, N_ROUNDS);
	}
	thread->arena = NULL;
	thread->epoch = 0;
	rps_pool_release(slot);
	rps_calibration.cost_inside = inside;
	rps_calibration.cost_outside = outside;
	atomic_store_explicit(&rps_pool->hooks_seen, hooks_seen, memory_order_relaxed);
}
