/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See estimate.h. */
#include "collect/estimate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COST_SCALE 256.0
/* So many timed calls of a leaf must have been seen to learn from them what a timed call costs. */
#define LEAF_TIMED_MIN 32
/* What the calibration found is at most so far off. */
#define INSIDE_FACTOR_MAX 2.0

struct costs {
	double inside, outside, untimed;
};

static double calls_of(const struct rps_arena_edge *edge)
{
	return (double)rps_wire_edge_calls(&edge->wire);
}

static double timed_of(const struct rps_arena_edge *edge)
{
	double calls = calls_of(edge);

	return edge->wire.n_timed < calls ? edge->wire.n_timed : calls;
}

/* W */
static double all_ticks(const struct rps_arena_edge *edge)
{
	const struct rps_wire_edge *wire = &edge->wire;

	return wire->weight > 0 ? (double)wire->weighted_ticks * calls_of(edge) / (double)wire->weight : 0;
}

/* A loop over one pair of hooks at start is kinder than the program is. But whatever a timed call costs, it is not more than
 * the shortest leaf function seems to take. */
static double fit_inside(const struct rps_arena_copy *copy, double calibrated)
{
	double least = INSIDE_FACTOR_MAX * calibrated;
	unsigned char *has_callees = calloc(copy->n_nodes, 1);

	if (has_callees == NULL)
		return calibrated;
	for (uint32_t i = 0; i < copy->n_edges; i++)
		has_callees[copy->edges[i].from] = 1;
	for (uint32_t i = 0; i < copy->n_edges; i++) {
		const struct rps_wire_edge *wire = &copy->edges[i].wire;

		if (!has_callees[copy->edges[i].to] && wire->n_timed >= LEAF_TIMED_MIN &&
		    (double)wire->ticks < least * wire->n_timed)
			least = (double)wire->ticks / wire->n_timed;
	}
	free(has_callees);
	return least < INSIDE_FACTOR_MAX * calibrated ? least : calibrated;
}

/* What is missing at a node is taken from its caller, so that the sum stays right. A parent stands before its children. */
static void pass_negative_on(const struct rps_arena_copy *copy, double *self_ticks)
{
	for (uint32_t i = copy->n_nodes - 1; i > 0; i--) {
		uint32_t parent = copy->nodes[i].parent;

		if (self_ticks[i] >= 0)
			continue;
		if (parent != 0 && parent != copy->overflow)
			self_ticks[parent] += self_ticks[i];
		self_ticks[i] = 0;
	}
	if (self_ticks[0] < 0)
		self_ticks[0] = 0;
}

static void estimate_self(const struct rps_arena_copy *copy, const struct costs *costs, struct rps_estimate *estimate)
{
	double *self = estimate->self_ticks;

	/* The root's own: time of the request's segments that no instrumented function covers. */
	if (copy->scope_ticks > copy->timed_ticks)
		self[0] = (double)(copy->scope_ticks - copy->timed_ticks);
	for (uint32_t i = 0; i < copy->n_edges; i++) {
		const struct rps_arena_edge *edge = &copy->edges[i];
		double calls = calls_of(edge), timed = timed_of(edge), untimed = calls - timed;
		double ticks = all_ticks(edge);

		self[edge->to] += ticks - costs->inside * calls;
		self[edge->from] += -(ticks - (double)edge->wire.ticks) + untimed * (costs->inside - costs->untimed) -
				    timed * costs->outside;
		estimate->overhead_ticks += timed * (costs->inside + costs->outside) + untimed * costs->untimed;
	}
	pass_negative_on(copy, self);
}

/* The hooks' cost is taken off by the same factor everywhere. */
static void estimate_inclusive(const struct rps_arena_copy *copy, struct rps_estimate *estimate)
{
	double before = (double)copy->scope_ticks, after = estimate->self_ticks[0], factor;

	for (uint32_t i = 1; i < copy->n_nodes; i++)
		after += estimate->self_ticks[i];
	if (copy->scope_ticks == 0)
		before = (double)copy->timed_ticks;
	factor = before > after && after > 0 ? after / before : 1;
	for (uint32_t i = 0; i < copy->n_edges; i++) {
		const struct rps_wire_edge *wire = &copy->edges[i].wire;

		if (wire->weight > 0)
			estimate->inclusive_ticks[i] =
			    factor * (double)wire->outermost_ticks * calls_of(&copy->edges[i]) / (double)wire->weight;
	}
}

int rps_estimate_make(const struct rps_arena_copy *copy, struct rps_estimate *estimate)
{
	struct costs costs = {copy->cost_inside / COST_SCALE, copy->cost_outside / COST_SCALE,
			      copy->cost_untimed / COST_SCALE};

	memset(estimate, 0, sizeof(*estimate));
	estimate->self_ticks = calloc(copy->n_nodes, sizeof(double));
	estimate->inclusive_ticks = calloc(copy->n_edges + 1, sizeof(double));
	if (estimate->self_ticks == NULL || estimate->inclusive_ticks == NULL) {
		rps_estimate_free(estimate);
		return -ENOMEM;
	}
	if (copy->time_mode == RPS_TIME_NONE)
		return 0;
	costs.inside = estimate->inside_ticks = fit_inside(copy, costs.inside);
	estimate_self(copy, &costs, estimate);
	estimate_inclusive(copy, estimate);
	return 0;
}

void rps_estimate_free(struct rps_estimate *estimate)
{
	free(estimate->self_ticks);
	free(estimate->inclusive_ticks);
	memset(estimate, 0, sizeof(*estimate));
}
