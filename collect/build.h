/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Puts the call trees of a request's arenas into its profile, and makes the sums agree to the unit.
 */
#ifndef RPS_COLLECT_BUILD_H
#define RPS_COLLECT_BUILD_H

#include "collect/arena.h"
#include "collect/estimate.h"
#include "collect/functions.h"
#include "profile/events.h"
#include "profile/model.h"

/* The node below which contexts were collapsed for lack of memory. */
#define RPS_OVERFLOW_NAME "[contexts collapsed]"

/* What is asked for, and what is found out on the way. */
struct rps_build {
	double ns_per_tick;
	unsigned int events;    /* bits 1 << enum rps_event_id, in whose order the profile has them; at least one */
	uint64_t overhead_ns;   /* added to: subtracted for hooks */
	struct rps_estimate_costs costs; /* of hooks */
};

/* Gives the profile these events. 0 or -ENOMEM. */
int rps_build_set_events(struct rps_profile *profile, unsigned int events);

/* Adds `copy` below the root of `profile`. Several arenas may be added one after the other. 0 or -ENOMEM. */
int rps_build_add(struct rps_profile *profile, const struct rps_arena_copy *copy, struct rps_functions *functions,
		  struct rps_build *build);

#endif
