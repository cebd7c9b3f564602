/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See cycles.h. Tarjan's strongly connected components, without recursion: stacks of calls may be deep. */
#include "profile/cycles.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

struct search {
	const uint32_t *first_callee, *callees;
	uint32_t *cycle_of;
	uint32_t *number, *low, *next_callee; /* of each function; number 0: not seen */
	uint32_t *path, *open;                /* stacks */
	bool *is_open;
	uint32_t n_path, n_open, n_numbers;
};

static void enter(struct search *search, uint32_t function)
{
	search->number[function] = search->low[function] = ++search->n_numbers;
	search->next_callee[function] = search->first_callee[function];
	search->path[search->n_path++] = function;
	search->open[search->n_open++] = function;
	search->is_open[function] = true;
}

static void leave(struct search *search)
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
		search->cycle_of[member] = function;
	} while (member != function);
}

static void visit(struct search *search, uint32_t start)
{
	enter(search, start);
	while (search->n_path > 0) {
		const uint32_t function = search->path[search->n_path - 1];
		uint32_t callee;

		if (search->next_callee[function] == search->first_callee[function + 1]) {
			leave(search);
			continue;
		}
		callee = search->callees[search->next_callee[function]++];
		if (search->number[callee] == 0)
			enter(search, callee);
		else if (search->is_open[callee] && search->number[callee] < search->low[function])
			search->low[function] = search->number[callee];
	}
}

int rps_cycles_find(uint32_t n_functions, const uint32_t *first_callee, const uint32_t *callees,
		    uint32_t *cycle_of)
{
	uint32_t *numbers = calloc((size_t)n_functions + 1, 5 * sizeof(*numbers));
	bool *is_open = calloc((size_t)n_functions + 1, sizeof(*is_open));
	struct search search = {
	    .first_callee = first_callee, .callees = callees, .cycle_of = cycle_of, .is_open = is_open};
	int error = -ENOMEM;

	if (numbers == NULL || is_open == NULL)
		goto out;
	search.number = numbers;
	search.low = search.number + n_functions;
	search.next_callee = search.low + n_functions;
	search.path = search.next_callee + n_functions;
	search.open = search.path + n_functions;
	for (uint32_t i = 0; i < n_functions; i++)
		cycle_of[i] = UINT32_MAX;
	for (uint32_t i = 0; i < n_functions; i++)
		if (search.number[i] == 0)
			visit(&search, i);
	error = 0;
out:
	free(numbers);
	free(is_open);
	return error;
}
