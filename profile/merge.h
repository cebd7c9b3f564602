/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adds profiles up: the sum, function by function, edge by edge, to the unit; whatever the order of the
 * inputs.
 *
 * Below the sum's root stand the roots of what was added, each called once for every profile:
 *
 *     root "/cart"
 *      ├─ GET /cart     57 calls: that many requests
 *      └─ POST /cart    3 calls
 *
 * (the roots of sums that are added, themselves merged profiles, are not put there: theirs are.) Contexts are
 * kept, until a flat profile is among the inputs: the sum is flat then. Functions are matched by name, file,
 * object and symbol. The line of the definition, which changes from build to build, tells two functions apart
 * only if some input has both. Events are matched by name. One owner at a time; memory grows with the
 * distinct contexts, not with the number of inputs. */
#ifndef RPS_PROFILE_MERGE_H
#define RPS_PROFILE_MERGE_H

#include "profile/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rps_merge;

/* The meta of a sum: "Aggregate: N", and how many profiles were added to it. */
#define RPS_AGGREGATE_KEY "Aggregate"

struct rps_merge *rps_merge_create(const char *root_name);
void rps_merge_destroy(struct rps_merge *merge);

/* Adds `profile`, one that passes rps_profile_check, and keeps nothing of it. 0; -EOVERFLOW: a sum would not
 * fit in 64 bits; -E2BIG: more than RPS_EVENTS_MAX events in all; the merge is as it was then. -ENOMEM: it is
 * not, and can only be destroyed. */
int rps_merge_add(struct rps_merge *merge, const struct rps_profile *profile);

/* Adds what `other` has to `merge`; for sums that were made by several threads. Same results. */
int rps_merge_join(struct rps_merge *merge, const struct rps_merge *other);

const char *rps_merge_root(const struct rps_merge *merge);

/* How many profiles were added; a sum counts as many as it has. */
uint64_t rps_merge_count(const struct rps_merge *merge);

/* The sum, with the meta RPS_AGGREGATE_KEY; NULL when out of memory. The caller destroys it. */
struct rps_profile *rps_merge_finish(const struct rps_merge *merge);

/* Whether a meta says that something is missing or not sure, in a profile or in inputs of a sum. */
bool rps_meta_is_trouble(const char *key);

/* Calls of functions; the requests that a sum's own root stands for are none. */
uint64_t rps_profile_count_calls(const struct rps_profile *profile);

/* How many profiles `profile` is the sum of: 1 if it is none. */
uint64_t rps_profile_aggregate_count(const struct rps_profile *profile);

#endif
