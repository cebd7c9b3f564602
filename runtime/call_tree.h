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
 *
 * The clock is read when a call's turn has come (the edge's `skip`); an activation that is not timed only has a frame, and
 * its time is part of the next timed one's further out. collect/estimate.c makes times of that.
 * What is inlined into the application (hook_asm.h) does the same as the common case here, without the clock.
 */
#ifndef RPS_RUNTIME_CALL_TREE_H
#define RPS_RUNTIME_CALL_TREE_H

#include "runtime/arch.h"
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

/* One call, as its enter hook knows it. `mark` is what the exit will look for: the function's key; of an external call the
 * frame address of its enter hook, which is also the callee's, if nothing is passed on the stack. */
struct rps_call {
	uint64_t key_function, key_site;
	uint64_t cfa, mark;
	uint32_t hash;
	enum rps_call_kind kind;
	enum rps_hooks hooks;
};

static inline int rps_call_tree_is_external(const struct rps_wire_frame *frame)
{
	return (frame->cfa & 1) != 0 && frame->cfa != UINT64_MAX;
}

RPS_HIDDEN void rps_call_tree_reset(struct rps_arena_header *arena, uint64_t token);

/* The place of a call that its caller's frame does not lead to, made if it is new. NULL: no room (counted). */
RPS_HIDDEN struct rps_wire_place *rps_call_tree_miss(struct rps_arena_header *arena, struct rps_wire_frame *caller,
						     const struct rps_call *call);
/* The topmost frame is an external call's, and now a function is entered that runs on top of it. If it is the callee
 * itself, which turns out to be instrumented, the external call is taken back, and not recorded again. 1: so it was. */
RPS_HIDDEN int rps_call_tree_take_back(struct rps_arena_header *arena, const struct rps_call *call);

/* Stores a pair of texts with the request; what is too long is cut. 0 or -ENOMEM. */
RPS_HIDDEN int rps_call_tree_add_meta(struct rps_arena_header *arena, const char *key, const char *value);

/* Closes the frames from the top of the stack up to and without `keep`: activations whose exit never came. `now` is 0 if the
 * clock has not been read yet. */
RPS_HIDDEN void rps_call_tree_unwind(struct rps_arena_header *arena, struct rps_wire_frame *keep, uint64_t now);

/* Without a clock an edge runs out of calls to skip after so many. */
#define RPS_SKIP_UNTIMED INT32_MAX

/* There are no calls left to skip. 1: this one is to be timed. */
RPS_HIDDEN int rps_call_tree_is_turn(struct rps_arena_header *arena, struct rps_wire_place *place);
/* Skips the next calls, and pushes a frame, whose clock starts here. */
RPS_HIDDEN void rps_call_tree_push_timed(struct rps_arena_header *arena, struct rps_wire_place *place,
					 const struct rps_call *call);
/* Books the topmost activation, which is timed and ended at `now`, and pops it. */
RPS_HIDDEN void rps_call_tree_close_timed(struct rps_arena_header *arena, struct rps_wire_frame *top, uint64_t now);

static inline struct rps_wire_node *rps_call_tree_node(struct rps_arena_header *arena, uint32_t offset)
{
	return (struct rps_wire_node *)((char *)arena + offset);
}

static inline struct rps_wire_edge *rps_call_tree_edge(struct rps_arena_header *arena, uint32_t offset)
{
	return (struct rps_wire_edge *)((char *)arena + offset);
}

static inline struct rps_wire_place *rps_call_tree_place(struct rps_arena_header *arena, uint32_t offset)
{
	return (struct rps_wire_place *)((char *)arena + offset);
}

/* A frame knows its node by the table of it. */
static inline struct rps_wire_node *rps_call_tree_node_of(struct rps_arena_header *arena, const struct rps_wire_frame *frame)
{
	const struct rps_wire_table *table =
	    (const struct rps_wire_table *)((const char *)arena + frame->table - sizeof(struct rps_wire_table));

	return rps_call_tree_node(arena, table->node);
}

static inline uint32_t rps_call_tree_offset(const struct rps_arena_header *arena, const void *of)
{
	return (uint32_t)((const char *)of - (const char *)arena);
}

static inline struct rps_wire_frame *rps_call_tree_top(const struct rps_arena_header *arena)
{
	return (struct rps_wire_frame *)(uintptr_t)arena->top;
}

static inline struct rps_wire_frame *rps_call_tree_bottom(struct rps_arena_header *arena)
{
	return (struct rps_wire_frame *)((char *)arena + RPS_STACK_OFFSET);
}

/* The frames below are filled in before, and so is this one, or its address is 0: for a signal handler, whose function may leave the
 * hook here for good, and for the collector. */
static inline void rps_call_tree_set_top(struct rps_arena_header *arena, struct rps_wire_frame *top)
{
	__atomic_store_n(&arena->top, (uintptr_t)top, __ATOMIC_RELEASE);
}

static inline void rps_call_tree_pop(struct rps_arena_header *arena, struct rps_wire_frame *top)
{
	rps_call_tree_set_top(arena, top - 1);
	top->cfa = 0;
}

static inline int rps_call_tree_is_timed(const struct rps_wire_frame *frame)
{
	return (frame->mark & 1) != 0;
}

/* The clock, as the topmost frame wants its end to be read; 0: it is not wanted. Of an arena, or of rps_idle_arena. */
static inline uint64_t rps_call_tree_now(const struct rps_arena_header *arena)
{
	const struct rps_wire_frame *top = rps_call_tree_top(arena);

	if (rps_unlikely(arena->time_mode == RPS_TIME_NONE))
		return 0;
	if (top != NULL && rps_call_tree_is_timed(top) && (top->weight & RPS_WEIGHT_FENCED))
		return rps_clock_now_fenced();
	return rps_clock_now();
}

/* Has a signal handler interrupted an inlined hook that is pushing a frame? */
static inline int rps_call_tree_is_pushing(const struct rps_arena_header *arena)
{
	return rps_call_tree_top(arena)->cfa == 0;
}

/* Is there no room above this frame? */
static inline int rps_call_tree_is_full(const struct rps_arena_header *arena, const struct rps_wire_frame *top)
{
	return (uintptr_t)top >= arena->limit;
}

/* For keys that bring no hash of their own. The low 12 bits of an address do not depend on where the image was loaded,
 * so tables up to some hundred places fill alike in every run. */
static inline uint32_t rps_call_tree_hash(uint64_t key_function, uint64_t key_site)
{
	return (uint32_t)key_site ^ (uint32_t)key_site >> 3 ^ (uint32_t)(key_function >> 5);
}

static inline int rps_call_tree_is_place_of(const struct rps_wire_place *place, const struct rps_call *call)
{
	return place->key_function == call->key_function && place->key_site == call->key_site;
}

/* Pops what this call finds above its caller's frame. The unused frame at the bottom has the highest address there is: it
 * ends both loops. */
static inline struct rps_wire_frame *rps_call_tree_synchronise(struct rps_arena_header *arena, const struct rps_call *call)
{
	struct rps_wire_frame *top = rps_call_tree_top(arena), *keep = top;

	if (call->kind == RPS_CALL_RECORD_PHYSICAL)
		while (rps_unlikely(keep->cfa <= call->cfa))
			keep--;
	else
		while (rps_unlikely(keep->cfa < call->cfa))
			keep--;
	if (rps_unlikely(keep != top))
		rps_call_tree_unwind(arena, keep, 0);
	return keep;
}

/* Finds the call's place. NULL: no room for it. */
static inline struct rps_wire_place *rps_call_tree_find(struct rps_arena_header *arena, const struct rps_call *call)
{
	struct rps_wire_frame *top = rps_call_tree_synchronise(arena, call);
	struct rps_wire_place *place = rps_call_tree_place(arena, top->table) + (call->hash & top->mask);

	if (rps_likely(rps_call_tree_is_place_of(place, call)))
		return place;
	if (rps_call_tree_is_external(top) && rps_call_tree_take_back(arena, call))
		top = rps_call_tree_top(arena);
	return rps_call_tree_miss(arena, top, call);
}

/* What stands in a place besides its keys, as a call found it. */
struct rps_call_tree_target {
	uint64_t skip_and_edge;
	uint32_t table, mask;
};

static inline uint32_t rps_call_tree_target_edge(const struct rps_call_tree_target *target)
{
	return (uint32_t)(target->skip_and_edge >> 32);
}

/* Counts a call that is to be skipped. A signal handler at any moment in between may have its calls counted here, too, or have the
 * place given to another edge: so `skip` is counted down in one step with a look at whose it is, and before the keys are looked at, it is
 * read. 0: another edge has the place, or there is no call left to skip; then it is not counted. */
static inline int rps_call_tree_count(struct rps_wire_place *place, const struct rps_call *call, struct rps_call_tree_target *target)
{
	target->skip_and_edge = __atomic_load_n(&place->skip_and_edge, __ATOMIC_RELAXED);
	atomic_signal_fence(memory_order_seq_cst);
	if (!rps_call_tree_is_place_of(place, call) || (int32_t)target->skip_and_edge <= 0)
		return 0;
	target->table = place->to_table;
	target->mask = place->to_mask;
	return rps_arch_replace(&place->skip_and_edge, target->skip_and_edge, target->skip_and_edge - 1);
}

/* No frame can be pushed: then the call is only counted. */
static inline int rps_call_tree_is_too_deep(struct rps_arena_header *arena, struct rps_wire_place *place)
{
	if (rps_likely(!rps_call_tree_is_full(arena, rps_call_tree_top(arena))))
		return 0;
	rps_call_tree_edge(arena, place->edge)->granted++;
	arena->deep_calls++;
	return 1;
}

/* Counts the call and pushes its frame. The clock is read last: what the hook does before is the caller's time, and
 * short. 1: the call is timed. */
static inline int rps_call_tree_enter(struct rps_arena_header *arena, const struct rps_call *call)
{
	struct rps_wire_place *place = rps_call_tree_find(arena, call);
	struct rps_wire_frame *top;

	if (rps_unlikely(place == NULL) || rps_call_tree_is_too_deep(arena, place))
		return 0;
	if (rps_unlikely(--place->skip < 0) && rps_call_tree_is_turn(arena, place)) {
		rps_call_tree_push_timed(arena, place, call);
		return 1;
	}
	top = rps_call_tree_top(arena) + 1;
	top->cfa = rps_call_tree_frame_cfa(call->cfa, call->kind);
	top->mark = call->mark;
	top->table = place->to_table;
	top->mask = place->to_mask;
	top->edge = place->edge;
	rps_call_tree_set_top(arena, top);
	return 0;
}

/* The same for a leaf function: it has a frame only when it is timed. */
static inline int rps_call_tree_enter_leaf(struct rps_arena_header *arena, const struct rps_call *call)
{
	struct rps_wire_place *place = rps_call_tree_find(arena, call);

	if (rps_unlikely(place == NULL) || rps_call_tree_is_too_deep(arena, place))
		return 0;
	if (rps_likely(--place->skip >= 0) || !rps_call_tree_is_turn(arena, place))
		return 0;
	rps_call_tree_push_timed(arena, place, call);
	rps_call_tree_top(arena)->weight |= RPS_WEIGHT_LEAF;
	return 1;
}

/* Is the innermost timed activation a leaf function's? */
static inline int rps_call_tree_is_leaf_timed(const struct rps_arena_header *arena)
{
	const struct rps_wire_frame *timed = (const struct rps_wire_frame *)((const char *)arena + arena->timed_top);

	return (timed->weight & RPS_WEIGHT_LEAF) != 0;
}

static inline void rps_call_tree_close(struct rps_arena_header *arena, struct rps_wire_frame *top, uint64_t now)
{
	if (rps_call_tree_is_timed(top))
		rps_call_tree_close_timed(arena, top, now);
	else
		rps_call_tree_pop(arena, top);
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

/* Of the frame of a call that is a request (bit 0: timed): no exit finds it on its own, so that looking for it costs other
 * exits nothing. */
#define RPS_MARK_REQUEST UINT64_C(2)

/* `now` was read first thing in the hook. An exit that matches no frame belongs to an activation
 * from before the recording began, and is none of its business; but one may be the end of a call that is a request: 1. */
static inline int rps_call_tree_exit(struct rps_arena_header *arena, uint64_t key_function, uint64_t cfa,
				      uint64_t now, enum rps_call_kind kind)
{
	struct rps_wire_frame *top = rps_call_tree_top(arena), *match = top;

	if (kind != RPS_CALL_ADDRESS) /* plain hooks don't know it: alloca may have moved the stack since the enter */
		while (rps_unlikely(match->cfa < cfa))
			match--;
	/* Not always at the same address: a function that the compiler split leaves from its part's frame. */
	while (rps_unlikely((match->mark & ~UINT64_C(1)) != key_function && match->cfa < UINT64_MAX))
		match--;
	if (rps_unlikely(match->cfa == UINT64_MAX || (match->cfa != cfa && rps_call_tree_is_full(arena, top) &&
						      kind != RPS_CALL_ADDRESS))) {
		/* Not mine (with a full stack: perhaps not), but what lies below me on the stack is certainly gone. */
		match = top;
		while (kind != RPS_CALL_ADDRESS && match->cfa < cfa)
			match--;
		if (match != top)
			rps_call_tree_unwind(arena, match, now);
		if ((match->mark & ~UINT64_C(1)) == RPS_MARK_REQUEST && match->cfa == cfa) {
			rps_call_tree_close(arena, match, now);
			return 1;
		}
		return 0;
	}
	if (rps_unlikely(match != top))
		rps_call_tree_unwind(arena, match, now);
	rps_call_tree_close(arena, match, now);
	return 0;
}

#endif
