/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flattens a profile (call_graph.h). Called by the writers of call-graph
 * formats, on the thread that owns the profile. */
#include "profile/call_graph.h"

#include <stdlib.h>
#include <string.h>

struct flatten {
	const struct rps_profile *profile;
	struct rps_call_graph *graph;
	uint32_t *place_of; /* graph function of each profile function, RPS_NONE: left out */
	uint32_t root;      /* graph function of node 0, RPS_NONE: it is only a title */
};

/* ---- Files, objects, functions ------------------------------------------------------------------ */

static int compare_texts(const void *a, const void *b)
{
	const char *left = *(const char *const *)a, *right = *(const char *const *)b;

	return left == right ? 0 : strcmp(left, right);
}

static uint32_t sort_texts(const char **texts, uint32_t n_texts)
{
	uint32_t n_kept = 0;

	qsort(texts, n_texts, sizeof(*texts), compare_texts);
	for (uint32_t i = 0; i < n_texts; i++)
		if (n_kept == 0 || strcmp(texts[n_kept - 1], texts[i]) != 0)
			texts[n_kept++] = texts[i];
	return n_kept;
}

static uint32_t find_text(const char **texts, uint32_t n_texts, const char *text)
{
	const char **found = bsearch(&text, texts, n_texts, sizeof(*texts), compare_texts);

	return (uint32_t)(found - texts);
}

static bool is_empty(const uint64_t *costs, uint32_t n_events)
{
	for (uint32_t event = 0; event < n_events; event++)
		if (costs[event] != 0)
			return false;
	return true;
}

static bool edge_is_empty(const struct rps_profile *profile, const struct rps_edge *edge)
{
	return edge->calls == 0 && is_empty(edge->inclusive, profile->n_events);
}

static bool root_is_title(const struct rps_profile *profile)
{
	return profile->is_flat && profile->nodes[0].first_edge == RPS_NONE &&
	       is_empty(profile->nodes[0].self, profile->n_events);
}

/* A root without source calls from nowhere: a place in some file would make it half a function of that
 * file, and its inclusive cost would fall apart in two. */
static bool has_site(const struct rps_profile *profile, const struct rps_edge *edge)
{
	return edge->site_line != 0 && edge->site_file[0] != '\0' &&
	       (edge->from != 0 || profile->functions[profile->nodes[0].function].file[0] != '\0');
}

/* A profile function on its way to its place; function RPS_NONE is the root's. */
struct candidate {
	struct rps_graph_function as;
	uint32_t function;
};

static int compare_candidates(const void *a, const void *b)
{
	const struct rps_graph_function *left = &((const struct candidate *)a)->as;
	const struct rps_graph_function *right = &((const struct candidate *)b)->as;
	int order = left->name == right->name ? 0 : strcmp(left->name, right->name);

	if (order != 0)
		return order;
	/* The root first: where a name needs something added to tell it apart, it is not the root's. */
	if (left->is_root != right->is_root)
		return left->is_root ? -1 : 1;
	if (left->file != right->file)
		return left->file < right->file ? -1 : 1;
	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	return left->object == right->object ? 0 : left->object < right->object ? -1 : 1;
}

static int collect_texts(struct flatten *flatten)
{
	const struct rps_profile *profile = flatten->profile;
	struct rps_call_graph *graph = flatten->graph;

	graph->files = calloc((size_t)profile->n_functions + profile->n_edges + profile->n_lines + 1,
			      sizeof(*graph->files));
	graph->objects = calloc((size_t)profile->n_functions + 1, sizeof(*graph->objects));
	if (graph->files == NULL || graph->objects == NULL)
		return -1;
	for (uint32_t i = 0; i < profile->n_functions; i++) {
		if (flatten->place_of[i] == RPS_NONE &&
		    (i != profile->nodes[0].function || root_is_title(profile)))
			continue;
		graph->files[graph->n_files++] = profile->functions[i].file;
		graph->objects[graph->n_objects++] = profile->functions[i].object;
	}
	for (uint32_t i = 0; i < profile->n_edges; i++)
		if (!edge_is_empty(profile, &profile->edges[i]) && has_site(profile, &profile->edges[i]))
			graph->files[graph->n_files++] = profile->edges[i].site_file;
	for (uint32_t i = 0; i < profile->n_lines; i++)
		if (!is_empty(profile->lines[i].self, profile->n_events))
			graph->files[graph->n_files++] = profile->lines[i].file;
	graph->n_files = sort_texts(graph->files, graph->n_files);
	graph->n_objects = sort_texts(graph->objects, graph->n_objects);
	return 0;
}

static struct candidate candidate_for(const struct flatten *flatten, uint32_t function, bool is_root)
{
	const struct rps_function *source = &flatten->profile->functions[function];
	const struct rps_call_graph *graph = flatten->graph;
	struct candidate candidate = {.function = is_root ? RPS_NONE : function};

	candidate.as.name = source->name;
	candidate.as.file = find_text(graph->files, graph->n_files, source->file);
	candidate.as.object = find_text(graph->objects, graph->n_objects, source->object);
	candidate.as.line = source->line;
	candidate.as.is_root = is_root;
	return candidate;
}

/* The root is a function of its own even if another has its name: it must have no caller. */
static int place_functions(struct flatten *flatten)
{
	const struct rps_profile *profile = flatten->profile;
	struct rps_call_graph *graph = flatten->graph;
	struct candidate *candidates = calloc((size_t)profile->n_functions + 1, sizeof(*candidates));
	uint32_t n_candidates = 0;

	graph->functions = calloc((size_t)profile->n_functions + 1, sizeof(*graph->functions));
	if (candidates == NULL || graph->functions == NULL) {
		free(candidates);
		return -1;
	}
	flatten->root = RPS_NONE;
	if (!root_is_title(profile))
		candidates[n_candidates++] = candidate_for(flatten, profile->nodes[0].function, true);
	for (uint32_t i = 0; i < profile->n_functions; i++)
		if (flatten->place_of[i] != RPS_NONE)
			candidates[n_candidates++] = candidate_for(flatten, i, false);
	qsort(candidates, n_candidates, sizeof(*candidates), compare_candidates);
	for (uint32_t i = 0; i < n_candidates; i++) {
		if (i == 0 || compare_candidates(&candidates[i - 1], &candidates[i]) != 0)
			graph->functions[graph->n_functions++] = candidates[i].as;
		if (candidates[i].function == RPS_NONE)
			flatten->root = graph->n_functions - 1;
		else
			flatten->place_of[candidates[i].function] = graph->n_functions - 1;
	}
	free(candidates);
	return 0;
}

/* Marks in place_of the functions that are to have a place. */
static void choose_functions(struct flatten *flatten)
{
	const struct rps_profile *profile = flatten->profile;

	for (uint32_t i = 0; i < profile->n_functions; i++)
		flatten->place_of[i] = RPS_NONE;
	for (uint32_t i = 1; i < profile->n_nodes; i++)
		if (!is_empty(profile->nodes[i].self, profile->n_events))
			flatten->place_of[profile->nodes[i].function] = 0;
	for (uint32_t i = 0; i < profile->n_edges; i++) {
		const struct rps_edge *edge = &profile->edges[i];

		if (edge_is_empty(profile, edge))
			continue;
		flatten->place_of[profile->nodes[edge->to].function] = 0;
		if (edge->from != 0)
			flatten->place_of[profile->nodes[edge->from].function] = 0;
	}
}

static uint32_t place_of_node(const struct flatten *flatten, uint32_t node)
{
	return node == 0 ? flatten->root : flatten->place_of[flatten->profile->nodes[node].function];
}

/* ---- Calls -------------------------------------------------------------------------------------- */

/* An edge of the tree on its way to its call. */
struct flat_edge {
	uint32_t caller, callee, site_line;
	uint32_t site_order; /* 0: the caller's own file; else 1 + the file's index */
	uint32_t edge;
	bool is_outermost;
};

static int compare_flat_edges(const void *a, const void *b)
{
	const struct flat_edge *left = a, *right = b;

	if (left->caller != right->caller)
		return left->caller < right->caller ? -1 : 1;
	if (left->site_order != right->site_order)
		return left->site_order < right->site_order ? -1 : 1;
	if (left->site_line != right->site_line)
		return left->site_line < right->site_line ? -1 : 1;
	return left->callee == right->callee ? 0 : left->callee < right->callee ? -1 : 1;
}

static struct flat_edge flatten_edge(const struct flatten *flatten, uint32_t i)
{
	const struct rps_edge *edge = &flatten->profile->edges[i];
	const struct rps_call_graph *graph = flatten->graph;
	struct flat_edge flat = {.edge = i};
	uint32_t file;

	flat.caller = place_of_node(flatten, edge->from);
	flat.callee = place_of_node(flatten, edge->to);
	if (!has_site(flatten->profile, edge))
		return flat;
	flat.site_line = edge->site_line;
	file = find_text(graph->files, graph->n_files, edge->site_file);
	flat.site_order = file == graph->functions[flat.caller].file ? 0 : file + 1;
	return flat;
}

/* Walks the tree and notes for each edge whether the callee is active already
 * on the caller's path. Then its costs are part of an activation further out
 * that is charged itself. The model's edges know that of functions; here symbols were joined
 * to one function, which may make one nested that was not. */
static uint32_t walk(const struct flatten *flatten, struct flat_edge *flat_edges, uint32_t *n_active,
		     uint32_t *first_child, uint32_t *next_sibling)
{
	const struct rps_profile *profile = flatten->profile;
	uint32_t n_flat = 0, node = 0;

	for (uint32_t i = profile->n_nodes; i-- > 0;) {
		first_child[i] = RPS_NONE;
		next_sibling[i] = RPS_NONE;
	}
	for (uint32_t i = profile->n_nodes; i-- > 1;) {
		next_sibling[i] = first_child[profile->nodes[i].parent];
		first_child[profile->nodes[i].parent] = i;
	}
	for (;;) {
		uint32_t place = place_of_node(flatten, node);

		if (place != RPS_NONE)
			n_active[place]++;
		for (uint32_t at = profile->nodes[node].first_edge; at != RPS_NONE;
		     at = profile->edges[at].next) {
			if (edge_is_empty(profile, &profile->edges[at]))
				continue;
			flat_edges[n_flat] = flatten_edge(flatten, at);
			flat_edges[n_flat].is_outermost =
			    profile->is_flat || n_active[flat_edges[n_flat].callee] == 0;
			n_flat++;
		}
		if (first_child[node] != RPS_NONE) {
			node = first_child[node];
			continue;
		}
		for (;;) {
			place = place_of_node(flatten, node);
			if (place != RPS_NONE)
				n_active[place]--;
			if (node == 0)
				return n_flat;
			if (next_sibling[node] != RPS_NONE)
				break;
			node = profile->nodes[node].parent;
		}
		node = next_sibling[node];
	}
}

static void add_costs(uint64_t *sum, const uint64_t *costs, uint32_t n_events)
{
	for (uint32_t event = 0; event < n_events; event++)
		sum[event] = rps_cost_add(sum[event], costs[event]);
}

static void sum_up(struct flatten *flatten, struct flat_edge *flat_edges, uint32_t n_flat)
{
	const struct rps_profile *profile = flatten->profile;
	struct rps_call_graph *graph = flatten->graph;
	uint64_t *costs = graph->costs;
	struct rps_graph_call *call = NULL;

	for (uint32_t i = 0; i < graph->n_functions; i++, costs += profile->n_events)
		graph->functions[i].self = costs;
	for (uint32_t i = 0; i < profile->n_nodes; i++) {
		uint32_t place = place_of_node(flatten, i);

		if (place != RPS_NONE)
			add_costs(graph->functions[place].self, profile->nodes[i].self, profile->n_events);
	}
	qsort(flat_edges, n_flat, sizeof(*flat_edges), compare_flat_edges);
	for (uint32_t i = 0; i < n_flat; i++) {
		const struct flat_edge *flat = &flat_edges[i];
		const struct rps_edge *edge = &profile->edges[flat->edge];
		struct rps_graph_function *caller = &graph->functions[flat->caller];

		if (i == 0 || compare_flat_edges(&flat_edges[i - 1], flat) != 0) {
			if (caller->n_calls++ == 0)
				caller->first_call = graph->n_calls;
			call = &graph->calls[graph->n_calls++];
			call->caller = flat->caller;
			call->callee = flat->callee;
			call->site_file = flat->site_order == 0 ? caller->file : flat->site_order - 1;
			call->site_line = flat->site_line;
			call->inclusive = costs;
			costs += profile->n_events;
		}
		call->calls = rps_cost_add(call->calls, edge->calls);
		if (flat->is_outermost)
			add_costs(call->inclusive, edge->inclusive, profile->n_events);
	}
}

/* ---- Lines -------------------------------------------------------------------------------------- */

static int compare_lines(const void *a, const void *b, void *cls)
{
	const struct rps_graph_line *left = a, *right = b;
	const struct flatten *flatten = cls;
	const struct rps_call_graph *graph = flatten->graph;
	const uint32_t own_file = graph->functions[left->function].file;

	if (left->function != right->function)
		return left->function < right->function ? -1 : 1;
	if (left->file != right->file) {
		if (left->file == own_file || right->file == own_file)
			return left->file == own_file ? -1 : 1;
		return left->file < right->file ? -1 : 1;
	}
	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	/* Of two symbols of one function. */
	for (uint32_t event = 0; event < flatten->profile->n_events; event++)
		if (left->self[event] != right->self[event])
			return left->self[event] < right->self[event] ? -1 : 1;
	return 0;
}

static void collect_lines(struct flatten *flatten)
{
	const struct rps_profile *profile = flatten->profile;
	struct rps_call_graph *graph = flatten->graph;

	for (uint32_t i = 0; i < profile->n_lines; i++) {
		const struct rps_line_cost *line = &profile->lines[i];

		if (!is_empty(line->self, profile->n_events))
			graph->lines[graph->n_lines++] = (struct rps_graph_line){
			    place_of_node(flatten, line->node),
			    find_text(graph->files, graph->n_files, line->file), line->line, line->self};
	}
	qsort_r(graph->lines, graph->n_lines, sizeof(*graph->lines), compare_lines, flatten);
	for (uint32_t i = 0; i < graph->n_lines; i++) {
		struct rps_graph_function *function = &graph->functions[graph->lines[i].function];

		if (function->n_lines++ == 0)
			function->first_line = i;
	}
}

/* ---- Life --------------------------------------------------------------------------------------- */

struct rps_call_graph *rps_call_graph_create(const struct rps_profile *profile)
{
	struct rps_call_graph *graph = calloc(1, sizeof(*graph));
	struct flatten flatten = {.profile = profile, .graph = graph};
	struct flat_edge *flat_edges = calloc((size_t)profile->n_edges + 1, sizeof(*flat_edges));
	uint32_t *links = calloc((size_t)profile->n_nodes * 2, sizeof(*links));
	uint32_t *n_active = NULL;
	bool done = false;

	flatten.place_of = calloc(profile->n_functions, sizeof(*flatten.place_of));
	if (graph == NULL || flat_edges == NULL || links == NULL || flatten.place_of == NULL)
		goto out;
	choose_functions(&flatten);
	if (collect_texts(&flatten) != 0 || place_functions(&flatten) != 0)
		goto out;
	n_active = calloc((size_t)graph->n_functions + 1, sizeof(*n_active));
	graph->calls = calloc((size_t)profile->n_edges + 1, sizeof(*graph->calls));
	graph->costs = calloc(((size_t)graph->n_functions + profile->n_edges) * profile->n_events,
			      sizeof(*graph->costs));
	graph->lines = calloc((size_t)profile->n_lines + 1, sizeof(*graph->lines));
	if (n_active == NULL || graph->calls == NULL || graph->costs == NULL || graph->lines == NULL)
		goto out;
	sum_up(&flatten, flat_edges, walk(&flatten, flat_edges, n_active, links, links + profile->n_nodes));
	collect_lines(&flatten);
	done = true;
out:
	free(n_active);
	free(flatten.place_of);
	free(links);
	free(flat_edges);
	if (!done) {
		rps_call_graph_destroy(graph);
		graph = NULL;
	}
	return graph;
}

void rps_call_graph_destroy(struct rps_call_graph *graph)
{
	if (graph == NULL)
		return;
	free(graph->files);
	free(graph->objects);
	free(graph->functions);
	free(graph->calls);
	free(graph->lines);
	free(graph->costs);
	free(graph);
}
