/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See pprof_read.h. Called by format.c for tools, tests and the fuzzer, on their thread. Two passes over the
 * file's fields: samples come first in a file, what they refer to behind them. */
#include "profile/pprof_read.h"

#include "profile/pprof_reader.h"
#include "profile/pprof_units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIZE_MAX_BYTES (160u << 20)
#define COMMENTS_MAX 10000u

/* Fields of a Profile (pprof.proto). */
enum {
	FIELD_SAMPLE_TYPE = 1,
	FIELD_SAMPLE = 2,
	FIELD_MAPPING = 3,
	FIELD_TEXT = 6,
	FIELD_TIME = 9,
	FIELD_DURATION = 10,
	FIELD_PERIOD_TYPE = 11,
	FIELD_PERIOD = 12,
	FIELD_COMMENT = 13,
	FIELD_EXACT = 1001,
};

int rps_pprof_out_of_memory(struct rps_pprof_reader *reader)
{
	return rps_why_fail(&reader->why, -ENOMEM, "out of memory");
}

int rps_pprof_damaged(struct rps_pprof_reader *reader)
{
	return rps_why_fail(&reader->why, -EBADMSG,
			    "this is no pprof file, or it is damaged (the field makes no sense)");
}

/* ---- First pass: all but samples ---------------------------------------------------------------- */

/* A ValueType: type, unit; and, in files of ours, the event's long name. */
static int take_type(struct rps_pprof_reader *reader, struct rps_wire message)
{
	struct rps_pprof_column column = {.event = RPS_PPROF_IGNORED};
	struct rps_wire_field field;
	uint64_t numbers[3];
	const char *why;

	if (rps_wire_read_numbers(message, numbers, 3) != 0)
		return rps_pprof_damaged(reader);
	column.type = (int64_t)numbers[1];
	column.unit = (int64_t)numbers[2];
	while (rps_wire_next(&message, &field, &why) == 1) {
		if (field.number == 1001 && field.type != RPS_WIRE_NUMBER)
			return rps_pprof_damaged(reader);
		if (field.number == 1001)
			column.long_name = (int64_t)field.value;
	}
	if (reader->n_columns == RPS_EVENTS_MAX + 1)
		return rps_why_fail(&reader->why, -EBADMSG, "more than %u sample types", RPS_EVENTS_MAX + 1);
	reader->columns[reader->n_columns++] = column;
	return 0;
}

static int take_period_type(struct rps_pprof_reader *reader, struct rps_wire message)
{
	uint64_t numbers[3];

	if (rps_wire_read_numbers(message, numbers, 3) != 0)
		return rps_pprof_damaged(reader);
	reader->period_type = (int64_t)numbers[1];
	reader->period_unit = (int64_t)numbers[2];
	return 0;
}

static int take_comments(struct rps_pprof_reader *reader, const struct rps_wire_field *field)
{
	int error = rps_wire_list_add(&reader->comments, field);

	if (error == -E2BIG || reader->comments.n > COMMENTS_MAX)
		return rps_why_fail(&reader->why, -E2BIG, "more than %u comments", COMMENTS_MAX);
	return error == 0         ? 0
	       : error == -ENOMEM ? rps_pprof_out_of_memory(reader)
				  : rps_pprof_damaged(reader);
}

static int take_exact(struct rps_pprof_reader *reader, struct rps_wire message)
{
	uint64_t numbers[6]; /* version, root function, root is title, is flat, overflow function */

	if (rps_wire_read_numbers(message, numbers, 6) != 0)
		return rps_pprof_damaged(reader);
	reader->is_exact = (uint32_t)numbers[1] == 1;
	reader->root_id = numbers[2];
	reader->root_is_title = numbers[3] != 0;
	reader->profile->is_flat = numbers[4] != 0;
	reader->overflow_id = numbers[5];
	return 0;
}

static int take_number(struct rps_pprof_reader *reader, const struct rps_wire_field *field, int64_t *number)
{
	if (field->type != RPS_WIRE_NUMBER)
		return rps_pprof_damaged(reader);
	if (field->value != 0)
		*number = (int64_t)field->value;
	return 0;
}

static int take_table(struct rps_pprof_reader *reader, const struct rps_wire_field *field)
{
	int error = rps_pprof_tables_add(&reader->tables, field);

	return error == 0 ? 0
			  : rps_why_fail(&reader->why, error, "%s",
					 error == -ENOMEM ? "out of memory" : reader->tables.why);
}

static int take_message(struct rps_pprof_reader *reader, const struct rps_wire_field *field,
			int (*take)(struct rps_pprof_reader *reader, struct rps_wire message))
{
	return field->type == RPS_WIRE_BYTES ? take(reader, field->bytes) : rps_pprof_damaged(reader);
}

static int take_field(struct rps_pprof_reader *reader, const struct rps_wire_field *field)
{
	switch (field->number) {
	case FIELD_SAMPLE_TYPE:
		return take_message(reader, field, take_type);
	case FIELD_MAPPING ... FIELD_TEXT:
		return take_table(reader, field);
	case FIELD_TIME:
		return take_number(reader, field, &reader->time_ns);
	case FIELD_DURATION:
		return take_number(reader, field, &reader->duration_ns);
	case FIELD_PERIOD_TYPE:
		return take_message(reader, field, take_period_type);
	case FIELD_PERIOD:
		return take_number(reader, field, &reader->period);
	case FIELD_COMMENT:
		return take_comments(reader, field);
	case FIELD_EXACT:
		return take_message(reader, field, take_exact);
	default:
		return 0;
	}
}

static int each_field(struct rps_pprof_reader *reader, const uint8_t *bytes, size_t size, bool samples,
		      int (*take)(struct rps_pprof_reader *reader, const struct rps_wire_field *field))
{
	struct rps_wire message = {bytes, bytes + size};
	struct rps_wire_field field;
	int error = 0;

	while (error == 0) {
		const char *why;
		int result;

		reader->why.byte = (uint64_t)(message.at - bytes);
		result = rps_wire_next(&message, &field, &why);
		if (result == 0)
			break;
		if (result < 0)
			error = rps_why_fail(&reader->why, result, "%s", why);
		else if ((field.number == FIELD_SAMPLE) == samples)
			error = take(reader, &field);
	}
	return error;
}

/* ---- Between: events and tables ----------------------------------------------------------------- */

static bool is_calls(const struct rps_pprof_reader *reader, uint32_t column)
{
	return reader->n_columns > 1 &&
	       strcmp(rps_pprof_text(reader, reader->columns[column].type), "calls") == 0 &&
	       strcmp(rps_pprof_text(reader, reader->columns[column].unit), "count") == 0;
}

static int name_event(struct rps_pprof_reader *reader, struct rps_pprof_column *column,
		      struct rps_event *events, uint32_t n_events)
{
	const char *long_name = rps_pprof_text(reader, column->long_name);
	char name[200];
	size_t size;

	if (long_name == NULL)
		return rps_why_fail(&reader->why, -EBADMSG,
				    "a sample type refers to a text that is not there");
	rps_pprof_event_of_unit(rps_pprof_text(reader, column->type), rps_pprof_text(reader, column->unit),
				name, sizeof(name) - 8);
	size = strlen(name);
	for (uint32_t i = 0, n = 2; i < n_events; i++)
		if (strcmp(events[i].name, name) == 0) {
			snprintf(name + size, 8, "_%u", n++);
			i = RPS_NONE; /* again from 0 */
		}
	events[n_events].name = rps_profile_text(reader->profile, name);
	events[n_events].long_name = long_name;
	column->event = n_events;
	return events[n_events].name != NULL ? 0 : rps_pprof_out_of_memory(reader);
}

static int define_events(struct rps_pprof_reader *reader)
{
	struct rps_event events[RPS_EVENTS_MAX];
	bool has_calls = false;
	uint32_t n_events = 0;

	if (reader->n_columns == 0)
		return rps_why_fail(&reader->why, -EBADMSG,
				    "there are no sample types, so this is no pprof file, or it is cut off");
	for (uint32_t i = 0; i < reader->n_columns; i++) {
		struct rps_pprof_column *column = &reader->columns[i];
		int error;

		if (rps_pprof_text(reader, column->type) == NULL ||
		    rps_pprof_text(reader, column->unit) == NULL)
			return rps_why_fail(&reader->why, -EBADMSG,
					    "a sample type refers to a text that is not there");
		if (!has_calls && is_calls(reader, i)) {
			column->event = RPS_PPROF_CALLS;
			has_calls = true;
			continue;
		}
		if (n_events == RPS_EVENTS_MAX)
			return rps_why_fail(&reader->why, -EBADMSG, "more than %u events", RPS_EVENTS_MAX);
		error = name_event(reader, column, events, n_events++);
		if (error != 0)
			return error;
	}
	return rps_profile_set_events(reader->profile, events, n_events) == 0
		   ? 0
		   : rps_pprof_out_of_memory(reader);
}

static int table_error(struct rps_pprof_reader *reader)
{
	return reader->tables.why[0] != '\0' ? rps_why_fail(&reader->why, -EBADMSG, "%s", reader->tables.why)
					     : rps_pprof_out_of_memory(reader);
}

/* The object that a function's code is in stands with its locations only. */
static uint64_t mapping_of(const struct rps_pprof_reader *reader, uint64_t function)
{
	for (uint32_t i = 0; i < reader->tables.n_locations; i++) {
		const struct rps_pprof_location *location = &reader->tables.locations[i];

		for (uint32_t frame = 0; frame < location->n_frames; frame++)
			if (reader->tables.frames[location->first_frame + frame].function_id == function)
				return location->mapping;
	}
	return 0;
}

static int resolve(struct rps_pprof_reader *reader)
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

/* ---- What it says about itself ------------------------------------------------------------------ */

/* "Key: value" of ours; anything else is a comment. */
static int add_comment(struct rps_pprof_reader *reader, const char *comment)
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

static int add_facts(struct rps_pprof_reader *reader)
{
	const char *type = rps_pprof_text(reader, reader->period_type),
		   *unit = rps_pprof_text(reader, reader->period_unit);
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
			 rps_pprof_text(reader, reader->label_keys[i]));
	if (reader->n_label_keys > 0)
		error |= rps_profile_add_meta(profile, "Labels", value);
	return error;
}

static int describe(struct rps_pprof_reader *reader)
{
	int error = 0;

	for (size_t i = 0; i < reader->comments.n && error == 0; i++) {
		const char *comment = rps_pprof_text(reader, (int64_t)reader->comments.at[i]);

		if (comment == NULL)
			return rps_why_fail(&reader->why, -EBADMSG,
					    "a comment refers to a text that is not there");
		error = add_comment(reader, comment);
	}
	if (error == 0)
		error = add_facts(reader);
	return error == 0 ? 0 : rps_pprof_out_of_memory(reader);
}

/* ---- Life --------------------------------------------------------------------------------------- */

static int read_all(struct rps_pprof_reader *reader, const uint8_t *bytes, size_t size)
{
	char problem[200];
	int error = each_field(reader, bytes, size, false, take_field);

	if (error == 0)
		error = define_events(reader);
	if (error == 0)
		error = resolve(reader);
	if (error == 0)
		error = rps_pprof_samples_begin(reader);
	if (error == 0)
		error = each_field(reader, bytes, size, true, rps_pprof_samples_take);
	if (error == 0)
		error = describe(reader);
	if (error == 0 && rps_profile_check(reader->profile, problem, sizeof(problem)) != 0)
		error = rps_why_fail(&reader->why, -EBADMSG, "%s", problem);
	return error;
}

int rps_pprof_read(struct rps_input *input, struct rps_profile **profile, char *why, size_t why_size)
{
	struct rps_pprof_reader reader = {.why = {why, why_size, input, RPS_WHY_BYTE, 0, 0}};
	unsigned char *bytes;
	size_t size;
	int error = rps_input_all(input, SIZE_MAX_BYTES, &bytes, &size);

	if (error != 0) {
		snprintf(why, why_size, "%s: %s", rps_input_name(input), rps_input_why(input));
		return error;
	}
	reader.profile = reader.tables.profile = rps_profile_create("(profile)");
	error = reader.profile != NULL ? read_all(&reader, bytes, size) : rps_pprof_out_of_memory(&reader);
	if (error == 0)
		*profile = reader.profile;
	else
		rps_profile_destroy(reader.profile);
	rps_pprof_samples_end(&reader);
	rps_pprof_tables_clear(&reader.tables);
	free(reader.comments.at);
	free(bytes);
	return error;
}
