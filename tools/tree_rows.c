/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walks down the calls of a profile (tree_rows.h), without recursion: they may be deep. Called by runprofile
 * tree. */
#include "tools/tree_rows.h"

#include "tools/choose.h"

#include <errno.h>
#include <stdlib.h>

#define DEPTH_MAX 100000u

struct items {
	struct rps_tree_row *rows;
	size_t n_rows, room;
};

struct tree {
	const struct rps_tree_options *options;
	const struct rps_profile *profile;
	const struct rps_flat *flat;
	uint64_t total;
	uint64_t *of_node; /* inclusive cost and calls of each node; NULL: the profile is flat */
	uint64_t *calls_of_node;
	uint32_t *first_child, *next_sibling;
	bool *leads_to; /* of each node or function; NULL: all are of interest */
	struct items rows, pending;
	uint32_t *path; /* to the line before: `at` by depth */
	size_t path_room;
	uint64_t n_hidden;
	bool is_cut;
};

static int add_item(struct items *items, const struct rps_tree_row *item)
{
	if (items->n_rows == items->room) {
		size_t room = items->room == 0 ? 256 : items->room * 2;
		struct rps_tree_row *grown = realloc(items->rows, room * sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		items->rows = grown;
		items->room = room;
	}
	items->rows[items->n_rows++] = *item;
	return 0;
}

/* ---- Profiles with contexts --------------------------------------------------------------------- */

static int prepare_nodes(struct tree *tree)
{
	const struct rps_profile *profile = tree->profile;

	tree->of_node = calloc(profile->n_nodes, sizeof(*tree->of_node));
	tree->calls_of_node = calloc(profile->n_nodes, sizeof(*tree->calls_of_node));
	tree->first_child = calloc(profile->n_nodes, sizeof(*tree->first_child));
	tree->next_sibling = calloc(profile->n_nodes, sizeof(*tree->next_sibling));
	if (tree->of_node == NULL || tree->calls_of_node == NULL || tree->first_child == NULL ||
	    tree->next_sibling == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < profile->n_nodes; i++)
		tree->first_child[i] = tree->next_sibling[i] = RPS_NONE;
	for (uint32_t i = 0; i < profile->n_edges; i++)
		tree->calls_of_node[profile->edges[i].to] =
		    rps_cost_add(tree->calls_of_node[profile->edges[i].to], profile->edges[i].calls);
	for (uint32_t i = profile->n_nodes; i-- > 0;) {
		const uint32_t parent = profile->nodes[i].parent;

		tree->of_node[i] =
		    rps_cost_add(tree->of_node[i], profile->nodes[i].self[tree->options->event]);
		if (parent == RPS_NONE)
			continue;
		tree->of_node[parent] = rps_cost_add(tree->of_node[parent], tree->of_node[i]);
		tree->next_sibling[i] = tree->first_child[parent];
		tree->first_child[parent] = i;
	}
	return 0;
}

static struct rps_tree_row node_item(const struct tree *tree, uint32_t node, uint32_t depth)
{
	return (struct rps_tree_row){.at = node,
				     .depth = depth,
				     .calls = tree->calls_of_node[node],
				     .inclusive = tree->of_node[node],
				     .self = tree->profile->nodes[node].self[tree->options->event]};
}

static int add_child_nodes(struct tree *tree, const struct rps_tree_row *item, struct items *children)
{
	for (uint32_t child = tree->first_child[item->at]; child != RPS_NONE;
	     child = tree->next_sibling[child]) {
		const struct rps_tree_row as = node_item(tree, child, item->depth + 1);

		if (add_item(children, &as) != 0)
			return -ENOMEM;
	}
	return 0;
}

static bool node_matches(const struct tree *tree, uint32_t node, const char *wanted)
{
	return rps_choose_matches(tree->profile->functions[tree->profile->nodes[node].function].name, wanted);
}

/* The outermost nodes of that name. */
static int add_start_nodes(struct tree *tree)
{
	const struct rps_profile *profile = tree->profile;
	bool *is_below = calloc(profile->n_nodes, sizeof(*is_below));
	int error = is_below != NULL ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < profile->n_nodes && error == 0; i++) {
		const uint32_t parent = profile->nodes[i].parent;
		struct rps_tree_row item;

		is_below[i] = parent != RPS_NONE && is_below[parent];
		if (is_below[i] || !node_matches(tree, i, tree->options->from))
			continue;
		is_below[i] = true;
		item = node_item(tree, i, 0);
		error = add_item(&tree->pending, &item);
	}
	free(is_below);
	return error;
}

static void mark_nodes(struct tree *tree)
{
	for (uint32_t i = tree->profile->n_nodes; i-- > 0;) {
		tree->leads_to[i] |= node_matches(tree, i, tree->options->to);
		if (tree->leads_to[i] && i != 0)
			tree->leads_to[tree->profile->nodes[i].parent] = true;
	}
}

/* ---- Flat profiles ------------------------------------------------------------------------------ */

/* Calls of a function by itself. */
static uint64_t own_calls(const struct tree *tree, uint32_t function)
{
	const struct rps_graph_function *as = &tree->flat->graph->functions[function];
	uint64_t n = 0;

	for (uint32_t i = as->first_call; i < as->first_call + as->n_calls; i++)
		if (tree->flat->graph->calls[i].callee == function)
			n = rps_cost_add(n, tree->flat->graph->calls[i].calls);
	return n;
}

/* Calls that are no recursion; all but those by itself if it is only called within its cycle. */
static uint64_t count_entries(const struct tree *tree, uint32_t function)
{
	const struct rps_flat_function *as = &tree->flat->functions[function];
	uint64_t n_outer = 0, n_inner = 0;

	for (uint32_t i = as->first_caller; i < as->first_caller + as->n_callers; i++) {
		const struct rps_graph_call *call = &tree->flat->graph->calls[tree->flat->callers[i]];

		if (call->caller == function)
			continue;
		if (as->cycle != RPS_NONE && tree->flat->functions[call->caller].cycle == as->cycle)
			n_inner = rps_cost_add(n_inner, call->calls);
		else
			n_outer = rps_cost_add(n_outer, call->calls);
	}
	return n_outer != 0 ? n_outer : n_inner;
}

static struct rps_tree_row function_item(const struct tree *tree, uint32_t function, uint32_t depth)
{
	return (struct rps_tree_row){
	    .at = function,
	    .depth = depth,
	    .entries = count_entries(tree, function),
	    .calls = tree->flat->functions[function].calls,
	    .inclusive = tree->flat->functions[function].inclusive[tree->options->event],
	    .self = tree->flat->graph->functions[function].self[tree->options->event]};
}

/* `part` of `whole`, of `cost`. */
static uint64_t share(uint64_t cost, uint64_t part, uint64_t whole)
{
	if (part >= whole)
		return cost;
	return (uint64_t)((unsigned __int128)cost * part / whole);
}

static bool is_on_path(const struct tree *tree, uint32_t function, uint32_t depth)
{
	for (uint32_t i = 0; i <= depth; i++)
		if (tree->path[i] == function)
			return true;
	return false;
}

/* Calls of one callee from several lines are one child. */
static int add_callees(struct tree *tree, const struct rps_tree_row *item, struct items *children)
{
	const struct rps_call_graph *graph = tree->flat->graph;
	const struct rps_graph_function *function = &graph->functions[item->at];
	const struct rps_tree_row whole = function_item(tree, item->at, 0);
	const size_t first = children->n_rows;

	for (uint32_t i = function->first_call; i < function->first_call + function->n_calls; i++) {
		const struct rps_graph_call *call = &graph->calls[i];
		size_t at = first;

		if (call->callee == item->at)
			continue;
		while (at < children->n_rows && children->rows[at].at != call->callee)
			at++;
		if (at == children->n_rows) {
			const struct rps_tree_row child = {.at = call->callee,
							   .depth = item->depth + 1,
							   .is_recursion =
							       is_on_path(tree, call->callee, item->depth)};

			if (add_item(children, &child) != 0)
				return -ENOMEM;
		}
		children->rows[at].entries = rps_cost_add(children->rows[at].entries, call->calls);
		children->rows[at].inclusive =
		    rps_cost_add(children->rows[at].inclusive, call->inclusive[tree->options->event]);
	}
	for (size_t i = first; i < children->n_rows; i++) {
		struct rps_tree_row *child = &children->rows[i];
		const struct rps_tree_row callee = function_item(tree, child->at, 0);

		child->is_estimate =
		    item->is_estimate || item->inclusive < whole.inclusive || item->entries < whole.entries;
		child->entries = share(child->entries, item->entries, whole.entries);
		child->calls = child->entries;
		if (!child->is_recursion)
			child->calls = rps_cost_add(
			    child->calls, share(own_calls(tree, child->at), child->entries, callee.entries));
		child->inclusive = share(child->inclusive, item->inclusive, whole.inclusive);
		if (child->inclusive > item->inclusive)
			child->inclusive = item->inclusive;
		child->self = share(callee.self, child->inclusive, callee.inclusive);
		child->self_is_estimate = child->is_estimate || child->inclusive < callee.inclusive;
		/* Shown where it is first active. */
		if (child->is_recursion)
			child->self = 0;
	}
	return 0;
}

static bool is_entry(const struct tree *tree, uint32_t function)
{
	const struct rps_flat_function *figures = &tree->flat->functions[function];

	for (uint32_t i = 0; i < figures->n_callers; i++)
		if (tree->flat->graph->calls[tree->flat->callers[figures->first_caller + i]].caller !=
		    function)
			return false;
	return true;
}

/* What nothing calls; and if all are called, since it begins in a cycle, what costs most. */
static int add_start_functions(struct tree *tree)
{
	const uint32_t n = tree->flat->graph->n_functions;
	struct rps_tree_row item;
	uint32_t most = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (tree->options->from != NULL
			? !rps_choose_matches(tree->flat->graph->functions[i].name, tree->options->from)
			: !is_entry(tree, i))
			continue;
		item = function_item(tree, i, 0);
		if (add_item(&tree->pending, &item) != 0)
			return -ENOMEM;
	}
	if (tree->pending.n_rows > 0 || tree->options->from != NULL || n == 0)
		return 0;
	for (uint32_t i = 1; i < n; i++)
		if (function_item(tree, i, 0).inclusive > function_item(tree, most, 0).inclusive)
			most = i;
	item = function_item(tree, most, 0);
	return add_item(&tree->pending, &item);
}

/* Backwards along calls from what matches. */
static int mark_functions(struct tree *tree)
{
	const struct rps_call_graph *graph = tree->flat->graph;
	uint32_t *stack = calloc((size_t)graph->n_functions + 1, sizeof(*stack)), n = 0;

	if (stack == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < graph->n_functions; i++)
		if (rps_choose_matches(graph->functions[i].name, tree->options->to)) {
			tree->leads_to[i] = true;
			stack[n++] = i;
		}
	while (n > 0) {
		const struct rps_flat_function *figures = &tree->flat->functions[stack[--n]];

		for (uint32_t i = 0; i < figures->n_callers; i++) {
			uint32_t caller = graph->calls[tree->flat->callers[figures->first_caller + i]].caller;

			if (tree->leads_to[caller])
				continue;
			tree->leads_to[caller] = true;
			stack[n++] = caller;
		}
	}
	free(stack);
	return 0;
}

/* ---- The walk ----------------------------------------------------------------------------------- */

/* The costliest last: it is taken from the end. */
static int compare_items(const void *a, const void *b)
{
	const struct rps_tree_row *left = a, *right = b;

	if (left->inclusive != right->inclusive)
		return left->inclusive < right->inclusive ? -1 : 1;
	if (left->calls != right->calls)
		return left->calls < right->calls ? -1 : 1;
	return left->at == right->at ? 0 : left->at > right->at ? -1 : 1;
}

static int note_path(struct tree *tree, const struct rps_tree_row *item)
{
	if (item->depth >= tree->path_room) {
		size_t room = tree->path_room == 0 ? 256 : tree->path_room * 2;
		uint32_t *grown = realloc(tree->path, room * sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		tree->path = grown;
		tree->path_room = room;
	}
	tree->path[item->depth] = item->at;
	return 0;
}

static bool is_hidden(const struct tree *tree, const struct rps_tree_row *item)
{
	if (tree->leads_to != NULL && !tree->leads_to[item->at])
		return true;
	return (double)item->inclusive < tree->options->threshold / 100.0 * (double)tree->total;
}

static int expand(struct tree *tree, const struct rps_tree_row *item)
{
	const size_t first = tree->pending.n_rows;
	size_t n_kept = first;
	int error;

	if (item->is_recursion || item->depth + 1 >= DEPTH_MAX)
		return 0;
	error = tree->of_node != NULL ? add_child_nodes(tree, item, &tree->pending)
				      : add_callees(tree, item, &tree->pending);
	if (error != 0)
		return error;
	if (tree->options->depth != 0 && item->depth + 1 >= tree->options->depth) {
		tree->n_hidden += tree->pending.n_rows - first;
		tree->pending.n_rows = first;
		return 0;
	}
	for (size_t i = first; i < tree->pending.n_rows; i++)
		if (!is_hidden(tree, &tree->pending.rows[i]))
			tree->pending.rows[n_kept++] = tree->pending.rows[i];
	tree->n_hidden += tree->pending.n_rows - n_kept;
	tree->pending.n_rows = n_kept;
	qsort(tree->pending.rows + first, n_kept - first, sizeof(struct rps_tree_row), compare_items);
	return 0;
}

static int walk(struct tree *tree)
{
	int error = 0;

	qsort(tree->pending.rows, tree->pending.n_rows, sizeof(struct rps_tree_row), compare_items);
	while (error == 0 && tree->pending.n_rows > 0) {
		const struct rps_tree_row item = tree->pending.rows[--tree->pending.n_rows];

		if (item.depth == 0 && is_hidden(tree, &item)) {
			tree->n_hidden++;
			continue;
		}
		if (tree->rows.n_rows == RPS_TREE_ROWS_MAX) {
			tree->is_cut = true;
			return 0;
		}
		error = add_item(&tree->rows, &item);
		if (error == 0)
			error = note_path(tree, &item);
		if (error == 0)
			error = expand(tree, &item);
	}
	return error;
}

static int build(struct tree *tree)
{
	const uint32_t n = tree->profile->is_flat ? tree->flat->graph->n_functions : tree->profile->n_nodes;
	int error = tree->profile->is_flat ? 0 : prepare_nodes(tree);
	struct rps_tree_row root;

	if (error == 0 && tree->options->to != NULL) {
		tree->leads_to = calloc((size_t)n + 1, sizeof(*tree->leads_to));
		error = tree->leads_to == NULL ? -ENOMEM : 0;
		if (error == 0 && tree->profile->is_flat)
			error = mark_functions(tree);
		else if (error == 0)
			mark_nodes(tree);
	}
	if (error != 0)
		return error;
	if (tree->profile->is_flat) {
		error = add_start_functions(tree);
	} else if (tree->options->from != NULL) {
		error = add_start_nodes(tree);
	} else {
		root = node_item(tree, 0, 0);
		error = add_item(&tree->pending, &root);
	}
	return error != 0 ? error : walk(tree);
}

/* ---- Life --------------------------------------------------------------------------------------- */

int rps_tree_rows_create(struct rps_tree_rows *rows, const struct rps_profile *profile,
			 const struct rps_flat *flat, const struct rps_tree_options *options)
{
	struct tree tree = {.options = options,
			    .profile = profile,
			    .flat = flat,
			    .total = rps_profile_total(profile, options->event)};
	int error = build(&tree);

	*rows =
	    (struct rps_tree_rows){tree.rows.rows, tree.rows.n_rows, tree.total, tree.n_hidden, tree.is_cut};
	free(tree.of_node);
	free(tree.calls_of_node);
	free(tree.first_child);
	free(tree.next_sibling);
	free(tree.leads_to);
	free(tree.pending.rows);
	free(tree.path);
	return error;
}

void rps_tree_rows_clear(struct rps_tree_rows *rows)
{
	free(rows->rows);
	*rows = (struct rps_tree_rows){0};
}
