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
/* Of a caller's time the short untimed calls are not more. */
#define CALLEES_PART_MAX 0.8

static struct rps_estimate_cost to_ticks(const struct rps_hook_cost *wire)
{
	return (struct rps_estimate_cost){wire->inside / COST_SCALE, wire->outside / COST_SCALE, wire->untimed / COST_SCALE};
}

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
static double fit_inside(const struct rps_arena_copy *copy, const unsigned char *has_callees, int is_called, double calibrated)
{
	double least = INSIDE_FACTOR_MAX * calibrated;

	for (uint32_t i = 0; i < copy->n_edges; i++) {
		const struct rps_wire_edge *wire = &copy->edges[i].wire;

		if (!has_callees[copy->edges[i].to] && wire->n_fenced == 0 && wire->n_timed >= LEAF_TIMED_MIN &&
		    (wire->hooks == RPS_HOOKS_CALLED) == is_called && (double)wire->ticks < least * wire->n_timed)
			least = (double)wire->ticks / wire->n_timed;
	}
	return least < INSIDE_FACTOR_MAX * calibrated ? least : calibrated;
}

static int find_costs(const struct rps_arena_copy *copy, struct rps_estimate_costs *costs)
{
	const struct rps_hook_costs *wire = &copy->process.costs;
	unsigned char *has_callees = calloc(copy->n_nodes, 1);

	if (has_callees == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < copy->n_edges; i++) {
		has_callees[copy->edges[i].from] = 1;
		costs->seen |= 1u << copy->edges[i].wire.hooks;
	}
	costs->inlined = to_ticks(&wire->inlined);
	costs->called = to_ticks(&wire->called);
	costs->inlined.inside = fit_inside(copy, has_callees, 0, costs->inlined.inside);
	costs->called.inside = fit_inside(copy, has_callees, 1, costs->called.inside);
	costs->leaf_untimed = wire->leaf_untimed / COST_SCALE;
	costs->fence_inside = wire->fence_inside / COST_SCALE;
	costs->fence_outside = wire->fence_outside / COST_SCALE;
	free(has_callees);
	return 0;
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

/* What a call of this edge costs; inside never more than it took. */
static struct rps_estimate_cost cost_of(const struct rps_arena_edge *edge, const struct rps_estimate_costs *costs)
{
	const struct rps_wire_edge *wire = &edge->wire;
	double fenced = wire->n_timed > 0 ? (double)wire->n_fenced / wire->n_timed : 0;
	double mean = wire->weight > 0 ? (double)wire->weighted_ticks / (double)wire->weight : 0;
	struct rps_estimate_cost cost = wire->hooks == RPS_HOOKS_CALLED ? costs->called : costs->inlined;

	cost.inside += fenced * costs->fence_inside;
	cost.outside += fenced * costs->fence_outside;
	if (cost.inside > mean)
		cost.inside = mean;
	if (wire->hooks == RPS_HOOKS_LEAF)
		cost.untimed = costs->leaf_untimed;
	return cost;
}

/* ---- Own time ------------------------------------------------------------------------------------- */

/* One edge's part in it. */
struct share {
	double calls, timed;
	double own;  /* ticks of one call, less what the hook costs inside */
	double cost; /* ticks of all hooks around its calls, in the caller's time */
	double inside; /* the same, in the callee's */
	int is_short; /* known to a few ns only */
};

static struct share share_of(const struct rps_arena_edge *edge, const struct rps_estimate_costs *costs)
{
	const struct rps_wire_edge *wire = &edge->wire;
	struct share share = {.calls = calls_of(edge), .timed = timed_of(edge), .is_short = 2 * wire->n_fenced < wire->n_timed};
	struct rps_estimate_cost cost = cost_of(edge, costs);

	if (share.calls > 0)
		share.own = all_ticks(edge) / share.calls - cost.inside;
	share.cost = share.timed * cost.outside + (share.calls - share.timed) * cost.untimed;
	share.inside = share.timed * cost.inside;
	return share;
}

/* Sums per node. */
struct flow {
	double own;        /* of the calls into it */
	double cost;       /* of hooks around the calls out of it */
	double short_ones; /* of the untimed calls out of it, short and long */
	double long_ones;
};

/* A short call that is timed takes longer than one in the flow of things; the time of the caller, of which the short calls not timed
 * are a part, is known better. Together they get at most a part of it. Returns by what to multiply them. */
static double fit_to_caller(const struct flow *flow)
{
	double room = flow->own - flow->cost - flow->long_ones;

	if (flow->short_ones <= CALLEES_PART_MAX * room)
		return 1;
	return room > 0 ? CALLEES_PART_MAX * room / flow->short_ones : 0;
}

/* Callers stand before their callees, but for recursive calls: of these, it is as if they were made next time. */
static int estimate_self(const struct rps_arena_copy *copy, const struct rps_estimate_costs *costs, struct rps_estimate *estimate)
{
	struct share *shares = calloc(copy->n_edges + 1, sizeof(*shares));
	struct flow *flows = calloc(copy->n_nodes, sizeof(*flows));
	uint32_t *first_out = calloc(copy->n_nodes + 2, sizeof(*first_out)), *out = calloc(copy->n_edges + 1, sizeof(*out));
	int error = shares != NULL && flows != NULL && first_out != NULL && out != NULL ? 0 : -ENOMEM;

	if (error != 0)
		goto done;
	for (uint32_t i = 0; i < copy->n_edges; i++)
		first_out[copy->edges[i].from + 2]++;
	for (uint32_t i = 2; i < copy->n_nodes + 2; i++)
		first_out[i] += first_out[i - 1];
	for (uint32_t i = 0; i < copy->n_edges; i++) {
		struct share share = share_of(&copy->edges[i], costs);
		struct flow *from = &flows[copy->edges[i].from];

		out[first_out[copy->edges[i].from + 1]++] = i;
		shares[i] = share;
		flows[copy->edges[i].to].own += share.calls * share.own;
		from->cost += share.cost;
		*(share.is_short ? &from->short_ones : &from->long_ones) += (share.calls - share.timed) * share.own;
		estimate->overhead_ticks += share.cost + share.inside;
	}
	/* The root's own: time of the request's segments that no instrumented function covers. */
	if (copy->scope_ticks > copy->timed_ticks)
		flows[0].own += (double)(copy->scope_ticks - copy->timed_ticks);
	for (uint32_t node = 0; node < copy->n_nodes; node++) {
		struct flow *flow = &flows[node];
		double factor = node > 0 ? fit_to_caller(flow) : 1;

		for (uint32_t i = first_out[node]; i < first_out[node + 1] && factor < 1; i++) {
			struct share *share = &shares[out[i]];

			if (!share->is_short)
				continue;
			flows[copy->edges[out[i]].to].own -= share->calls * share->own * (1 - factor);
			share->own *= factor;
		}
		estimate->self_ticks[node] = flow->own - flow->cost - flow->long_ones - flow->short_ones * factor;
	}
	pass_negative_on(copy, estimate->self_ticks);
done:
	free(shares);
	free(flows);
	free(first_out);
	free(out);
	return error;
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
	struct rps_estimate_costs *costs = &estimate->costs;

	memset(estimate, 0, sizeof(*estimate));
	estimate->self_ticks = calloc(copy->n_nodes, sizeof(double));
	estimate->inclusive_ticks = calloc(copy->n_edges + 1, sizeof(double));
	if (estimate->self_ticks == NULL || estimate->inclusive_ticks == NULL) {
		rps_estimate_free(estimate);
		return -ENOMEM;
	}
	if (copy->time_mode == RPS_TIME_NONE)
		return 0;
	if (find_costs(copy, costs) != 0 || estimate_self(copy, costs, estimate) != 0) {
		rps_estimate_free(estimate);
		return -ENOMEM;
	}
	estimate_inclusive(copy, estimate);
	return 0;
}

void rps_estimate_free(struct rps_estimate *estimate)
{
	free(estimate->self_ticks);
	free(estimate->inclusive_ticks);
	memset(estimate, 0, sizeof(*estimate));
}
