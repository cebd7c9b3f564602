/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of runprofile diff: which rows of a comparison, in which order, and how they look. */
#ifndef RPS_TOOLS_DIFF_TABLE_H
#define RPS_TOOLS_DIFF_TABLE_H

#include "tools/comparison.h"
#include "tools/table.h"
#include "tools/text.h"

#include <stdbool.h>
#include <stdint.h>

#define RPS_DIFF_P_OUTSIDE 0.05

struct rps_diff_table {
	struct rps_comparison *comparison;
	uint32_t event;
	bool is_inclusive, sorts_by_calls;
	bool shows_all;               /* also what has not changed */
	uint64_t limit;               /* rows; 0: all */
	uint32_t n_alike, n_left_out; /* set by rps_diff_table_fill */
};

/* The greatest change first. */
void rps_diff_table_sort(const struct rps_diff_table *as);
/* NULL when out of memory. The last row is the total. */
struct rps_table *rps_diff_table_fill(struct rps_diff_table *as);

/* A number per request: whole if it is, else with three decimals; in ms if the event counts time. `has_sign`:
 * as a change. */
void rps_diff_text(char text[RPS_TEXT_NUMBER_SIZE], const struct rps_event *event, double value,
		   bool has_sign);

const struct rps_row_names *rps_diff_names(const struct rps_comparison_row *row);

#endif
