/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures per function (flat.h). Called by the commands that show profiles, on their thread. */
#include "profile/flat.h"

#include <stdlib.h>
#include <string.h>

static bool is_recursive(const struct rps_graph_call *call)
{
	return call->caller == call->callee;
}

/* ---- Cycles: strongly connected functions (Tarjan), without recursion: stacks may be deep ------- */

struct search {
	const struct rps_call_graph *graph;
	uint32_t *number, *low, *next_call; /* of each function; number 0: not seen */
	uint32_t *path, *open;              /* stacks */
	bool *is_open;
	uint32_t n_path, n_open, n_numbers;
};

static void enter(struct search *search, uint32_t function)
{
	search->number[function] = search->low[function] = ++search->n_numbers;
	search->next_call[function] = search->graph->functions[function].first_call;
	search->path[search->n_path++] = function;
	search->open[search->n_open++] = function;
	search->is_open[function] = true;
}

static void leave(struct search *search, struct rps_flat_function *functions)
{
	const uint32_t function = search->path[--search->n_path];
	uint32_t member;

	if (search->n_path > 0) {
		uint32_t *low = &search->low[search->path[search->n_path - 1]];

		*low = search->low[function] < *low ? search->low[function] : *low;
	}
	if (search->low[function] != search->number[function])
		return;
	if (search->open[search->n_open - 1] == function) {
		search->is_open[function] = false;
		search->n_open--;
		return;
	}
	do {
		member = search->open[--search->n_open];
		search->is_open[member] = false;
		functions[member].cycle = function;
	} while (member != function);
}

static void visit(struct search *search, uint32_t start, struct rps_flat_function *functions)
{
	const struct rps_call_graph *graph = search->graph;

	enter(search, start);
	while (search->n_path > 0) {
		const uint32_t function = search->path[search->n_path - 1];
		const struct rps_graph_function *node = &graph->functions[function];
		uint32_t callee;

		if (search->next_call[function] == node->first_call + node->n_calls) {
			leave(search, functions);
			continue;
		}
		callee = graph->calls[search->next_call[function]++].callee;
		if (search->number[callee] == 0)
			enter(search, callee);
		else if (search->is_open[callee] && search->number[callee] < search->low[function])
			search->low[function] = search->number[callee];
	}
}

static int find_cycles(struct rps_flat *flat)
{
	const struct rps_call_graph *graph = flat->graph;
	uint32_t *numbers = calloc((size_t)graph->n_functions + 1, 5 * sizeof(*numbers));
	bool *is_open = calloc((size_t)graph->n_functions + 1, sizeof(*is_open));
	struct search search = {.graph = graph, .is_open = is_open};

	if (numbers == NULL || is_open == NULL) {
		free(numbers);
		free(is_open);
		return -1;
	}
	search.number = numbers;
	search.low = search.number + graph->n_functions;
	search.next_call = search.low + graph->n_functions;
	search.path = search.next_call + graph->n_functions;
	search.open = search.path + graph->n_functions;
	for (uint32_t i = 0; i < graph->n_functions; i++)
		flat->functions[i].cycle = RPS_NONE;
	for (uint32_t i = 0; i < graph->n_functions; i++)
		if (search.number[i] == 0)
			visit(&search, i, flat->functions);
	free(numbers);
	free(is_open);
	return 0;
}

/* ---- Sums --------------------------------------------------------------------------------------- */

static void add(uint64_t *sum, const uint64_t *costs, uint32_t n_events)
{
	for (uint32_t event = 0; event < n_events; event++)
		sum[event] = rps_cost_add(sum[event], costs[event]);
}

static void sum_calls(struct rps_flat *flat, uint32_t n_events)
{
	const struct rps_call_graph *graph = flat->graph;
	uint32_t at = 0;

	for (uint32_t i = 0; i < graph->n_calls; i++) {
		const struct rps_graph_call *call = &graph->calls[i];
		struct rps_flat_function *callee = &flat->functions[call->callee];

		callee->n_callers++;
		callee->calls = rps_cost_add(callee->calls, call->calls);
		callee->is_recursive |= is_recursive(call) || callee->cycle != RPS_NONE;
		if (!is_recursive(call))
			add(callee->inclusive, call->inclusive, n_events);
	}
	for (uint32_t i = 0; i < graph->n_functions; i++) {
		flat->functions[i].first_caller = at;
		at += flat->functions[i].n_callers;
		flat->functions[i].n_callers = 0;
	}
	for (uint32_t i = 0; i < graph->n_calls; i++) {
		struct rps_flat_function *callee = &flat->functions[graph->calls[i].callee];

		flat->callers[callee->first_caller + callee->n_callers++] = i;
	}
}

static bool has_callers(const struct rps_flat *flat, uint32_t function)
{
	const struct rps_flat_function *of = &flat->functions[function];

	for (uint32_t i = 0; i < of->n_callers; i++)
		if (!is_recursive(&flat->graph->calls[flat->callers[of->first_caller + i]]))
			return true;
	return false;
}

static void sum_uncalled(struct rps_flat *flat, uint32_t n_events)
{
	const struct rps_call_graph *graph = flat->graph;

	for (uint32_t i = 0; i < graph->n_functions; i++) {
		const struct rps_graph_function *function = &graph->functions[i];

		if (has_callers(flat, i))
			continue;
		memcpy(flat->functions[i].inclusive, function->self, n_events * sizeof(uint64_t));
		for (uint32_t j = 0; j < function->n_calls; j++)
			if (!is_recursive(&graph->calls[function->first_call + j]))
				add(flat->functions[i].inclusive,
				    graph->calls[function->first_call + j].inclusive, n_events);
	}
}

/* What a cycle costs: its members' own costs, and the calls that leave it. */
static int bound_cycles(struct rps_flat *flat, uint32_t n_events)
{
	const struct rps_call_graph *graph = flat->graph;
	uint64_t *of_cycle = calloc((size_t)graph->n_functions + 1, n_events * sizeof(*of_cycle));

	if (of_cycle == NULL)
		return -1;
	for (uint32_t i = 0; i < graph->n_functions; i++) {
		const struct rps_graph_function *function = &graph->functions[i];
		const uint32_t cycle = flat->functions[i].cycle;

		if (cycle == RPS_NONE)
			continue;
		add(&of_cycle[(size_t)cycle * n_events], function->self, n_events);
		for (uint32_t j = function->first_call; j < function->first_call + function->n_calls; j++)
			if (flat->functions[graph->calls[j].callee].cycle != cycle)
				add(&of_cycle[(size_t)cycle * n_events], graph->calls[j].inclusive, n_events);
	}
	for (uint32_t i = 0; i < graph->n_functions; i++) {
		const uint64_t *bound;

		if (flat->functions[i].cycle == RPS_NONE)
			continue;
		bound = &of_cycle[(size_t)flat->functions[i].cycle * n_events];
		for (uint32_t event = 0; event < n_events; event++)
			if (flat->functions[i].inclusive[event] > bound[event])
				flat->functions[i].inclusive[event] = bound[event];
	}
	free(of_cycle);
	return 0;
}

/* ---- Life --------------------------------------------------------------------------------------- */

struct rps_flat *rps_flat_create(const struct rps_profile *profile)
{
	struct rps_flat *flat = calloc(1, sizeof(*flat));

	if (flat == NULL)
		return NULL;
	flat->graph = rps_call_graph_create(profile);
	if (flat->graph == NULL)
		goto failed;
	flat->functions = calloc((size_t)flat->graph->n_functions + 1, sizeof(*flat->functions));
	flat->callers = calloc((size_t)flat->graph->n_calls + 1, sizeof(*flat->callers));
	flat->costs =
	    calloc(((size_t)flat->graph->n_functions + 1) * profile->n_events, sizeof(*flat->costs));
	if (flat->functions == NULL || flat->callers == NULL || flat->costs == NULL || find_cycles(flat) != 0)
		goto failed;
	for (uint32_t i = 0; i < flat->graph->n_functions; i++)
		flat->functions[i].inclusive = flat->costs + (size_t)i * profile->n_events;
	for (uint32_t event = 0; event < profile->n_events; event++)
		flat->totals[event] = rps_profile_total(profile, event);
	sum_calls(flat, profile->n_events);
	sum_uncalled(flat, profile->n_events);
	if (bound_cycles(flat, profile->n_events) != 0)
		goto failed;
	return flat;
failed:
	rps_flat_destroy(flat);
	return NULL;
}

void rps_flat_destroy(struct rps_flat *flat)
{
	if (flat == NULL)
		return;
	rps_call_graph_destroy(flat->graph);
	free(flat->functions);
	free(flat->callers);
	free(flat->costs);
	free(flat);
}
