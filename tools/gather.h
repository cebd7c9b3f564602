/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading many profiles and adding them up, group by group: the work of gather_profile_stats. */
#ifndef RPS_TOOLS_GATHER_H
#define RPS_TOOLS_GATHER_H

#include "profile/id_table.h"
#include "profile/merge.h"
#include "profile/name_template.h"
#include "tools/inputs.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rps_gather_options {
	const struct rps_name_template *by; /* NULL: all into one */
	bool by_path;                       /* the template is "{path}": the sum's root is the path itself */
	char *const *routes;                /* patterns; a path that matches one counts as it */
	size_t n_routes;
	bool with_aggregates; /* also those found in directories */
};

struct rps_gather_numbers {
	uint64_t *numbers;
	size_t n, room;
};

/* Profiles that go into one file. */
struct rps_gather_group {
	char *name; /* of the file, from the template, without suffix */
	char *path; /* or route, or what stands for it */
	struct rps_merge *merge;
	struct rps_gather_numbers durations_us; /* of each request that says it */
	struct rps_gather_numbers calls;        /* of each profile that is no sum */
	uint64_t n_calls;                       /* of all */
	/* What its sum came to; set when it is written. */
	struct {
		char name[128];
	} events[RPS_EVENTS_MAX];
	uint64_t totals[RPS_EVENTS_MAX];
	uint32_t n_events;
	uint32_t number;
};

struct rps_gather_groups {
	struct rps_gather_group *groups;
	uint32_t n_groups, room;
	struct rps_id_table table;
};

/* Seen by all threads. */
struct rps_gather_progress {
	atomic_size_t n_taken, n_done, n_broken, n_skipped;
};

/* Reads all inputs, on as many threads as there are processors, and sorts the groups by path and name. Broken
 * files are named on stderr, counted, and left out. Sets input.group. 0 or -errno. */
int rps_gather_run(const struct rps_gather_options *options, struct rps_inputs *inputs,
		   struct rps_gather_groups *groups, struct rps_gather_progress *progress);
void rps_gather_groups_clear(struct rps_gather_groups *groups);

#endif
