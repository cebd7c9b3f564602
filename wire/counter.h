/* SPDX-License-Identifier: MIT */
/* The processor's own counter of time, which hooks and the collector both read: the one place that knows how, for each
 * architecture there is.
 *
 *              counter       runs alike on all cores     how fast
 *   x86-64     TSC           if CPUID says "invariant"   nobody says
 *   arm64      CNTVCT_EL0    always (Arm ARM, D11)       CNTFRQ_EL0, some 20 MHz to 1 GHz
 *
 * How long a tick is the collector finds out from the clock of the system (collect/clock.h) on both: what CNTFRQ_EL0 holds
 * is what the firmware has put there.
 */
#ifndef RPS_WIRE_COUNTER_H
#define RPS_WIRE_COUNTER_H

#include "wire/layout.h"

#include <stdint.h>

#if defined(__x86_64__) && !defined(__ILP32__)

#define RPS_COUNTER_CLOCK RPS_CLOCK_TSC

/* Not serialising: where the clock is read at each entry and exit, a fence would cost more than the reordering it prevents
 * hides (39 against 28 ns a pair). */
static inline uint64_t rps_counter_read(void)
{
	return __builtin_ia32_rdtsc();
}

/* When all before has been done, and before anything behind. */
static inline uint64_t rps_counter_read_fenced(void)
{
	uint64_t ticks;

	__asm__ volatile("lfence" : : : "memory");
	ticks = __builtin_ia32_rdtsc();
	__asm__ volatile("lfence" : : : "memory");
	return ticks;
}

#elif defined(__aarch64__) && !defined(__ILP32__) && !defined(__AARCH64EB__)

#define RPS_COUNTER_CLOCK RPS_CLOCK_CNTVCT

static inline uint64_t rps_counter_read(void)
{
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
}

/* Loads and stores that are still under way are waited for by the DMB, reading early is prevented by the ISB. */
static inline uint64_t rps_counter_read_fenced(void)
{
	uint64_t ticks;

	__asm__ volatile("dmb ish\n\tisb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(ticks) : : "memory");
	return ticks;
}

/* In Hz, 0 if the firmware has left it at that. */
static inline uint64_t rps_counter_frequency(void)
{
	uint64_t frequency;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
	return frequency & UINT32_MAX;
}

#else
#error "RunProfileServer runs on 64-bit x86 and little-endian 64-bit Arm: another architecture needs its counter here, and its part of runtime/arch.h"
#endif

#endif
