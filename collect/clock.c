/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See clock.h. */
#include "collect/clock.h"

#include <time.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#define N_ANCHOR_READS 16
#define SHORTEST_BASE_NS 20000000u

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

enum rps_clock rps_clock_choose(void)
{
#if defined(__x86_64__) || defined(__i386__)
	unsigned int a, b, c, d;

	/* "Invariant TSC": constant rate in all power states (Intel SDM 18.17.1, AMD APM 3, Fn8000_0007). */
	if (__get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8))
		return RPS_CLOCK_TSC;
#elif defined(__aarch64__)
	return RPS_CLOCK_TSC;
#endif
	return RPS_CLOCK_MONOTONIC;
}

const char *rps_clock_name(enum rps_clock clock)
{
	return clock == RPS_CLOCK_TSC ? "TSC" : "CLOCK_MONOTONIC";
}

uint64_t rps_clock_ticks(enum rps_clock clock)
{
	if (clock == RPS_CLOCK_TSC) {
#if defined(__x86_64__) || defined(__i386__)
		return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
		uint64_t ticks;

		__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
		return ticks;
#endif
	}
	return monotonic_ns();
}

struct rps_clock_anchor rps_clock_take_anchor(enum rps_clock clock)
{
	struct rps_clock_anchor best = {0, 0};
	uint64_t narrowest = UINT64_MAX;

	for (int i = 0; i < N_ANCHOR_READS; i++) {
		uint64_t before = rps_clock_ticks(clock);
		uint64_t now_ns = monotonic_ns();
		uint64_t after = rps_clock_ticks(clock);

		if (after - before < narrowest) {
			narrowest = after - before;
			best.ticks = before + (after - before) / 2;
			best.monotonic_ns = now_ns;
		}
	}
	return best;
}

double rps_clock_ns_per_tick(enum rps_clock clock, const struct rps_clock_anchor *start)
{
	struct rps_clock_anchor now;

	if (clock == RPS_CLOCK_MONOTONIC)
		return 1.0;
	for (;;) {
		uint64_t passed_ns = monotonic_ns() - start->monotonic_ns;
		struct timespec rest = {0, SHORTEST_BASE_NS};

		if (passed_ns >= SHORTEST_BASE_NS)
			break;
		rest.tv_nsec -= (long)passed_ns;
		nanosleep(&rest, NULL);
	}
	now = rps_clock_take_anchor(clock);
	return (double)(now.monotonic_ns - start->monotonic_ns) / (double)(now.ticks - start->ticks);
}
