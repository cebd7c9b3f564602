/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the calls that were timed to the time of all calls, less what the hooks themselves cost.
 *
 * A timed call of an edge has reported its duration without the timed calls inside it. So of each edge there is known
 * R, the sum of that over the timed calls, and W, the same with each call standing for those not timed since the
 * one before, scaled to all c calls of the edge, s of which were timed. Of the time of an untimed call, W - R
 * in all, the caller's W tells nothing apart; so
 *
 *     self(n) = sum of W over the edges into n - sum of (W - R) over those out of n
 *
 * The sum of that over all nodes is the sum of R: the real time, however few calls were timed. Of the hooks' cost (i in a timed
 * call, o around it in the caller, u around an untimed one) a node's self has i for each call of it, and for its
 * callees u for each untimed and o for each timed call, less the i of the untimed ones, which were not there.
 */
#ifndef RPS_COLLECT_ESTIMATE_H
#define RPS_COLLECT_ESTIMATE_H

#include "collect/arena.h"

/* What hooks were found to cost, in ticks (struct rps_hook_costs of wire/layout.h). */
struct rps_estimate_cost {
	double inside, outside, untimed;
};

struct rps_estimate_costs {
	struct rps_estimate_cost inlined, called;
	double leaf_untimed, fence_inside, fence_outside;
	unsigned int seen; /* bits 1 << enum rps_hooks */
};

struct rps_estimate {
	double *self_ticks;      /* [n_nodes] not below 0 */
	double *inclusive_ticks; /* [n_edges] of the callee's outermost activations, as timed: rough, where few were */
	double overhead_ticks;   /* subtracted in all */
	struct rps_estimate_costs costs;
};

/* 0 or -ENOMEM. */
int rps_estimate_make(const struct rps_arena_copy *copy, struct rps_estimate *estimate);
void rps_estimate_free(struct rps_estimate *estimate);

#endif
