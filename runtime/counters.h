/* SPDX-License-Identifier: MIT */
/* What is counted beside calls and time, where it was asked for: allocations, page faults, context switches. An arena
 * has a running count of each (rps_arena_header.counted). A call's part is what the count has grown by between its
 * entry and its exit; so in an arena that counts anything every call goes out of line, as if each were timed, and where nothing is
 * counted no inlined hook has an instruction for it.
 *
 * Who adds to the running counts: allocations the preloaded malloc() and its kind (alloc_preload.c), when they come; of
 * page faults and context switches the kernel is asked at each entry and exit (getrusage). What the runtime causes itself by touching
 * fresh pages of its arena is left out: the count stands still between pause and resume.
 *
 * All but rps_counters_add is called by the thread that owns the arena, while it is marked busy or not yet, or not any more, in use.
 */
#ifndef RPS_RUNTIME_COUNTERS_H
#define RPS_RUNTIME_COUNTERS_H

#include "runtime/thread.h"

#include <stddef.h>
#include <stdint.h>

/* enum rps_allocations: of this process, and what it forks. */
extern RPS_HIDDEN uint32_t rps_counters_allocations;

/* Brings the counts up to date that the kernel keeps. */
RPS_HIDDEN void rps_counters_read_kernel(struct rps_arena_header *arena);
RPS_HIDDEN void rps_counters_start_kernel(struct rps_arena_header *arena);
/* Writes to the frame, where the stack has not been so deep yet. */
RPS_HIDDEN void rps_counters_touch_further(struct rps_arena_header *arena, const struct rps_wire_frame *frame);

static inline int rps_counters_has_kernel(const struct rps_arena_header *arena)
{
	return (arena->counters & RPS_COUNTERS_KERNEL) != 0;
}

static inline void rps_counters_pause(struct rps_arena_header *arena)
{
	if (rps_likely(arena->kernel != RPS_KERNEL_RUNS))
		return;
	rps_counters_read_kernel(arena);
	arena->kernel = RPS_KERNEL_PAUSES;
}

static inline void rps_counters_resume(struct rps_arena_header *arena)
{
	if (rps_unlikely(arena->kernel == RPS_KERNEL_PAUSES))
		rps_counters_start_kernel(arena);
}

/* The thread works in another arena from now on, or in none: the kernel's count of it is no matter to this one. One that the collector
 * has stopped is left alone. */
static inline void rps_counters_leave(const struct rps_thread *thread)
{
	struct rps_arena_header *arena = thread->arena;

	if (arena->kernel != RPS_KERNEL_RUNS || atomic_load_explicit(&arena->token, memory_order_relaxed) != thread->claim)
		return;
	rps_counters_read_kernel(arena);
	arena->kernel = RPS_KERNEL_STANDS;
}

static inline void rps_counters_join(const struct rps_thread *thread)
{
	if (rps_counters_has_kernel(thread->arena))
		rps_counters_start_kernel(thread->arena);
}

static inline void rps_counters_touch(struct rps_arena_header *arena, const struct rps_wire_frame *frame)
{
	if (rps_unlikely(arena->kernel == RPS_KERNEL_RUNS) && (uint32_t)((const char *)(frame + 1) - (const char *)arena) > arena->touched)
		rps_counters_touch_further(arena, frame);
}

static inline struct rps_wire_counted *rps_counters_of(struct rps_arena_header *arena, const struct rps_wire_frame *frame)
{
	size_t n = (size_t)(frame - (const struct rps_wire_frame *)((const char *)arena + RPS_STACK_OFFSET));

	return (struct rps_wire_counted *)((char *)arena + RPS_COUNTED_OFFSET) + n;
}

static inline void rps_counters_enter(struct rps_arena_header *arena, const struct rps_wire_frame *frame)
{
	if (rps_likely(arena->counters == 0))
		return;
	if (arena->kernel == RPS_KERNEL_RUNS)
		rps_counters_read_kernel(arena);
	for (int i = 0; i < RPS_N_COUNTERS; i++)
		rps_counters_of(arena, frame)->counted[i] = arena->counted[i];
}

static inline void rps_counters_exit(struct rps_arena_header *arena, const struct rps_wire_frame *frame,
				     const struct rps_wire_edge *edge)
{
	struct rps_wire_counts *counts = (struct rps_wire_counts *)((char *)arena + edge->counts);

	if (rps_likely(arena->counters == 0))
		return;
	if (arena->kernel == RPS_KERNEL_RUNS)
		rps_counters_read_kernel(arena);
	for (int i = 0; i < RPS_N_COUNTERS; i++) {
		uint64_t grown = arena->counted[i] - rps_counters_of(arena, frame)->counted[i];

		counts->all[i] += grown;
		if ((frame->weight & RPS_WEIGHT_INNER) == 0)
			counts->outermost[i] += grown;
	}
}

/* Called by alloc_preload.c: `size_bytes` were allocated by this thread, in any state it may be in. */
void __runprofile_allocated_v3(size_t size_bytes);
/* Once, before or after the collector was attached: enum rps_allocations. */
void __runprofile_allocations_v3(uint32_t allocations);

#endif
