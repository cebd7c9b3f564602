/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a merge knows of its inputs beside costs: the metas that all of them have, the order of their events,
 * and what was wrong with how many. Called by merge.c; one owner at a time. */
#ifndef RPS_PROFILE_MERGE_COMMON_H
#define RPS_PROFILE_MERGE_COMMON_H

#include "profile/model.h"

#include <stdbool.h>
#include <stdint.h>

#define RPS_TROUBLES 9

struct rps_merge_common {
	struct rps_profile *profile; /* holds command, events and metas of the first input */
	bool *is_common; /* of each of the metas: all the others had it, too; NULL: no input yet */
	uint32_t n_events;
	bool events_differ;
	uint64_t n_with_trouble[RPS_TROUBLES];
};

/* 0 or -ENOMEM; to be cleared either way. */
int rps_merge_common_init(struct rps_merge_common *common);
void rps_merge_common_clear(struct rps_merge_common *common);

/* What `profile` has, or others have, in common with those before. 0 or -ENOMEM. */
int rps_merge_common_add(struct rps_merge_common *common, const struct rps_profile *profile);
int rps_merge_common_join(struct rps_merge_common *common, const struct rps_merge_common *other);

/* Gives `result` command and metas of the sum of `count` profiles. 0 or -ENOMEM. */
int rps_merge_common_describe(const struct rps_merge_common *common, uint64_t count,
			      struct rps_profile *result);

#endif
