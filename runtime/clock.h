/* SPDX-License-Identifier: MIT */
/* The clock of hooks: ticks, whose kind the collector chose (pool header) of those that the runtime said it can read. The
 * collector converts them to nanoseconds; the runtime never does.
 */
#ifndef RPS_RUNTIME_CLOCK_H
#define RPS_RUNTIME_CLOCK_H

#include "runtime/thread.h"
#include "wire/counter.h"

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

static inline uint64_t rps_clock_monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Does the pool's clock tick as the processor's counter does? Only with a pool attached. */
static inline int rps_clock_is_counter(void)
{
	return rps_likely(atomic_load_explicit(&rps_pool->clock, memory_order_relaxed) == RPS_COUNTER_CLOCK);
}

static inline uint64_t rps_clock_now(void)
{
	return rps_clock_is_counter() ? rps_counter_read() : rps_clock_monotonic();
}

/* Waits until all before has been done: without that, work of 270 ns that waits for memory seems to take 220, and what follows it
 * the rest. For calls of some length: those of a few ns it makes longer than they are in the flow of things. */
static inline uint64_t rps_clock_now_fenced(void)
{
	return rps_clock_is_counter() ? rps_counter_read_fenced() : rps_clock_monotonic();
}

#endif
