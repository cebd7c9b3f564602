/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A profile's tree flattened to what call-graph formats hold: functions with
 * their self costs, and calls from one function to another, by call site.
 * Contexts are summed up. Everything is sorted, so equal profiles give equal
 * graphs however they were built.
 *
 * It borrows the profile's strings: destroy it first. One owner at a time. */
#ifndef RPS_PROFILE_CALL_GRAPH_H
#define RPS_PROFILE_CALL_GRAPH_H

#include "profile/model.h"

#include <stdbool.h>
#include <stdint.h>

/* One function of the source: constructor variants and other symbols that share name,
 * file, line and object are one. */
struct rps_graph_function {
	const char *name;
	uint32_t file, object; /* indices of rps_call_graph.files, .objects */
	uint32_t line;
	bool is_root;
	uint32_t first_call, n_calls; /* outgoing */
	uint32_t first_line, n_lines;
	uint64_t *self; /* per event */
};

/* A part of a function's self cost that is known by line. */
struct rps_graph_line {
	uint32_t function, file, line;
	const uint64_t *self; /* per event */
};

struct rps_graph_call {
	uint32_t caller, callee; /* functions */
	uint32_t site_file;      /* the caller's own file and line 0 where the site is not known */
	uint32_t site_line;
	uint64_t calls;
	uint64_t *inclusive; /* per event */
};

struct rps_call_graph {
	const char **files, **objects; /* by text, each once; "" is unknown */
	uint32_t n_files, n_objects;
	struct rps_graph_function *functions; /* by name, file, line, object */
	uint32_t n_functions;
	struct rps_graph_call *calls; /* by caller, site (the caller's own file first), callee */
	uint32_t n_calls;
	struct rps_graph_line *lines; /* by function, file (its own first), line; may repeat */
	uint32_t n_lines;
	uint64_t *costs; /* what self and inclusive point into */
};

/* The graph of `profile`, or NULL when out of memory. Functions without any
 * cost or call (but for the root, if it is more than a flat profile's title) are left out. */
struct rps_call_graph *rps_call_graph_create(const struct rps_profile *profile);
void rps_call_graph_destroy(struct rps_call_graph *graph);

#endif
