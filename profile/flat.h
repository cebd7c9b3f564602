/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a profile's functions cost: the call graph (call_graph.h) with inclusive costs, counts and callers.
 *
 * A function's inclusive cost is the sum of its incoming calls', those by itself left out; of one that
 * nothing calls, its self cost and that of its outgoing calls. Our own files charge the outermost activation
 * only, so that is exact, in recursion as well. Files of others count nested activations again: there a
 * function of a cycle (mutual recursion) is shown with no more than the whole cycle costs, which is all such
 * a file can tell.
 *
 * It borrows the profile's strings: destroy it first. One owner at a time. */
#ifndef RPS_PROFILE_FLAT_H
#define RPS_PROFILE_FLAT_H

#include "profile/call_graph.h"
#include "profile/model.h"

#include <stdbool.h>
#include <stdint.h>

/* The same index as the graph's function. */
struct rps_flat_function {
	uint64_t calls;                   /* all, its own included */
	uint64_t *inclusive;              /* per event */
	uint32_t first_caller, n_callers; /* of rps_flat.callers */
	uint32_t cycle;                   /* functions of one cycle have the same; RPS_NONE: in none */
	bool is_recursive;                /* calls itself, or is in a cycle */
};

struct rps_flat {
	struct rps_call_graph *graph;
	struct rps_flat_function *functions;
	uint32_t *callers; /* the graph's calls, by callee */
	uint64_t totals[RPS_EVENTS_MAX];
	uint64_t *costs; /* what inclusive points into */
};

/* NULL when out of memory. */
struct rps_flat *rps_flat_create(const struct rps_profile *profile);
void rps_flat_destroy(struct rps_flat *flat);

#endif
