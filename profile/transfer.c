/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See transfer.h. Called by merge_sum.c and flatten.c, on their caller's thread. */
#include "profile/transfer.h"

#include <errno.h>
#include <string.h>

int rps_transfer_map_events(struct rps_transfer *transfer)
{
	struct rps_event *events = transfer->all_events;
	uint32_t n_events = transfer->to->n_events;

	memcpy(events, transfer->to->events, sizeof(transfer->all_events));
	for (uint32_t i = 0; i < transfer->from->n_events; i++) {
		uint32_t event = 0;

		while (event < n_events && strcmp(events[event].name, transfer->from->events[i].name) != 0)
			event++;
		if (event == RPS_EVENTS_MAX)
			return -E2BIG;
		if (event == n_events)
			events[n_events++] = transfer->from->events[i];
		transfer->events[i] = event;
	}
	transfer->n_all_events = n_events;
	return 0;
}

int rps_transfer_add_events(struct rps_transfer *transfer)
{
	if (transfer->n_all_events == transfer->to->n_events)
		return 0;
	return rps_profile_set_events(transfer->to, transfer->all_events, transfer->n_all_events);
}

void rps_transfer_add_costs(const struct rps_transfer *transfer, uint64_t *sum, const uint64_t *costs)
{
	for (uint32_t i = 0; i < transfer->from->n_events; i++)
		sum[transfer->events[i]] = rps_cost_add(sum[transfer->events[i]], costs[i]);
}

/* What is in the overflow node of any input is in one node below the root: there is only one that edges
 * may lead to from anywhere. */
int rps_transfer_map_nodes(struct rps_transfer *transfer)
{
	const struct rps_profile *from = transfer->from;

	/* The root is first in any order. */
	for (uint32_t at = 1; at < from->n_nodes; at++) {
		const uint32_t i = transfer->order != NULL ? transfer->order->nodes[at] : at;
		uint32_t parent = from->is_flat ? 0 : transfer->nodes[from->nodes[i].parent];

		if (i == from->overflow)
			parent = 0;
		transfer->nodes[i] =
		    rps_profile_node(transfer->to, parent, transfer->functions[from->nodes[i].function]);
		if (transfer->nodes[i] == RPS_NONE)
			return -ENOMEM;
		if (i == from->overflow)
			transfer->to->overflow = transfer->nodes[i];
	}
	return 0;
}

int rps_transfer_add_all(struct rps_transfer *transfer)
{
	const struct rps_profile *from = transfer->from;
	struct rps_profile *to = transfer->to;

	for (uint32_t i = 0; i < from->n_nodes; i++)
		rps_transfer_add_costs(transfer, to->nodes[transfer->nodes[i]].self, from->nodes[i].self);
	for (uint32_t i = 0; i < from->n_edges; i++) {
		const struct rps_edge *edge =
		    &from->edges[transfer->order != NULL ? transfer->order->edges[i] : i];
		uint32_t at = rps_profile_edge(to, transfer->nodes[edge->from], transfer->nodes[edge->to],
					       edge->site_file, edge->site_line);

		if (at == RPS_NONE)
			return -ENOMEM;
		to->edges[at].calls = rps_cost_add(to->edges[at].calls, edge->calls);
		rps_transfer_add_costs(transfer, to->edges[at].inclusive, edge->inclusive);
	}
	for (uint32_t i = 0; i < from->n_lines; i++) {
		const struct rps_line_cost *line =
		    &from->lines[transfer->order != NULL ? transfer->order->lines[i] : i];
		uint32_t at = rps_profile_line(to, transfer->nodes[line->node], line->file, line->line);

		if (at == RPS_NONE)
			return -ENOMEM;
		rps_transfer_add_costs(transfer, to->lines[at].self, line->self);
	}
	return 0;
}
