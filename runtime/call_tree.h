/* SPDX-License-Identifier: MIT */
/* The call tree of one thread in its arena: what happens on every function entry and
 * exit. The common case is inline here; a call not seen before in this context goes to call_tree.c.
 * Owned by the thread that holds the arena; the collector reads it when that thread is done
 * (or dead, or quiet: see wire/layout.h).
 *
 * Keeping the shadow stack in step with the real one, by frame addresses (the
 * stack grows down, so a caller's address is higher than its callee's):
 *
 *   event                frames that must be gone
 *   enter, called        those at or below my frame address: my frame is new
 *   enter, inlined       those below it: my enclosing function's frame is the same
 *   exit                 those below it, then the match is closed; mine is the topmost frame
 *                        of my function that is left
 *
 * That makes longjmp, exceptions through foreign frames and thread exit come
 * right by themselves at the next event.
 */
#ifndef RPS_RUNTIME_CALL_TREE_H
#define RPS_RUNTIME_CALL_TREE_H

#include "runtime/clock.h"
#include "runtime/thread.h"

#include <stdatomic.h>
#include <stdint.h>

/* What the two keys of a call are (record.h). */
enum rps_call_kind {
	RPS_CALL_RECORD_PHYSICAL, /* function record; return address */
	RPS_CALL_RECORD_INLINED,  /* function record; site record */
	RPS_CALL_ADDRESS,         /* function's address; return address: plain hooks */
	RPS_CALL_EXTERNAL,        /* external record; site record */
	RPS_CALL_POINTER,         /* function's address; site record: external, for all we know */
};

/* The frames of external calls stand a little below their caller's, so that whatever the caller does
 * next finds them gone, though an exception may have skipped their exit. Real frame addresses are even. */
static inline uint64_t rps_call_tree_frame_cfa(uint64_t cfa, enum rps_call_kind kind)
{
	return kind == RPS_CALL_EXTERNAL ? cfa - 1 : kind == RPS_CALL_POINTER ? cfa - 3 : cfa;
}

static inline int rps_call_tree_is_external(const struct rps_wire_frame *frame)
{
	return (frame->cfa & 1) != 0 && frame->cfa != UINT64_MAX;
}

RPS_HIDDEN void rps_call_tree_reset(struct rps_arena_header *arena);

/* The edge for a call that the child table does not hold, made if it is new. NULL: no room (counted). */
RPS_HIDDEN struct rps_wire_edge *rps_call_tree_miss(struct rps_arena_header *arena, struct rps_wire_node *from,
						    uint64_t key_function, uint64_t key_site,
						    enum rps_call_kind kind);
/* The topmost frame is an external call's, and now a function is entered that runs on top of it, with frame address `cfa`. If
 * it is the callee itself, which turns out to be instrumented, the external call is taken back, and not recorded again. 1: so it
 * was. */
RPS_HIDDEN int rps_call_tree_take_back(struct rps_arena_header *arena, uint64_t key_function, uint64_t cfa,
				       enum rps_call_kind kind);

/* Closes the frames from the top of the stack up to and without `keep`: activations whose exit never came. */
RPS_HIDDEN void rps_call_tree_unwind(struct rps_arena_header *arena, struct rps_wire_frame *keep, uint64_t now);

/* Counts anew which functions are active, after a hook that was left in the middle. */
RPS_HIDDEN void rps_call_tree_recount(struct rps_arena_header *arena);

static inline struct rps_wire_node *rps_call_tree_node(struct rps_arena_header *arena, uint32_t offset)
{
	return (struct rps_wire_node *)((char *)arena + offset);
}

static inline struct rps_wire_edge *rps_call_tree_edge(struct rps_arena_header *arena, uint32_t offset)
{
	return (struct rps_wire_edge *)((char *)arena + offset);
}

static inline struct rps_wire_frame *rps_call_tree_top(struct rps_arena_header *arena)
{
	return (struct rps_wire_frame *)((char *)arena + arena->stack_top);
}

static inline struct rps_wire_frame *rps_call_tree_bottom(struct rps_arena_header *arena)
{
	return (struct rps_wire_frame *)((char *)arena + RPS_STACK_OFFSET);
}

/* The frame is filled in before: a signal handler's function may leave the hook here for good. */
static inline void rps_call_tree_set_top(struct rps_arena_header *arena, struct rps_wire_frame *top)
{
	atomic_signal_fence(memory_order_release);
	arena->stack_top = (uint32_t)((char *)top - (char *)arena);
}

/* Is there no room above this frame? */
static inline int rps_call_tree_is_full(const struct rps_arena_header *arena, const struct rps_wire_frame *top)
{
	return (const char *)(top + 2) > (const char *)arena + RPS_ARENA_SIZE;
}

/* The low 12 bits of an address do not depend on where the image was loaded, so tables up to some
 * hundred places fill alike in every run. */
static inline uint32_t rps_call_tree_hash(uint64_t key_function, uint64_t key_site)
{
	return (uint32_t)key_site ^ (uint32_t)key_site >> 3 ^ (uint32_t)(key_function >> 5);
}

/* Counts the call and pushes its frame. The clock is read last: what the hook
 * does before is the caller's time, and short. `mark` is what the exit will look for: the function's key;
 * of an external call the frame address of its enter hook, which is also the callee's, if nothing is passed on the stack. */
static inline void rps_call_tree_enter(struct rps_arena_header *arena, uint64_t key_function, uint64_t cfa,
				       uint64_t key_site, uint64_t mark, enum rps_call_kind kind)
{
	struct rps_wire_frame *top = rps_call_tree_top(arena), *keep = top;
	struct rps_wire_node *node;
	struct rps_wire_edge *edge;
	const uint32_t *table;

	/* The unused frame at the bottom has the highest address there is: it ends both loops. */
	if (kind == RPS_CALL_RECORD_PHYSICAL)
		while (rps_unlikely(keep->cfa <= cfa))
			keep--;
	else
		while (rps_unlikely(keep->cfa < cfa))
			keep--;
	if (rps_unlikely(keep != top)) {
		rps_call_tree_unwind(arena, keep, rps_clock_now());
		top = keep;
	}
	node = rps_call_tree_node(arena, top->node);
	table = (const uint32_t *)((const char *)arena + node->table);
	edge = rps_call_tree_edge(arena, table[rps_call_tree_hash(key_function, key_site) & node->mask]);
	if (rps_unlikely(edge->key_function != key_function || edge->key_site != key_site)) {
		if (rps_call_tree_is_external(top) && rps_call_tree_take_back(arena, key_function, cfa, kind)) {
			top--;
			node = rps_call_tree_node(arena, top->node);
		}
		edge = rps_call_tree_miss(arena, node, key_function, key_site, kind);
		if (edge == NULL)
			return;
	}
	edge->calls++;
	arena->calls++;
	if (rps_unlikely(rps_call_tree_is_full(arena, top))) {
		arena->deep_calls++;
		return;
	}
	top++;
	top->cfa = rps_call_tree_frame_cfa(cfa, kind);
	top->mark = mark;
	top->child_ticks = 0;
	top->calls_at_start = arena->calls;
	top->edge = (uint32_t)((char *)edge - (char *)arena);
	top->node = edge->to;
	rps_call_tree_node(arena, rps_call_tree_node(arena, edge->to)->first)->active++;
	rps_call_tree_set_top(arena, top);
	top->start_ticks = rps_clock_now();
}

/* Books the topmost activation, which ended at `now`, and pops it. */
static inline void rps_call_tree_close(struct rps_arena_header *arena, struct rps_wire_frame *top, uint64_t now)
{
	struct rps_wire_node *node = rps_call_tree_node(arena, top->node);
	/* Clocks of two cores may differ by a few ticks after a migration. */
	uint64_t ticks = rps_likely(now > top->start_ticks) ? now - top->start_ticks : 0;
	struct rps_wire_edge *edge;

	node->self_ticks += rps_likely(ticks > top->child_ticks) ? ticks - top->child_ticks : 0;
	top[-1].child_ticks += ticks;
	edge = rps_call_tree_edge(arena, top->edge);
	if (--rps_call_tree_node(arena, node->first)->active == 0) {
		edge->inclusive_ticks += ticks;
		edge->nested_calls += arena->calls - top->calls_at_start;
	} else {
		edge->inner_calls = 1;
	}
	rps_call_tree_set_top(arena, top - 1);
}

/* The exit of an external call: its frame (a function has one at a time), or it has been taken back. */
static inline void rps_call_tree_exit_external(struct rps_arena_header *arena, uint64_t cfa, uint64_t now,
					       enum rps_call_kind kind)
{
	struct rps_wire_frame *top = rps_call_tree_top(arena), *match = top;
	uint64_t frame_cfa = rps_call_tree_frame_cfa(cfa, kind);

	while (rps_unlikely(match->cfa < frame_cfa))
		match--;
	if (rps_unlikely(match != top))
		rps_call_tree_unwind(arena, match, now);
	if (rps_likely(match->cfa == frame_cfa))
		rps_call_tree_close(arena, match, now);
}

/* `now` was read first thing in the hook. An exit that matches no frame belongs to an activation
 * from before the recording began, and is none of its business. */
static inline void rps_call_tree_exit(struct rps_arena_header *arena, uint64_t key_function, uint64_t cfa,
				      uint64_t now, enum rps_call_kind kind)
{
	struct rps_wire_frame *top = rps_call_tree_top(arena), *match = top;

	if (kind != RPS_CALL_ADDRESS) /* plain hooks don't know it: alloca may have moved the stack since the enter */
		while (rps_unlikely(match->cfa < cfa))
			match--;
	/* Not always at the same address: a function that the compiler split leaves from its part's frame. */
	while (rps_unlikely(match->mark != key_function && match->cfa < UINT64_MAX))
		match--;
	if (rps_unlikely(match->cfa == UINT64_MAX || (match->cfa != cfa && rps_call_tree_is_full(arena, top) &&
						      kind != RPS_CALL_ADDRESS))) {
		/* Not mine (with a full stack: perhaps not), but what lies below me on the stack is certainly gone. */
		while (kind != RPS_CALL_ADDRESS && top->cfa < cfa)
			top--;
		rps_call_tree_unwind(arena, top, now);
		return;
	}
	if (rps_unlikely(match != top))
		rps_call_tree_unwind(arena, match, now);
	rps_call_tree_close(arena, match, now);
}

#endif
