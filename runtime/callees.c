/* SPDX-License-Identifier: MIT */
/* See callees.h. */
#include "runtime/callees.h"

_Atomic uintptr_t rps_callees[RPS_CALLEES_PLACES];

void rps_callees_add(uintptr_t address)
{
	uint32_t place = rps_callees_place(address);

	for (uint32_t probe = 0; probe < RPS_CALLEES_PROBES; probe++) {
		uintptr_t found = 0;

		if (atomic_compare_exchange_strong_explicit(&rps_callees[(place + probe) % RPS_CALLEES_PLACES], &found, address,
							    memory_order_relaxed, memory_order_relaxed) ||
		    found == address)
			return;
	}
}
