/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The samples of pprof files: stacks with their values become nodes and edges (pprof_reader.h).
 *
 * Where a file is ours (`exact` in pprof.proto), its last frame's edge has the costs and the count that the
 * sample says, and frames above only lead to it. Other files' stacks are charged to all their frames. */
#include "profile/pprof_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct values {
	uint64_t calls, costs[RPS_EVENTS_MAX];
};

static int read_values(struct rps_pprof_reader *reader, const struct rps_pprof_sample *sample,
		       struct values *values)
{
	*values = (struct values){0};
	if (sample->values.n != reader->n_columns)
		return rps_why_fail(&reader->why, -EBADMSG,
				    "a sample with %zu values, where there are %u sample types",
				    sample->values.n, reader->n_columns);
	for (uint32_t i = 0; i < reader->n_columns; i++) {
		const uint32_t event = reader->columns[i].event;

		if ((int64_t)sample->values.at[i] < 0)
			return rps_why_fail(&reader->why, -EBADMSG,
					    "a value below 0 (is this the difference of two profiles?)");
		if (event == RPS_PPROF_CALLS)
			values->calls = sample->values.at[i];
		else
			values->costs[event] = sample->values.at[i];
	}
	for (uint32_t event = 0; event < reader->profile->n_events; event++)
		if (__builtin_add_overflow(reader->totals[event], values->costs[event],
					   &reader->totals[event]))
			return rps_why_fail(&reader->why, -EBADMSG, "the sum of values is beyond 64 bits");
	return 0;
}

static int note_labels(struct rps_pprof_reader *reader, const struct rps_pprof_sample *sample)
{
	for (size_t i = 0; i < sample->label_keys.n && !reader->is_exact; i++) {
		const int64_t key = (int64_t)sample->label_keys.at[i];
		uint32_t at = 0;

		if (rps_pprof_text(reader, key) == NULL)
			return rps_why_fail(&reader->why, -EBADMSG,
					    "a label refers to a text that is not there");
		while (at < reader->n_label_keys && reader->label_keys[at] != key)
			at++;
		if (at == reader->n_label_keys && at < RPS_PPROF_LABEL_KEYS_MAX)
			reader->label_keys[reader->n_label_keys++] = key;
	}
	return 0;
}

static inline const struct rps_pprof_location *find_location(struct rps_pprof_reader *reader, uint64_t id)
{
	const struct rps_pprof_location *location = rps_pprof_tables_location(&reader->tables, id);

	if (location == NULL)
		rps_why_fail(&reader->why, -EBADMSG,
			     "a sample refers to location %" PRIu64 ", which is not there", id);
	return location;
}

static int sum_up(struct rps_pprof_reader *reader, uint64_t *into, const uint64_t *costs)
{
	for (uint32_t event = 0; event < reader->profile->n_events; event++)
		if (__builtin_add_overflow(into[event], costs[event], &into[event]))
			return rps_why_fail(&reader->why, -EBADMSG, "the sum of values is beyond 64 bits");
	return 0;
}

/* The part of the leaf's cost that is not its definition's. */
static int take_line(struct rps_pprof_reader *reader, uint32_t node, const struct rps_pprof_frame *leaf,
		     const struct values *values)
{
	const struct rps_function *function = &reader->profile->functions[leaf->function];
	uint64_t any = 0;
	uint32_t line;

	for (uint32_t event = 0; event < reader->profile->n_events; event++)
		any |= values->costs[event];
	if (any == 0 ||
	    (leaf->line == function->line &&
	     (leaf->file == function->file || strcmp(leaf->file, function->file) == 0)) ||
	    (leaf->line == 0 && !reader->is_exact))
		return 0;
	line = rps_profile_line(reader->profile, node, leaf->file, leaf->line);
	if (line == RPS_NONE)
		return rps_pprof_out_of_memory(reader);
	if (reader->profile->n_lines > RPS_STACKS_MEMORY_MAX / sizeof(*reader->profile->lines) / 2)
		return rps_why_fail(&reader->why, -E2BIG, "more lines than can be held");
	return sum_up(reader, reader->profile->lines[line].self, values->costs);
}

static int stack_error(struct rps_pprof_reader *reader, int error)
{
	return rps_why_fail(&reader->why, error, "%s", rps_stacks_why(error));
}

/* Of any file but ours. */
static int take_stack(struct rps_pprof_reader *reader, const struct rps_pprof_sample *sample,
		      const struct values *values)
{
	const struct rps_pprof_frame *caller = NULL;
	int error = 0;

	rps_stacks_begin(reader->stacks);
	for (size_t i = sample->locations.n; i-- > 0;) {
		const struct rps_pprof_location *location = find_location(reader, sample->locations.at[i]);

		if (location == NULL)
			return -EBADMSG;
		for (uint32_t frame = location->n_frames; frame-- > 0;) {
			const struct rps_pprof_frame *callee =
			    &reader->tables.frames[location->first_frame + frame];
			const bool has_site = caller != NULL && caller->line != 0;

			error = rps_stacks_enter(reader->stacks, callee->function,
						 has_site ? caller->file : "", has_site ? caller->line : 0);
			if (error != 0)
				return stack_error(reader, error);
			caller = callee;
		}
	}
	error = rps_stacks_charge(reader->stacks, values->calls, values->costs);
	if (error != 0)
		return stack_error(reader, error);
	return caller != NULL ? take_line(reader, rps_stacks_node(reader->stacks), caller, values) : 0;
}

/* Where a call from `from` leads. RPS_NONE: out of memory. */
static uint32_t exact_target(struct rps_pprof_reader *reader, uint32_t from, uint32_t function,
			     bool into_overflow)
{
	struct rps_profile *profile = reader->profile;

	/* In a flat profile a function has one node for ever. */
	if (profile->is_flat)
		return reader->active_in[function] != 0 ? reader->active_node[function]
							: rps_profile_node(profile, 0, function);
	if (into_overflow && profile->overflow == RPS_NONE) {
		profile->overflow = rps_profile_node(profile, 0, reader->overflow_function);
		if (profile->overflow == RPS_NONE)
			return RPS_NONE;
	}
	if (into_overflow)
		return rps_profile_node(profile, profile->overflow, function);
	if (reader->active_in[function] == reader->n_stacks)
		return reader->active_node[function];
	return rps_profile_node(profile, from, function);
}

static int take_exact_edge(struct rps_pprof_reader *reader, uint32_t from, uint32_t to,
			   const struct rps_pprof_frame *caller, const struct rps_pprof_sample *sample,
			   const struct values *values)
{
	struct rps_profile *profile = reader->profile;
	struct rps_edge *edge;
	uint32_t at;

	/* Only a line of the leaf. */
	if (sample->inclusive.n == 0 && values->calls == 0)
		return 0;
	if (sample->inclusive.n != 0 && sample->inclusive.n != profile->n_events)
		return rps_why_fail(&reader->why, -EBADMSG, "%zu inclusive costs, where there are %u events",
				    sample->inclusive.n, profile->n_events);
	at = rps_profile_edge(profile, from, to, caller->line != 0 ? caller->file : "", caller->line);
	if (at == RPS_NONE)
		return rps_pprof_out_of_memory(reader);
	edge = &profile->edges[at];
	if (__builtin_add_overflow(edge->calls, values->calls, &edge->calls))
		return rps_why_fail(&reader->why, -EBADMSG, "the count of calls is beyond 64 bits");
	return sample->inclusive.n != 0 ? sum_up(reader, edge->inclusive, sample->inclusive.at) : 0;
}

static int make_steps(struct rps_pprof_reader *reader, size_t n)
{
	struct rps_pprof_step *grown;

	if (n <= reader->steps_room)
		return 0;
	grown = realloc(reader->steps, n * 2 * sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	reader->steps = grown;
	reader->steps_room = n * 2;
	return 0;
}

/* Of a file of ours. Samples stand in the order of the tree, so most of a stack is the last one's, and its nodes
 * are known: which node a frame is depends on the frames above only. */
static int take_exact_stack(struct rps_pprof_reader *reader, const struct rps_pprof_sample *sample,
			    const struct values *values)
{
	struct rps_profile *profile = reader->profile;
	const struct rps_pprof_frame *caller = NULL, *leaf = NULL;
	uint32_t from = RPS_NONE, node = reader->root_is_title ? 0 : RPS_NONE;
	size_t depth = 0, n_same = reader->n_steps;
	int error;

	reader->n_stacks++;
	if (sample->into_overflow && reader->overflow_function == RPS_NONE)
		return rps_why_fail(&reader->why, -EBADMSG, "a collapsed context, where there are none");
	if (make_steps(reader, sample->locations.n) != 0)
		return rps_pprof_out_of_memory(reader);
	for (size_t i = sample->locations.n; i-- > 0;) {
		const struct rps_pprof_location *location = find_location(reader, sample->locations.at[i]);
		struct rps_pprof_step *step;

		if (location == NULL)
			return -EBADMSG;
		caller = leaf;
		leaf = &reader->tables.frames[location->first_frame];
		from = node;
		if (node == RPS_NONE) {
			if (leaf->function != profile->nodes[0].function)
				return rps_why_fail(&reader->why, -EBADMSG,
						    "a stack that does not begin with the root");
			node = 0;
			continue;
		}
		/* Flat profiles: the two last frames count. */
		if (profile->is_flat && i > 1)
			continue;
		step = &reader->steps[depth];
		if (depth < n_same && step->function == leaf->function &&
		    !(i == 0 && sample->into_overflow)) {
			node = step->node;
		} else {
			n_same = 0;
			node = exact_target(reader, from, leaf->function, i == 0 && sample->into_overflow);
			if (node == RPS_NONE)
				return rps_pprof_out_of_memory(reader);
			*step = (struct rps_pprof_step){leaf->function, node};
		}
		depth++;
		if (leaf->function == reader->overflow_function && from == 0)
			profile->overflow = node;
		reader->active_in[leaf->function] = reader->n_stacks;
		reader->active_node[leaf->function] = node;
	}
	/* A flat profile's stacks are not looked at whole, and a collapsed leaf stands elsewhere. */
	reader->n_steps = profile->is_flat ? 0 : depth - (depth > 0 && sample->into_overflow);
	if (node == RPS_NONE)
		return rps_why_fail(&reader->why, -EBADMSG, "a sample without a stack");
	if ((uint64_t)profile->n_nodes * sizeof(*profile->nodes) +
		(uint64_t)profile->n_edges * sizeof(*profile->edges) >
	    RPS_STACKS_MEMORY_MAX)
		return stack_error(reader, -E2BIG);
	error = sum_up(reader, profile->nodes[node].self, values->costs);
	if (error == 0 && leaf != NULL)
		error = take_line(reader, node, leaf, values);
	/* The root's own, and what is called by nothing. */
	if (error != 0 || from == RPS_NONE || caller == NULL)
		return error;
	if (from == profile->overflow && !sample->into_overflow)
		return 0;
	return take_exact_edge(reader, from, node, caller, sample, values);
}

int rps_pprof_samples_begin(struct rps_pprof_reader *reader)
{
	const uint32_t n = reader->profile->n_functions;

	if (reader->is_exact) {
		reader->active_node = malloc(n * sizeof(*reader->active_node));
		reader->active_in = calloc(n, sizeof(*reader->active_in));
		return reader->active_node != NULL && reader->active_in != NULL
			   ? 0
			   : rps_pprof_out_of_memory(reader);
	}
	reader->stacks = rps_stacks_create(reader->profile);
	return reader->stacks != NULL ? 0 : rps_pprof_out_of_memory(reader);
}

int rps_pprof_samples_take(struct rps_pprof_reader *reader, const struct rps_wire_field *field)
{
	struct rps_pprof_sample *sample = &reader->sample;
	struct values values;
	int error = field->type == RPS_WIRE_BYTES ? rps_pprof_sample_read(sample, field->bytes) : -EBADMSG;

	if (error == -E2BIG)
		return rps_why_fail(&reader->why, -E2BIG, "the field is larger than any profile needs");
	if (error != 0)
		return error == -ENOMEM ? rps_pprof_out_of_memory(reader) : rps_pprof_damaged(reader);
	error = read_values(reader, sample, &values);
	if (error == 0)
		error = note_labels(reader, sample);
	if (error != 0)
		return error;
	return reader->is_exact ? take_exact_stack(reader, sample, &values)
				: take_stack(reader, sample, &values);
}

void rps_pprof_samples_end(struct rps_pprof_reader *reader)
{
	rps_pprof_sample_clear(&reader->sample);
	rps_stacks_destroy(reader->stacks);
	free(reader->active_node);
	free(reader->active_in);
	free(reader->steps);
}
