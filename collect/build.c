/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See build.h. In ticks, with i and o the hooks' cost per call inside the callee and
 * outside it (in its caller):
 *
 *   self(n)      = measured - i * calls into n - o * calls from n, not below 0; what is missing
 *                  is taken from the caller (so the sum over all nodes stays right)
 *   subtree(n)   = self(n) + sum of subtree(children)
 *   inclusive(n) = subtree(n)                  where no call leads from the subtree to above n
 *                = measured - (i + o) * nested calls - i * calls, at least subtree(n)
 *                                              elsewhere: in A -> B -> A -> C the time of C lies below the
 *                                              outer A, though B was active; only the clock knows
 *
 * Self times are rounded to nanoseconds once, first; all else is summed from the
 * rounded values. So root: self + outgoing inclusive == sum of all self, exactly.
 * What is inclusive of a node is divided among the edges into it (several call sites of one caller) in
 * proportion to their measured shares, the last one taking the remainder.
 */
#include "collect/build.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COST_SCALE 256.0

/* Working values per node of the arena. */
struct work {
	double self_ticks;
	uint64_t self_ns;
	uint64_t subtree_ns;
	uint64_t inclusive_ns;
	uint64_t measured_ticks; /* sum over the edges into it from its parent */
	uint64_t measured_left;  /* while dividing */
	uint64_t inclusive_left;
	double overhead_ticks; /* hooks during its outermost activations */
	int leaks;             /* calls lead from its subtree to above it */
	uint32_t profile_node;
};

static int is_tree_edge(const struct rps_arena_copy *copy, const struct rps_arena_edge *edge)
{
	return edge->to != 0 && copy->nodes[edge->to].parent == edge->from && edge->to != edge->from;
}

/* ---- Self -------------------------------------------------------------------------------- */

static double subtract_overhead(const struct rps_arena_copy *copy, struct work *work)
{
	double inside = copy->cost_inside / COST_SCALE, outside = copy->cost_outside / COST_SCALE;
	double top_level_ticks = 0, before = 0, after = 0;

	for (uint32_t i = 0; i < copy->n_nodes; i++)
		work[i].self_ticks = (double)copy->nodes[i].self_ticks;
	for (uint32_t i = 0; i < copy->n_edges; i++) {
		const struct rps_arena_edge *edge = &copy->edges[i];

		work[edge->to].self_ticks -= inside * (double)edge->wire.calls;
		if (edge->from != 0)
			work[edge->from].self_ticks -= outside * (double)edge->wire.calls;
		else
			top_level_ticks += (double)edge->wire.inclusive_ticks + outside * (double)edge->wire.calls;
	}
	/* The root's own: time of the request's segments that no instrumented function covers. */
	if ((double)copy->scope_ticks > top_level_ticks)
		work[0].self_ticks = (double)copy->scope_ticks - top_level_ticks;
	for (uint32_t i = copy->n_nodes - 1; i > 0; i--) {
		before += (double)copy->nodes[i].self_ticks;
		if (work[i].self_ticks < 0) {
			if (copy->nodes[i].parent != 0)
				work[copy->nodes[i].parent].self_ticks += work[i].self_ticks;
			work[i].self_ticks = 0;
		}
	}
	/* A parent stands before its children, so its value was final when it was looked at. */
	for (uint32_t i = 1; i < copy->n_nodes; i++)
		after += work[i].self_ticks;
	return before > after ? before - after : 0;
}

/* ---- Inclusive ------------------------------------------------------------------------------ */

/* Every call to a node that is not the caller's child leads out of the subtrees of the caller and those above it,
 * up to the target (recursion) or up to the root (collapsed contexts). */
static void find_leaks(const struct rps_arena_copy *copy, struct work *work)
{
	for (uint32_t i = 0; i < copy->n_edges; i++) {
		const struct rps_arena_edge *edge = &copy->edges[i];
		uint32_t at = edge->from;

		if (is_tree_edge(copy, edge))
			continue;
		while (at != 0 && at != edge->to) {
			work[at].leaks = 1;
			at = copy->nodes[at].parent;
		}
	}
}

static void measure_inclusive(const struct rps_arena_copy *copy, struct work *work)
{
	double inside = copy->cost_inside / COST_SCALE, outside = copy->cost_outside / COST_SCALE;

	for (uint32_t i = 0; i < copy->n_edges; i++) {
		const struct rps_wire_edge *wire = &copy->edges[i].wire;
		struct work *to = &work[copy->edges[i].to];

		to->measured_ticks += wire->inclusive_ticks;
		to->overhead_ticks += (inside + outside) * (double)wire->nested_calls + inside * (double)wire->calls;
	}
}

static void sum_inclusive(const struct rps_arena_copy *copy, struct work *work, double ns_per_tick)
{
	uint32_t parent;

	for (uint32_t i = 0; i < copy->n_nodes; i++) {
		work[i].self_ns = (uint64_t)llround(work[i].self_ticks * ns_per_tick);
		work[i].subtree_ns = work[i].self_ns;
	}
	for (uint32_t i = copy->n_nodes - 1; i > 0; i--)
		work[copy->nodes[i].parent].subtree_ns += work[i].subtree_ns;
	work[0].inclusive_ns = work[0].subtree_ns;
	for (uint32_t i = 1; i < copy->n_nodes; i++) {
		double measured = ((double)work[i].measured_ticks - work[i].overhead_ticks) * ns_per_tick;

		parent = copy->nodes[i].parent;
		work[i].inclusive_ns = work[i].subtree_ns;
		if (!work[i].leaks)
			continue;
		if (measured > (double)work[i].subtree_ns)
			work[i].inclusive_ns = (uint64_t)llround(measured);
		if (work[i].inclusive_ns > work[parent].inclusive_ns)
			work[i].inclusive_ns = work[parent].inclusive_ns;
	}
}

/* With collapsed contexts, time lies below the overflow node that belongs to calls below the
 * root's other children: their inclusive times are measured ones, and need not add up. The largest of them takes the
 * difference. */
static void settle_root(const struct rps_arena_copy *copy, struct work *work)
{
	uint64_t sum = work[0].self_ns;
	uint32_t largest = 0;

	if (copy->overflow == 0)
		return;
	work[copy->overflow].inclusive_ns = 0;
	for (uint32_t i = 1; i < copy->n_nodes; i++) {
		if (copy->nodes[i].parent == copy->overflow) {
			work[i].inclusive_ns = (uint64_t)0;
			continue;
		}
		if (copy->nodes[i].parent != 0 || i == copy->overflow)
			continue;
		sum += work[i].inclusive_ns;
		if (largest == 0 || work[i].inclusive_ns > work[largest].inclusive_ns)
			largest = i;
	}
	if (largest == 0)
		return;
	if (sum < work[0].subtree_ns)
		work[largest].inclusive_ns += work[0].subtree_ns - sum;
	else if (work[largest].inclusive_ns >= sum - work[0].subtree_ns)
		work[largest].inclusive_ns -= sum - work[0].subtree_ns;
}

/* ---- Into the profile ------------------------------------------------------------------------- */

static uint32_t profile_function(struct rps_profile *profile, struct rps_functions *functions, uint32_t id)
{
	static const struct rps_function overflow = {RPS_OVERFLOW_NAME, "", "", "", 0};

	return rps_profile_function(profile, id == RPS_FUNCTION_OVERFLOW ? &overflow : rps_functions_get(functions, id));
}

static int add_nodes(struct rps_profile *profile, const struct rps_arena_copy *copy, struct rps_functions *functions,
		     struct work *work)
{
	work[0].profile_node = 0;
	profile->nodes[0].self[0] += work[0].self_ns;
	for (uint32_t i = 1; i < copy->n_nodes; i++) {
		uint32_t function = profile_function(profile, functions, copy->nodes[i].function);

		if (function == RPS_NONE)
			return -ENOMEM;
		work[i].profile_node = rps_profile_node(profile, work[copy->nodes[i].parent].profile_node, function);
		if (work[i].profile_node == RPS_NONE)
			return -ENOMEM;
		profile->nodes[work[i].profile_node].self[0] += work[i].self_ns;
	}
	return 0;
}

/* This edge's part of its target's inclusive time. Called once for each edge that has a share, in any order. */
static uint64_t take_share(struct work *to, uint64_t measured_ticks)
{
	uint64_t share;

	if (measured_ticks == 0 && to->measured_left != 0)
		return 0;
	if (measured_ticks >= to->measured_left)
		share = to->inclusive_left;
	else
		share = (uint64_t)((double)to->inclusive_left * ((double)measured_ticks / (double)to->measured_left));
	if (share > to->inclusive_left)
		share = to->inclusive_left;
	to->measured_left -= measured_ticks < to->measured_left ? measured_ticks : to->measured_left;
	to->inclusive_left -= share;
	return share;
}

static int add_edges(struct rps_profile *profile, const struct rps_arena_copy *copy, struct rps_functions *functions,
		     struct work *work)
{
	for (uint32_t i = 0; i < copy->n_nodes; i++) {
		work[i].measured_left = work[i].measured_ticks;
		work[i].inclusive_left = work[i].inclusive_ns;
	}
	for (uint32_t i = 0; i < copy->n_edges; i++) {
		const struct rps_arena_edge *edge = &copy->edges[i];
		struct rps_line site;
		uint32_t at;

		if (edge->wire.calls == 0)
			continue; /* the link to a collapsed context */
		site = rps_functions_site(functions, &edge->wire);
		at = rps_profile_edge(profile, work[edge->from].profile_node, work[edge->to].profile_node, site.file, site.line);
		if (at == RPS_NONE)
			return -ENOMEM;
		profile->edges[at].calls += edge->wire.calls;
		if (is_tree_edge(copy, edge))
			profile->edges[at].inclusive[0] += take_share(&work[edge->to], edge->wire.inclusive_ticks);
	}
	return 0;
}

int rps_build_add(struct rps_profile *profile, const struct rps_arena_copy *copy, double ns_per_tick,
		  struct rps_functions *functions, uint64_t *overhead_ns)
{
	struct work *work = calloc(copy->n_nodes, sizeof(*work));
	int error;

	if (work == NULL)
		return -ENOMEM;
	*overhead_ns += (uint64_t)llround(subtract_overhead(copy, work) * ns_per_tick);
	find_leaks(copy, work);
	measure_inclusive(copy, work);
	sum_inclusive(copy, work, ns_per_tick);
	settle_root(copy, work);
	error = add_nodes(profile, copy, functions, work);
	if (error == 0)
		error = add_edges(profile, copy, functions, work);
	free(work);
	return error;
}
