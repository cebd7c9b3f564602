/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adds profiles up (merge.h). Called by gather_profile_stats, one merge a thread, and by tools.
 *
 * The sum is kept in two profiles, one of contexts and one that is flat, so that it does not matter when the
 * first flat input comes: at the end the one is flattened into the other, if there are both. Flattening adds
 * up node by node, so the flat form of a sum is the sum of the flat forms. */
#include "profile/merge.h"

#include "profile/flatten.h"
#include "profile/merge_common.h"
#include "profile/merge_sum.h"
#include "profile/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct rps_merge {
	char *root_name;
	struct rps_merge_sum contexts, flat;
	uint64_t count, n_inputs;
	struct rps_merge_common common;
};

/* ---- Life --------------------------------------------------------------------------------------- */

struct rps_merge *rps_merge_create(const char *root_name)
{
	struct rps_merge *merge = calloc(1, sizeof(*merge));

	if (merge == NULL)
		return NULL;
	merge->root_name = strdup(root_name);
	if (merge->root_name == NULL || rps_merge_common_init(&merge->common) != 0 ||
	    rps_merge_sum_init(&merge->contexts, root_name) != 0 ||
	    rps_merge_sum_init(&merge->flat, root_name) != 0) {
		rps_merge_destroy(merge);
		return NULL;
	}
	merge->flat.profile->is_flat = 1;
	return merge;
}

void rps_merge_destroy(struct rps_merge *merge)
{
	if (merge == NULL)
		return;
	rps_merge_sum_clear(&merge->contexts);
	rps_merge_sum_clear(&merge->flat);
	rps_merge_common_clear(&merge->common);
	free(merge->root_name);
	free(merge);
}

const char *rps_merge_root(const struct rps_merge *merge)
{
	return merge->root_name;
}

uint64_t rps_merge_count(const struct rps_merge *merge)
{
	return merge->count;
}

uint64_t rps_profile_aggregate_count(const struct rps_profile *profile)
{
	const char *text = rps_profile_meta(profile, RPS_AGGREGATE_KEY);
	uint64_t count = text != NULL ? strtoull(text, NULL, 10) : 1;

	return count != 0 ? count : 1;
}

uint64_t rps_profile_count_calls(const struct rps_profile *profile)
{
	const bool is_sum = rps_profile_meta(profile, RPS_AGGREGATE_KEY) != NULL;
	uint64_t calls = 0;

	for (uint32_t i = 0; i < profile->n_edges; i++)
		if (!is_sum || profile->edges[i].from != 0)
			calls = rps_cost_add(calls, profile->edges[i].calls);
	return calls;
}

/* ---- Adding ------------------------------------------------------------------------------------- */

int rps_merge_add(struct rps_merge *merge, const struct rps_profile *profile)
{
	const uint64_t count = rps_profile_aggregate_count(profile);
	int error;

	if (merge->count > UINT64_MAX - count)
		return -EOVERFLOW;
	error =
	    rps_merge_sum_add(profile->is_flat ? &merge->flat : &merge->contexts, profile, ++merge->n_inputs);
	if (error == 0)
		error = rps_merge_common_add(&merge->common, profile);
	if (error == 0)
		merge->count += count;
	return error;
}

int rps_merge_join(struct rps_merge *merge, const struct rps_merge *other)
{
	int error;

	if (other->count == 0)
		return 0;
	if (__builtin_add_overflow(merge->count, other->count, &merge->count))
		return -EOVERFLOW;
	error = rps_merge_sum_join(&merge->contexts, &other->contexts);
	if (error == 0)
		error = rps_merge_sum_join(&merge->flat, &other->flat);
	if (error == 0)
		error = rps_merge_common_join(&merge->common, &other->common);
	return error;
}

/* ---- The result --------------------------------------------------------------------------------- */

static int compare_events(const void *a, const void *b)
{
	return strcmp(((const struct rps_event *)a)->name, ((const struct rps_event *)b)->name);
}

/* The order of the events is the inputs', if they agree; else that of the names. */
static int order_events(const struct rps_merge *merge, struct rps_profile *result)
{
	const struct rps_profile *sums[] = {merge->contexts.profile, merge->flat.profile};
	struct rps_event events[RPS_EVENTS_MAX];
	int error = 0;

	if (!merge->common.events_differ)
		return rps_profile_set_events(result, merge->common.profile->events, merge->common.n_events);
	for (int i = 0; i < 2 && error == 0; i++) {
		struct rps_transfer transfer = {.from = sums[i], .to = result};

		error = rps_transfer_map_events(&transfer);
		if (error == 0)
			error = rps_transfer_add_events(&transfer);
	}
	memcpy(events, result->events, sizeof(events));
	qsort(events, result->n_events, sizeof(*events), compare_events);
	return error == 0 ? rps_profile_set_events(result, events, result->n_events) : error;
}

/* A profile that has only root and events yet; NULL when out of memory. */
static struct rps_profile *create_result(const struct rps_merge *merge, bool is_flat)
{
	struct rps_profile *result = rps_profile_create(merge->root_name);

	if (result == NULL || merge->common.n_events == 0)
		return result;
	result->is_flat = is_flat;
	result->n_events = 0;
	if (order_events(merge, result) == 0)
		return result;
	rps_profile_destroy(result);
	return NULL;
}

/* The sum of all, without contexts. */
static struct rps_profile *flatten_all(const struct rps_merge *merge, const struct rps_profile *contexts)
{
	struct rps_profile *result = create_result(merge, true);
	int error = 0;

	if (result == NULL)
		return NULL;
	if (merge->contexts.has_inputs)
		error = rps_profile_flatten(contexts, result);
	if (error == 0)
		error = rps_merge_sum_copy(&merge->flat, result);
	if (error == 0)
		return result;
	rps_profile_destroy(result);
	return NULL;
}

struct rps_profile *rps_merge_finish(const struct rps_merge *merge)
{
	struct rps_profile *contexts = create_result(merge, false), *result = contexts;

	if (contexts == NULL)
		return NULL;
	if (merge->contexts.has_inputs && rps_merge_sum_copy(&merge->contexts, contexts) != 0)
		goto out;
	if (merge->flat.has_inputs) {
		result = flatten_all(merge, contexts);
		rps_profile_destroy(contexts);
	}
	if (result != NULL && rps_merge_common_describe(&merge->common, merge->count, result) == 0)
		return result;
out:
	rps_profile_destroy(result);
	return NULL;
}
