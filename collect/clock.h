/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ticks to nanoseconds. The collector reads the same counter as the hooks do
 * (an invariant one runs alike on all cores), so it needs nothing from the application: the slope is that between the
 * collector's start and now.
 */
#ifndef RPS_COLLECT_CLOCK_H
#define RPS_COLLECT_CLOCK_H

#include "wire/layout.h"

#include <stdint.h>

struct rps_clock_anchor {
	uint64_t ticks;
	uint64_t monotonic_ns;
};

/* The best clock of this machine. */
enum rps_clock rps_clock_choose(void);
/* "TSC", "CNTVCT" or "CLOCK_MONOTONIC", as it stands in a profile. */
const char *rps_clock_name(enum rps_clock clock);
uint64_t rps_clock_ticks(enum rps_clock clock);
/* Both clocks at one moment: the narrowest of several bracketed reads. */
struct rps_clock_anchor rps_clock_take_anchor(enum rps_clock clock);
/* Nanoseconds per tick between `start` and now. Waits until some ms have passed since `start`, since a
 * shorter base would make the slope uncertain. */
double rps_clock_ns_per_tick(enum rps_clock clock, const struct rps_clock_anchor *start);

#endif
