/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See order.h. */
#include "profile/order.h"

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
