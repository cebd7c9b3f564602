/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See build.h. In ticks, with i and o the hooks' cost per call inside the callee and
 * outside it (in its caller):
 *
 *   self(n)      = measured - i * calls into n - o * calls from n, not below 0; what is missing
 *                  is taken from the caller (so the sum over all nodes stays right)
 *   subtree(n)   = self(n) + sum of subtree(children)
 *
 * What an edge is charged with is the time of its callee's outermost activations:
 *
 *   edges into a sound node n: together subtree(n), each in proportion to its measured time
 *   any other edge:            measured - (i + o) * nested calls - i * calls, as the clock saw it
 *
 * A node is sound if nothing leads out of its subtree to above it (in A -> B -> A -> C the time of C lies below the
 * outer A, though B was active), and its function was never active further out in another node when it was
 * called. The root's children are, so with self times rounded to nanoseconds once, first, and all else summed from the
 * rounded values, root: self + outgoing == sum of all self, exactly. Where contexts were collapsed, the root's largest child takes the difference.
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
	uint64_t measured_left;  /* ticks of the edges into it whose share is still to be given out */
	uint64_t inclusive_left; /* of subtree_ns */
	int is_unsound;
	int is_used;
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
static void find_unsound(const struct rps_arena_copy *copy, struct work *work)
{
	for (uint32_t i = 0; i < copy->n_edges; i++) {
		const struct rps_arena_edge *edge = &copy->edges[i];
		uint32_t at = edge->from;

		if (is_tree_edge(copy, edge)) {
			work[edge->to].is_unsound |= edge->wire.inner_calls != 0;
			continue;
		}
		while (at != 0 && at != edge->to) {
			work[at].is_unsound = 1;
			at = copy->nodes[at].parent;
		}
	}
	for (uint32_t i = 1; i < copy->n_nodes && copy->overflow != 0; i++)
		if (copy->nodes[i].parent == copy->overflow)
			work[i].is_unsound = 1;
}

static void sum_subtrees(const struct rps_arena_copy *copy, struct work *work, double ns_per_tick)
{
	for (uint32_t i = 0; i < copy->n_nodes; i++) {
		work[i].self_ns = (uint64_t)llround(work[i].self_ticks * ns_per_tick);
		work[i].subtree_ns = work[i].self_ns;
	}
	for (uint32_t i = copy->n_nodes - 1; i > 0; i--)
		work[copy->nodes[i].parent].subtree_ns += work[i].subtree_ns;
	for (uint32_t i = 0; i < copy->n_edges; i++)
		work[copy->edges[i].to].measured_left += copy->edges[i].wire.inclusive_ticks;
	for (uint32_t i = 0; i < copy->n_nodes; i++)
		work[i].inclusive_left = work[i].subtree_ns;
}

/* This edge's part of a sound node's time. Called once for each edge into it, in any order. */
static uint64_t take_share(struct work *to, uint64_t measured_ticks)
{
	uint64_t share = to->inclusive_left;

	if (measured_ticks < to->measured_left)
		share = (uint64_t)((double)to->inclusive_left * ((double)measured_ticks / (double)to->measured_left));
	if (share > to->inclusive_left)
		share = to->inclusive_left;
	to->measured_left -= measured_ticks < to->measured_left ? measured_ticks : to->measured_left;
	to->inclusive_left -= share;
	return share;
}

static uint64_t clock_says(const struct rps_arena_copy *copy, const struct rps_wire_edge *wire, double ns_per_tick,
			   uint64_t total_ns)
{
	double inside = copy->cost_inside / COST_SCALE, outside = copy->cost_outside / COST_SCALE;
	double ticks = (double)wire->inclusive_ticks - (inside + outside) * (double)wire->nested_calls -
		       inside * (double)wire->calls;
	double ns = ticks * ns_per_tick;

	if (ns <= 0)
		return 0;
	return ns < (double)total_ns ? (uint64_t)llround(ns) : total_ns;
}

/* Nanoseconds for each edge. */
static void charge_edges(const struct rps_arena_copy *copy, struct work *work, double ns_per_tick, uint64_t *edge_ns)
{
	uint64_t sum = work[0].self_ns, total_ns = work[0].subtree_ns;
	uint32_t largest = copy->n_edges;

	for (uint32_t i = 0; i < copy->n_edges; i++) {
		const struct rps_arena_edge *edge = &copy->edges[i];

		if (is_tree_edge(copy, edge) && !work[edge->to].is_unsound)
			edge_ns[i] = take_share(&work[edge->to], edge->wire.inclusive_ticks);
		else
			edge_ns[i] = clock_says(copy, &edge->wire, ns_per_tick, total_ns);
		if (edge->from != 0)
			continue;
		sum += edge_ns[i];
		if (largest == copy->n_edges || edge_ns[i] > edge_ns[largest])
			largest = i;
	}
	if (largest == copy->n_edges)
		return;
	if (sum <= total_ns)
		edge_ns[largest] += total_ns - sum;
	else
		edge_ns[largest] -= sum - total_ns < edge_ns[largest] ? sum - total_ns : edge_ns[largest];
}

/* ---- Into the profile ------------------------------------------------------------------------- */

static uint32_t profile_function(struct rps_profile *profile, struct rps_functions *functions, uint32_t id)
{
	static const struct rps_function overflow = {RPS_OVERFLOW_NAME, "", "", "", 0};

	return rps_profile_function(profile, id == RPS_FUNCTION_OVERFLOW ? &overflow : rps_functions_get(functions, id));
}

/* Nodes that no call leads to: an external call that was taken back leaves one. */
static void find_unused(const struct rps_arena_copy *copy, struct work *work)
{
	for (uint32_t i = 0; i < copy->n_edges; i++)
		if (copy->edges[i].wire.calls > 0)
			work[copy->edges[i].to].is_used = 1;
	for (uint32_t i = copy->n_nodes - 1; i > 0; i--)
		if (work[i].is_used)
			work[copy->nodes[i].parent].is_used = 1;
}

static int add_nodes(struct rps_profile *profile, const struct rps_arena_copy *copy, struct rps_functions *functions,
		     struct work *work)
{
	work[0].profile_node = 0;
	profile->nodes[0].self[0] += work[0].self_ns;
	for (uint32_t i = 1; i < copy->n_nodes; i++) {
		uint32_t function;

		if (!work[i].is_used)
			continue;
		function = profile_function(profile, functions, copy->nodes[i].function);
		if (function == RPS_NONE)
			return -ENOMEM;
		work[i].profile_node = rps_profile_node(profile, work[copy->nodes[i].parent].profile_node, function);
		if (work[i].profile_node == RPS_NONE)
			return -ENOMEM;
		profile->nodes[work[i].profile_node].self[0] += work[i].self_ns;
		if (i == copy->overflow)
			profile->overflow = work[i].profile_node;
	}
	return 0;
}

static int add_edges(struct rps_profile *profile, const struct rps_arena_copy *copy, struct rps_functions *functions,
		     const struct work *work, const uint64_t *edge_ns)
{
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
		profile->edges[at].inclusive[0] += edge_ns[i];
	}
	return 0;
}

int rps_build_add(struct rps_profile *profile, const struct rps_arena_copy *copy, double ns_per_tick,
		  struct rps_functions *functions, uint64_t *overhead_ns)
{
	struct work *work = calloc(copy->n_nodes, sizeof(*work));
	uint64_t *edge_ns = calloc(copy->n_edges + 1, sizeof(*edge_ns));
	int error = work != NULL && edge_ns != NULL ? 0 : -ENOMEM;

	if (error != 0)
		goto out;
	*overhead_ns += (uint64_t)llround(subtract_overhead(copy, work) * ns_per_tick);
	find_unsound(copy, work);
	sum_subtrees(copy, work, ns_per_tick);
	charge_edges(copy, work, ns_per_tick, edge_ns);
	find_unused(copy, work);
	error = add_nodes(profile, copy, functions, work);
	if (error == 0)
		error = add_edges(profile, copy, functions, work, edge_ns);
out:
	free(work);
	free(edge_ns);
	return error;
}
