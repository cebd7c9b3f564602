/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One of the two profiles that a merge keeps: what was added so far, with contexts or flat. Called by merge.c;
 * one owner at a time. */
#ifndef RPS_PROFILE_MERGE_SUM_H
#define RPS_PROFILE_MERGE_SUM_H

#include "profile/id_table.h"
#include "profile/model.h"

#include <stdbool.h>
#include <stdint.h>

/* Functions that differ in nothing but the line. */
struct rps_merge_group {
	const char *name, *file, *object, *symbol; /* texts of the sum */
	uint32_t line;                             /* the lowest that is known */
	uint32_t last_function;                    /* of the input ... */
	uint64_t last_input;                       /* ... of this number */
	bool is_conflict;                          /* some input had two of them */
};

struct rps_merge_sum {
	struct rps_profile *profile;
	bool has_inputs;
	struct rps_merge_group *groups;
	uint32_t *group_of; /* of each function of the profile */
	uint32_t n_groups, groups_room, n_grouped, group_of_room;
	struct rps_id_table group_table;
	/* Of all there is, so that no single sum can be beyond 64 bits. */
	uint64_t calls, self[RPS_EVENTS_MAX], inclusive[RPS_EVENTS_MAX];
};

/* 0 or -ENOMEM; to be cleared either way. */
int rps_merge_sum_init(struct rps_merge_sum *sum, const char *root_name);
void rps_merge_sum_clear(struct rps_merge_sum *sum);

/* Adds a profile, the input with this number, from 1. 0; -EOVERFLOW or -E2BIG as rps_merge_add; -ENOMEM. */
int rps_merge_sum_add(struct rps_merge_sum *sum, const struct rps_profile *profile, uint64_t input);

/* Adds what another sum with the same root has. Same errors. */
int rps_merge_sum_join(struct rps_merge_sum *sum, const struct rps_merge_sum *other);

/* Adds the sum to `result`; functions that only a rebuild has moved are one there. Same errors. */
int rps_merge_sum_copy(const struct rps_merge_sum *sum, struct rps_profile *result);

#endif
