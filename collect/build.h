/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Puts the call trees of a request's arenas into its profile: takes off what the
 * hooks themselves cost, turns ticks into nanoseconds, and makes the sums agree to the unit.
 */
#ifndef RPS_COLLECT_BUILD_H
#define RPS_COLLECT_BUILD_H

#include "collect/arena.h"
#include "collect/functions.h"
#include "profile/model.h"

/* The node below which contexts were collapsed for lack of memory. */
#define RPS_OVERFLOW_NAME "[contexts collapsed]"

/* Adds `copy` below the root of `profile` (event 0: nanoseconds). Several arenas may be added one after
 * the other. What was subtracted for hooks is added to *overhead_ns. 0 or -ENOMEM. */
int rps_build_add(struct rps_profile *profile, const struct rps_arena_copy *copy, double ns_per_tick,
		  struct rps_functions *functions, uint64_t *overhead_ns);

#endif
