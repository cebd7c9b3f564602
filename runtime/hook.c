/* SPDX-License-Identifier: MIT */
/* The functions that instrumented code calls on every entry and exit, and the
 * decision whether there is anything to do. Runs in any thread of the application, in
 * signal handlers too, and before main.
 *
 * Cheapest first: no collector (one load, one branch); no request here (two more);
 * else the arena is marked as being changed (odd sequence number), and only then
 * is the epoch compared: wire/layout.h says why in this order.
 */
#include "runtime/call_tree.h"
#include "runtime/callees.h"
#include "runtime/clock.h"
#include "runtime/pool.h"
#include "runtime/record.h"
#include "runtime/thread.h"

#include <stdatomic.h>

/* Decides anew what this thread records into: the pool's epoch has changed since
 * the last time. Its old arena, if any, is the collector's by now. */
static __attribute__((noinline, cold)) void change_epoch(struct rps_thread *thread, uint64_t epoch)
{
	struct rps_arena_header *arena = NULL;

	thread->arena = NULL;
	for (int i = 0; i < RPS_N_SPARES; i++)
		thread->spare[i] = NULL;
	if ((epoch & RPS_MODE_MASK) == RPS_MODE_APPLICATION)
		rps_pool_claim(0, epoch, &arena);
	thread->epoch = epoch;
	atomic_signal_fence(memory_order_release);
	thread->arena = arena;
}

static inline void finish_update(struct rps_arena_header *arena, uint32_t sequence)
{
	atomic_store_explicit(&arena->sequence, sequence + 2, memory_order_release);
}

static int start_update(struct rps_arena_header *arena, uint32_t *sequence)
{
	*sequence = atomic_load_explicit(&arena->sequence, memory_order_relaxed);
	if (rps_unlikely(*sequence & 1))
		return 0;
	atomic_store_explicit(&arena->sequence, *sequence + 1, memory_order_relaxed);
	/* For the compiler, and for signal handlers of this thread; the collector's membarrier does it for the processor. */
	atomic_signal_fence(memory_order_seq_cst);
	return 1;
}

/* For a signal handler's function, in the middle of a hook: a tree of its own, below the request's root. */
static __attribute__((noinline, cold)) struct rps_arena_header *begin_interrupting(struct rps_thread *thread, uint32_t *sequence)
{
	for (int i = 0; i < RPS_N_SPARES; i++) {
		struct rps_arena_header *arena = thread->spare[i];

		if (arena == NULL)
			arena = rps_pool_claim_spare(thread, i);
		if (arena == NULL)
			break;
		if (start_update(arena, sequence)) {
			if (atomic_load_explicit(&rps_pool->epoch, memory_order_relaxed) == thread->epoch)
				return arena;
			finish_update(arena, *sequence);
			return NULL;
		}
	}
	thread->arena->lost_calls++;
	return NULL;
}

/* The arena to record into, its sequence number made odd; NULL: nothing to do. The epoch is compared
 * twice: before the arena is touched, since the collector may have given it to another thread long ago, and
 * after it was marked, since only from then on the collector waits for us. */
static inline struct rps_arena_header *begin_update(struct rps_thread *thread, uint32_t *sequence)
{
	for (;;) {
		uint64_t epoch = atomic_load_explicit(&rps_pool->epoch, memory_order_relaxed);
		struct rps_arena_header *arena;

		if (rps_unlikely(epoch != thread->epoch)) {
			change_epoch(thread, epoch);
			continue;
		}
		arena = thread->arena;
		if (arena == NULL)
			return NULL;
		if (rps_unlikely(!start_update(arena, sequence)))
			return begin_interrupting(thread, sequence);
		if (rps_likely(atomic_load_explicit(&rps_pool->epoch, memory_order_relaxed) == epoch))
			return arena;
		finish_update(arena, *sequence);
	}
}

/* ---- Plugin hooks --------------------------------------------------------------- */

RPS_EXPORT void __runprofile_enter_v1(struct rps_function_record *function, void *cfa,
				      const struct rps_site_record *site)
{
	struct rps_thread *thread;
	struct rps_arena_header *arena;
	uint32_t sequence;

	if (rps_likely(rps_pool == NULL))
		return;
	thread = &rps_thread;
	arena = begin_update(thread, &sequence);
	if (arena == NULL)
		return;
	if (site == NULL)
		rps_call_tree_enter(arena, (uintptr_t)function, (uintptr_t)cfa, ((const uint64_t *)cfa)[-1],
				    (uintptr_t)function, RPS_CALL_RECORD_PHYSICAL);
	else
		rps_call_tree_enter(arena, (uintptr_t)function, (uintptr_t)cfa, (uintptr_t)site, (uintptr_t)function,
				    RPS_CALL_RECORD_INLINED);
	finish_update(arena, sequence);
}

RPS_EXPORT void __runprofile_exit_v1(struct rps_function_record *function, void *cfa)
{
	struct rps_arena_header *arena;
	uint32_t sequence;
	uint64_t now;

	if (rps_likely(rps_pool == NULL) || rps_thread.arena == NULL)
		return;
	now = rps_clock_now();
	arena = begin_update(&rps_thread, &sequence);
	if (arena == NULL)
		return;
	rps_call_tree_exit(arena, (uintptr_t)function, (uintptr_t)cfa, now, RPS_CALL_RECORD_PHYSICAL);
	finish_update(arena, sequence);
}

/* The frame of `function` at `cfa`; NULL if it was entered before the recording began. */
static struct rps_wire_frame *find_frame(struct rps_arena_header *arena, uintptr_t function, uintptr_t cfa)
{
	struct rps_wire_frame *frame = rps_call_tree_top(arena);

	while (frame->cfa != UINT64_MAX && (frame->cfa != cfa || frame->mark != function))
		frame--;
	return frame->cfa != UINT64_MAX ? frame : NULL;
}

/* Was a hook of this thread interrupted by a signal handler that has left by siglongjmp? Then neither comes back; of the hook's
 * work one step at most is missing. */
static void end_abandoned_hook(struct rps_thread *thread, uintptr_t function, uintptr_t cfa)
{
	struct rps_arena_header *arena = thread->arena;
	uint32_t sequence = atomic_load_explicit(&arena->sequence, memory_order_relaxed);

	if ((sequence & 1) == 0 || find_frame(arena, function, cfa) == NULL)
		return;
	rps_call_tree_recount(arena);
	finish_update(arena, sequence - 1);
	for (int i = 0; i < RPS_N_SPARES; i++)
		if (thread->spare[i] != NULL && start_update(thread->spare[i], &sequence)) {
			rps_call_tree_unwind(thread->spare[i], rps_call_tree_bottom(thread->spare[i]), rps_clock_now());
			finish_update(thread->spare[i], sequence);
		}
}

/* After a second return (longjmp into this frame): everything entered since is gone, functions
 * inlined into this very frame included, which have its address. */
RPS_EXPORT void __runprofile_resync_v1(struct rps_function_record *function, void *cfa)
{
	struct rps_arena_header *arena;
	struct rps_wire_frame *keep;
	uint32_t sequence;

	if (rps_likely(rps_pool == NULL) || rps_thread.arena == NULL)
		return;
	end_abandoned_hook(&rps_thread, (uintptr_t)function, (uintptr_t)cfa);
	arena = begin_update(&rps_thread, &sequence);
	if (arena == NULL)
		return;
	keep = find_frame(arena, (uintptr_t)function, (uintptr_t)cfa);
	if (keep != NULL && keep != rps_call_tree_top(arena))
		rps_call_tree_unwind(arena, keep, rps_clock_now());
	finish_update(arena, sequence);
}

/* ---- Calls of functions defined elsewhere --------------------------------------------- */

static inline void enter_external(uintptr_t callee, void *cfa, const struct rps_site_record *site, void *hook_cfa,
				  enum rps_call_kind kind)
{
	struct rps_arena_header *arena;
	uint32_t sequence;

	arena = begin_update(&rps_thread, &sequence);
	if (arena == NULL)
		return;
	rps_call_tree_enter(arena, callee, (uintptr_t)cfa, (uintptr_t)site, (uintptr_t)hook_cfa, kind);
	finish_update(arena, sequence);
}

static inline void exit_external(void *cfa, enum rps_call_kind kind)
{
	uint64_t now = rps_clock_now();
	struct rps_arena_header *arena;
	uint32_t sequence;

	arena = begin_update(&rps_thread, &sequence);
	if (arena == NULL)
		return;
	rps_call_tree_exit_external(arena, (uintptr_t)cfa, now, kind);
	finish_update(arena, sequence);
}

RPS_EXPORT void __runprofile_external_enter_v1(struct rps_external_record *callee, void *cfa,
					       const struct rps_site_record *site)
{
	if (rps_likely(rps_pool == NULL) || callee->is_instrumented)
		return;
	enter_external((uintptr_t)callee, cfa, site, __builtin_dwarf_cfa(), RPS_CALL_EXTERNAL);
}

RPS_EXPORT void __runprofile_external_exit_v1(struct rps_external_record *callee, void *cfa)
{
	if (rps_likely(rps_pool == NULL) || rps_thread.arena == NULL || callee->is_instrumented)
		return;
	exit_external(cfa, RPS_CALL_EXTERNAL);
}

RPS_EXPORT void __runprofile_pointer_enter_v1(void *callee, void *cfa, const struct rps_site_record *site)
{
	if (rps_likely(rps_pool == NULL) || rps_callees_has((uintptr_t)callee))
		return;
	enter_external((uintptr_t)callee, cfa, site, __builtin_dwarf_cfa(), RPS_CALL_POINTER);
}

RPS_EXPORT void __runprofile_pointer_exit_v1(void *callee, void *cfa)
{
	if (rps_likely(rps_pool == NULL) || rps_thread.arena == NULL || rps_callees_has((uintptr_t)callee))
		return;
	exit_external(cfa, RPS_CALL_POINTER);
}

RPS_EXPORT void __runprofile_landed_v1(void *cfa)
{
	struct rps_arena_header *arena;
	struct rps_wire_frame *keep;
	uint32_t sequence;

	if (rps_likely(rps_pool == NULL) || rps_thread.arena == NULL)
		return;
	arena = begin_update(&rps_thread, &sequence);
	if (arena == NULL)
		return;
	keep = rps_call_tree_top(arena);
	while (keep->cfa < (uintptr_t)cfa)
		keep--;
	if (keep != rps_call_tree_top(arena))
		rps_call_tree_unwind(arena, keep, rps_clock_now());
	finish_update(arena, sequence);
}

/* ---- Plain hooks: clang, or a GCC without our plugin ------------------------------ */

RPS_EXPORT void __cyg_profile_func_enter(void *function, void *call_site)
{
	struct rps_arena_header *arena;
	uint32_t sequence;

	if (rps_likely(rps_pool == NULL))
		return;
	arena = begin_update(&rps_thread, &sequence);
	if (arena == NULL)
		return;
	rps_call_tree_enter(arena, (uintptr_t)function, (uintptr_t)__builtin_dwarf_cfa(), (uintptr_t)call_site,
			    (uintptr_t)function, RPS_CALL_ADDRESS);
	finish_update(arena, sequence);
}

RPS_EXPORT void __cyg_profile_func_exit(void *function, void *call_site)
{
	struct rps_arena_header *arena;
	uint32_t sequence;
	uint64_t now;

	if (rps_likely(rps_pool == NULL) || rps_thread.arena == NULL)
		return;
	now = rps_clock_now();
	arena = begin_update(&rps_thread, &sequence);
	if (arena == NULL)
		return;
	rps_call_tree_exit(arena, (uintptr_t)function, (uintptr_t)__builtin_dwarf_cfa(), now, RPS_CALL_ADDRESS);
	finish_update(arena, sequence);
}
