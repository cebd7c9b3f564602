/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures per function (flat.h). Called by the commands that show profiles, on their thread. */
#include "profile/flat.h"

#include "profile/cycles.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_recursive(const struct rps_graph_call *call)
{
	return call->caller == call->callee;
}

static int find_cycles(struct rps_flat *flat)
{
	const struct rps_call_graph *graph = flat->graph;
	uint32_t *first_callee = malloc(((size_t)graph->n_functions + 1) * sizeof(*first_callee));
	uint32_t *callees = malloc(((size_t)graph->n_calls + 1) * sizeof(*callees));
	uint32_t *cycle_of = malloc(((size_t)graph->n_functions + 1) * sizeof(*cycle_of));
	int error = -ENOMEM;

	if (first_callee == NULL || callees == NULL || cycle_of == NULL)
		goto out;
	first_callee[0] = 0;
	for (uint32_t i = 0; i < graph->n_functions; i++)
		first_callee[i + 1] = first_callee[i] + graph->functions[i].n_calls;
	for (uint32_t i = 0; i < graph->n_calls; i++)
		callees[i] = graph->calls[i].callee;
	error = rps_cycles_find(graph->n_functions, first_callee, callees, cycle_of);
	for (uint32_t i = 0; i < graph->n_functions && error == 0; i++)
		flat->functions[i].cycle = cycle_of[i];
out:
	free(first_callee);
	free(callees);
	free(cycle_of);
	return error;
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
