/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adds profiles up (merge.h). Called by gather_profile_stats, one merge a thread, and by tools.
 *
 * The sum is kept in two profiles, one of contexts and one that is flat, so that it does not matter when the
 * first flat input comes: at the end the one is flattened into the other, if there are both. Flattening adds
 * up node by node, so the flat form of a sum is the sum of the flat forms. */
#include "profile/merge.h"

#include "profile/call_graph.h"
#include "profile/id_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Functions that differ in nothing but the line. */
struct group {
	const char *name, *file, *object, *symbol; /* texts of the sum */
	uint32_t line;                             /* the lowest that is known */
	uint32_t last_function;                    /* of the input ... */
	uint64_t last_input;                       /* ... of this number */
	bool is_conflict;                          /* some input had two of them */
};

struct sum {
	struct rps_profile *profile;
	bool has_inputs;
	struct group *groups;
	uint32_t *group_of; /* of each function of the profile */
	uint32_t n_groups, groups_room, n_grouped, group_of_room;
	struct rps_id_table group_table;
	/* Of all there is, so that no single sum can be beyond 64 bits. */
	uint64_t calls, self[RPS_EVENTS_MAX], inclusive[RPS_EVENTS_MAX];
};

/* What is wrong with some inputs must not get lost because it is not wrong with all: it is counted, as in
 * "Inputs with Cut off: 3". */
static const char *const troubles[] = {"Cut off",    "Lost calls", "Not quiet",  "Collapsed",     "Too deep",
				       "Unfinished", "Unreadable", "Unverified", "Without return"};
#define N_TROUBLES (sizeof(troubles) / sizeof(troubles[0]))
#define TROUBLE_KEY "Inputs with "

struct rps_merge {
	uint64_t n_with_trouble[N_TROUBLES];
	char *root_name;
	struct sum contexts, flat;
	uint64_t count, n_inputs;
	struct rps_event events[RPS_EVENTS_MAX]; /* texts of contexts.profile */
	uint32_t n_events;
	bool events_differ;
	struct rps_profile *common; /* holds the metas that all inputs had */
	bool *is_common;            /* of each of them */
};

/* ---- Life --------------------------------------------------------------------------------------- */

static int init_sum(struct sum *sum, const char *root_name)
{
	sum->profile = rps_profile_create(root_name);
	if (sum->profile == NULL)
		return -ENOMEM;
	sum->profile->n_events = 0;
	return 0;
}

static void clear_sum(struct sum *sum)
{
	rps_profile_destroy(sum->profile);
	rps_id_table_clear(&sum->group_table);
	free(sum->groups);
	free(sum->group_of);
}

struct rps_merge *rps_merge_create(const char *root_name)
{
	struct rps_merge *merge = calloc(1, sizeof(*merge));

	if (merge == NULL)
		return NULL;
	merge->root_name = strdup(root_name);
	merge->common = rps_profile_create("");
	if (merge->root_name == NULL || merge->common == NULL || init_sum(&merge->contexts, root_name) != 0 ||
	    init_sum(&merge->flat, root_name) != 0) {
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
	clear_sum(&merge->contexts);
	clear_sum(&merge->flat);
	rps_profile_destroy(merge->common);
	free(merge->is_common);
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

/* ---- Functions ---------------------------------------------------------------------------------- */

static bool group_equal(const void *owner, uint32_t id, const void *key)
{
	const struct group *have = &((const struct sum *)owner)->groups[id];
	const struct rps_function *wanted = key;

	return have->name == wanted->name && have->file == wanted->file && have->object == wanted->object &&
	       have->symbol == wanted->symbol;
}

/* The group of the sum's function `id`, whose texts are the sum's. */
static uint32_t find_group(struct sum *sum, uint32_t id)
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
			struct group *grown = realloc(sum->groups, room * sizeof(*grown));

			if (grown == NULL)
				return RPS_NONE;
			sum->groups = grown;
			sum->groups_room = room;
		}
		if (rps_id_table_reserve(&sum->group_table) != 0)
			return RPS_NONE;
		group = sum->n_groups++;
		sum->groups[group] = (struct group){
		    function->name, function->file, function->object, function->symbol, 0, id, 0, false};
		rps_id_table_put(&sum->group_table, (uint32_t)(hash >> 32), group);
	}
	sum->group_of[id] = group;
	return group;
}

/* The sum's function for one of input `input`, or RPS_NONE. 0: a sum of several, in which two lines
 * together say nothing. */
static uint32_t map_function(struct sum *sum, const struct rps_function *function, uint64_t input)
{
	uint32_t id = rps_profile_function(sum->profile, function);
	uint32_t at = id != RPS_NONE ? find_group(sum, id) : RPS_NONE;
	struct group *group;

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

/* ---- Adding a profile to a profile -------------------------------------------------------------- */

/* From one profile to another: which function, node, event becomes which. */
struct transfer {
	const struct rps_profile *from;
	struct rps_profile *to;
	uint32_t events[RPS_EVENTS_MAX];
	struct rps_event all_events[RPS_EVENTS_MAX]; /* of `to`, by and by */
	uint32_t n_all_events;
	uint32_t *functions, *nodes;
};

static int map_events(struct transfer *transfer)
{
	struct rps_event *events = transfer->all_events;
	uint32_t n_events = transfer->to->n_events;

	memcpy(events, transfer->to->events, sizeof(transfer->all_events));
	for (uint32_t i = 0; i < transfer->from->n_events; i++) {
		uint32_t event = 0;

		while (event < n_events && strcmp(events[event].name, transfer->from->events[i].name) != 0)
			event++;
		if (event == RPS_EVENTS_MAX)
			return -E2BIG;
		if (event == n_events)
			events[n_events++] = transfer->from->events[i];
		transfer->events[i] = event;
	}
	transfer->n_all_events = n_events;
	return 0;
}

static int add_events(struct transfer *transfer)
{
	if (transfer->n_all_events == transfer->to->n_events)
		return 0;
	return rps_profile_set_events(transfer->to, transfer->all_events, transfer->n_all_events);
}

static void add_costs(const struct transfer *transfer, uint64_t *sum, const uint64_t *costs)
{
	for (uint32_t i = 0; i < transfer->from->n_events; i++)
		sum[transfer->events[i]] = rps_cost_add(sum[transfer->events[i]], costs[i]);
}

/* What is in the overflow node of any input is in one node below the root: there is only one that edges
 * may lead to from anywhere. */
static int map_nodes(struct transfer *transfer)
{
	const struct rps_profile *from = transfer->from;

	for (uint32_t i = 1; i < from->n_nodes; i++) {
		uint32_t parent = from->is_flat ? 0 : transfer->nodes[from->nodes[i].parent];

		if (i == from->overflow)
			parent = 0;
		transfer->nodes[i] =
		    rps_profile_node(transfer->to, parent, transfer->functions[from->nodes[i].function]);
		if (transfer->nodes[i] == RPS_NONE)
			return -ENOMEM;
		if (i == from->overflow)
			transfer->to->overflow = transfer->nodes[i];
	}
	return 0;
}

static int add_all(struct transfer *transfer)
{
	const struct rps_profile *from = transfer->from;
	struct rps_profile *to = transfer->to;

	for (uint32_t i = 0; i < from->n_nodes; i++)
		add_costs(transfer, to->nodes[transfer->nodes[i]].self, from->nodes[i].self);
	for (uint32_t i = 0; i < from->n_edges; i++) {
		const struct rps_edge *edge = &from->edges[i];
		uint32_t at = rps_profile_edge(to, transfer->nodes[edge->from], transfer->nodes[edge->to],
					       edge->site_file, edge->site_line);

		if (at == RPS_NONE)
			return -ENOMEM;
		to->edges[at].calls = rps_cost_add(to->edges[at].calls, edge->calls);
		add_costs(transfer, to->edges[at].inclusive, edge->inclusive);
	}
	for (uint32_t i = 0; i < from->n_lines; i++) {
		const struct rps_line_cost *line = &from->lines[i];
		uint32_t at = rps_profile_line(to, transfer->nodes[line->node], line->file, line->line);

		if (at == RPS_NONE)
			return -ENOMEM;
		add_costs(transfer, to->lines[at].self, line->self);
	}
	return 0;
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
static int reserve(struct sum *sum, const struct transfer *transfer)
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

static int call_root(struct transfer *transfer, uint32_t root)
{
	uint32_t at = rps_profile_edge(transfer->to, 0, root, "", 0);
	uint64_t total[RPS_EVENTS_MAX];

	if (at == RPS_NONE)
		return -ENOMEM;
	for (uint32_t event = 0; event < transfer->from->n_events; event++)
		total[event] = rps_profile_total(transfer->from, event);
	transfer->to->edges[at].calls = rps_cost_add(transfer->to->edges[at].calls, 1);
	add_costs(transfer, transfer->to->edges[at].inclusive, total);
	return 0;
}

static int add_to_sum(struct sum *sum, const struct rps_profile *profile, uint64_t input)
{
	struct transfer transfer = {.from = profile, .to = sum->profile};
	int error = map_events(&transfer);

	if (error == 0)
		error = reserve(sum, &transfer);
	if (error == 0)
		error = add_events(&transfer);
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
	error = map_nodes(&transfer);
	if (error == 0)
		error = add_all(&transfer);
	sum->has_inputs = true;
out:
	free(transfer.functions);
	free(transfer.nodes);
	return error;
}

/* ---- What all inputs have in common ------------------------------------------------------------- */

static bool has_meta(const struct rps_profile *profile, const bool *is_common, const struct rps_meta *meta)
{
	for (uint32_t i = 0; i < profile->n_metas; i++)
		if ((is_common == NULL || is_common[i]) && strcmp(profile->metas[i].key, meta->key) == 0 &&
		    strcmp(profile->metas[i].value, meta->value) == 0)
			return true;
	return false;
}

static void count_troubles(struct rps_merge *merge, const struct rps_profile *profile)
{
	for (size_t i = 0; i < N_TROUBLES; i++) {
		char key[64];
		const char *of_sum;

		snprintf(key, sizeof(key), TROUBLE_KEY "%s", troubles[i]);
		of_sum = rps_profile_meta(profile, key);
		if (of_sum != NULL)
			merge->n_with_trouble[i] += strtoull(of_sum, NULL, 10);
		else if (rps_profile_meta(profile, troubles[i]) != NULL)
			merge->n_with_trouble[i]++;
	}
}

bool rps_meta_is_trouble(const char *key)
{
	if (strncmp(key, TROUBLE_KEY, strlen(TROUBLE_KEY)) == 0)
		return true;
	for (size_t i = 0; i < N_TROUBLES; i++)
		if (strcmp(key, troubles[i]) == 0)
			return true;
	return false;
}

static bool is_of_sums(const char *key)
{
	return strcmp(key, RPS_AGGREGATE_KEY) == 0 || rps_meta_is_trouble(key);
}

static int keep_common(struct rps_merge *merge, const struct rps_profile *profile, const bool *is_common)
{
	if (merge->is_common != NULL) {
		for (uint32_t i = 0; i < merge->common->n_metas; i++)
			merge->is_common[i] =
			    merge->is_common[i] && has_meta(profile, is_common, &merge->common->metas[i]);
		if (merge->common->command[0] != '\0' &&
		    strcmp(merge->common->command, profile->command) != 0)
			return rps_profile_set_command(merge->common, "");
		return 0;
	}
	merge->is_common = calloc((size_t)profile->n_metas + 1, sizeof(bool));
	if (merge->is_common == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < profile->n_metas; i++) {
		const struct rps_meta *meta = &profile->metas[i];

		if (rps_profile_add_meta(merge->common, meta->key, meta->value) != 0)
			return -ENOMEM;
		merge->is_common[i] = (is_common == NULL || is_common[i]) && !is_of_sums(meta->key);
	}
	return rps_profile_set_command(merge->common, profile->command);
}

/* The order of the events is the inputs', if they agree; else that of the names. */
static int keep_events(struct rps_merge *merge, const struct rps_profile *profile)
{
	if (merge->n_events == 0) {
		if (rps_profile_set_events(merge->common, profile->events, profile->n_events) != 0)
			return -ENOMEM;
		merge->n_events = profile->n_events;
		return 0;
	}
	if (profile->n_events != merge->n_events)
		merge->events_differ = true;
	for (uint32_t i = 0; i < profile->n_events && i < merge->n_events; i++)
		if (strcmp(profile->events[i].name, merge->common->events[i].name) != 0)
			merge->events_differ = true;
	return 0;
}

static int compare_events(const void *a, const void *b)
{
	return strcmp(((const struct rps_event *)a)->name, ((const struct rps_event *)b)->name);
}

/* ---- Adding ------------------------------------------------------------------------------------- */

int rps_merge_add(struct rps_merge *merge, const struct rps_profile *profile)
{
	int error;

	if (merge->count > UINT64_MAX - rps_profile_aggregate_count(profile))
		return -EOVERFLOW;
	error = add_to_sum(profile->is_flat ? &merge->flat : &merge->contexts, profile, ++merge->n_inputs);
	if (error == 0)
		error = keep_common(merge, profile, NULL);
	if (error == 0)
		error = keep_events(merge, profile);
	if (error == 0)
		count_troubles(merge, profile);
	if (error == 0)
		merge->count += rps_profile_aggregate_count(profile);
	return error;
}

/* Both have the same root, so nothing is put below another. */
static int join_sums(struct sum *sum, const struct sum *other)
{
	int error = other->has_inputs ? add_to_sum(sum, other->profile, 0) : 0;

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

int rps_merge_join(struct rps_merge *merge, const struct rps_merge *other)
{
	int error;

	if (other->count == 0)
		return 0;
	if (__builtin_add_overflow(merge->count, other->count, &merge->count))
		return -EOVERFLOW;
	error = join_sums(&merge->contexts, &other->contexts);
	if (error == 0)
		error = join_sums(&merge->flat, &other->flat);
	if (error == 0)
		error = keep_common(merge, other->common, other->is_common);
	if (error == 0)
		error = keep_events(merge, other->common);
	merge->events_differ |= other->events_differ;
	for (size_t i = 0; i < N_TROUBLES; i++)
		merge->n_with_trouble[i] += other->n_with_trouble[i];
	return error;
}

/* ---- The result --------------------------------------------------------------------------------- */

/* One line for functions that only a rebuild has moved. */
static int unite_functions(const struct sum *sum, struct rps_profile *result, uint32_t *functions)
{
	for (uint32_t i = 0; i < sum->profile->n_functions; i++) {
		struct rps_function function = sum->profile->functions[i];
		const struct group *group = i < sum->n_grouped && sum->group_of[i] != RPS_NONE
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

/* `result` gets the sum as it is. */
static int copy_sum(const struct sum *sum, struct rps_profile *result)
{
	const struct rps_profile *from = sum->profile;
	struct transfer transfer = {.from = from, .to = result};
	int error = map_events(&transfer);

	if (error == 0)
		error = add_events(&transfer);
	transfer.functions = calloc(from->n_functions, sizeof(*transfer.functions));
	transfer.nodes = calloc(from->n_nodes, sizeof(*transfer.nodes));
	if (transfer.functions == NULL || transfer.nodes == NULL)
		error = -ENOMEM;
	if (error == 0)
		error = unite_functions(sum, result, transfer.functions);
	if (error == 0)
		error = map_nodes(&transfer);
	if (error == 0)
		error = add_all(&transfer);
	free(transfer.functions);
	free(transfer.nodes);
	return error;
}

int rps_profile_flatten(const struct rps_profile *profile, struct rps_profile *result)
{
	struct rps_call_graph *graph = rps_call_graph_create(profile);
	struct transfer transfer = {.from = profile, .to = result};
	int error = graph != NULL ? map_events(&transfer) : -ENOMEM;
	uint32_t *nodes = graph != NULL ? calloc((size_t)graph->n_functions + 1, sizeof(*nodes)) : NULL;

	if (nodes == NULL)
		error = -ENOMEM;
	if (error == 0)
		error = add_events(&transfer);
	for (uint32_t i = 0; error == 0 && i < graph->n_functions; i++) {
		const struct rps_graph_function *function = &graph->functions[i];
		const struct rps_function key = {.name = function->name,
						 .file = graph->files[function->file],
						 .object = graph->objects[function->object],
						 .line = function->line};
		uint32_t id = function->is_root ? 0 : rps_profile_function(result, &key);

		nodes[i] = function->is_root ? 0
			   : id != RPS_NONE  ? rps_profile_node(result, 0, id)
					     : RPS_NONE;
		if (nodes[i] == RPS_NONE)
			error = -ENOMEM;
		else
			add_costs(&transfer, result->nodes[nodes[i]].self, function->self);
	}
	for (uint32_t i = 0; error == 0 && i < graph->n_calls; i++) {
		const struct rps_graph_call *call = &graph->calls[i];
		uint32_t edge = rps_profile_edge(result, nodes[call->caller], nodes[call->callee],
						 call->site_line != 0 ? graph->files[call->site_file] : "",
						 call->site_line);

		if (edge == RPS_NONE) {
			error = -ENOMEM;
			break;
		}
		result->edges[edge].calls = rps_cost_add(result->edges[edge].calls, call->calls);
		add_costs(&transfer, result->edges[edge].inclusive, call->inclusive);
	}
	for (uint32_t i = 0; error == 0 && i < graph->n_lines; i++) {
		const struct rps_graph_line *line = &graph->lines[i];
		uint32_t at =
		    rps_profile_line(result, nodes[line->function], graph->files[line->file], line->line);

		if (at == RPS_NONE)
			error = -ENOMEM;
		else
			add_costs(&transfer, result->lines[at].self, line->self);
	}
	free(nodes);
	rps_call_graph_destroy(graph);
	return error;
}

static int compare_metas(const void *a, const void *b)
{
	const struct rps_meta *left = *(const struct rps_meta *const *)a,
			      *right = *(const struct rps_meta *const *)b;
	int order = strcmp(left->key, right->key);

	return order != 0 ? order : strcmp(left->value, right->value);
}

static int describe(const struct rps_merge *merge, struct rps_profile *result)
{
	const struct rps_profile *common = merge->common;
	const struct rps_meta **metas = calloc((size_t)common->n_metas + 1, sizeof(*metas));
	uint32_t n_metas = 0;
	char count[24];
	int error;

	if (metas == NULL)
		return -ENOMEM;
	snprintf(count, sizeof(count), "%llu", (unsigned long long)merge->count);
	error = rps_profile_add_meta(result, RPS_AGGREGATE_KEY, count);
	for (uint32_t i = 0; i < common->n_metas; i++)
		if (merge->is_common[i])
			metas[n_metas++] = &common->metas[i];
	qsort(metas, n_metas, sizeof(*metas), compare_metas);
	for (uint32_t i = 0; i < n_metas && error == 0; i++)
		error = rps_profile_add_meta(result, metas[i]->key, metas[i]->value);
	free(metas);
	for (size_t i = 0; i < N_TROUBLES && error == 0; i++) {
		char key[64];

		if (merge->n_with_trouble[i] == 0)
			continue;
		snprintf(key, sizeof(key), TROUBLE_KEY "%s", troubles[i]);
		snprintf(count, sizeof(count), "%llu", (unsigned long long)merge->n_with_trouble[i]);
		error = rps_profile_add_meta(result, key, count);
	}
	return error == 0 ? rps_profile_set_command(result, common->command) : error;
}

static int order_events(const struct rps_merge *merge, struct rps_profile *result)
{
	struct rps_event events[RPS_EVENTS_MAX];
	struct transfer all = {.to = result};
	int error = 0;

	if (!merge->events_differ)
		return rps_profile_set_events(result, merge->common->events, merge->n_events);
	for (int i = 0; i < 2 && error == 0; i++) {
		all.from = i == 0 ? merge->contexts.profile : merge->flat.profile;
		error = map_events(&all);
		if (error == 0)
			error = add_events(&all);
	}
	memcpy(events, result->events, sizeof(events));
	qsort(events, result->n_events, sizeof(*events), compare_events);
	return error == 0 ? rps_profile_set_events(result, events, result->n_events) : error;
}

struct rps_profile *rps_merge_finish(const struct rps_merge *merge)
{
	struct rps_profile *contexts = rps_profile_create(merge->root_name), *result = contexts;
	int error = contexts != NULL ? 0 : -ENOMEM;

	if (error == 0 && merge->n_events > 0) {
		contexts->n_events = 0;
		error = order_events(merge, contexts);
	}
	if (error == 0 && merge->contexts.has_inputs)
		error = copy_sum(&merge->contexts, contexts);
	if (error == 0 && merge->flat.has_inputs) {
		result = rps_profile_create(merge->root_name);
		if (result == NULL) {
			rps_profile_destroy(contexts);
			return NULL;
		}
		result->is_flat = 1;
		result->n_events = 0;
		error = order_events(merge, result);
		if (error == 0 && merge->contexts.has_inputs)
			error = rps_profile_flatten(contexts, result);
		if (error == 0)
			error = copy_sum(&merge->flat, result);
		rps_profile_destroy(contexts);
	}
	if (error == 0)
		error = describe(merge, result);
	if (error == 0)
		return result;
	rps_profile_destroy(result);
	return NULL;
}
