/* SPDX-License-Identifier: MIT */
/* See scope.h. Does nothing while the pool is not in request mode: in
 * application scope every thread records anyway.
 */
#include "runtime/scope.h"

#include "runtime/call_tree.h"
#include "runtime/clock.h"
#include "runtime/counters.h"
#include "runtime/pool.h"
#include "runtime/stacks.h"

#include <stdatomic.h>
#include <stddef.h>

void rps_scope_begin(struct rps_scope *scope, uint64_t id)
{
	uint64_t epoch;

	scope->arena = NULL;
	scope->slot = RPS_NO_SLOT;
	if (rps_pool == NULL)
		return;
	epoch = atomic_load_explicit(&rps_pool->epoch, memory_order_relaxed);
	if ((epoch & RPS_MODE_MASK) == RPS_MODE_REQUEST)
		scope->slot = rps_pool_claim(id, epoch, &scope->arena);
}

/* Never the front's: those are random. */
static uint64_t own_id(void)
{
	static _Atomic uint32_t n_requests;

	return UINT64_C(1) << 63 | (uint64_t)rps_process.here.pid << 32 |
	       (atomic_fetch_add_explicit(&n_requests, 1, memory_order_relaxed) + 1u);
}

void rps_scope_begin_own(struct rps_scope *scope, const char *name)
{
	rps_scope_begin(scope, own_id());
	if (scope->arena == NULL)
		return;
	rps_pool_slot(scope->slot)->own = RPS_OWN_MAIN;
	rps_call_tree_add_meta(scope->arena, "", name);
}

void rps_scope_identify(struct rps_scope *scope, uint64_t id)
{
	if (scope->arena != NULL)
		rps_pool_set_request(scope->slot, id);
}

void rps_scope_resume(struct rps_scope *scope)
{
	struct rps_thread *thread = &rps_this_thread;

	if (scope->arena == NULL)
		return;
	scope->outer_arena = thread->home != NULL ? thread->home : thread->arena;
	scope->outer_epoch = thread->epoch;
	scope->arena->resumed_ticks = rps_clock_now();
	scope->arena->attached = 1;
	rps_counters_leave(thread);
	rps_thread_leave(thread);
	if (scope->outer_arena != &rps_idle_arena)
		rps_pool_end_spares(thread, scope->outer_arena);
	thread->epoch = rps_pool_slot(scope->slot)->epoch;
	rps_stacks_begin(thread, scope->arena);
	rps_thread_join(thread, scope->arena);
	rps_counters_join(thread);
}

void rps_scope_suspend(struct rps_scope *scope)
{
	struct rps_thread *thread = &rps_this_thread;
	struct rps_arena_header *arena = scope->arena;
	uint64_t now;

	/* A child that was forked in the middle has its parent's scope, but not its arena. */
	if (arena == NULL || thread->home != arena)
		return;
	rps_counters_leave(thread);
	rps_thread_leave(thread);
	rps_stacks_end(thread, arena);
	/* The callback has returned, so whatever is still open left without its exits. */
	rps_call_tree_unwind(arena, rps_call_tree_bottom(arena), 0);
	now = rps_clock_now();
	arena->scope_ticks += now - arena->resumed_ticks;
	arena->attached = 0;
	rps_pool_end_spares(thread, arena);
	thread->epoch = scope->outer_epoch;
	if (scope->outer_arena != &rps_idle_arena) {
		thread->home = scope->outer_arena;
		rps_thread_join(thread, scope->outer_arena);
		rps_counters_join(thread);
	}
}

void rps_scope_end(struct rps_scope *scope)
{
	if (scope->arena == NULL)
		return;
	scope->arena = NULL;
	if (rps_pool_slot(scope->slot)->process != rps_process_index)
		return;
	rps_pool_end(scope->slot);
	rps_pool_notify();
}

void rps_scope_discard(struct rps_scope *scope)
{
	if (scope->arena == NULL)
		return;
	scope->arena = NULL;
	if (rps_pool_slot(scope->slot)->process == rps_process_index)
		rps_pool_release(scope->slot);
}
