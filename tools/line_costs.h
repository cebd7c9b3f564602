/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the lines of source files cost: themselves, and by the calls that stand in them. For runprofile
 * annotate. */
#ifndef RPS_TOOLS_LINE_COSTS_H
#define RPS_TOOLS_LINE_COSTS_H

#include "profile/flat.h"

#include <stdbool.h>
#include <stdint.h>

struct rps_source_line {
	uint32_t file; /* of the graph */
	uint32_t line; /* 0: what no line is known for */
	uint64_t self, calls, called;
};

struct rps_line_costs {
	struct rps_source_line *lines; /* by file and line, each once */
	uint32_t n_lines;
};

/* Of one event; of the functions that are `chosen`, NULL: of all. 0 or -ENOMEM. */
int rps_line_costs_create(struct rps_line_costs *costs, const struct rps_call_graph *graph, uint32_t event,
			  const bool *chosen);
void rps_line_costs_clear(struct rps_line_costs *costs);

#endif
