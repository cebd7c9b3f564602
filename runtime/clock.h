/* SPDX-License-Identifier: MIT */
/* The clock of hooks: ticks, whose kind the collector chose (pool header). The
 * collector converts them to nanoseconds; the runtime never does.
 */
#ifndef RPS_RUNTIME_CLOCK_H
#define RPS_RUNTIME_CLOCK_H

#include "runtime/thread.h"

#include <stdint.h>
#include <time.h>

static inline uint64_t rps_clock_monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Not serialising: where the clock is read at each entry and exit, a fence would cost more than the reordering it prevents
 * hides (39 against 28 ns a pair). */
static inline uint64_t rps_clock_tsc(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#else
	return rps_clock_monotonic();
#endif
}

/* Only with a pool attached. */
static inline uint64_t rps_clock_now(void)
{
	if (rps_likely(rps_pool->clock == RPS_CLOCK_TSC))
		return rps_clock_tsc();
	return rps_clock_monotonic();
}

/* Waits until all before has been done: without that, work of 270 ns that waits for memory seems to take 220, and what follows it
 * the rest. For calls of some length: those of a few ns it makes longer than they are in the flow of things. */
static inline uint64_t rps_clock_now_fenced(void)
{
#ifdef __x86_64__
	uint64_t ticks;

	if (rps_likely(rps_pool->clock == RPS_CLOCK_TSC)) {
		__asm__ volatile("lfence" : : : "memory");
		ticks = __builtin_ia32_rdtsc();
		__asm__ volatile("lfence" : : : "memory");
		return ticks;
	}
#elif defined(__aarch64__)
	__asm__ volatile("isb" : : : "memory");
#endif
	return rps_clock_now();
}

#endif
