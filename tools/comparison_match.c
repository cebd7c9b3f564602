/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which row of the old side is which of the new one (comparison.h). Equal names and files first. Of the rest:
 * builds in different directories have the same names in files of the same base name; and a function that was
 * moved to another file has at least its name. Both only where there is exactly one on either side. */
#include "tools/comparison.h"

#include "tools/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A row that has no counterpart yet. */
struct single {
	const char *name, *callee_name; /* texts of the comparison: equal exactly when they are one pointer */
	const char *file, *callee_file; /* base names; "" when they are not to matter */
	uint32_t row;
	bool is_new;
};

static int compare_pointers(const char *a, const char *b)
{
	return a == b ? 0 : (uintptr_t)a < (uintptr_t)b ? -1 : 1;
}

static int compare_keys(const struct single *left, const struct single *right)
{
	int order = compare_pointers(left->name, right->name);

	if (order == 0)
		order = compare_pointers(left->callee_name, right->callee_name);
	if (order == 0)
		order = strcmp(left->file, right->file);
	return order != 0 ? order : strcmp(left->callee_file, right->callee_file);
}

static int compare_singles(const void *a, const void *b)
{
	return compare_keys(a, b);
}

static const struct rps_figures *figures_of(const struct rps_comparison_row *row)
{
	return row->old != NULL ? row->old : row->new;
}

static uint32_t collect(const struct rps_comparison *comparison, struct single *singles, bool with_files)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < comparison->n_rows; i++) {
		const struct rps_comparison_row *row = &comparison->rows[i];
		const struct rps_figures *figures = figures_of(row);
		const struct rps_row_names *names;

		if (figures == NULL || (row->old != NULL && row->new != NULL))
			continue;
		names = &figures->names;
		singles[n++] = (struct single){
		    .name = names->name,
		    .callee_name = names->callee_name,
		    .file = with_files ? rps_text_base(names->file) : "",
		    .callee_file =
			with_files && names->callee_file != NULL ? rps_text_base(names->callee_file) : "",
		    .row = i,
		    .is_new = row->new != NULL,
		};
	}
	return n;
}

/* Joins two rows that have the same key and nothing else has; the second one becomes empty. */
static void join(struct rps_comparison *comparison, const struct single *singles, uint32_t n)
{
	for (uint32_t i = 0, end; i < n; i = end) {
		struct rps_comparison_row *first, *second;

		for (end = i + 1; end < n && compare_keys(&singles[i], &singles[end]) == 0; end++)
			;
		if (end - i != 2 || singles[i].is_new == singles[i + 1].is_new)
			continue;
		first = &comparison->rows[singles[i].row];
		second = &comparison->rows[singles[i + 1].row];
		if (first->old == NULL)
			first->old = second->old;
		else
			first->new = second->new;
		*second = (struct rps_comparison_row){NULL, NULL};
	}
}

static void remove_empty_rows(struct rps_comparison *comparison)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < comparison->n_rows; i++)
		if (figures_of(&comparison->rows[i]) != NULL)
			comparison->rows[n++] = comparison->rows[i];
	comparison->n_rows = n;
}

/* By the names' addresses, which are equal for equal names on both sides. */
static int compare_figures(const void *a, const void *b)
{
	const struct rps_row_names *left = &(*(const struct rps_figures *const *)a)->names;
	const struct rps_row_names *right = &(*(const struct rps_figures *const *)b)->names;
	int order = compare_pointers(left->name, right->name);

	if (order == 0)
		order = compare_pointers(left->file, right->file);
	if (order == 0)
		order = compare_pointers(left->callee_name, right->callee_name);
	return order != 0 ? order : compare_pointers(left->callee_file, right->callee_file);
}

static const struct rps_figures **sort_side(struct rps_side *side, uint64_t n_requests_of_all)
{
	const struct rps_figures **sorted =
	    calloc((size_t)side->n_figures + 1, sizeof(const struct rps_figures *));

	if (sorted == NULL)
		return NULL;
	for (uint32_t i = 0; i < side->n_figures; i++) {
		if (side->figures[i].n_requests == 0)
			side->figures[i].n_requests = n_requests_of_all;
		sorted[i] = &side->figures[i];
	}
	if (side->n_figures > 0)
		qsort(sorted, side->n_figures, sizeof(const struct rps_figures *), compare_figures);
	return sorted;
}

int rps_comparison_match(struct rps_comparison *comparison)
{
	const size_t room = (size_t)comparison->old.n_figures + comparison->new.n_figures + 1;
	const struct rps_figures **old = sort_side(&comparison->old, comparison->old.n_requests);
	const struct rps_figures **new = sort_side(&comparison->new, comparison->new.n_requests);
	struct single *singles = calloc(room, sizeof(*singles));
	uint32_t i = 0, j = 0, n;
	int error = -ENOMEM;

	comparison->rows = calloc(room, sizeof(*comparison->rows));
	if (old == NULL || new == NULL || singles == NULL || comparison->rows == NULL)
		goto out;
	while (i < comparison->old.n_figures || j < comparison->new.n_figures) {
		int order = i == comparison->old.n_figures   ? 1
			    : j == comparison->new.n_figures ? -1
							     : compare_figures(&old[i], &new[j]);
		struct rps_comparison_row *row = &comparison->rows[comparison->n_rows++];

		if (order <= 0)
			row->old = old[i++];
		if (order >= 0)
			row->new = new[j++];
	}
	for (int with_files = 1; with_files >= 0 && comparison->by != RPS_BY_PATH; with_files--) {
		n = collect(comparison, singles, with_files);
		if (n > 0)
			qsort(singles, n, sizeof(*singles), compare_singles);
		join(comparison, singles, n);
		remove_empty_rows(comparison);
	}
	error = 0;
out:
	free(old);
	free(new);
	free(singles);
	return error;
}
