/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the callgrind reader has read so far: functions and calls in the order of the file, each once, with
 * their costs summed up. At the end they become a flat profile (model.h). One owner at a time. */
#ifndef RPS_PROFILE_CALLGRIND_GRAPH_H
#define RPS_PROFILE_CALLGRIND_GRAPH_H

#include "profile/id_table.h"
#include "profile/model.h"

#include <stdbool.h>
#include <stdint.h>

/* Beyond this much memory a file is refused. */
#define RPS_CALLGRIND_MEMORY_MAX (400u << 20)

struct rps_read_function {
	const char *name, *file, *object; /* texts of the profile */
	uint32_t line;                    /* 0: not known yet */
	bool is_called, has_body;
	uint64_t self[RPS_EVENTS_MAX];
};

struct rps_callgrind_graph {
	struct rps_profile *profile; /* functions, texts, metas; no nodes but the root yet */
	struct rps_read_function *functions;
	struct rps_edge *calls;      /* from, to: functions; site_file: a text of the profile */
	struct rps_line_cost *lines; /* node: a function */
	uint32_t n_functions, functions_room, n_calls, calls_room, n_lines, lines_room;
	struct rps_id_table function_table, call_table, line_table;
};

/* 0 or -ENOMEM. */
int rps_callgrind_graph_init(struct rps_callgrind_graph *graph);
/* Also the profile, if it is still the graph's. */
void rps_callgrind_graph_clear(struct rps_callgrind_graph *graph);

/* Indices, or RPS_NONE when out of memory. The texts are the profile's (rps_profile_text). */
uint32_t rps_callgrind_graph_function(struct rps_callgrind_graph *graph, const char *name, const char *file,
				      const char *object);
uint32_t rps_callgrind_graph_call(struct rps_callgrind_graph *graph, uint32_t from, uint32_t to,
				  const char *site_file, uint32_t site_line);

uint32_t rps_callgrind_graph_line(struct rps_callgrind_graph *graph, uint32_t function, const char *file,
				  uint32_t line);

/* Memory in use, about. */
uint64_t rps_callgrind_graph_size(const struct rps_callgrind_graph *graph);

/* The flat profile, the caller's from now on; NULL when out of memory. `has_root`: a request's own function
 * is to be found and made the root. `own_names`: what our writer puts behind names to tell them apart is
 * taken off. */
struct rps_profile *rps_callgrind_graph_finish(struct rps_callgrind_graph *graph, bool has_root,
					       bool own_names);

#endif
