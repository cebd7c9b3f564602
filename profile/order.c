/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See order.h. */
#include "profile/order.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int compare_functions(const void *a, const void *b, void *cls)
{
	const struct rps_profile *profile = cls;
	const struct rps_function *left = &profile->functions[*(const uint32_t *)a];
	const struct rps_function *right = &profile->functions[*(const uint32_t *)b];
	int order = strcmp(left->name, right->name);

	if (order == 0)
		order = strcmp(left->file, right->file);
	if (order == 0)
		order = left->line < right->line ? -1 : left->line > right->line;
	if (order == 0)
		order = strcmp(left->object, right->object);
	return order != 0 ? order : strcmp(left->symbol, right->symbol);
}

struct child {
	uint32_t parent, rank, node;
};

static int compare_children(const void *a, const void *b)
{
	const struct child *left = a, *right = b;

	if (left->parent != right->parent)
		return left->parent < right->parent ? -1 : 1;
	return left->rank < right->rank ? -1 : left->rank > right->rank;
}

uint32_t *rps_profile_order(const struct rps_profile *profile)
{
	const uint32_t n = profile->n_nodes;
	uint32_t *functions = malloc(profile->n_functions * sizeof(*functions));
	uint32_t *ranks = malloc(profile->n_functions * sizeof(*ranks));
	uint32_t *first_child = malloc(((size_t)n + 1) * sizeof(*first_child));
	uint32_t *open = malloc(n * sizeof(*open)), n_open = 0, n_ordered = 0;
	struct child *children = malloc(n * sizeof(*children));
	uint32_t *order = malloc(n * sizeof(*order));
	bool done = false;

	if (functions == NULL || ranks == NULL || first_child == NULL || open == NULL || children == NULL ||
	    order == NULL)
		goto out;
	for (uint32_t i = 0; i < profile->n_functions; i++)
		functions[i] = i;
	qsort_r(functions, profile->n_functions, sizeof(*functions), compare_functions,
		(void *)(uintptr_t)profile);
	for (uint32_t i = 0; i < profile->n_functions; i++)
		ranks[functions[i]] = i;
	for (uint32_t i = 1; i < n; i++)
		children[i - 1] =
		    (struct child){profile->nodes[i].parent, ranks[profile->nodes[i].function], i};
	qsort(children, n - 1, sizeof(*children), compare_children);
	for (uint32_t i = 0, at = 0; i <= n; i++) {
		while (at < n - 1 && children[at].parent < i)
			at++;
		first_child[i] = at;
	}
	open[n_open++] = 0;
	while (n_open > 0) {
		const uint32_t node = open[--n_open];

		order[n_ordered++] = node;
		for (uint32_t i = first_child[node + 1]; i-- > first_child[node];)
			open[n_open++] = children[i].node;
	}
	done = true;
out:
	free(functions);
	free(ranks);
	free(first_child);
	free(open);
	free(children);
	if (!done) {
		free(order);
		order = NULL;
	}
	return order;
}

/* ---- Edges and lines ---------------------------------------------------------------------------- */

struct placed {
	const struct rps_profile *profile;
	uint32_t *place; /* of each node in the order */
};

static int compare_places(const struct placed *placed, uint32_t left, uint32_t right)
{
	return placed->place[left] < placed->place[right] ? -1 : placed->place[left] > placed->place[right];
}

static int compare_sites(const char *left, uint32_t left_line, const char *right, uint32_t right_line)
{
	const int order = left == right ? 0 : strcmp(left, right);

	return order != 0 ? order : left_line < right_line ? -1 : left_line > right_line;
}

static int compare_edges(const void *a, const void *b, void *cls)
{
	const struct placed *placed = cls;
	const struct rps_edge *left = &placed->profile->edges[*(const uint32_t *)a];
	const struct rps_edge *right = &placed->profile->edges[*(const uint32_t *)b];
	int order = compare_places(placed, left->from, right->from);

	if (order == 0)
		order = compare_places(placed, left->to, right->to);
	return order != 0
		   ? order
		   : compare_sites(left->site_file, left->site_line, right->site_file, right->site_line);
}

static int compare_lines(const void *a, const void *b, void *cls)
{
	const struct placed *placed = cls;
	const struct rps_line_cost *left = &placed->profile->lines[*(const uint32_t *)a];
	const struct rps_line_cost *right = &placed->profile->lines[*(const uint32_t *)b];
	const int order = compare_places(placed, left->node, right->node);

	return order != 0 ? order : compare_sites(left->file, left->line, right->file, right->line);
}

/* The numbers from 0 on, sorted; NULL when out of memory. */
static uint32_t *sorted(uint32_t n, int (*compare)(const void *, const void *, void *), struct placed *placed)
{
	uint32_t *numbers = malloc(((size_t)n + 1) * sizeof(*numbers));

	if (numbers == NULL)
		return NULL;
	for (uint32_t i = 0; i < n; i++)
		numbers[i] = i;
	qsort_r(numbers, n, sizeof(*numbers), compare, placed);
	return numbers;
}

int rps_order_init(struct rps_order *order, const struct rps_profile *profile)
{
	struct placed placed = {profile, malloc(profile->n_nodes * sizeof(*placed.place))};

	*order = (struct rps_order){.nodes = rps_profile_order(profile)};
	if (order->nodes != NULL && placed.place != NULL) {
		for (uint32_t i = 0; i < profile->n_nodes; i++)
			placed.place[order->nodes[i]] = i;
		order->edges = sorted(profile->n_edges, compare_edges, &placed);
		order->lines = sorted(profile->n_lines, compare_lines, &placed);
	}
	free(placed.place);
	return order->edges != NULL && order->lines != NULL ? 0 : -ENOMEM;
}

void rps_order_clear(struct rps_order *order)
{
	free(order->nodes);
	free(order->edges);
	free(order->lines);
}
