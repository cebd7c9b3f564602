/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See merge_common.h. */
#include "profile/merge_common.h"

#include "profile/merge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is wrong with some inputs must not get lost because it is not wrong with all: it is counted, as in
 * "Inputs with Cut off: 3". */
static const char *const troubles[RPS_TROUBLES] = {"Cut off",    "Lost calls", "Not quiet",
						   "Collapsed",  "Too deep",   "Unfinished",
						   "Unreadable", "Unverified", "Without return"};
#define TROUBLE_KEY "Inputs with "

int rps_merge_common_init(struct rps_merge_common *common)
{
	*common = (struct rps_merge_common){.profile = rps_profile_create("")};
	return common->profile != NULL ? 0 : -ENOMEM;
}

void rps_merge_common_clear(struct rps_merge_common *common)
{
	rps_profile_destroy(common->profile);
	free(common->is_common);
}

/* ---- Adding ------------------------------------------------------------------------------------- */

static bool has_meta(const struct rps_profile *profile, const bool *is_common, const struct rps_meta *meta)
{
	for (uint32_t i = 0; i < profile->n_metas; i++)
		if ((is_common == NULL || is_common[i]) && strcmp(profile->metas[i].key, meta->key) == 0 &&
		    strcmp(profile->metas[i].value, meta->value) == 0)
			return true;
	return false;
}

static void count_troubles(struct rps_merge_common *common, const struct rps_profile *profile)
{
	for (size_t i = 0; i < RPS_TROUBLES; i++) {
		char key[64];
		const char *of_sum;

		snprintf(key, sizeof(key), TROUBLE_KEY "%s", troubles[i]);
		of_sum = rps_profile_meta(profile, key);
		if (of_sum != NULL)
			common->n_with_trouble[i] += strtoull(of_sum, NULL, 10);
		else if (rps_profile_meta(profile, troubles[i]) != NULL)
			common->n_with_trouble[i]++;
	}
}

bool rps_meta_is_trouble(const char *key)
{
	if (strncmp(key, TROUBLE_KEY, strlen(TROUBLE_KEY)) == 0)
		return true;
	for (size_t i = 0; i < RPS_TROUBLES; i++)
		if (strcmp(key, troubles[i]) == 0)
			return true;
	return false;
}

static bool is_of_sums(const char *key)
{
	return strcmp(key, RPS_AGGREGATE_KEY) == 0 || rps_meta_is_trouble(key);
}

static int keep_common(struct rps_merge_common *common, const struct rps_profile *profile,
		       const bool *is_common)
{
	if (common->is_common != NULL) {
		for (uint32_t i = 0; i < common->profile->n_metas; i++)
			common->is_common[i] =
			    common->is_common[i] && has_meta(profile, is_common, &common->profile->metas[i]);
		if (common->profile->command[0] != '\0' &&
		    strcmp(common->profile->command, profile->command) != 0)
			return rps_profile_set_command(common->profile, "");
		return 0;
	}
	common->is_common = calloc((size_t)profile->n_metas + 1, sizeof(bool));
	if (common->is_common == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < profile->n_metas; i++) {
		const struct rps_meta *meta = &profile->metas[i];

		if (rps_profile_add_meta(common->profile, meta->key, meta->value) != 0)
			return -ENOMEM;
		common->is_common[i] = (is_common == NULL || is_common[i]) && !is_of_sums(meta->key);
	}
	return rps_profile_set_command(common->profile, profile->command);
}

/* The order of the events is the inputs', if they agree; else that of the names. */
static int keep_events(struct rps_merge_common *common, const struct rps_profile *profile)
{
	if (common->n_events == 0) {
		if (rps_profile_set_events(common->profile, profile->events, profile->n_events) != 0)
			return -ENOMEM;
		common->n_events = profile->n_events;
		return 0;
	}
	if (profile->n_events != common->n_events)
		common->events_differ = true;
	for (uint32_t i = 0; i < profile->n_events && i < common->n_events; i++)
		if (strcmp(profile->events[i].name, common->profile->events[i].name) != 0)
			common->events_differ = true;
	return 0;
}

int rps_merge_common_add(struct rps_merge_common *common, const struct rps_profile *profile)
{
	int error = keep_common(common, profile, NULL);

	if (error == 0)
		error = keep_events(common, profile);
	if (error == 0)
		count_troubles(common, profile);
	return error;
}

int rps_merge_common_join(struct rps_merge_common *common, const struct rps_merge_common *other)
{
	int error = keep_common(common, other->profile, other->is_common);

	if (error == 0)
		error = keep_events(common, other->profile);
	common->events_differ |= other->events_differ;
	for (size_t i = 0; i < RPS_TROUBLES; i++)
		common->n_with_trouble[i] += other->n_with_trouble[i];
	return error;
}

/* ---- The result --------------------------------------------------------------------------------- */

static int compare_metas(const void *a, const void *b)
{
	const struct rps_meta *left = *(const struct rps_meta *const *)a,
			      *right = *(const struct rps_meta *const *)b;
	int order = strcmp(left->key, right->key);

	return order != 0 ? order : strcmp(left->value, right->value);
}

int rps_merge_common_describe(const struct rps_merge_common *common, uint64_t count,
			      struct rps_profile *result)
{
	const struct rps_profile *from = common->profile;
	const struct rps_meta **metas = calloc((size_t)from->n_metas + 1, sizeof(*metas));
	uint32_t n_metas = 0;
	char number[24];
	int error;

	if (metas == NULL)
		return -ENOMEM;
	snprintf(number, sizeof(number), "%llu", (unsigned long long)count);
	error = rps_profile_add_meta(result, RPS_AGGREGATE_KEY, number);
	for (uint32_t i = 0; i < from->n_metas; i++)
		if (common->is_common[i])
			metas[n_metas++] = &from->metas[i];
	qsort(metas, n_metas, sizeof(*metas), compare_metas);
	for (uint32_t i = 0; i < n_metas && error == 0; i++)
		error = rps_profile_add_meta(result, metas[i]->key, metas[i]->value);
	free(metas);
	for (size_t i = 0; i < RPS_TROUBLES && error == 0; i++) {
		char key[64];

		if (common->n_with_trouble[i] == 0)
			continue;
		snprintf(key, sizeof(key), TROUBLE_KEY "%s", troubles[i]);
		snprintf(number, sizeof(number), "%llu", (unsigned long long)common->n_with_trouble[i]);
		error = rps_profile_add_meta(result, key, number);
	}
	return error == 0 ? rps_profile_set_command(result, from->command) : error;
}
