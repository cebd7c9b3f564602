/* SPDX-License-Identifier: MIT */
/* Addresses of functions that were called through pointers and turned out to be instrumented. A set of
 * this process' own, which only grows; lock-free and async-signal-safe.
 */
#ifndef RPS_RUNTIME_CALLEES_H
#define RPS_RUNTIME_CALLEES_H

#include "runtime/thread.h"

#include <stdatomic.h>
#include <stdint.h>

#define RPS_CALLEES_PLACES 8192u
#define RPS_CALLEES_PROBES 8u

extern RPS_HIDDEN _Atomic uintptr_t rps_callees[RPS_CALLEES_PLACES];

static inline uint32_t rps_callees_place(uintptr_t address)
{
	return (uint32_t)(address >> 4) * 2654435761u >> 8;
}

/* Is it one? "No" for one that the set had no room for: its calls are found out anew each time. */
static inline int rps_callees_has(uintptr_t address)
{
	uint32_t place = rps_callees_place(address);

	for (uint32_t probe = 0; probe < RPS_CALLEES_PROBES; probe++) {
		uintptr_t found = atomic_load_explicit(&rps_callees[(place + probe) % RPS_CALLEES_PLACES], memory_order_relaxed);

		if (found == address)
			return 1;
		if (found == 0)
			return 0;
	}
	return 0;
}

RPS_HIDDEN void rps_callees_add(uintptr_t address);

#endif
