/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See components.h. Tarjan's algorithm, with a stack of its own: paths are as long as the application likes. */
#include "collect/components.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct search {
	const struct rps_arena_copy *copy;
	struct rps_components *components;
	uint32_t *first_edge; /* [n_nodes + 1] into by_source */
	uint32_t *by_source;  /* edges, by the node they come from */
	uint32_t *next_edge;  /* of each node: the next to look at */
	uint32_t *order;      /* when a node was found, from 1; 0: not yet */
	uint32_t *low;        /* the earliest node that is reached from it and not in a component yet */
	uint32_t *path, n_path;
	uint32_t *open, n_open; /* found, not yet in a component */
	uint32_t n_found, n_placed;
};

static int counts(const struct rps_arena_edge *edge)
{
	return rps_wire_edge_calls(&edge->wire) > 0;
}

/* Sorts the edges by `key`: first[k] .. first[k + 1] are those of k. */
static void group_edges(const struct rps_arena_copy *copy, const uint32_t *component_of, int by_target, uint32_t n_keys,
			uint32_t *first, uint32_t *sorted)
{
	memset(first, 0, ((size_t)n_keys + 1) * sizeof(*first));
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < copy->n_edges; i++) {
			uint32_t node = by_target ? copy->edges[i].to : copy->edges[i].from;
			uint32_t key = component_of != NULL ? component_of[node] : node;

			if (!counts(&copy->edges[i]))
				continue;
			if (pass == 0)
				first[key]++;
			else
				sorted[--first[key]] = i;
		}
		for (uint32_t key = 0, sum = 0; pass == 0 && key <= n_keys; key++) {
			sum += first[key];
			first[key] = sum;
		}
	}
}

static void find_entered(const struct rps_arena_copy *copy, const struct rps_components *components)
{
	for (uint32_t i = 0; i < copy->n_edges; i++) {
		uint32_t from = components->of[copy->edges[i].from], to = components->of[copy->edges[i].to];

		if (counts(&copy->edges[i]) && from != to)
			components->is_entered[to] = 1;
	}
}

static void find(struct search *search, uint32_t node)
{
	search->order[node] = search->low[node] = ++search->n_found;
	search->next_edge[node] = search->first_edge[node];
	search->path[search->n_path++] = node;
	search->open[search->n_open++] = node;
}

/* All that is open from `node` on can reach it and each other. */
static void place_component(struct search *search, uint32_t node)
{
	struct rps_components *components = search->components;
	uint32_t member;

	components->first[components->n] = search->n_placed;
	do {
		member = search->open[--search->n_open];
		components->of[member] = components->n;
		components->nodes[search->n_placed++] = member;
	} while (member != node);
	components->n++;
}

static void lower(struct search *search, uint32_t node, uint32_t to)
{
	if (search->low[to] < search->low[node])
		search->low[node] = search->low[to];
}

static void search_from(struct search *search, uint32_t root)
{
	find(search, root);
	while (search->n_path > 0) {
		uint32_t node = search->path[search->n_path - 1];

		if (search->next_edge[node] < search->first_edge[node + 1]) {
			uint32_t to = search->copy->edges[search->by_source[search->next_edge[node]++]].to;

			if (search->order[to] == 0)
				find(search, to);
			else if (search->components->of[to] == UINT32_MAX)
				lower(search, node, to);
			continue;
		}
		search->n_path--;
		if (search->low[node] == search->order[node])
			place_component(search, node);
		else
			lower(search, search->path[search->n_path - 1], node);
	}
}

int rps_components_find(const struct rps_arena_copy *copy, struct rps_components *components)
{
	uint32_t n_nodes = copy->n_nodes, n_edges = copy->n_edges;
	struct search search = {.copy = copy, .components = components};
	uint32_t *room = calloc((size_t)n_nodes * 6 + 1 + n_edges, sizeof(*room));
	int error = -ENOMEM;

	memset(components, 0, sizeof(*components));
	components->of = malloc(n_nodes * sizeof(uint32_t));
	components->nodes = malloc(n_nodes * sizeof(uint32_t));
	components->first = malloc((n_nodes + 1) * sizeof(uint32_t));
	components->into = malloc((n_edges + 1) * sizeof(uint32_t));
	components->first_into = malloc((n_nodes + 1) * sizeof(uint32_t));
	components->out_of = malloc((n_edges + 1) * sizeof(uint32_t));
	components->first_out_of = malloc((n_nodes + 1) * sizeof(uint32_t));
	components->is_entered = calloc(n_nodes, 1);
	if (room == NULL || components->of == NULL || components->nodes == NULL || components->first == NULL ||
	    components->into == NULL || components->first_into == NULL || components->out_of == NULL ||
	    components->first_out_of == NULL || components->is_entered == NULL)
		goto out;
	search.first_edge = room;
	search.next_edge = search.first_edge + n_nodes + 1;
	search.order = search.next_edge + n_nodes;
	search.low = search.order + n_nodes;
	search.path = search.low + n_nodes;
	search.open = search.path + n_nodes;
	search.by_source = search.open + n_nodes;
	memset(components->of, 0xff, n_nodes * sizeof(uint32_t));
	group_edges(copy, NULL, 0, n_nodes, search.first_edge, search.by_source);
	for (uint32_t node = 0; node < n_nodes; node++)
		if (search.order[node] == 0)
			search_from(&search, node);
	components->first[components->n] = search.n_placed;
	group_edges(copy, components->of, 1, components->n, components->first_into, components->into);
	group_edges(copy, components->of, 0, components->n, components->first_out_of, components->out_of);
	find_entered(copy, components);
	error = 0;
out:
	if (error != 0)
		rps_components_free(components);
	free(room);
	return error;
}

void rps_components_free(struct rps_components *components)
{
	free(components->of);
	free(components->nodes);
	free(components->first);
	free(components->into);
	free(components->first_into);
	free(components->out_of);
	free(components->first_out_of);
	free(components->is_entered);
	memset(components, 0, sizeof(*components));
}
