/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Call paths for a profile that has none: what formats of stacks need of a flat one (callgrind's).
 *
 * What a function costs below each of its callers is estimated, in the ratio of what the calls cost, the
 * assumption of gprof and of all that draw flame graphs of such files. Sums are not estimated: every
 * function's self cost, and every call's count, is distributed to the last unit. Paths too thin to be seen
 * are joined to the function's thickest one. */
#ifndef RPS_PROFILE_UNFOLD_H
#define RPS_PROFILE_UNFOLD_H

#include "profile/model.h"

struct rps_unfolded {
	struct rps_profile *profile; /* with contexts; borrows nothing */
	uint32_t *flat_edge;         /* of each of its edges: the flat profile's; RPS_NONE: there is none */
};

/* 0 or -ENOMEM. Destroy it in either case. */
int rps_profile_unfold(const struct rps_profile *flat, struct rps_unfolded *unfolded);
void rps_unfolded_destroy(struct rps_unfolded *unfolded);

/* The profile itself, or, of a flat one, its estimate, to be destroyed by the caller: what writers of stacks
 * begin with. NULL when out of memory. */
const struct rps_profile *rps_profile_with_contexts(const struct rps_profile *profile,
						    struct rps_unfolded *unfolded);

#endif
