/* SPDX-License-Identifier: MIT */
/* See counters.h. What hooks call here uses general registers only (veneer.h): so the system call is made without the libc. */
#include "runtime/counters.h"

#include "runtime/arch.h"
#include "runtime/veneer.h"

#include <sys/resource.h>
#include <sys/syscall.h>

uint32_t rps_counters_allocations = RPS_ALLOCATIONS_UNSEEN;

/* ---- What the kernel counts ----------------------------------------------------------------- */

#ifndef __x86_64__
static void ask_libc(void *cls)
{
	getrusage(RUSAGE_THREAD, cls);
}
#endif

/* Of the calling thread, since it was started. */
static void ask_kernel(uint32_t *page_faults, uint32_t *ctx_switches)
{
	struct rusage usage;

#ifdef __x86_64__
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "0"((long)SYS_getrusage), "D"((long)RUSAGE_THREAD), "S"(&usage) : "rcx", "r11", "memory");
#else
	rps_veneer_call(ask_libc, &usage);
#endif
	*page_faults = (uint32_t)usage.ru_minflt + (uint32_t)usage.ru_majflt;
	*ctx_switches = (uint32_t)usage.ru_nvcsw + (uint32_t)usage.ru_nivcsw;
}

/* Differences are added, so that the sum stays right beyond 32 bits. A child of vfork runs in its parent's memory and with counts of its
 * own, which begin at 0: they are not taken for the parent's. */
static void add_difference(uint64_t *counted, uint32_t *base, uint32_t now)
{
	if ((int32_t)(now - *base) <= 0)
		return;
	*counted += now - *base;
	*base = now;
}

void rps_counters_read_kernel(struct rps_arena_header *arena)
{
	uint32_t page_faults, ctx_switches;

	ask_kernel(&page_faults, &ctx_switches);
	add_difference(&arena->counted[RPS_COUNTER_PAGE_FAULTS], &arena->kernel_base[0], page_faults);
	add_difference(&arena->counted[RPS_COUNTER_CTX_SWITCHES], &arena->kernel_base[1], ctx_switches);
}

void rps_counters_start_kernel(struct rps_arena_header *arena)
{
	ask_kernel(&arena->kernel_base[0], &arena->kernel_base[1]);
	arena->kernel = RPS_KERNEL_RUNS;
}

/* Some pages at a time, of both halves of the stack: system calls are dear. */
#define TOUCH_FRAMES 256

void rps_counters_touch_further(struct rps_arena_header *arena, const struct rps_wire_frame *frame)
{
	struct rps_wire_frame *last = (struct rps_wire_frame *)(uintptr_t)arena->limit + 1, *at = (struct rps_wire_frame *)(uintptr_t)frame;

	rps_counters_pause(arena);
	for (int i = 0; i < TOUCH_FRAMES && at <= last; i++, at++) {
		at->cfa = 0;
		*(volatile uint64_t *)&rps_counters_of(arena, at)->counted[0] = 0;
	}
	arena->touched = (uint32_t)((char *)at - (char *)arena);
	rps_counters_resume(arena);
}

/* ---- Allocations ---------------------------------------------------------------------------- */

/* Whatever the thread is doing, a hook included: this ends in single additions, like what inlined hooks do (wire/layout.h). */
RPS_EXPORT void __runprofile_allocated_v3(size_t size_bytes)
{
	const struct rps_thread *thread = &rps_this_thread;
	struct rps_arena_header *arena = thread->arena;

	if (rps_pool == NULL || (rps_pool->counters & RPS_COUNTERS_ALLOC) == 0 || arena == &rps_idle_arena ||
	    atomic_load_explicit(&arena->token, memory_order_relaxed) != thread->claim)
		return;
	rps_arch_add(&arena->counted[RPS_COUNTER_ALLOC_COUNT], 1);
	rps_arch_add(&arena->counted[RPS_COUNTER_ALLOC_BYTES], size_bytes);
}

RPS_EXPORT void __runprofile_allocations_v3(uint32_t allocations)
{
	rps_counters_allocations = allocations;
	if (rps_pool != NULL)
		((struct rps_process_slot *)((char *)rps_pool + RPS_PROCESSES_OFFSET))[rps_process_index].allocations = allocations;
}
