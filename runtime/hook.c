/* SPDX-License-Identifier: MIT */
/* The hooks: what instrumented code calls on every entry and exit, and what its inlined hooks (hook_asm.h) leave to
 * C; and the decision whether there is anything to do. Runs in any thread of the application, in signal handlers too, and
 * before main.
 *
 * Cheapest first: no collector (one load, one branch); no request here; else the arena is marked busy, and only
 * then it is certain that it is ours: wire/layout.h says why in this order.
 */
#include "runtime/call_tree.h"
#include "runtime/call_scope.h"
#include "runtime/callees.h"
#include "runtime/clock.h"
#include "runtime/counters.h"
#include "runtime/pool.h"
#include "runtime/record.h"
#include "runtime/stacks.h"
#include "runtime/thread.h"
#include "runtime/veneer.h"

#include <stdatomic.h>

/* Decides anew what this thread records into: the pool's epoch has changed since
 * the last time. Its old arena, if any, is the collector's by now. */
static void change_epoch(void *cls)
{
	struct rps_thread *thread = &rps_this_thread;
	uint64_t epoch = *(const uint64_t *)cls;
	struct rps_arena_header *arena = NULL;

	rps_thread_leave(thread);
	for (int i = 0; i < RPS_N_SPARES; i++)
		thread->spare[i] = NULL;
	if ((epoch & RPS_MODE_MASK) == RPS_MODE_APPLICATION)
		rps_pool_claim(0, epoch, &arena);
	thread->epoch = epoch;
	thread->home = NULL;
	if (arena == NULL)
		return;
	rps_stacks_begin(thread, arena);
	rps_thread_join(thread, arena);
	rps_counters_join(thread);
}

static inline void finish_update(struct rps_thread *thread, struct rps_arena_header *arena)
{
	atomic_store_explicit(&arena->busy, 0, memory_order_release);
	if (arena == thread->arena)
		thread->token = thread->claim;
}

/* Marks the arena busy. The thread's token is taken away for the time, so that the inlined hooks of signal handlers come
 * here. 0: it is busy. */
static inline int start_update(struct rps_thread *thread, struct rps_arena_header *arena)
{
	if (rps_unlikely(atomic_load_explicit(&arena->busy, memory_order_relaxed) != 0))
		return 0;
	atomic_store_explicit(&arena->busy, 1, memory_order_relaxed);
	if (arena == thread->arena)
		thread->token = RPS_TOKEN_NONE;
	/* For the compiler, and for signal handlers of this thread; the collector's membarrier does it for the processor. */
	atomic_signal_fence(memory_order_seq_cst);
	return 1;
}

/* For a signal handler's function, in the middle of a hook: a tree of its own, below the request's root. */
static __attribute__((noinline, cold)) struct rps_arena_header *begin_interrupting(struct rps_thread *thread)
{
	for (int i = 0; i < RPS_N_SPARES; i++) {
		struct rps_arena_header *arena = thread->spare[i];

		if (arena == NULL)
			arena = rps_pool_claim_spare(thread, i);
		if (arena == NULL)
			break;
		if (start_update(thread, arena)) {
			if (atomic_load_explicit(&rps_pool->epoch, memory_order_relaxed) == thread->epoch)
				return arena;
			finish_update(thread, arena);
			return NULL;
		}
	}
	thread->arena->lost_calls++;
	return NULL;
}

/* The arena to record into, marked busy; NULL: nothing to do. The epoch is compared
 * twice: before the arena is touched, since the collector may have given it to another thread long ago, and
 * after it was marked, since only from then on the collector waits for us. */
static inline struct rps_arena_header *begin_update(struct rps_thread *thread)
{
	for (;;) {
		uint64_t epoch = atomic_load_explicit(&rps_pool->epoch, memory_order_relaxed);
		struct rps_arena_header *arena;

		if (rps_unlikely(epoch != thread->epoch)) {
			rps_veneer_call(change_epoch, &epoch);
			continue;
		}
		arena = thread->arena;
		if (arena == &rps_idle_arena)
			return NULL;
		if (rps_unlikely(!start_update(thread, arena)))
			return begin_interrupting(thread);
		if (rps_likely(atomic_load_explicit(&rps_pool->epoch, memory_order_relaxed) == epoch)) {
			if (rps_likely(!rps_call_tree_is_pushing(arena)))
				return arena;
			finish_update(thread, arena);
			return begin_interrupting(thread);
		}
		finish_update(thread, arena);
	}
}

/* The thread has gone to another stack: that one's arena takes the place of this one. */
static __attribute__((noinline, cold)) struct rps_arena_header *change_stack(struct rps_thread *thread,
									     struct rps_arena_header *arena, uint64_t cfa)
{
	struct rps_stacks_question question = {arena, cfa};

	if (arena != thread->arena)
		return arena; /* a spare one: not for long */
	rps_veneer_call(rps_stacks_find, &question);
	if (question.arena == arena)
		return arena;
	finish_update(thread, arena);
	rps_counters_leave(thread);
	rps_thread_leave(thread);
	rps_thread_join(thread, question.arena);
	rps_counters_join(thread);
	thread->is_leaf_timed = (uint32_t)rps_call_tree_is_leaf_timed(question.arena);
	return begin_update(thread);
}

/* The same, for a function with the frame address `cfa`. */
static inline struct rps_arena_header *begin_update_at(struct rps_thread *thread, uint64_t cfa)
{
	struct rps_arena_header *arena = begin_update(thread);

	if (arena == NULL || rps_stacks_is_on(arena, cfa))
		return arena;
	return change_stack(thread, arena, cfa);
}

/* Is there nothing whose end could be recorded? */
static inline int is_idle(void)
{
	return rps_likely(rps_pool == NULL) || rps_this_thread.arena == &rps_idle_arena;
}

/* ---- Plugin hooks --------------------------------------------------------------- */

static inline struct rps_call physical_call(struct rps_function_record *function, void *cfa, uint64_t site,
					    enum rps_hooks hooks)
{
	return (struct rps_call){(uintptr_t)function, site, (uintptr_t)cfa, (uintptr_t)function,
				 (uint32_t)site ^ function->hash, RPS_CALL_RECORD_PHYSICAL, hooks};
}

static inline struct rps_call inlined_call(struct rps_function_record *function, const struct rps_site_record *site, void *cfa,
					   enum rps_hooks hooks)
{
	return (struct rps_call){(uintptr_t)function, (uintptr_t)site, (uintptr_t)cfa, (uintptr_t)function, site->hash,
				 RPS_CALL_RECORD_INLINED, hooks};
}

/* The thread works for no request, or is in the middle of a hook. If the call itself is a request (--request), it gets a frame that only its own
 * exit, out of line, will find. 1: so it was. */
static __attribute__((noinline, cold)) int enter_request(struct rps_thread *thread, const struct rps_call *call)
{
	struct rps_arena_header *arena;

	if (rps_pool->request_function[0] == '\0' || thread->arena != &rps_idle_arena ||
	    (call->kind != RPS_CALL_RECORD_PHYSICAL && call->kind != RPS_CALL_RECORD_INLINED))
		return 0;
	rps_veneer_call(rps_call_scope_begin, (void *)(uintptr_t)call->key_function);
	arena = begin_update(thread);
	if (arena == NULL)
		return 0;
	rps_call_tree_enter(arena, call);
	rps_call_tree_top(arena)->mark = RPS_MARK_REQUEST | (rps_call_tree_top(arena)->mark & 1);
	finish_update(thread, arena);
	return 1;
}

/* What the inlined hooks do, for those that are called (hook_asm.h says why it is right without marking the arena busy). 0: not
 * such a call. */
static inline int enter_fast(const struct rps_thread *thread, const struct rps_call *call)
{
	struct rps_arena_header *arena = thread->arena;
	struct rps_call_tree_target target;
	struct rps_wire_frame *top;

	if (atomic_load_explicit(&arena->token, memory_order_relaxed) != thread->token || !rps_stacks_is_on(arena, call->cfa))
		return 0;
	top = rps_call_tree_top(arena);
	if (top->cfa < call->cfa || (call->kind == RPS_CALL_RECORD_PHYSICAL && top->cfa == call->cfa) ||
	    rps_call_tree_is_full(arena, top))
		return 0;
	if (!rps_call_tree_count(rps_call_tree_place(arena, top->table) + (call->hash & top->mask), call, &target))
		return 0;
	rps_call_tree_set_top(arena, top + 1);
	top++;
	atomic_signal_fence(memory_order_seq_cst);
	top->mark = call->mark;
	top->table = target.table;
	top->mask = target.mask;
	top->edge = rps_call_tree_target_edge(&target);
	/* Last, for signal handlers and for the collector: with its address the frame is there. */
	__atomic_store_n(&top->cfa, rps_call_tree_frame_cfa(call->cfa, call->kind), __ATOMIC_RELEASE);
	return 1;
}

static inline int leave_fast(const struct rps_thread *thread, uintptr_t key_function, uint64_t cfa)
{
	struct rps_arena_header *arena = thread->arena;
	struct rps_wire_frame *top;

	if (atomic_load_explicit(&arena->token, memory_order_relaxed) != thread->token)
		return 0;
	top = rps_call_tree_top(arena);
	if (top->cfa != cfa || top->mark != key_function)
		return 0;
	rps_call_tree_pop(arena, top);
	return 1;
}

static inline void enter(const struct rps_call *call)
{
	struct rps_thread *thread = &rps_this_thread;
	struct rps_arena_header *arena = begin_update_at(thread, call->cfa);

	if (arena == NULL) {
		enter_request(thread, call);
		return;
	}
	rps_call_tree_enter(arena, call);
	finish_update(thread, arena);
}

static inline void leave(uintptr_t key_function, void *cfa, enum rps_call_kind kind)
{
	struct rps_thread *thread = &rps_this_thread;
	uint64_t now = rps_call_tree_now(thread->arena);
	struct rps_arena_header *arena = begin_update_at(thread, (uintptr_t)cfa);
	int is_end;

	if (arena == NULL)
		return;
	is_end = rps_call_tree_exit(arena, key_function, (uintptr_t)cfa, now, kind);
	finish_update(thread, arena);
	if (rps_unlikely(is_end))
		rps_veneer_call(rps_call_scope_end, NULL);
}

RPS_EXPORT void __runprofile_enter_v2(struct rps_function_record *function, void *cfa,
				      const struct rps_site_record *site RPS_ARCH_RETURN_ADDRESS_PARAMETER)
{
	struct rps_call call;

	if (rps_likely(rps_pool == NULL))
		return;
	call = site == NULL ? physical_call(function, cfa, RPS_ARCH_RETURN_ADDRESS(cfa), RPS_HOOKS_CALLED) : inlined_call(function, site, cfa, RPS_HOOKS_CALLED);
	if (!enter_fast(&rps_this_thread, &call))
		enter(&call);
}

RPS_EXPORT void __runprofile_exit_v2(struct rps_function_record *function, void *cfa)
{
	if (!is_idle() && !leave_fast(&rps_this_thread, (uintptr_t)function, (uintptr_t)cfa))
		leave((uintptr_t)function, cfa, RPS_CALL_RECORD_PHYSICAL);
}

#ifdef RPS_HAVE_INLINE_HOOKS
/* What the inlined hooks leave to us. The pool is there (veneer.S). */

void rps_hook_enter(struct rps_function_record *function, void *cfa)
{
	struct rps_call call = physical_call(function, cfa, RPS_ARCH_RETURN_ADDRESS(cfa), RPS_HOOKS_INLINED);

	enter(&call);
}

void rps_hook_enter_inlined(struct rps_function_record *function, void *cfa, const struct rps_site_record *site)
{
	struct rps_call call = inlined_call(function, site, cfa, RPS_HOOKS_INLINED);

	enter(&call);
}

static inline void leaf_enter(const struct rps_call *call)
{
	struct rps_thread *thread = &rps_this_thread;
	struct rps_arena_header *arena = begin_update_at(thread, call->cfa);

	if (arena == NULL) {
		if (enter_request(thread, call))
			thread->is_leaf_timed = 1; /* so that its exit comes here */
		return;
	}
	if (rps_call_tree_enter_leaf(arena, call))
		thread->is_leaf_timed = 1;
	finish_update(thread, arena);
}

void rps_hook_leaf_enter(struct rps_function_record *function, void *cfa)
{
	struct rps_call call = physical_call(function, cfa, RPS_ARCH_RETURN_ADDRESS(cfa), RPS_HOOKS_LEAF);

	leaf_enter(&call);
}

void rps_hook_leaf_enter_inlined(struct rps_function_record *function, void *cfa, const struct rps_site_record *site)
{
	struct rps_call call = inlined_call(function, site, cfa, RPS_HOOKS_LEAF);

	leaf_enter(&call);
}

void rps_hook_exit(struct rps_function_record *function, void *cfa)
{
	if (!is_idle())
		leave((uintptr_t)function, cfa, RPS_CALL_RECORD_PHYSICAL);
}

/* Its own frame need not be there: another leaf function's is, which a signal handler has interrupted. */
void rps_hook_leaf_exit(struct rps_function_record *function, void *cfa)
{
	struct rps_thread *thread = &rps_this_thread;
	uint64_t now = rps_call_tree_now(thread->arena);
	struct rps_arena_header *arena;
	int is_end;

	thread->is_leaf_timed = 0;
	if (is_idle())
		return;
	arena = begin_update_at(thread, (uintptr_t)cfa);
	if (arena == NULL)
		return;
	is_end = rps_call_tree_exit(arena, (uintptr_t)function, (uintptr_t)cfa, now, RPS_CALL_RECORD_PHYSICAL);
	thread->is_leaf_timed = (uint32_t)rps_call_tree_is_leaf_timed(arena);
	finish_update(thread, arena);
	if (rps_unlikely(is_end))
		rps_veneer_call(rps_call_scope_end, NULL);
}
#endif

/* ---- Ways back other than returns ------------------------------------------------------ */

/* The frame of `function` at `cfa`; NULL if it was entered before the recording began. */
static struct rps_wire_frame *find_frame(struct rps_arena_header *arena, uintptr_t function, uintptr_t cfa)
{
	struct rps_wire_frame *frame = rps_call_tree_top(arena);

	while (frame->cfa != UINT64_MAX && (frame->cfa != cfa || (frame->mark & ~UINT64_C(1)) != function))
		frame--;
	return frame->cfa != UINT64_MAX ? frame : NULL;
}

/* A hook that pushes or pops a timed frame changes two links: this one may be ahead of the stack, and the next frame pushed would be
 * linked to itself. */
static void mend_timed_top(struct rps_arena_header *arena)
{
	const struct rps_wire_frame *frame = rps_call_tree_top(arena);

	while (frame->cfa != UINT64_MAX && !rps_call_tree_is_timed(frame))
		frame--;
	arena->timed_top = rps_call_tree_offset(arena, frame);
}

/* Was a hook of this thread interrupted by a signal handler that has left by siglongjmp? Then neither comes back; of the hook's
 * work one step at most is missing. */
static void end_abandoned_hook(struct rps_thread *thread, uintptr_t function, uintptr_t cfa)
{
	struct rps_arena_header *arena = thread->arena;

	if ((atomic_load_explicit(&arena->busy, memory_order_relaxed) == 0 && !rps_call_tree_is_pushing(arena)) ||
	    find_frame(arena, function, cfa) == NULL)
		return;
	if (rps_call_tree_is_pushing(arena))
		rps_call_tree_pop(arena, rps_call_tree_top(arena));
	mend_timed_top(arena);
	finish_update(thread, arena);
	for (int i = 0; i < RPS_N_SPARES; i++) {
		struct rps_arena_header *spare = thread->spare[i];

		if (spare == NULL)
			continue;
		start_update(thread, spare); /* or it was being changed, and that was abandoned as well */
		mend_timed_top(spare);
		rps_call_tree_unwind(spare, rps_call_tree_bottom(spare), 0);
		finish_update(thread, spare);
	}
}

/* After a second return (longjmp into this frame): everything entered since is gone, functions
 * inlined into this very frame included, which have its address. */
RPS_EXPORT void __runprofile_resync_v2(struct rps_function_record *function, void *cfa)
{
	struct rps_thread *thread = &rps_this_thread;
	struct rps_arena_header *arena;
	struct rps_wire_frame *keep;

	if (is_idle())
		return;
	end_abandoned_hook(thread, (uintptr_t)function, (uintptr_t)cfa);
	arena = begin_update_at(thread, (uintptr_t)cfa);
	if (arena == NULL)
		return;
	if (rps_unlikely(thread->call_scope.arena == arena && rps_call_tree_top(arena) > rps_call_tree_bottom(arena) &&
			 rps_call_tree_bottom(arena)[1].cfa < (uintptr_t)cfa)) {
		finish_update(thread, arena); /* the jump has left the call that was the request */
		rps_veneer_call(rps_call_scope_end, NULL);
		return;
	}
	keep = find_frame(arena, (uintptr_t)function, (uintptr_t)cfa);
	if (keep != NULL && keep != rps_call_tree_top(arena))
		rps_call_tree_unwind(arena, keep, 0);
	finish_update(thread, arena);
}

RPS_EXPORT void __runprofile_landed_v2(void *cfa)
{
	struct rps_thread *thread = &rps_this_thread;
	struct rps_arena_header *arena;
	struct rps_wire_frame *keep;

	if (is_idle())
		return;
	arena = begin_update_at(thread, (uintptr_t)cfa);
	if (arena == NULL)
		return;
	keep = rps_call_tree_top(arena);
	while (keep->cfa < (uintptr_t)cfa)
		keep--;
	if (keep != rps_call_tree_top(arena))
		rps_call_tree_unwind(arena, keep, 0);
	finish_update(thread, arena);
}

/* ---- Calls of functions defined elsewhere --------------------------------------------- */

static inline void enter_external(uintptr_t callee, void *cfa, const struct rps_site_record *site, void *hook_cfa,
				  enum rps_call_kind kind, enum rps_hooks hooks)
{
	/* By a pointer, one place may call several. */
	uint32_t hash = kind == RPS_CALL_EXTERNAL ? site->hash : rps_call_tree_hash(callee, (uintptr_t)site);
	struct rps_call call = {callee, (uintptr_t)site, (uintptr_t)cfa, (uintptr_t)hook_cfa, hash, kind, hooks};

	if (!enter_fast(&rps_this_thread, &call))
		enter(&call);
}

static inline int leave_external_fast(const struct rps_thread *thread, uint64_t frame_cfa)
{
	struct rps_arena_header *arena = thread->arena;
	struct rps_wire_frame *top;

	if (atomic_load_explicit(&arena->token, memory_order_relaxed) != thread->token)
		return 0;
	top = rps_call_tree_top(arena);
	if (top->cfa != frame_cfa || rps_call_tree_is_timed(top))
		return 0;
	rps_call_tree_pop(arena, top);
	return 1;
}

static inline void leave_external(void *cfa, enum rps_call_kind kind)
{
	struct rps_thread *thread = &rps_this_thread;
	struct rps_arena_header *arena;
	uint64_t now;

	if (leave_external_fast(thread, rps_call_tree_frame_cfa((uintptr_t)cfa, kind)))
		return;
	now = rps_call_tree_now(thread->arena);
	arena = begin_update_at(thread, (uintptr_t)cfa);
	if (arena == NULL)
		return;
	rps_call_tree_exit_external(arena, (uintptr_t)cfa, now, kind);
	finish_update(thread, arena);
}

static inline int is_instrumented(const struct rps_external_record *callee)
{
	return atomic_load_explicit(&callee->is_instrumented, memory_order_relaxed) != 0;
}

RPS_EXPORT void __runprofile_external_enter_v2(struct rps_external_record *callee, void *cfa,
					       const struct rps_site_record *site)
{
	if (rps_likely(rps_pool == NULL) || is_instrumented(callee))
		return;
	enter_external((uintptr_t)callee, cfa, site, __builtin_dwarf_cfa(), RPS_CALL_EXTERNAL, RPS_HOOKS_CALLED);
}

RPS_EXPORT void __runprofile_external_exit_v2(struct rps_external_record *callee, void *cfa)
{
	if (!is_idle() && !is_instrumented(callee))
		leave_external(cfa, RPS_CALL_EXTERNAL);
}

#ifdef RPS_HAVE_INLINE_HOOKS
void rps_hook_external_enter(struct rps_external_record *callee, void *cfa, const struct rps_site_record *site,
			     void *callee_cfa)
{
	if (!is_instrumented(callee))
		enter_external((uintptr_t)callee, cfa, site, callee_cfa, RPS_CALL_EXTERNAL, RPS_HOOKS_INLINED);
}

void rps_hook_external_exit(struct rps_external_record *callee, void *cfa)
{
	if (!is_idle() && !is_instrumented(callee))
		leave_external(cfa, RPS_CALL_EXTERNAL);
}
#endif

RPS_EXPORT void __runprofile_pointer_enter_v2(void *callee, void *cfa, const struct rps_site_record *site)
{
	if (rps_likely(rps_pool == NULL) || rps_callees_has((uintptr_t)callee))
		return;
	enter_external((uintptr_t)callee, cfa, site, __builtin_dwarf_cfa(), RPS_CALL_POINTER, RPS_HOOKS_CALLED);
}

RPS_EXPORT void __runprofile_pointer_exit_v2(void *callee, void *cfa)
{
	if (!is_idle() && !rps_callees_has((uintptr_t)callee))
		leave_external(cfa, RPS_CALL_POINTER);
}

/* ---- Plain hooks: clang, or a GCC without our plugin ------------------------------ */

RPS_EXPORT void __cyg_profile_func_enter(void *function, void *call_site)
{
	struct rps_call call = {(uintptr_t)function, (uintptr_t)call_site, (uintptr_t)__builtin_dwarf_cfa(), (uintptr_t)function,
				rps_call_tree_hash((uintptr_t)function, (uintptr_t)call_site), RPS_CALL_ADDRESS, RPS_HOOKS_CALLED};

	if (rps_likely(rps_pool == NULL))
		return;
	if (!enter_fast(&rps_this_thread, &call))
		enter(&call);
}

RPS_EXPORT void __cyg_profile_func_exit(void *function, void *call_site)
{
	if (!is_idle() && !leave_fast(&rps_this_thread, (uintptr_t)function, (uintptr_t)__builtin_dwarf_cfa()))
		leave((uintptr_t)function, __builtin_dwarf_cfa(), RPS_CALL_ADDRESS);
}
