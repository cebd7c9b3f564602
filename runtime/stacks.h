/* SPDX-License-Identifier: MIT */
/* Threads that run on more than one stack: coroutines, handlers on alternate signal stacks. Each stack but the thread's own has an
 * arena of its own, so a call tree below the request's root; the thread records into that of the stack it is on. A switch is found out
 * by the next hook that is out of line (and one is soon: what stands on another stack is no frame the inlined hooks look for):
 *
 *   the frame address is ...                        so it is on
 *   within the bounds of the current arena          the same stack
 *   within those of another arena of the thread     that one
 *   at most STEP below the lowest yet of one        that one, which has grown
 *   elsewhere                                       a new one
 *
 * The bounds of the thread's own stack are known; of any other only what was seen is. Two stacks that lie one right below the
 * other may be taken for one: counts stay exact for each function, but not below whom.
 * While another arena is current, time stands still for one.
 */
#ifndef RPS_RUNTIME_STACKS_H
#define RPS_RUNTIME_STACKS_H

#include "runtime/thread.h"

#include <stdint.h>

/* From now on the thread works for what `arena` stands for, and begins on its own stack. */
RPS_HIDDEN void rps_stacks_begin(struct rps_thread *thread, struct rps_arena_header *arena);
/* It no longer does: the arenas of its other stacks are handed over with `arena`. */
RPS_HIDDEN void rps_stacks_end(struct rps_thread *thread, struct rps_arena_header *arena);

/* The arena for the stack that frame address `cfa` is on; `arena` is the current one. */
struct rps_stacks_question {
	struct rps_arena_header *arena;
	uint64_t cfa;
};
/* Puts the answer into its `arena`. For rps_veneer_call(). */
RPS_HIDDEN void rps_stacks_find(void *question);

/* A thread may have a stack so large. */
RPS_HIDDEN void rps_stacks_note_size(uint64_t size_bytes);
/* In the constructor, by the main thread. */
RPS_HIDDEN void rps_stacks_init(void);

static inline int rps_stacks_is_on(const struct rps_arena_header *arena, uint64_t cfa)
{
	return rps_likely(cfa - arena->stack_low < arena->stack_size);
}

#endif
