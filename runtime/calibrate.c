/* SPDX-License-Identifier: MIT */
/* See calibrate.h. Of several batches the cheapest counts, since an interrupt only ever adds. All is predicted well
 * here; where it is not, hooks cost more, and what is too much then stays in the profile. (Calls in random order cost 7 ns instead of
 * 3; of a JSON parser's calls that subtracted more than there was.)
 *
 * What a leaf function's hooks add depends on what stands around them: one behind the other, they cost what their
 * instructions cost; beside something that waits for its own results, next to nothing, for the processor does both at once. Both is
 * measured, and the middle taken. Hooks that push a frame are too long to vanish so (bench: ratios, shares).
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

struct rps_hook_costs rps_calibration;

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
#define ENTER_CALLED(n) enter(&records[n], cfa, &sites[n])
#define EXIT_CALLED(n) __runprofile_exit_v2(&records[n], cfa)
#define CALL_CALLED(n)                                                                                              \
	ENTER_CALLED(n);                                                                                             \
	EXIT_CALLED(n)
#ifdef RPS_HAVE_INLINE_HOOKS
#define ENTER_INLINED(n)                                                                                            \
	__asm__ volatile(RPS_ASM_ENTER_INLINED : : "r"(cfa), "m"(records[n]), "i"(n), "m"(sites[n]) : RPS_ASM_CLOBBERS)
#define EXIT_INLINED(n) __asm__ volatile(RPS_ASM_EXIT : : "r"(cfa), "m"(records[n]) : RPS_ASM_CLOBBERS)
#define CALL_INLINED(n)                                                                                             \
	ENTER_INLINED(n);                                                                                            \
	EXIT_INLINED(n)
#define CALL_LEAF(n)                                                                                                \
	__asm__ volatile(RPS_ASM_LEAF_ENTER_INLINED : : "r"(cfa), "m"(records[n]), "i"(n), "m"(sites[n]) : RPS_ASM_CLOBBERS); \
	__asm__ volatile(RPS_ASM_LEAF_EXIT : : "r"(cfa), "m"(records[n]) : RPS_ASM_CLOBBERS)
#else
#define ENTER_INLINED(n) ENTER_CALLED(n)
#define EXIT_INLINED(n) EXIT_CALLED(n)
#define CALL_INLINED(n) CALL_CALLED(n)
#define CALL_LEAF(n) CALL_CALLED(n)
#endif
#define CALL_NOTHING(n) __asm__ volatile("" : : "r"(cfa), "i"(n))

/* Some 24 cycles of waiting. */
#define WAIT                                                                                                        \
	do {                                                                                                        \
		for (int step = 0; step < 8; step++) {                                                              \
			chain *= chain;                                                                             \
			__asm__ volatile("" : "+r"(chain));                                                         \
		}                                                                                                   \
	} while (0)
#define NO_WAIT (void)chain

#define LOOP(name, CALL, WORK)                                                                                      \
	static __attribute__((noinline)) void name(void *cfa)                             \
	{                                                                                                           \
		uint64_t chain = 3;                                                                                 \
                                                                                                                    \
		for (int i = 0; i < N_ROUNDS; i++) {                                                                \
			WORK;                                                                                       \
			CALL(1);                                                                                    \
			WORK;                                                                                       \
			CALL(2);                                                                                    \
			WORK;                                                                                       \
			CALL(3);                                                                                    \
			WORK;                                                                                       \
			CALL(4);                                                                                    \
		}                                                                                                   \
	}

/* Each calls the next. */
#define NESTED_LOOP(name, ENTER, EXIT)                                                                              \
	static __attribute__((noinline)) void name(void *cfa)                                                       \
	{                                                                                                           \
		for (int i = 0; i < N_ROUNDS; i++) {                                                                \
			ENTER(1);                                                                                   \
			ENTER(2);                                                                                   \
			ENTER(3);                                                                                   \
			ENTER(4);                                                                                   \
			EXIT(4);                                                                                    \
			EXIT(3);                                                                                    \
			EXIT(2);                                                                                    \
			EXIT(1);                                                                                    \
		}                                                                                                   \
	}

LOOP(call_called, CALL_CALLED, NO_WAIT)
LOOP(call_inlined, CALL_INLINED, NO_WAIT)
NESTED_LOOP(nest_called, ENTER_CALLED, EXIT_CALLED)
NESTED_LOOP(nest_inlined, ENTER_INLINED, EXIT_INLINED)
LOOP(call_leaves, CALL_LEAF, NO_WAIT)
LOOP(call_leaves_waiting, CALL_LEAF, WAIT)
LOOP(call_nothing, CALL_NOTHING, NO_WAIT)
LOOP(call_nothing_waiting, CALL_NOTHING, WAIT)

/* One batch: an outer function that makes calls of empty leaves. Its self time then is
 * what the pairs cost their caller; the leaves' self time is what they cost the callee. */
static void run_batch(void (*calls)(void *cfa), void *cfa)
{
	enter(&records[0], cfa, &sites[0]);
	calls(cfa);
	__runprofile_exit_v2(&records[0], cfa);
}

static uint64_t least_ticks(void (*loop)(void *cfa), void *cfa)
{
	uint64_t least = UINT64_MAX;

	for (int batch = 0; batch < N_BATCHES; batch++) {
		uint64_t start_ticks = rps_clock_now(), ticks;

		loop(cfa);
		ticks = rps_clock_now() - start_ticks;
		least = ticks < least ? ticks : least;
	}
	return least;
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

/* Of calls each of which is timed. */
static void calibrate_timed(struct rps_arena_header *arena, void (*calls)(void *cfa), uint32_t *inside, uint32_t *outside)
{
	uint64_t leaves_before, outer_before, leaves, outer, loop_ticks = least_ticks(call_nothing, __builtin_dwarf_cfa());

	arena->time_mode = RPS_TIME_EXACT;
	run_batch(calls, __builtin_dwarf_cfa()); /* makes the tree */
	for (int batch = 0; batch < N_BATCHES; batch++) {
		read_self(arena, &leaves_before, &outer_before);
		run_batch(calls, __builtin_dwarf_cfa());
		read_self(arena, &leaves, &outer);
		keep_least(inside, leaves - leaves_before, 0);
		keep_least(outside, outer - outer_before, loop_ticks);
	}
}

/* Of calls without a clock. */
static uint32_t cost_of(void (*calls)(void *cfa), void (*same_without)(void *cfa))
{
	void *cfa = __builtin_dwarf_cfa();
	uint32_t cost = UINT32_MAX;

	keep_least(&cost, least_ticks(calls, cfa), least_ticks(same_without, cfa));
	return cost;
}

static void calibrate_inlined(struct rps_arena_header *arena)
{
	struct rps_hook_cost *cost = &rps_calibration.inlined;

	arena->fence = RPS_FENCE_NEVER;
	calibrate_timed(arena, call_inlined, &cost->inside, &cost->outside);
	arena->time_mode = RPS_TIME_NONE;
	cost->untimed = cost_of(nest_inlined, call_nothing);
}

static void calibrate_fences(struct rps_arena_header *arena)
{
	uint32_t inside = UINT32_MAX, outside = UINT32_MAX;
	const struct rps_hook_cost *without = &rps_calibration.inlined;

	arena->fence = RPS_FENCE_ALWAYS;
	calibrate_timed(arena, call_inlined, &inside, &outside);
	rps_calibration.fence_inside = inside > without->inside ? inside - without->inside : 0;
	rps_calibration.fence_outside = outside > without->outside ? outside - without->outside : 0;
}

static void calibrate_leaves(struct rps_arena_header *arena)
{
	arena->time_mode = RPS_TIME_NONE;
	rps_calibration.leaf_untimed =
	    cost_of(call_leaves, call_nothing) / 2 + cost_of(call_leaves_waiting, call_nothing_waiting) / 2;
}

static void calibrate_called(struct rps_arena_header *arena)
{
	struct rps_hook_cost *cost = &rps_calibration.called;

	arena->fence = RPS_FENCE_NEVER;
	calibrate_timed(arena, call_called, &cost->inside, &cost->outside);
	arena->time_mode = RPS_TIME_NONE;
	cost->untimed = cost_of(nest_called, call_nothing);
}

void rps_calibrate(void)
{
	struct rps_thread *thread = &rps_this_thread;
	uint32_t hooks_seen = atomic_load_explicit(&rps_pool->hooks_seen, memory_order_relaxed);
	void (*const calibrate[])(struct rps_arena_header *) = {calibrate_inlined, calibrate_fences, calibrate_leaves,
								 calibrate_called};

	for (int i = 0; i < 1 + N_LEAVES; i++) {
		records[i].name = names[i];
		sites[i].hash = (uint32_t)i;
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
		calibrate[i](arena);
		rps_thread_leave(thread);
		rps_pool_release(slot);
	}
	thread->epoch = 0;
	atomic_store_explicit(&rps_pool->hooks_seen, hooks_seen, memory_order_relaxed);
}
