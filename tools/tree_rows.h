/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lines of a call tree, from the root down: for runprofile tree.
 *
 * Profiles with contexts have such a tree. Of a callgrind file only each function's own calls are known:
 * where a function has several callers, what its calls cost on behalf of one of them is estimated in
 * proportion, as every viewer of such files does, and marked. */
#ifndef RPS_TOOLS_TREE_ROWS_H
#define RPS_TOOLS_TREE_ROWS_H

#include "profile/flat.h"
#include "profile/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lines beyond this are not made: without a threshold a callgrind file's tree may have any number of them. */
#define RPS_TREE_ROWS_MAX 100000u

struct rps_tree_row {
	uint32_t at; /* a node, or of a flat profile a function of the graph */
	uint32_t depth;
	uint64_t calls, inclusive, self;
	uint64_t entries; /* of a flat profile: the calls that are no recursion */
	bool is_estimate, self_is_estimate;
	bool is_recursion; /* the function is on the way here already; what it calls is not repeated */
};

struct rps_tree_options {
	const char *from, *to; /* functions, NULL: not restricted */
	double threshold;      /* percent of the total */
	uint64_t depth;        /* 0: any */
	uint32_t event;
};

struct rps_tree_rows {
	struct rps_tree_row *rows; /* parents before children, the costliest first */
	size_t n_rows;
	uint64_t total;
	uint64_t n_hidden; /* branches that were left out */
	bool is_cut;
};

/* 0 or -ENOMEM. */
int rps_tree_rows_create(struct rps_tree_rows *rows, const struct rps_profile *profile,
			 const struct rps_flat *flat, const struct rps_tree_options *options);
void rps_tree_rows_clear(struct rps_tree_rows *rows);

#endif
