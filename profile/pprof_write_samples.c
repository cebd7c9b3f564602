/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The samples of pprof files (pprof_writer.h).
 *
 * A call tree as stacks, each with its counts (pprof.proto has the format):
 *
 *     edge walk -> parse, router.c:41, 3 calls     [parse:12, walk:41, handle:30, GET /cart]   3   900
 *     the edge handle -> walk that recursion folds [walk:25, walk:27, handle:30, GET /cart]    2     0
 *     a line of parse's own that costs             [parse:14, walk:41, handle:30, GET /cart]   0   250
 *
 * So each call's count stands exactly where it was made. A node's self cost is divided among the edges that
 * lead to it, in the ratio of their inclusive costs. Where a function further out was entered from several
 * places, its frames name the one that cost most. */
#include "profile/pprof_writer.h"

#include "profile/order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- The order of things ------------------------------------------------------------------------ */

static int sort_nodes(struct rps_pprof_writer *writer)
{
	writer->order = rps_profile_order(writer->profile);
	writer->place = malloc(writer->profile->n_nodes * sizeof(*writer->place));
	if (writer->order == NULL || writer->place == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < writer->profile->n_nodes; i++)
		writer->place[writer->order[i]] = i;
	return 0;
}

static int compare_edges(const void *a, const void *b, void *cls)
{
	const struct rps_pprof_writer *writer = cls;
	const struct rps_edge *left = &writer->profile->edges[*(const uint32_t *)a];
	const struct rps_edge *right = &writer->profile->edges[*(const uint32_t *)b];
	int order;

	if (left->to != right->to)
		return left->to < right->to ? -1 : 1;
	order = left->site_file == right->site_file ? 0 : strcmp(left->site_file, right->site_file);
	if (order != 0)
		return order;
	if (left->site_line != right->site_line)
		return left->site_line < right->site_line ? -1 : 1;
	return writer->place[left->from] < writer->place[right->from] ? -1 : left->from != right->from;
}

static bool costs_more(const struct rps_edge *edge, const struct rps_edge *than)
{
	if (edge->inclusive[0] != than->inclusive[0])
		return edge->inclusive[0] > than->inclusive[0];
	return edge->calls > than->calls;
}

static int sort_edges(struct rps_pprof_writer *writer)
{
	const struct rps_profile *profile = writer->profile;

	writer->edges_to = malloc((size_t)(profile->n_edges + 1) * sizeof(*writer->edges_to));
	writer->first_edge_to = malloc(((size_t)profile->n_nodes + 1) * sizeof(*writer->first_edge_to));
	writer->main_edge = malloc(profile->n_nodes * sizeof(*writer->main_edge));
	if (writer->edges_to == NULL || writer->first_edge_to == NULL || writer->main_edge == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < profile->n_edges; i++)
		writer->edges_to[i] = i;
	qsort_r(writer->edges_to, profile->n_edges, sizeof(*writer->edges_to), compare_edges, writer);
	for (uint32_t node = 0, at = 0; node <= profile->n_nodes; node++) {
		while (at < profile->n_edges && profile->edges[writer->edges_to[at]].to < node)
			at++;
		writer->first_edge_to[node] = at;
	}
	for (uint32_t node = 0; node < profile->n_nodes; node++) {
		uint32_t *best = &writer->main_edge[node];

		*best = RPS_NONE;
		for (uint32_t i = writer->first_edge_to[node]; i < writer->first_edge_to[node + 1]; i++) {
			const struct rps_edge *edge = &profile->edges[writer->edges_to[i]];

			if (edge->from == profile->nodes[node].parent &&
			    (*best == RPS_NONE || costs_more(edge, &profile->edges[*best])))
				*best = writer->edges_to[i];
		}
	}
	return 0;
}

int rps_pprof_writer_sort(struct rps_pprof_writer *writer)
{
	int error = sort_nodes(writer);

	return error == 0 ? sort_edges(writer) : error;
}

/* ---- Samples ------------------------------------------------------------------------------------ */

static void push(struct rps_pprof_writer *writer, uint64_t id)
{
	if (writer->n_stack == writer->stack_room) {
		size_t room = writer->stack_room == 0 ? 256 : writer->stack_room * 2;
		uint64_t *grown = realloc(writer->stack, room * sizeof(*grown));

		if (grown == NULL) {
			rps_pprof_writer_fail(writer, -ENOMEM);
			return;
		}
		writer->stack = grown;
		writer->stack_room = room;
	}
	writer->stack[writer->n_stack++] = id;
}

static const char *file_of_node(const struct rps_pprof_writer *writer, uint32_t node)
{
	return writer->profile->functions[writer->profile->nodes[node].function].file;
}

/* The frame of `node`, at the place from which it makes the call `edge` (RPS_NONE: not known). */
static void push_caller(struct rps_pprof_writer *writer, uint32_t node, uint32_t edge)
{
	const struct rps_profile *profile = writer->profile;
	const struct rps_edge *call = edge != RPS_NONE ? &profile->edges[edge] : NULL;
	const bool has_site = call != NULL && call->site_line != 0;

	if (node == 0 && writer->root_is_title)
		return;
	push(writer, rps_pprof_writer_location(writer, profile->nodes[node].function,
					       has_site ? call->site_file : file_of_node(writer, node),
					       has_site ? call->site_line : 0));
}

/* All frames below the leaf: the one that calls it by `edge`, and those above. */
static void push_callers(struct rps_pprof_writer *writer, uint32_t node, uint32_t edge)
{
	const struct rps_profile *profile = writer->profile;

	push_caller(writer, node, edge);
	for (; node != 0; node = profile->nodes[node].parent)
		push_caller(writer, profile->nodes[node].parent, writer->main_edge[node]);
}

/* Which costs the call by `edge` has in a file of ours; NULL: another sample tells. */
static const uint64_t *exact_inclusive(struct rps_pprof_writer *writer, uint32_t edge)
{
	uint32_t flat_edge;

	if (writer->flat == NULL)
		return writer->profile->edges[edge].inclusive;
	flat_edge = writer->flat_edge[edge];
	if (flat_edge == RPS_NONE || writer->flat_edge_done[flat_edge])
		return NULL;
	writer->flat_edge_done[flat_edge] = true;
	return writer->flat->edges[flat_edge].inclusive;
}

static void put_sample(struct rps_pprof_writer *writer, uint64_t calls, const uint64_t *costs, uint32_t edge,
		       bool into_overflow)
{
	const uint32_t n_events = writer->profile->n_events;
	Rps__Pprof__Profile piece = RPS__PPROF__PROFILE__INIT;
	Rps__Pprof__Sample sample = RPS__PPROF__SAMPLE__INIT, *samples = &sample;
	int64_t values[RPS_EVENTS_MAX + 1];
	const uint64_t *inclusive = edge != RPS_NONE ? exact_inclusive(writer, edge) : NULL;

	values[0] = rps_pprof_writer_positive(writer, calls);
	for (uint32_t event = 0; event < n_events; event++)
		values[event + 1] = costs != NULL ? rps_pprof_writer_positive(writer, costs[event]) : 0;
	sample.n_location_id = writer->n_stack;
	sample.location_id = writer->stack;
	sample.n_value = n_events + 1;
	sample.value = values;
	sample.n_label = writer->n_labels;
	sample.label = writer->label_pointers;
	sample.into_overflow = into_overflow;
	if (inclusive != NULL) {
		sample.n_inclusive = n_events;
		sample.inclusive = (uint64_t *)(uintptr_t)inclusive;
	}
	piece.n_sample = 1;
	piece.sample = &samples;
	if (writer->error == 0)
		rps_pprof_writer_emit(writer, &piece);
}

/* A sample for the place in `node` itself, below the path that cost most. */
static void put_own(struct rps_pprof_writer *writer, uint32_t node, const char *file, uint32_t line,
		    const uint64_t *costs)
{
	const struct rps_profile *profile = writer->profile;

	writer->n_stack = 0;
	if (node != 0 || !writer->root_is_title)
		push(writer, rps_pprof_writer_location(writer, profile->nodes[node].function, file, line));
	if (node != 0)
		push_callers(writer, profile->nodes[node].parent, writer->main_edge[node]);
	put_sample(writer, 0, costs, RPS_NONE, false);
}

/* What of `left` falls to an edge with `weight`, of `*weights` in all that is still to come. */
static uint64_t share(uint64_t *left, uint64_t weight, uint64_t *weights)
{
	uint64_t part = *weights == weight ? *left : (uint64_t)((unsigned __int128)*left * weight / *weights);

	*weights -= weight;
	*left -= part;
	return part;
}

static void put_edges(struct rps_pprof_writer *writer, uint32_t node, uint64_t *own)
{
	const struct rps_profile *profile = writer->profile;
	const struct rps_function *function = &profile->functions[profile->nodes[node].function];
	const bool is_overflow =
	    profile->overflow != RPS_NONE && node != 0 && profile->nodes[node].parent == profile->overflow;
	uint64_t weights[RPS_EVENTS_MAX] = {0};

	for (uint32_t i = writer->first_edge_to[node]; i < writer->first_edge_to[node + 1]; i++) {
		const struct rps_edge *edge = &profile->edges[writer->edges_to[i]];

		for (uint32_t event = 0; event < profile->n_events; event++)
			if (edge->from == profile->nodes[node].parent && !is_overflow)
				weights[event] = rps_cost_add(weights[event], edge->inclusive[event]);
	}
	for (uint32_t i = writer->first_edge_to[node]; i < writer->first_edge_to[node + 1]; i++) {
		const uint32_t at = writer->edges_to[i];
		const struct rps_edge *edge = &profile->edges[at];
		uint64_t costs[RPS_EVENTS_MAX] = {0};

		for (uint32_t event = 0; event < profile->n_events; event++)
			if (edge->from == profile->nodes[node].parent && weights[event] != 0 &&
			    weights[event] != UINT64_MAX)
				costs[event] = share(&own[event], edge->inclusive[event], &weights[event]);
		writer->n_stack = 0;
		push(writer, rps_pprof_writer_location(writer, profile->nodes[node].function, function->file,
						       function->line));
		push_callers(writer, edge->from, at);
		put_sample(writer, edge->calls, costs, at, is_overflow);
	}
}

void rps_pprof_writer_put_node(struct rps_pprof_writer *writer, uint32_t node)
{
	const struct rps_profile *profile = writer->profile;
	const struct rps_function *function = &profile->functions[profile->nodes[node].function];
	uint64_t own[RPS_EVENTS_MAX];

	memcpy(own, profile->nodes[node].self, sizeof(own));
	for (uint32_t at = profile->nodes[node].first_line; at != RPS_NONE; at = profile->lines[at].next) {
		const struct rps_line_cost *line = &profile->lines[at];

		for (uint32_t event = 0; event < profile->n_events; event++)
			own[event] -= line->self[event];
		if (rps_pprof_any_cost(line->self, profile->n_events))
			put_own(writer, node, line->file, line->line, line->self);
	}
	put_edges(writer, node, own);
	if (rps_pprof_any_cost(own, profile->n_events))
		put_own(writer, node, function->file, function->line, own);
}
