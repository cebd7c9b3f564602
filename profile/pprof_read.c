/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See pprof_read.h. Called by format.c for tools, tests and the fuzzer, on their thread. Two passes over the
 * file's fields: samples come first in a file, what they refer to behind them.
 *
 * Where a file is ours (`exact` in pprof.proto), its last frame's edge has the costs and the count that the
 * sample says, and frames above only lead to it. Other files' stacks are charged to all their frames. */
#include "profile/pprof_read.h"

#include "profile/pprof_fields.h"
#include "profile/pprof_tables.h"
#include "profile/pprof_units.h"
#include "profile/stacks.h"
#include "profile/why.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIZE_MAX_BYTES (160u << 20)
#define COMMENTS_MAX 10000u
#define LABEL_KEYS_MAX 16u
#define FIELD(number) ((uint64_t)1 << (number))
#define EXACT FIELD(0)
#define SAMPLE FIELD(2)
#define NOT_SAMPLES                                                                                          \
	(FIELD(1) | FIELD(3) | FIELD(4) | FIELD(5) | FIELD(6) | FIELD(9) | FIELD(10) | FIELD(11) |           \
	 FIELD(12) | FIELD(13) | EXACT)

/* What a column of the samples' values is. */
#define IGNORED (RPS_NONE - 1)
#define CALLS RPS_NONE

struct column {
	int64_t type, unit, long_name;
	uint32_t event; /* or CALLS */
};

struct reader {
	struct rps_why why;
	struct rps_pprof_fields fields;
	struct rps_pprof_tables tables;
	struct rps_profile *profile;
	struct column columns[RPS_EVENTS_MAX + 1];
	uint32_t n_columns;
	int64_t *comments;
	uint32_t n_comments;
	int64_t label_keys[LABEL_KEYS_MAX]; /* of the first so many */
	uint32_t n_label_keys;
	int64_t time_ns, duration_ns, period, period_type, period_unit;
	/* Of files of ours. */
	bool is_exact, root_is_title;
	uint64_t root_id, overflow_id;
	uint32_t overflow_function;
	uint32_t *active_node, *active_in; /* of each function, valid in the stack with this number */
	uint32_t n_stacks;
	struct rps_stacks *stacks; /* of others' */
	uint64_t totals[RPS_EVENTS_MAX];
};

static int out_of_memory(struct reader *reader)
{
	return rps_why_fail(&reader->why, -ENOMEM, "out of memory");
}

static const char *text(const struct reader *reader, int64_t at)
{
	return rps_pprof_tables_text(&reader->tables, at);
}

/* ---- First pass: all but samples ---------------------------------------------------------------- */

static int take_type(struct reader *reader, const Rps__Pprof__ValueType *type)
{
	if (reader->n_columns == RPS_EVENTS_MAX + 1)
		return rps_why_fail(&reader->why, -EBADMSG, "more than %u sample types", RPS_EVENTS_MAX + 1);
	reader->columns[reader->n_columns++] =
	    (struct column){type->type, type->unit, type->long_name, IGNORED};
	return 0;
}

static int take_comment(struct reader *reader, int64_t comment)
{
	/* A power of two is where there is no room left. */
	if ((reader->n_comments & (reader->n_comments - 1)) == 0) {
		size_t room = reader->n_comments == 0 ? 1 : (size_t)reader->n_comments * 2;
		int64_t *grown = realloc(reader->comments, room * sizeof(*grown));

		if (grown == NULL)
			return out_of_memory(reader);
		reader->comments = grown;
	}
	if (reader->n_comments == COMMENTS_MAX)
		return rps_why_fail(&reader->why, -E2BIG, "more than %u comments", COMMENTS_MAX);
	reader->comments[reader->n_comments++] = comment;
	return 0;
}

static void take_exact(struct reader *reader, const Rps__Pprof__Exact *exact)
{
	reader->is_exact = exact->version == 1;
	reader->root_id = exact->root_function;
	reader->root_is_title = exact->root_is_title;
	reader->overflow_id = exact->overflow_function;
	reader->profile->is_flat = exact->is_flat;
}

static int take_piece(struct reader *reader, const Rps__Pprof__Profile *piece)
{
	int error = rps_pprof_tables_add(&reader->tables, piece);

	if (error != 0)
		return rps_why_fail(&reader->why, error, "%s",
				    error == -ENOMEM ? "out of memory" : reader->tables.why);
	for (size_t i = 0; i < piece->n_sample_type && error == 0; i++)
		error = take_type(reader, piece->sample_type[i]);
	for (size_t i = 0; i < piece->n_comment && error == 0; i++)
		error = take_comment(reader, piece->comment[i]);
	if (piece->time_nanos != 0)
		reader->time_ns = piece->time_nanos;
	if (piece->duration_nanos != 0)
		reader->duration_ns = piece->duration_nanos;
	if (piece->period != 0)
		reader->period = piece->period;
	if (piece->period_type != NULL) {
		reader->period_type = piece->period_type->type;
		reader->period_unit = piece->period_type->unit;
	}
	if (piece->exact != NULL)
		take_exact(reader, piece->exact);
	return error;
}

static int next_field(struct reader *reader, uint64_t wanted, const Rps__Pprof__Profile **piece)
{
	const int result = rps_pprof_fields_next(&reader->fields, wanted, piece);

	reader->why.byte = reader->fields.offset;
	return result;
}

static int each_field(struct reader *reader, uint64_t wanted,
		      int (*take)(struct reader *reader, const Rps__Pprof__Profile *piece))
{
	const Rps__Pprof__Profile *piece;
	int result, error = 0;

	rps_pprof_fields_rewind(&reader->fields);
	while (error == 0 && (result = next_field(reader, wanted, &piece)) != 0)
		error = result < 0 ? rps_why_fail(&reader->why, result, "%s", reader->fields.why)
				   : take(reader, piece);
	return error;
}

/* ---- Between: events and tables ----------------------------------------------------------------- */

static bool is_calls(const struct reader *reader, uint32_t column)
{
	return reader->n_columns > 1 && strcmp(text(reader, reader->columns[column].type), "calls") == 0 &&
	       strcmp(text(reader, reader->columns[column].unit), "count") == 0;
}

static int name_event(struct reader *reader, struct column *column, struct rps_event *events,
		      uint32_t n_events)
{
	const char *long_name = text(reader, column->long_name);
	char name[200];
	size_t size;

	if (long_name == NULL)
		return rps_why_fail(&reader->why, -EBADMSG,
				    "a sample type refers to a text that is not there");
	rps_pprof_event_of_unit(text(reader, column->type), text(reader, column->unit), name,
				sizeof(name) - 8);
	size = strlen(name);
	for (uint32_t i = 0, n = 2; i < n_events; i++)
		if (strcmp(events[i].name, name) == 0) {
			snprintf(name + size, 8, "_%u", n++);
			i = RPS_NONE; /* again from 0 */
		}
	events[n_events].name = rps_profile_text(reader->profile, name);
	events[n_events].long_name = long_name;
	column->event = n_events;
	return events[n_events].name != NULL ? 0 : out_of_memory(reader);
}

static int define_events(struct reader *reader)
{
	struct rps_event events[RPS_EVENTS_MAX];
	bool has_calls = false;
	uint32_t n_events = 0;

	if (reader->n_columns == 0)
		return rps_why_fail(&reader->why, -EBADMSG,
				    "there are no sample types, so this is no pprof file, or it is cut off");
	for (uint32_t i = 0; i < reader->n_columns; i++) {
		struct column *column = &reader->columns[i];
		int error;

		if (text(reader, column->type) == NULL || text(reader, column->unit) == NULL)
			return rps_why_fail(&reader->why, -EBADMSG,
					    "a sample type refers to a text that is not there");
		if (!has_calls && is_calls(reader, i)) {
			column->event = CALLS;
			has_calls = true;
			continue;
		}
		if (n_events == RPS_EVENTS_MAX)
			return rps_why_fail(&reader->why, -EBADMSG, "more than %u events", RPS_EVENTS_MAX);
		error = name_event(reader, column, events, n_events++);
		if (error != 0)
			return error;
	}
	return rps_profile_set_events(reader->profile, events, n_events) == 0 ? 0 : out_of_memory(reader);
}

static int table_error(struct reader *reader)
{
	return reader->tables.why[0] != '\0' ? rps_why_fail(&reader->why, -EBADMSG, "%s", reader->tables.why)
					     : out_of_memory(reader);
}

/* The object that a function's code is in stands with its locations only. */
static uint64_t mapping_of(const struct reader *reader, uint64_t function)
{
	for (uint32_t i = 0; i < reader->tables.n_locations; i++) {
		const struct rps_pprof_location *location = &reader->tables.locations[i];

		for (uint32_t frame = 0; frame < location->n_frames; frame++)
			if (reader->tables.frames[location->first_frame + frame].function_id == function)
				return location->mapping;
	}
	return 0;
}

static int resolve(struct reader *reader)
{
	int error = rps_pprof_tables_resolve(&reader->tables, reader->is_exact);
	struct rps_profile *profile = reader->profile;
	uint32_t root;

	reader->overflow_function = RPS_NONE;
	if (error != 0)
		return table_error(reader);
	if (!reader->is_exact)
		return 0;
	root = rps_pprof_tables_model_function(&reader->tables, reader->root_id,
					       mapping_of(reader, reader->root_id), 1);
	if (root == RPS_NONE)
		return table_error(reader);
	profile->nodes[0].function = root;
	if (reader->overflow_id == 0)
		return 0;
	reader->overflow_function = rps_pprof_tables_model_function(
	    &reader->tables, reader->overflow_id, mapping_of(reader, reader->overflow_id), 1);
	return reader->overflow_function != RPS_NONE ? 0 : table_error(reader);
}

/* ---- Second pass: samples ----------------------------------------------------------------------- */

struct values {
	uint64_t calls, costs[RPS_EVENTS_MAX];
};

static int read_values(struct reader *reader, const Rps__Pprof__Sample *sample, struct values *values)
{
	*values = (struct values){0};
	if (sample->n_value != reader->n_columns)
		return rps_why_fail(&reader->why, -EBADMSG,
				    "a sample with %zu values, where there are %u sample types",
				    sample->n_value, reader->n_columns);
	for (uint32_t i = 0; i < reader->n_columns; i++) {
		const uint32_t event = reader->columns[i].event;

		if (sample->value[i] < 0)
			return rps_why_fail(&reader->why, -EBADMSG,
					    "a value below 0 (is this the difference of two profiles?)");
		if (event == CALLS)
			values->calls = (uint64_t)sample->value[i];
		else
			values->costs[event] = (uint64_t)sample->value[i];
	}
	for (uint32_t event = 0; event < reader->profile->n_events; event++)
		if (__builtin_add_overflow(reader->totals[event], values->costs[event],
					   &reader->totals[event]))
			return rps_why_fail(&reader->why, -EBADMSG, "the sum of values is beyond 64 bits");
	return 0;
}

static int note_labels(struct reader *reader, const Rps__Pprof__Sample *sample)
{
	for (size_t i = 0; i < sample->n_label && !reader->is_exact; i++) {
		const int64_t key = sample->label[i]->key;
		uint32_t at = 0;

		if (text(reader, key) == NULL)
			return rps_why_fail(&reader->why, -EBADMSG,
					    "a label refers to a text that is not there");
		while (at < reader->n_label_keys && reader->label_keys[at] != key)
			at++;
		if (at == reader->n_label_keys && at < LABEL_KEYS_MAX)
			reader->label_keys[reader->n_label_keys++] = key;
	}
	return 0;
}

static const struct rps_pprof_location *find_location(struct reader *reader, uint64_t id)
{
	const struct rps_pprof_location *location = rps_pprof_tables_location(&reader->tables, id);

	if (location == NULL)
		rps_why_fail(&reader->why, -EBADMSG,
			     "a sample refers to location %" PRIu64 ", which is not there", id);
	return location;
}

static int sum_up(struct reader *reader, uint64_t *into, const uint64_t *costs)
{
	for (uint32_t event = 0; event < reader->profile->n_events; event++)
		if (__builtin_add_overflow(into[event], costs[event], &into[event]))
			return rps_why_fail(&reader->why, -EBADMSG, "the sum of values is beyond 64 bits");
	return 0;
}

/* The part of the leaf's cost that is not its definition's. */
static int take_line(struct reader *reader, uint32_t node, const struct rps_pprof_frame *leaf,
		     const struct values *values)
{
	const struct rps_function *function = &reader->profile->functions[leaf->function];
	uint64_t any = 0;
	uint32_t line;

	for (uint32_t event = 0; event < reader->profile->n_events; event++)
		any |= values->costs[event];
	if (any == 0 || (leaf->line == function->line && strcmp(leaf->file, function->file) == 0) ||
	    (leaf->line == 0 && !reader->is_exact))
		return 0;
	line = rps_profile_line(reader->profile, node, leaf->file, leaf->line);
	if (line == RPS_NONE)
		return out_of_memory(reader);
	if (reader->profile->n_lines > RPS_STACKS_MEMORY_MAX / sizeof(*reader->profile->lines) / 2)
		return rps_why_fail(&reader->why, -E2BIG, "more lines than can be held");
	return sum_up(reader, reader->profile->lines[line].self, values->costs);
}

static int stack_error(struct reader *reader, int error)
{
	return rps_why_fail(&reader->why, error, "%s", rps_stacks_why(error));
}

/* Of any file but ours. */
static int take_stack(struct reader *reader, const Rps__Pprof__Sample *sample, const struct values *values)
{
	const struct rps_pprof_frame *caller = NULL;
	int error = 0;

	rps_stacks_begin(reader->stacks);
	for (size_t i = sample->n_location_id; i-- > 0;) {
		const struct rps_pprof_location *location = find_location(reader, sample->location_id[i]);

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
static uint32_t exact_target(struct reader *reader, uint32_t from, uint32_t function, bool into_overflow)
{
	struct rps_profile *profile = reader->profile;

	if (profile->is_flat)
		return rps_profile_node(profile, 0, function);
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

static int take_exact_edge(struct reader *reader, uint32_t from, uint32_t to,
			   const struct rps_pprof_frame *caller, const Rps__Pprof__Sample *sample,
			   const struct values *values)
{
	struct rps_profile *profile = reader->profile;
	struct rps_edge *edge;
	uint32_t at;

	/* Only a line of the leaf. */
	if (sample->n_inclusive == 0 && values->calls == 0)
		return 0;
	if (sample->n_inclusive != 0 && sample->n_inclusive != profile->n_events)
		return rps_why_fail(&reader->why, -EBADMSG, "%zu inclusive costs, where there are %u events",
				    sample->n_inclusive, profile->n_events);
	at = rps_profile_edge(profile, from, to, caller->line != 0 ? caller->file : "", caller->line);
	if (at == RPS_NONE)
		return out_of_memory(reader);
	edge = &profile->edges[at];
	if (__builtin_add_overflow(edge->calls, values->calls, &edge->calls))
		return rps_why_fail(&reader->why, -EBADMSG, "the count of calls is beyond 64 bits");
	return sample->n_inclusive != 0 ? sum_up(reader, edge->inclusive, sample->inclusive) : 0;
}

/* Of a file of ours. */
static int take_exact_stack(struct reader *reader, const Rps__Pprof__Sample *sample,
			    const struct values *values)
{
	struct rps_profile *profile = reader->profile;
	const struct rps_pprof_frame *caller = NULL, *leaf = NULL;
	uint32_t from = RPS_NONE, node = reader->root_is_title ? 0 : RPS_NONE;
	int error;

	reader->n_stacks++;
	if (sample->into_overflow && reader->overflow_function == RPS_NONE)
		return rps_why_fail(&reader->why, -EBADMSG, "a collapsed context, where there are none");
	for (size_t i = sample->n_location_id; i-- > 0;) {
		const struct rps_pprof_location *location = find_location(reader, sample->location_id[i]);

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
		node = exact_target(reader, from, leaf->function, i == 0 && sample->into_overflow);
		if (node == RPS_NONE)
			return out_of_memory(reader);
		if (leaf->function == reader->overflow_function && from == 0)
			profile->overflow = node;
		reader->active_in[leaf->function] = reader->n_stacks;
		reader->active_node[leaf->function] = node;
	}
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

static int take_sample(struct reader *reader, const Rps__Pprof__Profile *piece)
{
	for (size_t i = 0; i < piece->n_sample; i++) {
		const Rps__Pprof__Sample *sample = piece->sample[i];
		struct values values;
		int error = read_values(reader, sample, &values);

		if (error == 0)
			error = note_labels(reader, sample);
		if (error == 0)
			error = reader->is_exact ? take_exact_stack(reader, sample, &values)
						 : take_stack(reader, sample, &values);
		if (error != 0)
			return error;
	}
	return 0;
}

/* ---- What it says about itself ------------------------------------------------------------------ */

/* "Key: value" of ours; anything else is a comment. */
static int add_comment(struct reader *reader, const char *comment)
{
	struct rps_profile *profile = reader->profile;
	const char *colon = strstr(comment, ": ");
	char key[64];
	int error;

	if (!reader->is_exact || colon == NULL || colon == comment ||
	    (size_t)(colon - comment) >= sizeof(key))
		return rps_profile_add_meta(profile, "Comment", comment);
	snprintf(key, sizeof(key), "%.*s", (int)(colon - comment), comment);
	if (strcmp(key, "Note") == 0)
		return 0;
	if (strcmp(key, "cmd") == 0)
		return rps_profile_set_command(profile, colon + 2);
	if (strcmp(key, "pid") == 0) {
		profile->pid = (uint32_t)strtoul(colon + 2, NULL, 10);
		return 0;
	}
	error = rps_profile_add_meta(profile, key, colon + 2);
	return error;
}

static int add_facts(struct reader *reader)
{
	const char *type = text(reader, reader->period_type), *unit = text(reader, reader->period_unit);
	struct rps_profile *profile = reader->profile;
	time_t end_s = (time_t)((reader->time_ns / 1000000000 + reader->duration_ns / 1000000000));
	char value[512];
	struct tm tm;
	int error = 0;

	if (reader->is_exact)
		return 0;
	if (reader->duration_ns > 0) {
		snprintf(value, sizeof(value), "%" PRId64, reader->duration_ns / 1000);
		error |= rps_profile_add_meta(profile, "Duration us", value);
	}
	if (reader->time_ns > 0 && gmtime_r(&end_s, &tm) != NULL) {
		strftime(value, sizeof(value), "%Y-%m-%dT%H:%M:%SZ", &tm);
		error |= rps_profile_add_meta(profile, "Time", value);
	}
	if (reader->period > 0 && type != NULL && unit != NULL) {
		snprintf(value, sizeof(value), "%" PRId64 " (%.200s, %.200s)", reader->period, type, unit);
		error |= rps_profile_add_meta(profile, "Period", value);
	}
	value[0] = '\0';
	for (uint32_t i = 0; i < reader->n_label_keys; i++)
		snprintf(value + strlen(value), sizeof(value) - strlen(value), "%s%s", i == 0 ? "" : ", ",
			 text(reader, reader->label_keys[i]));
	if (reader->n_label_keys > 0)
		error |= rps_profile_add_meta(profile, "Labels", value);
	return error;
}

static int describe(struct reader *reader)
{
	int error = 0;

	for (uint32_t i = 0; i < reader->n_comments && error == 0; i++) {
		const char *comment = text(reader, reader->comments[i]);

		if (comment == NULL)
			return rps_why_fail(&reader->why, -EBADMSG,
					    "a comment refers to a text that is not there");
		error = add_comment(reader, comment);
	}
	if (error == 0)
		error = add_facts(reader);
	return error == 0 ? 0 : out_of_memory(reader);
}

/* ---- Life --------------------------------------------------------------------------------------- */

static int make_room(struct reader *reader)
{
	const uint32_t n = reader->profile->n_functions;

	if (reader->is_exact) {
		reader->active_node = malloc(n * sizeof(*reader->active_node));
		reader->active_in = calloc(n, sizeof(*reader->active_in));
		return reader->active_node != NULL && reader->active_in != NULL ? 0 : out_of_memory(reader);
	}
	reader->stacks = rps_stacks_create(reader->profile);
	return reader->stacks != NULL ? 0 : out_of_memory(reader);
}

static int read_all(struct reader *reader)
{
	char problem[200];
	int error = each_field(reader, NOT_SAMPLES, take_piece);

	if (error == 0)
		error = define_events(reader);
	if (error == 0)
		error = resolve(reader);
	if (error == 0)
		error = make_room(reader);
	if (error == 0)
		error = each_field(reader, SAMPLE, take_sample);
	if (error == 0)
		error = describe(reader);
	if (error == 0 && rps_profile_check(reader->profile, problem, sizeof(problem)) != 0)
		error = rps_why_fail(&reader->why, -EBADMSG, "%s", problem);
	return error;
}

int rps_pprof_read(struct rps_input *input, struct rps_profile **profile, char *why, size_t why_size)
{
	struct reader reader = {.why = {why, why_size, input, RPS_WHY_BYTE, 0}};
	unsigned char *bytes;
	size_t size;
	int error = rps_input_all(input, SIZE_MAX_BYTES, &bytes, &size);

	if (error != 0) {
		snprintf(why, why_size, "%s: %s", rps_input_name(input), rps_input_why(input));
		return error;
	}
	reader.fields = (struct rps_pprof_fields){.bytes = bytes, .size = size};
	reader.profile = reader.tables.profile = rps_profile_create("(profile)");
	error = reader.profile != NULL ? read_all(&reader) : out_of_memory(&reader);
	if (error == 0)
		*profile = reader.profile;
	else
		rps_profile_destroy(reader.profile);
	rps_pprof_fields_rewind(&reader.fields);
	rps_pprof_tables_clear(&reader.tables);
	rps_stacks_destroy(reader.stacks);
	free(reader.comments);
	free(reader.active_node);
	free(reader.active_in);
	free(bytes);
	return error;
}
