/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The names of a call graph as a callgrind file can hold them: one line
 * each, and no two functions alike to KCacheGrind. */
#ifndef RPS_PROFILE_CALLGRIND_NAMES_H
#define RPS_PROFILE_CALLGRIND_NAMES_H

#include "profile/call_graph.h"

/* Same indices as the graph's. */
struct rps_callgrind_names {
	char **functions, **files, **objects;
	uint32_t n_functions, n_files, n_objects;
};

/* NULL when out of memory. */
struct rps_callgrind_names *rps_callgrind_names_create(const struct rps_call_graph *graph);
void rps_callgrind_names_destroy(struct rps_callgrind_names *names);

#endif
