/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What gather_profile_stats says of its sums: a line for each. */
#ifndef RPS_TOOLS_GATHER_SUMMARY_H
#define RPS_TOOLS_GATHER_SUMMARY_H

#include "tools/gather.h"
#include "tools/view.h"

enum rps_summary {
	RPS_SUMMARY_PERCENTILES, /* of the durations of requests */
	RPS_SUMMARY_MEAN,        /* calls, duration and costs per request */
	RPS_SUMMARY_SUM          /* of all requests */
};

/* -1: there is none of this name. */
int rps_summary_find(const char *name);

/* 0 or -ENOMEM. Sorts the groups' numbers. */
int rps_summary_print(enum rps_summary summary, const struct rps_gather_groups *groups,
		      const struct rps_view *view);

#endif
