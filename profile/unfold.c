/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See unfold.h. Called by the writers of formats of stacks, on their thread.
 *
 * A walk from the root, or from what nothing calls, down every edge. Each context has shares, between 0 and
 * 1: how much of all that its function's callers pay (per event), and of all calls of it, belongs to this
 * path.
 *
 *     main (1.0) ── 300 ──▶ parse: 400 in all, so 0.75 of it is below main
 *     load (1.0) ── 100 ──▶ parse                 0.25        below load
 *
 * A context takes its share of the function's self cost, and of the counts of its calls. Recursion folds.
 * What rounding and thin paths leave over goes to the thickest context of the function, or copy of the call.
 */
#include "profile/unfold.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define THINNEST 1e-4       /* of the total */
#define CONTEXTS_MAX 50000u /* beyond, and beyond so many steps, only functions that have none yet get one   \
			     */
#define STEPS_MAX 5000000u

struct frame {
	uint32_t flat_node, node, next_edge;
	double calls_share;
};

/* For each function of the flat profile, and each of its edges. */
struct spread {
	double thickness; /* of the thickest */
	uint32_t where;   /* node or edge; RPS_NONE: none yet */
};

struct unfolding {
	const struct rps_profile *flat;
	struct rps_profile *tree;
	uint32_t n_events;
	uint32_t *flat_edge, flat_edge_room; /* of each edge of the tree */
	struct spread *contexts;             /* of each flat node */
	struct spread *copies;               /* of each flat edge */
	uint32_t *active;                    /* node of each flat node that is in the walk's path */
	bool *is_called;
	uint64_t *own_self; /* per flat node and event: without what lines have */
	uint64_t *left_self;
	uint64_t *left_lines; /* per line and event */
	uint64_t *left_calls; /* per flat edge */
	double *in_costs;     /* per flat node and event: what all calls of it cost */
	double *in_calls;
	uint32_t *functions; /* in the tree, of each flat node */
	double totals[RPS_EVENTS_MAX];
	struct frame *frames;
	double *shares; /* per frame and event */
	uint32_t n_frames, room, n_steps;
};

/* ---- Shares ------------------------------------------------------------------------------------- */

/* Of `all`, `share`, but at most what is left; that is taken. */
static uint64_t take(uint64_t *left, uint64_t all, double share)
{
	const double part = (double)all * share;
	uint64_t taken = part >= (double)*left ? *left : (uint64_t)part;

	*left -= taken;
	return taken;
}

static void take_self(struct unfolding *unfolding, uint32_t flat_node, uint32_t node, const double *shares)
{
	const size_t at = (size_t)flat_node * unfolding->n_events;

	for (uint32_t event = 0; event < unfolding->n_events; event++)
		unfolding->tree->nodes[node].self[event] +=
		    take(&unfolding->left_self[at + event], unfolding->own_self[at + event], shares[event]);
}

/* The part of a node's self cost that lines have is distributed with it, line by line. */
static int take_lines(struct unfolding *unfolding, uint32_t flat_node, uint32_t node, const double *shares)
{
	const struct rps_profile *flat = unfolding->flat;
	const uint32_t n_events = unfolding->n_events;

	for (uint32_t at = flat->nodes[flat_node].first_line; at != RPS_NONE; at = flat->lines[at].next) {
		const struct rps_line_cost *line = &flat->lines[at];
		uint64_t *left = &unfolding->left_lines[(size_t)at * n_events], taken[RPS_EVENTS_MAX];
		uint64_t any = 0;
		uint32_t to;

		for (uint32_t event = 0; event < n_events; event++) {
			taken[event] = take(&left[event], line->self[event], shares[event]);
			any |= taken[event];
		}
		if (any == 0)
			continue;
		to = rps_profile_line(unfolding->tree, node, line->file, line->line);
		if (to == RPS_NONE)
			return -ENOMEM;
		for (uint32_t event = 0; event < n_events; event++) {
			unfolding->tree->lines[to].self[event] += taken[event];
			unfolding->tree->nodes[node].self[event] += taken[event];
		}
	}
	return 0;
}

static double thickness(const struct unfolding *unfolding, uint32_t flat_node, const double *shares)
{
	double thickest = 0;

	for (uint32_t event = 0; event < unfolding->n_events; event++) {
		const double cost = unfolding->in_costs[(size_t)flat_node * unfolding->n_events + event];

		if (unfolding->totals[event] > 0 &&
		    thickest < shares[event] * cost / unfolding->totals[event])
			thickest = shares[event] * cost / unfolding->totals[event];
	}
	return thickest;
}

/* ---- The walk ----------------------------------------------------------------------------------- */

static int push(struct unfolding *unfolding, uint32_t flat_node, uint32_t node, const double *shares,
		double calls_share)
{
	const uint32_t n_events = unfolding->n_events;
	struct spread *context = &unfolding->contexts[flat_node];
	double thick = thickness(unfolding, flat_node, shares);
	int error;

	if (unfolding->n_frames == unfolding->room) {
		uint32_t room = unfolding->room == 0 ? 64 : unfolding->room * 2;
		struct frame *frames = realloc(unfolding->frames, room * sizeof(*frames));
		double *grown;

		if (frames == NULL)
			return -ENOMEM;
		unfolding->frames = frames;
		grown = realloc(unfolding->shares, (size_t)room * n_events * sizeof(*grown));
		if (grown == NULL)
			return -ENOMEM;
		unfolding->shares = grown;
		unfolding->room = room;
	}
	memcpy(&unfolding->shares[(size_t)unfolding->n_frames * n_events], shares,
	       n_events * sizeof(*shares));
	unfolding->frames[unfolding->n_frames++] =
	    (struct frame){flat_node, node, unfolding->flat->nodes[flat_node].first_edge, calls_share};
	unfolding->active[flat_node] = node;
	if (context->where == RPS_NONE || context->thickness < thick)
		*context = (struct spread){thick, node};
	take_self(unfolding, flat_node, node, shares);
	error = take_lines(unfolding, flat_node, node, shares);
	return error;
}

/* The edge from `node` to `to`, a copy of `flat_edge`. RPS_NONE: out of memory. */
static uint32_t copy_edge(struct unfolding *unfolding, uint32_t node, uint32_t to, uint32_t flat_edge)
{
	const struct rps_edge *edge = &unfolding->flat->edges[flat_edge];
	uint32_t copy = rps_profile_edge(unfolding->tree, node, to, edge->site_file, edge->site_line);

	if (copy == RPS_NONE)
		return RPS_NONE;
	if (copy >= unfolding->flat_edge_room) {
		uint32_t room = copy < 32 ? 64 : copy * 2;
		uint32_t *grown = realloc(unfolding->flat_edge, room * sizeof(*grown));

		if (grown == NULL)
			return RPS_NONE;
		memset(grown + unfolding->flat_edge_room, 0xff,
		       (room - unfolding->flat_edge_room) * sizeof(*grown));
		unfolding->flat_edge = grown;
		unfolding->flat_edge_room = room;
	}
	unfolding->flat_edge[copy] = flat_edge;
	return copy;
}

/* Follows one edge of the innermost frame. */
static int follow(struct unfolding *unfolding, uint32_t flat_edge)
{
	const struct rps_edge *edge = &unfolding->flat->edges[flat_edge];
	const uint32_t n_events = unfolding->n_events, to = edge->to;
	const struct frame frame = unfolding->frames[unfolding->n_frames - 1];
	const double *shares = &unfolding->shares[(size_t)(unfolding->n_frames - 1) * n_events];
	const double *in_costs = &unfolding->in_costs[(size_t)to * n_events];
	const bool folds = unfolding->active[to] != RPS_NONE;
	struct spread *best = &unfolding->copies[flat_edge];
	double next[RPS_EVENTS_MAX], thick, next_calls;
	uint32_t node, copy;

	for (uint32_t event = 0; event < n_events; event++)
		next[event] = in_costs[event] > 0
				  ? shares[event] * (double)edge->inclusive[event] / in_costs[event]
				  : shares[event];
	next_calls = unfolding->in_calls[to] > 0
			 ? frame.calls_share * (double)edge->calls / unfolding->in_calls[to]
			 : frame.calls_share;
	thick = thickness(unfolding, to, next);
	if (!folds && unfolding->contexts[to].where != RPS_NONE && best->where != RPS_NONE &&
	    (thick < THINNEST || unfolding->tree->n_nodes >= CONTEXTS_MAX || unfolding->n_steps >= STEPS_MAX))
		return 0;
	unfolding->n_steps++;
	node = folds ? unfolding->active[to]
		     : rps_profile_node(unfolding->tree, frame.node, unfolding->functions[to]);
	copy = node != RPS_NONE ? copy_edge(unfolding, frame.node, node, flat_edge) : RPS_NONE;
	if (copy == RPS_NONE)
		return -ENOMEM;
	unfolding->tree->edges[copy].calls +=
	    take(&unfolding->left_calls[flat_edge], edge->calls, frame.calls_share);
	if (best->where == RPS_NONE || best->thickness < thick)
		*best = (struct spread){thick, copy};
	/* A second call site of the same context adds to its shares, so it is walked again: sums, not sets.
	 */
	return folds ? 0 : push(unfolding, to, node, next, next_calls);
}

static int walk_from(struct unfolding *unfolding, uint32_t flat_node, uint32_t node)
{
	double shares[RPS_EVENTS_MAX];
	int error;

	for (uint32_t event = 0; event < RPS_EVENTS_MAX; event++)
		shares[event] = 1;
	error = push(unfolding, flat_node, node, shares, 1);
	while (error == 0 && unfolding->n_frames > 0) {
		struct frame *top = &unfolding->frames[unfolding->n_frames - 1];
		uint32_t edge = top->next_edge;

		if (edge == RPS_NONE) {
			unfolding->active[top->flat_node] = RPS_NONE;
			unfolding->n_frames--;
			continue;
		}
		top->next_edge = unfolding->flat->edges[edge].next;
		error = follow(unfolding, edge);
	}
	return error;
}

/* ---- The rest ----------------------------------------------------------------------------------- */

static bool has_anything(const struct unfolding *unfolding, uint32_t flat_node)
{
	for (uint32_t event = 0; event < unfolding->n_events; event++)
		if (unfolding->flat->nodes[flat_node].self[event] != 0)
			return true;
	return unfolding->flat->nodes[flat_node].first_edge != RPS_NONE;
}

/* From functions that nothing calls, then from those (of a cycle) that no walk has come to. */
static int walk_all(struct unfolding *unfolding)
{
	const struct rps_profile *flat = unfolding->flat;
	int error = walk_from(unfolding, 0, 0);

	for (int only_uncalled = 1; only_uncalled >= 0; only_uncalled--) {
		for (uint32_t i = 1; i < flat->n_nodes && error == 0; i++) {
			uint32_t node;

			if (unfolding->contexts[i].where != RPS_NONE || !has_anything(unfolding, i) ||
			    (only_uncalled && unfolding->is_called[i]))
				continue;
			node = rps_profile_node(unfolding->tree, 0, unfolding->functions[i]);
			if (node == RPS_NONE || rps_profile_edge(unfolding->tree, 0, node, "", 0) == RPS_NONE)
				return -ENOMEM;
			error = walk_from(unfolding, i, node);
		}
	}
	return error;
}

static int give_out_rest(struct unfolding *unfolding)
{
	const struct rps_profile *flat = unfolding->flat;
	double all[RPS_EVENTS_MAX];
	int error = 0;

	for (uint32_t event = 0; event < RPS_EVENTS_MAX; event++)
		all[event] = 1;
	for (uint32_t i = 0; i < flat->n_nodes && error == 0; i++) {
		if (unfolding->contexts[i].where == RPS_NONE)
			continue;
		take_self(unfolding, i, unfolding->contexts[i].where, all);
		error = take_lines(unfolding, i, unfolding->contexts[i].where, all);
	}
	for (uint32_t i = 0; i < flat->n_edges && error == 0; i++)
		if (unfolding->copies[i].where != RPS_NONE)
			unfolding->tree->edges[unfolding->copies[i].where].calls += unfolding->left_calls[i];
	return error;
}

/* What each edge of the tree is charged: its node's subtree, in the ratio of the calls if it is not the only
 * edge to it. Folded ones nothing. */
static int charge_edges(struct rps_profile *tree)
{
	uint64_t *subtrees = calloc((size_t)tree->n_nodes * tree->n_events, sizeof(*subtrees));
	uint64_t *calls = calloc(tree->n_nodes, sizeof(*calls));

	if (subtrees == NULL || calls == NULL) {
		free(subtrees);
		free(calls);
		return -ENOMEM;
	}
	for (uint32_t i = tree->n_nodes; i-- > 0;)
		for (uint32_t event = 0; event < tree->n_events; event++) {
			uint64_t *subtree = &subtrees[(size_t)i * tree->n_events + event];

			*subtree = rps_cost_add(*subtree, tree->nodes[i].self[event]);
			if (i > 0) {
				uint64_t *above =
				    &subtrees[(size_t)tree->nodes[i].parent * tree->n_events + event];

				*above = rps_cost_add(*above, *subtree);
			}
		}
	for (uint32_t i = 0; i < tree->n_edges; i++)
		if (tree->nodes[tree->edges[i].to].parent == tree->edges[i].from)
			calls[tree->edges[i].to] =
			    rps_cost_add(calls[tree->edges[i].to], tree->edges[i].calls);
	for (uint32_t i = 0; i < tree->n_edges; i++) {
		struct rps_edge *edge = &tree->edges[i];
		uint64_t *left = &subtrees[(size_t)edge->to * tree->n_events];
		double share;

		if (tree->nodes[edge->to].parent != edge->from)
			continue;
		/* Of what is left: the last edge gets all. */
		share = calls[edge->to] > edge->calls ? (double)edge->calls / (double)calls[edge->to] : 1;
		calls[edge->to] -= edge->calls;
		for (uint32_t event = 0; event < tree->n_events; event++)
			edge->inclusive[event] = take(&left[event], left[event], share);
	}
	free(subtrees);
	free(calls);
	return 0;
}

static int prepare(struct unfolding *unfolding)
{
	const struct rps_profile *flat = unfolding->flat;
	const size_t n_events = unfolding->n_events;

	unfolding->contexts = malloc(flat->n_nodes * sizeof(*unfolding->contexts));
	unfolding->copies = malloc((size_t)(flat->n_edges + 1) * sizeof(*unfolding->copies));
	unfolding->active = malloc(flat->n_nodes * sizeof(*unfolding->active));
	unfolding->is_called = calloc(flat->n_nodes, sizeof(bool));
	unfolding->own_self = malloc(flat->n_nodes * n_events * sizeof(uint64_t));
	unfolding->left_self = malloc(flat->n_nodes * n_events * sizeof(uint64_t));
	unfolding->left_lines = malloc((flat->n_lines + 1) * n_events * sizeof(uint64_t));
	unfolding->left_calls = malloc((size_t)(flat->n_edges + 1) * sizeof(uint64_t));
	unfolding->in_costs = calloc(flat->n_nodes * n_events, sizeof(double));
	unfolding->in_calls = calloc(flat->n_nodes, sizeof(double));
	unfolding->functions = malloc(flat->n_nodes * sizeof(uint32_t));
	if (unfolding->contexts == NULL || unfolding->copies == NULL || unfolding->active == NULL ||
	    unfolding->own_self == NULL || unfolding->is_called == NULL || unfolding->left_self == NULL ||
	    unfolding->left_lines == NULL || unfolding->left_calls == NULL || unfolding->in_costs == NULL ||
	    unfolding->in_calls == NULL || unfolding->functions == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < flat->n_nodes; i++) {
		unfolding->contexts[i] = (struct spread){0, RPS_NONE};
		unfolding->active[i] = RPS_NONE;
		unfolding->functions[i] =
		    rps_profile_function(unfolding->tree, &flat->functions[flat->nodes[i].function]);
		if (unfolding->functions[i] == RPS_NONE)
			return -ENOMEM;
		memcpy(&unfolding->own_self[i * n_events], flat->nodes[i].self, n_events * sizeof(uint64_t));
	}
	for (uint32_t i = 0; i < flat->n_lines; i++) {
		memcpy(&unfolding->left_lines[i * n_events], flat->lines[i].self,
		       n_events * sizeof(uint64_t));
		for (uint32_t event = 0; event < n_events; event++)
			unfolding->own_self[flat->lines[i].node * n_events + event] -=
			    flat->lines[i].self[event];
	}
	memcpy(unfolding->left_self, unfolding->own_self, flat->n_nodes * n_events * sizeof(uint64_t));
	for (uint32_t i = 0; i < flat->n_edges; i++) {
		const struct rps_edge *edge = &flat->edges[i];

		unfolding->copies[i] = (struct spread){0, RPS_NONE};
		unfolding->left_calls[i] = edge->calls;
		if (edge->from == edge->to)
			continue;
		unfolding->is_called[edge->to] = true;
		unfolding->in_calls[edge->to] += (double)edge->calls;
		for (uint32_t event = 0; event < n_events; event++)
			unfolding->in_costs[edge->to * n_events + event] += (double)edge->inclusive[event];
	}
	for (uint32_t event = 0; event < n_events; event++)
		unfolding->totals[event] = (double)rps_profile_total(flat, event);
	unfolding->tree->nodes[0].function = unfolding->functions[0];
	return 0;
}

static int describe(const struct rps_profile *flat, struct rps_profile *tree)
{
	int error = rps_profile_set_events(tree, flat->events, flat->n_events);

	for (uint32_t i = 0; i < flat->n_metas && error == 0; i++)
		error = flat->metas[i].is_volatile
			    ? rps_profile_add_volatile_meta(tree, flat->metas[i].key, flat->metas[i].value)
			    : rps_profile_add_meta(tree, flat->metas[i].key, flat->metas[i].value);
	if (error == 0)
		error = rps_profile_set_command(tree, flat->command);
	tree->pid = flat->pid;
	tree->volatile_headers = flat->volatile_headers;
	return error;
}

int rps_profile_unfold(const struct rps_profile *flat, struct rps_unfolded *unfolded)
{
	struct unfolding unfolding = {.flat = flat, .n_events = flat->n_events};
	int error = -ENOMEM;

	*unfolded = (struct rps_unfolded){0};
	unfolding.tree = rps_profile_create(flat->functions[flat->nodes[0].function].name);
	if (unfolding.tree == NULL)
		return -ENOMEM;
	error = describe(flat, unfolding.tree);
	if (error == 0)
		error = prepare(&unfolding);
	if (error == 0)
		error = walk_all(&unfolding);
	if (error == 0)
		error = give_out_rest(&unfolding);
	if (error == 0)
		error = charge_edges(unfolding.tree);
	unfolded->profile = unfolding.tree;
	unfolded->flat_edge = unfolding.flat_edge;
	/* An edge that copies none may be the last. */
	if (error == 0 && unfolding.flat_edge_room < unfolding.tree->n_edges) {
		uint32_t *grown =
		    realloc(unfolding.flat_edge, unfolding.tree->n_edges * sizeof(*unfolding.flat_edge));

		if (grown == NULL)
			error = -ENOMEM;
		else
			unfolded->flat_edge = grown;
		for (uint32_t i = unfolding.flat_edge_room; grown != NULL && i < unfolding.tree->n_edges; i++)
			grown[i] = RPS_NONE;
	}
	free(unfolding.contexts);
	free(unfolding.copies);
	free(unfolding.active);
	free(unfolding.own_self);
	free(unfolding.is_called);
	free(unfolding.left_self);
	free(unfolding.left_lines);
	free(unfolding.left_calls);
	free(unfolding.in_costs);
	free(unfolding.in_calls);
	free(unfolding.functions);
	free(unfolding.frames);
	free(unfolding.shares);
	return error;
}

void rps_unfolded_destroy(struct rps_unfolded *unfolded)
{
	rps_profile_destroy(unfolded->profile);
	free(unfolded->flat_edge);
	*unfolded = (struct rps_unfolded){0};
}

const struct rps_profile *rps_profile_with_contexts(const struct rps_profile *profile,
						    struct rps_unfolded *unfolded)
{
	*unfolded = (struct rps_unfolded){0};
	if (!profile->is_flat)
		return profile;
	return rps_profile_unfold(profile, unfolded) == 0 ? unfolded->profile : NULL;
}
