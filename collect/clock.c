/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See clock.h. */
#include "collect/clock.h"

#include "wire/counter.h"

#include <time.h>
#ifdef __x86_64__
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

#ifdef __x86_64__
/* "Invariant TSC": constant rate in all power states (Intel SDM 18.17.1, AMD APM 3, Fn8000_0007). */
static int is_counter_good(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
}
#else
/* The architecture wants it to run alike on all cores, but firmware may have left it slow, or not have said how fast it is. */
#define SLOWEST_HZ 1000000u

static int is_counter_good(void)
{
	return rps_counter_frequency() >= SLOWEST_HZ;
}
#endif

enum rps_clock rps_clock_choose(void)
{
	return is_counter_good() ? RPS_COUNTER_CLOCK : RPS_CLOCK_MONOTONIC;
}

const char *rps_clock_name(enum rps_clock clock)
{
	return clock == RPS_CLOCK_TSC ? "TSC" : clock == RPS_CLOCK_CNTVCT ? "CNTVCT" : "CLOCK_MONOTONIC";
}

uint64_t rps_clock_ticks(enum rps_clock clock)
{
	return clock == RPS_COUNTER_CLOCK ? rps_counter_read() : monotonic_ns();
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
