/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One profile of all arenas of a request. */
#ifndef RPS_COLLECT_GATHER_H
#define RPS_COLLECT_GATHER_H

#include "collect/build.h"
#include "collect/collection.h"

#define RPS_UNFINISHED_NAMES_MAX 8

/* What is gathered over a request's arenas, for the description in the file. */
struct rps_gathering {
	struct rps_build build;
	uint64_t end_ticks;
	uint64_t deep_calls, abandoned;
	uint32_t allocations; /* bits 1 << enum rps_allocations: of the processes */
	uint32_t n_unreadable;
	uint32_t n_busy; /* arenas copied while a hook was changing them */
	uint32_t n_beside; /* arenas of other stacks */
	uint32_t unfinished[RPS_UNFINISHED_NAMES_MAX];
	uint32_t n_unfinished_names;
	int is_cut_short;
	char busy[128]; /* who, when the application was not quiet */
};

/* One profile of what was gathered from process `pid`, 0: from all. 0 or -ENOMEM. */
int rps_gather_profile(struct rps_collection *collection, uint32_t pid, const char *root_name, int is_quiet,
		       const struct rps_gathering *finished, struct rps_profile **profile, struct rps_collect_info *info);

#endif
