/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Collects costs by line (line_costs.h). */
#include "tools/line_costs.h"

#include <errno.h>
#include <stdlib.h>

static int compare_lines(const void *a, const void *b)
{
	const struct rps_source_line *left = a, *right = b;

	if (left->file != right->file)
		return left->file < right->file ? -1 : 1;
	return left->line == right->line ? 0 : left->line < right->line ? -1 : 1;
}

static void add_line(struct rps_line_costs *costs, const struct rps_source_line *line)
{
	if (line->self != 0 || line->calls != 0 || line->called != 0)
		costs->lines[costs->n_lines++] = *line;
}

/* What no line is known for is its definition's. */
static void add_function(struct rps_line_costs *costs, const struct rps_call_graph *graph, uint32_t i,
			 uint32_t event)
{
	const struct rps_graph_function *function = &graph->functions[i];
	uint64_t rest = function->self[event];

	for (uint32_t j = function->first_line; j < function->first_line + function->n_lines; j++) {
		const struct rps_graph_line *line = &graph->lines[j];
		const uint64_t self = line->self[event];

		add_line(costs,
			 &(struct rps_source_line){.file = line->file, .line = line->line, .self = self});
		rest -= self < rest ? self : rest;
	}
	add_line(costs,
		 &(struct rps_source_line){.file = function->file, .line = function->line, .self = rest});
	for (uint32_t j = function->first_call; j < function->first_call + function->n_calls; j++) {
		const struct rps_graph_call *call = &graph->calls[j];

		add_line(costs, &(struct rps_source_line){.file = call->site_file,
							  .line = call->site_line,
							  .calls = call->calls,
							  .called = call->inclusive[event]});
	}
}

static void unite_lines(struct rps_line_costs *costs)
{
	uint32_t n = 0;

	if (costs->n_lines > 0)
		qsort(costs->lines, costs->n_lines, sizeof(*costs->lines), compare_lines);
	for (uint32_t i = 0; i < costs->n_lines; i++) {
		const struct rps_source_line *line = &costs->lines[i];
		struct rps_source_line *last = n > 0 ? &costs->lines[n - 1] : NULL;

		if (last == NULL || compare_lines(last, line) != 0) {
			costs->lines[n++] = *line;
			continue;
		}
		last->self = rps_cost_add(last->self, line->self);
		last->calls = rps_cost_add(last->calls, line->calls);
		last->called = rps_cost_add(last->called, line->called);
	}
	costs->n_lines = n;
}

int rps_line_costs_create(struct rps_line_costs *costs, const struct rps_call_graph *graph, uint32_t event,
			  const bool *chosen)
{
	*costs = (struct rps_line_costs){0};
	costs->lines =
	    calloc((size_t)graph->n_functions + graph->n_lines + graph->n_calls + 1, sizeof(*costs->lines));
	if (costs->lines == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < graph->n_functions; i++)
		if (chosen == NULL || chosen[i])
			add_function(costs, graph, i, event);
	unite_lines(costs);
	return 0;
}

void rps_line_costs_clear(struct rps_line_costs *costs)
{
	free(costs->lines);
	*costs = (struct rps_line_costs){0};
}
