/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See merge_sum.h. */
#include "profile/merge_sum.h"

#include "profile/merge.h"
#include "profile/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Life --------------------------------------------------------------------------------------- */

int rps_merge_sum_init(struct rps_merge_sum *sum, const char *root_name)
{
	sum->profile = rps_profile_create(root_name);
	if (sum->profile == NULL)
		return -ENOMEM;
	sum->profile->n_events = 0;
	return 0;
}

void rps_merge_sum_clear(struct rps_merge_sum *sum)
{
	rps_profile_destroy(sum->profile);
	rps_id_table_clear(&sum->group_table);
	free(sum->groups);
	free(sum->group_of);
}

/* ---- Functions ---------------------------------------------------------------------------------- */

static bool group_equal(const void *owner, uint32_t id, const void *key)
{
	const struct rps_merge_group *have = &((const struct rps_merge_sum *)owner)->groups[id];
	const struct rps_function *wanted = key;

	return have->name == wanted->name && have->file == wanted->file && have->object == wanted->object &&
	       have->symbol == wanted->symbol;
}

/* The group of the sum's function `id`, whose texts are the sum's. */
static uint32_t find_group(struct rps_merge_sum *sum, uint32_t id)
{
	const struct rps_function *function = &sum->profile->functions[id];
	uint64_t hash = rps_hash_mix(rps_hash_mix((uintptr_t)function->name, (uintptr_t)function->file),
				     rps_hash_mix((uintptr_t)function->object, (uintptr_t)function->symbol));
	uint32_t group;

	if (id < sum->n_grouped && sum->group_of[id] != RPS_NONE)
		return sum->group_of[id];
	if (id >= sum->group_of_room) {
		uint32_t room = id < 32 ? 64 : id * 2;
		uint32_t *grown = realloc(sum->group_of, room * sizeof(*grown));

		if (grown == NULL)
			return RPS_NONE;
		sum->group_of = grown;
		sum->group_of_room = room;
	}
	for (; sum->n_grouped <= id; sum->n_grouped++)
		sum->group_of[sum->n_grouped] = RPS_NONE;
	group = rps_id_table_find(&sum->group_table, (uint32_t)(hash >> 32), group_equal, sum, function);
	if (group == RPS_NONE) {
		if (sum->n_groups == sum->groups_room) {
			uint32_t room = sum->groups_room == 0 ? 64 : sum->groups_room * 2;
			struct rps_merge_group *grown = realloc(sum->groups, room * sizeof(*grown));

			if (grown == NULL)
				return RPS_NONE;
			sum->groups = grown;
			sum->groups_room = room;
		}
		if (rps_id_table_reserve(&sum->group_table) != 0)
			return RPS_NONE;
		group = sum->n_groups++;
		sum->groups[group] = (struct rps_merge_group){
		    function->name, function->file, function->object, function->symbol, 0, id, 0, false};
		rps_id_table_put(&sum->group_table, (uint32_t)(hash >> 32), group);
	}
	sum->group_of[id] = group;
	return group;
}

/* The sum's function for one of input `input`, or RPS_NONE. 0: a sum of several, in which two lines
 * together say nothing. */
static uint32_t map_function(struct rps_merge_sum *sum, const struct rps_function *function, uint64_t input)
{
	uint32_t id = rps_profile_function(sum->profile, function);
	uint32_t at = id != RPS_NONE ? find_group(sum, id) : RPS_NONE;
	struct rps_merge_group *group;

	if (at == RPS_NONE)
		return RPS_NONE;
	group = &sum->groups[at];
	if (input != 0 && group->last_input == input && group->last_function != id)
		group->is_conflict = true;
	if (input != 0) {
		group->last_input = input;
		group->last_function = id;
	}
	if (function->line != 0 && (group->line == 0 || function->line < group->line))
		group->line = function->line;
	return id;
}

/* ---- Adding to the sum -------------------------------------------------------------------------- */

static bool root_is_empty(const struct rps_profile *profile)
{
	if (profile->nodes[0].first_edge != RPS_NONE)
		return false;
	for (uint32_t event = 0; event < profile->n_events; event++)
		if (profile->nodes[0].self[event] != 0)
			return false;
	return true;
}

/* Its root becomes the sum's: a sum itself, a title, or the same by name. */
static bool shares_root(const struct rps_profile *profile, const struct rps_profile *sum)
{
	return rps_profile_meta(profile, RPS_AGGREGATE_KEY) != NULL ||
	       (profile->is_flat && root_is_empty(profile)) ||
	       strcmp(profile->functions[profile->nodes[0].function].name,
		      sum->functions[sum->nodes[0].function].name) == 0;
}

/* Sums that are sure to fit. Room for one call more, from the sum's root. */
static int reserve(struct rps_merge_sum *sum, const struct rps_transfer *transfer)
{
	const struct rps_profile *from = transfer->from;
	uint64_t calls = sum->calls, self[RPS_EVENTS_MAX], inclusive[RPS_EVENTS_MAX];
	bool is_over = __builtin_add_overflow(calls, rps_profile_aggregate_count(from), &calls);

	memcpy(self, sum->self, sizeof(self));
	memcpy(inclusive, sum->inclusive, sizeof(inclusive));
	for (uint32_t i = 0; i < from->n_edges; i++) {
		is_over |= __builtin_add_overflow(calls, from->edges[i].calls, &calls);
		for (uint32_t event = 0; event < from->n_events; event++)
			is_over |= __builtin_add_overflow(inclusive[transfer->events[event]],
							  from->edges[i].inclusive[event],
							  &inclusive[transfer->events[event]]);
	}
	for (uint32_t event = 0; event < from->n_events; event++) {
		uint64_t total = rps_profile_total(from, event), *sums = &self[transfer->events[event]];

		is_over |= total == UINT64_MAX || __builtin_add_overflow(*sums, total, sums);
		is_over |= __builtin_add_overflow(inclusive[transfer->events[event]], total,
						  &inclusive[transfer->events[event]]);
	}
	if (is_over)
		return -EOVERFLOW;
	sum->calls = calls;
	memcpy(sum->self, self, sizeof(self));
	memcpy(sum->inclusive, inclusive, sizeof(inclusive));
	return 0;
}

static int call_root(struct rps_transfer *transfer, uint32_t root)
{
	uint32_t at = rps_profile_edge(transfer->to, 0, root, "", 0);
	uint64_t total[RPS_EVENTS_MAX];

	if (at == RPS_NONE)
		return -ENOMEM;
	for (uint32_t event = 0; event < transfer->from->n_events; event++)
		total[event] = rps_profile_total(transfer->from, event);
	transfer->to->edges[at].calls = rps_cost_add(transfer->to->edges[at].calls, 1);
	rps_transfer_add_costs(transfer, transfer->to->edges[at].inclusive, total);
	return 0;
}

int rps_merge_sum_add(struct rps_merge_sum *sum, const struct rps_profile *profile, uint64_t input)
{
	struct rps_transfer transfer = {.from = profile, .to = sum->profile};
	int error = rps_transfer_map_events(&transfer);

	if (error == 0)
		error = reserve(sum, &transfer);
	if (error == 0)
		error = rps_transfer_add_events(&transfer);
	if (error != 0)
		return error;
	transfer.functions = malloc(profile->n_functions * sizeof(*transfer.functions));
	transfer.nodes = malloc(profile->n_nodes * sizeof(*transfer.nodes));
	error = -ENOMEM;
	if (transfer.functions == NULL || transfer.nodes == NULL)
		goto out;
	for (uint32_t i = 0; i < profile->n_functions; i++)
		transfer.functions[i] = RPS_NONE;
	for (uint32_t i = 0; i < profile->n_nodes; i++) {
		uint32_t function = profile->nodes[i].function;

		if (transfer.functions[function] == RPS_NONE &&
		    (i > 0 || !shares_root(profile, sum->profile)))
			transfer.functions[function] =
			    map_function(sum, &profile->functions[function], input);
		if (i > 0 && transfer.functions[function] == RPS_NONE)
			goto out;
	}
	transfer.nodes[0] = 0;
	if (!shares_root(profile, sum->profile)) {
		transfer.nodes[0] =
		    rps_profile_node(sum->profile, 0, transfer.functions[profile->nodes[0].function]);
		if (transfer.nodes[0] == RPS_NONE || call_root(&transfer, transfer.nodes[0]) != 0)
			goto out;
	}
	error = rps_transfer_map_nodes(&transfer);
	if (error == 0)
		error = rps_transfer_add_all(&transfer);
	sum->has_inputs = true;
out:
	free(transfer.functions);
	free(transfer.nodes);
	return error;
}

/* ---- Sums of sums ------------------------------------------------------------------------------- */

/* Both have the same root, so nothing is put below another. */
int rps_merge_sum_join(struct rps_merge_sum *sum, const struct rps_merge_sum *other)
{
	int error = other->has_inputs ? rps_merge_sum_add(sum, other->profile, 0) : 0;

	for (uint32_t id = 0; id < other->n_grouped && error == 0; id++) {
		uint32_t at;

		if (other->group_of[id] == RPS_NONE)
			continue;
		at = rps_profile_function(sum->profile, &other->profile->functions[id]);
		at = at != RPS_NONE ? find_group(sum, at) : RPS_NONE;
		if (at == RPS_NONE)
			return -ENOMEM;
		sum->groups[at].is_conflict |= other->groups[other->group_of[id]].is_conflict;
	}
	return error;
}

/* One line for functions that only a rebuild has moved. */
static int unite_functions(const struct rps_merge_sum *sum, struct rps_profile *result, uint32_t *functions)
{
	for (uint32_t i = 0; i < sum->profile->n_functions; i++) {
		struct rps_function function = sum->profile->functions[i];
		const struct rps_merge_group *group = i < sum->n_grouped && sum->group_of[i] != RPS_NONE
							  ? &sum->groups[sum->group_of[i]]
							  : NULL;

		if (group != NULL && !group->is_conflict)
			function.line = group->line;
		functions[i] = i == 0 ? 0 : rps_profile_function(result, &function);
		if (functions[i] == RPS_NONE)
			return -ENOMEM;
	}
	return 0;
}

/* In an order of its own, since that in which inputs came, and from which thread, must not be seen: what
 * makes stacks of a flat profile begins with what is first. */
int rps_merge_sum_copy(const struct rps_merge_sum *sum, struct rps_profile *result)
{
	const struct rps_profile *from = sum->profile;
	struct rps_order order;
	struct rps_transfer transfer = {.from = from, .to = result, .order = &order};
	int error = rps_order_init(&order, from);

	transfer.functions = calloc(from->n_functions, sizeof(*transfer.functions));
	transfer.nodes = calloc(from->n_nodes, sizeof(*transfer.nodes));
	if (transfer.functions == NULL || transfer.nodes == NULL)
		error = -ENOMEM;
	if (error == 0)
		error = rps_transfer_map_events(&transfer);
	if (error == 0)
		error = rps_transfer_add_events(&transfer);
	if (error == 0)
		error = unite_functions(sum, result, transfer.functions);
	if (error == 0)
		error = rps_transfer_map_nodes(&transfer);
	if (error == 0)
		error = rps_transfer_add_all(&transfer);
	free(transfer.functions);
	free(transfer.nodes);
	rps_order_clear(&order);
	return error;
}
