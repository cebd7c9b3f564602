/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the costs of a recorded callgrind file must obey, beyond their total: one root, from which everything is
 * called; and what goes into a function, or a cycle of functions, is what it costs itself and passes on. Filled in and
 * asked by callgrind_rules.c; one owner at a time. */
#ifndef RPS_PROFILE_CALLGRIND_SUMS_H
#define RPS_PROFILE_CALLGRIND_SUMS_H

#include "profile/callgrind_rules_names.h"
#include "profile/model.h"

struct rps_sums_call {
	uint32_t caller, callee;
	uint64_t line;
	uint64_t costs[RPS_EVENTS_MAX];
};

/* All zero is empty. */
struct rps_sums {
	uint32_t n_events;
	uint64_t (*self)[RPS_EVENTS_MAX]; /* of each function */
	struct rps_sums_call *calls;
	uint32_t n_functions, functions_room, n_calls, calls_room;
};

/* Costs of a function's own, or of a call. 0 or -ENOMEM. */
int rps_sums_add_self(struct rps_sums *sums, uint32_t function, const uint64_t *costs);
int rps_sums_add_call(struct rps_sums *sums, uint32_t caller, uint32_t callee, uint64_t line,
		      const uint64_t *costs);

/* 0, -EBADMSG or -ENOMEM. */
int rps_sums_check(struct rps_sums *sums, const struct rps_rules_names *functions, struct rps_why *why);

void rps_sums_clear(struct rps_sums *sums);

#endif
