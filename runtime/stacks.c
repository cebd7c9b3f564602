/* SPDX-License-Identifier: MIT */
/* See stacks.h. The arenas of a thread's other stacks are a list that its home arena begins; at most N_STACKS_MAX: what is on still
 * others is recorded into the home arena.
 */
#include "runtime/stacks.h"

#include "runtime/call_tree.h"
#include "runtime/clock.h"
#include "runtime/pool.h"

#include <sys/resource.h>

#define N_STACKS_MAX 256
/* No frame of a coroutine is larger, hopefully; and the first frame's caller needs some room above. */
#define STEP 16384u
#define ABOVE_BASE 512u
/* Arguments and environment lie above main's first frame. */
#define ABOVE_MAIN ((uint64_t)256 << 20)
#define MAIN_UNLIMITED ((uint64_t)1 << 30)
#define THREAD_DEFAULT ((uint64_t)8 << 20)

extern void *__libc_stack_end __attribute__((weak));

static const struct rps_thread *main_thread;
static uint64_t main_size_bytes;
static _Atomic uint64_t thread_size_bytes = THREAD_DEFAULT;

void rps_stacks_note_size(uint64_t size_bytes)
{
	uint64_t seen = atomic_load_explicit(&thread_size_bytes, memory_order_relaxed);

	while (seen < size_bytes && !atomic_compare_exchange_weak_explicit(&thread_size_bytes, &seen, size_bytes, memory_order_relaxed,
									   memory_order_relaxed))
		;
}

void rps_stacks_init(void)
{
	struct rlimit limit;

	main_thread = &rps_this_thread;
	if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > MAIN_UNLIMITED)
		main_size_bytes = MAIN_UNLIMITED;
	else
		main_size_bytes = limit.rlim_cur < THREAD_DEFAULT ? THREAD_DEFAULT : limit.rlim_cur;
	if (limit.rlim_cur != RLIM_INFINITY)
		rps_stacks_note_size(limit.rlim_cur);
}

/* The thread's own stack. Of a thread of the libc's the thread pointer stands at its upper end; below its lower end the next mapping
 * begins, so the bound is a little above. */
static void set_own_bounds(const struct rps_thread *thread, struct rps_arena_header *arena)
{
	uint64_t size = atomic_load_explicit(&thread_size_bytes, memory_order_relaxed), high;

	if (main_thread == NULL)
		return;
	if (thread != main_thread) {
		high = (uintptr_t)__builtin_thread_pointer();
		arena->stack_low = high > size ? high - size + STEP : 0;
		arena->stack_size = high - arena->stack_low;
	} else if (&__libc_stack_end != NULL && __libc_stack_end != NULL) {
		high = (uintptr_t)__libc_stack_end;
		arena->stack_low = high > main_size_bytes ? high - main_size_bytes : 0;
		arena->stack_size = high - arena->stack_low + ABOVE_MAIN;
	}
}

void rps_stacks_begin(struct rps_thread *thread, struct rps_arena_header *arena)
{
	thread->home = arena;
	set_own_bounds(thread, arena);
}

static struct rps_arena_header *next_of(const struct rps_arena_header *arena)
{
	return arena->next_stack != 0 ? rps_pool_arena_at(arena->next_stack - 1) : NULL;
}

/* Time goes on for what is open in `arena`, after it has stood still since `paused_ticks`. */
static void go_on(struct rps_arena_header *arena, uint64_t now)
{
	uint64_t ticks = arena->paused_ticks != 0 && now > arena->paused_ticks ? now - arena->paused_ticks : 0;
	struct rps_wire_frame *frame;

	for (uint32_t at = arena->timed_top; ticks != 0 && at != RPS_STACK_OFFSET; at = frame->below) {
		frame = (struct rps_wire_frame *)((char *)arena + at);
		frame->start_ticks += ticks;
	}
	arena->resumed_ticks += ticks;
	arena->paused_ticks = 0;
}

void rps_stacks_end(struct rps_thread *thread, struct rps_arena_header *arena)
{
	struct rps_arena_header *other = next_of(arena), *next;

	thread->home = NULL;
	go_on(arena, rps_clock_now());
	arena->next_stack = 0;
	for (; other != NULL; other = next) {
		next = next_of(other);
		go_on(other, rps_clock_now());
		rps_call_tree_unwind(other, rps_call_tree_bottom(other), 0);
		rps_pool_end_beside(other, arena);
	}
}

static struct rps_arena_header *new_stack(struct rps_thread *thread, uint64_t cfa, uint32_t n_stacks)
{
	struct rps_arena_header *home = thread->home, *arena;

	if (n_stacks >= N_STACKS_MAX || rps_pool_claim_beside(home, thread->epoch, &arena) == RPS_NO_SLOT)
		return home;
	arena->stack_low = cfa - STEP;
	arena->stack_size = STEP + ABOVE_BASE;
	arena->next_stack = home->next_stack;
	home->next_stack = rps_pool_slot_of(arena) + 1;
	return arena;
}

static struct rps_arena_header *find(struct rps_thread *thread, uint64_t cfa)
{
	struct rps_arena_header *home = thread->home, *grown = NULL;
	uint32_t n_stacks = 0;

	if (rps_stacks_is_on(home, cfa))
		return home;
	for (struct rps_arena_header *other = next_of(home); other != NULL; other = next_of(other), n_stacks++) {
		if (rps_stacks_is_on(other, cfa))
			return other;
		if (cfa < other->stack_low && other->stack_low - cfa < STEP &&
		    (grown == NULL || other->stack_low < grown->stack_low))
			grown = other;
	}
	if (grown == NULL)
		return new_stack(thread, cfa, n_stacks);
	grown->stack_size += grown->stack_low - (cfa - STEP);
	grown->stack_low = cfa - STEP;
	return grown;
}

void rps_stacks_find(void *cls)
{
	struct rps_stacks_question *question = cls;
	struct rps_thread *thread = &rps_this_thread;
	struct rps_arena_header *found;
	uint64_t now;

	if (thread->home == NULL)
		return;
	found = find(thread, question->cfa);
	if (found == question->arena)
		return;
	now = rps_clock_now();
	question->arena->paused_ticks = now;
	go_on(found, now);
	question->arena = found;
}
