/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See flatten.h. Called for sums of which some inputs know no contexts, on their thread. The call graph has
 * added up all nodes of a function, so what is left is to put it into a profile. */
#include "profile/flatten.h"

#include "profile/call_graph.h"
#include "profile/transfer.h"

#include <errno.h>
#include <stdlib.h>

struct flattening {
	const struct rps_call_graph *graph;
	struct rps_transfer transfer; /* of events and costs only */
	uint32_t *nodes;              /* of each of the graph's functions */
};

static int put_functions(struct flattening *flattening)
{
	const struct rps_call_graph *graph = flattening->graph;
	struct rps_profile *flat = flattening->transfer.to;

	for (uint32_t i = 0; i < graph->n_functions; i++) {
		const struct rps_graph_function *function = &graph->functions[i];
		const struct rps_function key = {.name = function->name,
						 .file = graph->files[function->file],
						 .object = graph->objects[function->object],
						 .line = function->line};
		uint32_t id, node = 0;

		if (!function->is_root) {
			id = rps_profile_function(flat, &key);
			node = id != RPS_NONE ? rps_profile_node(flat, 0, id) : RPS_NONE;
		}
		if (node == RPS_NONE)
			return -ENOMEM;
		flattening->nodes[i] = node;
		rps_transfer_add_costs(&flattening->transfer, flat->nodes[node].self, function->self);
	}
	return 0;
}

static int put_calls(struct flattening *flattening)
{
	const struct rps_call_graph *graph = flattening->graph;
	struct rps_profile *flat = flattening->transfer.to;

	for (uint32_t i = 0; i < graph->n_calls; i++) {
		const struct rps_graph_call *call = &graph->calls[i];
		const char *site_file = call->site_line != 0 ? graph->files[call->site_file] : "";
		uint32_t edge = rps_profile_edge(flat, flattening->nodes[call->caller],
						 flattening->nodes[call->callee], site_file, call->site_line);

		if (edge == RPS_NONE)
			return -ENOMEM;
		flat->edges[edge].calls = rps_cost_add(flat->edges[edge].calls, call->calls);
		rps_transfer_add_costs(&flattening->transfer, flat->edges[edge].inclusive, call->inclusive);
	}
	return 0;
}

static int put_lines(struct flattening *flattening)
{
	const struct rps_call_graph *graph = flattening->graph;
	struct rps_profile *flat = flattening->transfer.to;

	for (uint32_t i = 0; i < graph->n_lines; i++) {
		const struct rps_graph_line *line = &graph->lines[i];
		uint32_t at = rps_profile_line(flat, flattening->nodes[line->function],
					       graph->files[line->file], line->line);

		if (at == RPS_NONE)
			return -ENOMEM;
		rps_transfer_add_costs(&flattening->transfer, flat->lines[at].self, line->self);
	}
	return 0;
}

int rps_profile_flatten(const struct rps_profile *profile, struct rps_profile *flat)
{
	struct rps_call_graph *graph = rps_call_graph_create(profile);
	struct flattening flattening = {.graph = graph, .transfer = {.from = profile, .to = flat}};
	int error = -ENOMEM;

	if (graph == NULL)
		return -ENOMEM;
	flattening.nodes = calloc((size_t)graph->n_functions + 1, sizeof(*flattening.nodes));
	if (flattening.nodes == NULL)
		goto out;
	error = rps_transfer_map_events(&flattening.transfer);
	if (error == 0)
		error = rps_transfer_add_events(&flattening.transfer);
	if (error == 0)
		error = put_functions(&flattening);
	if (error == 0)
		error = put_calls(&flattening);
	if (error == 0)
		error = put_lines(&flattening);
out:
	free(flattening.nodes);
	rps_call_graph_destroy(graph);
	return error;
}
