/* SPDX-License-Identifier: MIT */
/* See calibrate.h. Of several batches the cheapest counts, since an interrupt only ever adds. All is predicted well
 * here; where it is not, hooks cost more, and what is too much then stays in the profile. (Calls in random order cost 7 ns instead of
 * 3; of a JSON parser's calls that subtracted more than there was.)
 */
#include "runtime/calibrate.h"

#include "runtime/call_tree.h"
#include "runtime/clock.h"
#include "runtime/counters.h"
#include "runtime/hook_asm.h"
#include "runtime/pool.h"
#include "runtime/record.h"
#include "runtime/veneer.h"

#include <stddef.h>
#include <string.h>

#define N_BATCHES 8
#define N_ROUNDS 64
#define N_LEAVES 4
#define N_CALLS (N_ROUNDS * N_LEAVES)

struct rps_calibration rps_calibration;

/* Told apart by name, or recursion would fold them into one. */
static const char *const names[1 + N_LEAVES] = {"calibration", "calibration 1", "calibration 2", "calibration 3",
						"calibration 4"};
static struct rps_function_record records[1 + N_LEAVES];
static struct rps_site_record sites[1 + N_LEAVES];

static uint32_t per_pair(uint64_t ticks, uint64_t n_pairs)
{
	uint64_t scaled = ticks * 256 / n_pairs;

	return scaled < UINT32_MAX ? (uint32_t)scaled : UINT32_MAX;
}

static inline void enter(struct rps_function_record *function, void *cfa, const struct rps_site_record *site)
{
#ifdef __x86_64__
	__runprofile_enter_v2(function, cfa, site);
#else
	__runprofile_enter_v2(function, cfa, site, NULL);
#endif
}

/* A call of an empty function that makes a frame, with and without hooks. */
#ifdef RPS_HAVE_INLINE_HOOKS
#define CALL_LEAF(n)                                                                                                \
	__asm__ volatile(RPS_ASM_ENTER_INLINED : : "r"(cfa), "m"(records[n]), "i"(n), "m"(sites[n]) : RPS_ASM_CLOBBERS); \
	__asm__ volatile(RPS_ASM_EXIT : : "r"(cfa), "m"(records[n]) : RPS_ASM_CLOBBERS)
#define CALL_FRAMELESS(n)                                                                                           \
	__asm__ volatile(RPS_ASM_LEAF_ENTER_INLINED : : "r"(cfa), "m"(records[n]), "i"(n), "m"(sites[n]) : RPS_ASM_CLOBBERS); \
	__asm__ volatile(RPS_ASM_LEAF_EXIT : : "r"(cfa), "m"(records[n]) : RPS_ASM_CLOBBERS)
#else
#define CALL_FRAMELESS(n) CALL_LEAF(n)
#define CALL_LEAF(n)                                                                                                \
	enter(&records[n], cfa, &sites[n]);                                                                          \
	__runprofile_exit_v2(&records[n], cfa)
#endif
#define CALL_NOTHING(n) __asm__ volatile("" : : "r"(cfa), "i"(n))
static __attribute__((noinline)) void call_leaves(void *cfa)
{
	for (int i = 0; i < N_ROUNDS; i++) {
		CALL_LEAF(1);
		CALL_LEAF(2);
		CALL_LEAF(3);
		CALL_LEAF(4);
	}
}

/* The same, of functions that make no frame. */
static __attribute__((noinline)) void call_frameless(void *cfa)
{
	for (int i = 0; i < N_ROUNDS; i++) {
		CALL_FRAMELESS(1);
		CALL_FRAMELESS(2);
		CALL_FRAMELESS(3);
		CALL_FRAMELESS(4);
	}
}

static __attribute__((noinline)) void call_nothing(void *cfa)
{
	for (int i = 0; i < N_ROUNDS; i++) {
		CALL_NOTHING(1);
		CALL_NOTHING(2);
		CALL_NOTHING(3);
		CALL_NOTHING(4);
	}
}

/* One batch: an outer function that makes calls of empty leaves. Its self time then is
 * what the pairs cost their caller; the leaves' self time is what they cost the callee. */
static void run_batch(void (*calls)(void *cfa), void *cfa)
{
	enter(&records[0], cfa, &sites[0]);
	calls(cfa);
	__runprofile_exit_v2(&records[0], cfa);
}

/* What the same takes without hooks. */
static uint64_t time_loop(void *cfa)
{
	uint64_t start_ticks = rps_clock_now();

	call_nothing(cfa);
	return rps_clock_now() - start_ticks;
}

/* Ticks so far in the leaves and in the outer function. */
static void read_self(struct rps_arena_header *arena, uint64_t *leaves, uint64_t *outer)
{
	const struct rps_wire_edge *edge = rps_call_tree_edge(arena, rps_call_tree_node(arena, arena->root)->first_edge);

	*outer = edge->ticks;
	*leaves = 0;
	for (uint32_t at = rps_call_tree_node(arena, edge->to)->first_edge; at != 0; at = edge->next) {
		edge = rps_call_tree_edge(arena, at);
		*leaves += edge->ticks;
	}
}

static void keep_least(uint32_t *cost, uint64_t ticks, uint64_t loop_ticks)
{
	uint32_t found = per_pair(ticks > loop_ticks ? ticks - loop_ticks : 0, N_CALLS);

	if (found < *cost)
		*cost = found;
}

static void calibrate_timed(struct rps_arena_header *arena, uint64_t loop_ticks, uint32_t *inside, uint32_t *outside)
{
	uint64_t leaves_before, outer_before, leaves, outer;

	arena->time_mode = RPS_TIME_EXACT;
	run_batch(call_leaves, __builtin_dwarf_cfa()); /* makes the tree */
	for (int batch = 0; batch < N_BATCHES; batch++) {
		read_self(arena, &leaves_before, &outer_before);
		run_batch(call_leaves, __builtin_dwarf_cfa());
		read_self(arena, &leaves, &outer);
		keep_least(inside, leaves - leaves_before, 0);
		keep_least(outside, outer - outer_before, loop_ticks);
	}
}

static void calibrate_unfenced(struct rps_arena_header *arena, uint64_t loop_ticks)
{
	arena->fence = RPS_FENCE_NEVER;
	calibrate_timed(arena, loop_ticks, &rps_calibration.cost_inside, &rps_calibration.cost_outside);
}

static void calibrate_fenced(struct rps_arena_header *arena, uint64_t loop_ticks)
{
	arena->fence = RPS_FENCE_ALWAYS;
	calibrate_timed(arena, loop_ticks, &rps_calibration.cost_inside_fenced, &rps_calibration.cost_outside_fenced);
}

static void calibrate_calls(struct rps_arena_header *arena, uint64_t loop_ticks, void (*calls)(void *cfa), uint32_t *cost)
{
	arena->time_mode = RPS_TIME_NONE;
	run_batch(calls, __builtin_dwarf_cfa());
	for (int batch = 0; batch < N_BATCHES; batch++) {
		uint64_t start_ticks = rps_clock_now();

		run_batch(calls, __builtin_dwarf_cfa());
		keep_least(cost, rps_clock_now() - start_ticks, loop_ticks);
	}
}

static void calibrate_untimed(struct rps_arena_header *arena, uint64_t loop_ticks)
{
	calibrate_calls(arena, loop_ticks, call_leaves, &rps_calibration.cost_untimed);
}

static void calibrate_frameless(struct rps_arena_header *arena, uint64_t loop_ticks)
{
	calibrate_calls(arena, loop_ticks, call_frameless, &rps_calibration.cost_leaf);
}

void rps_calibrate(void)
{
	struct rps_thread *thread = &rps_this_thread;
	uint32_t hooks_seen = atomic_load_explicit(&rps_pool->hooks_seen, memory_order_relaxed);
	void (*const calibrate[])(struct rps_arena_header *, uint64_t) = {calibrate_unfenced, calibrate_fenced, calibrate_untimed,
									    calibrate_frameless};
	uint64_t loop_ticks = UINT64_MAX;

	for (int i = 0; i < 1 + N_LEAVES; i++) {
		records[i].name = names[i];
		sites[i].hash = (uint32_t)i;
	}
	for (int batch = 0; batch < N_BATCHES; batch++) {
		uint64_t ticks = time_loop(__builtin_dwarf_cfa());

		loop_ticks = ticks < loop_ticks ? ticks : loop_ticks;
	}
	memset(&rps_calibration, 0xff, sizeof(rps_calibration));
	thread->epoch = atomic_load_explicit(&rps_pool->epoch, memory_order_relaxed);
	for (size_t i = 0; i < sizeof(calibrate) / sizeof(calibrate[0]); i++) {
		struct rps_arena_header *arena;
		uint32_t slot = rps_pool_claim(0, 0, &arena);

		if (slot == RPS_NO_SLOT) {
			memset(&rps_calibration, 0, sizeof(rps_calibration));
			break;
		}
		rps_thread_join(thread, arena);
		rps_counters_join(thread);
		calibrate[i](arena, loop_ticks);
		rps_thread_leave(thread);
		rps_pool_release(slot);
	}
	thread->epoch = 0;
	atomic_store_explicit(&rps_pool->hooks_seen, hooks_seen, memory_order_relaxed);
}
