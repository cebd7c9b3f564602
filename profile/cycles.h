/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which functions can reach each other: the cycles of a call graph. Called for figures (flat.c) and for what sums
 * must obey (callgrind_sums.c). */
#ifndef RPS_PROFILE_CYCLES_H
#define RPS_PROFILE_CYCLES_H

#include <stdint.h>

/* Function i calls callees[first_callee[i]] to callees[first_callee[i + 1] - 1]. Functions of one cycle get the same
 * number, one of them; what is in none (a function that only calls itself, too) gets UINT32_MAX. 0 or -ENOMEM. */
int rps_cycles_find(uint32_t n_functions, const uint32_t *first_callee, const uint32_t *callees,
		    uint32_t *cycle_of);

#endif
