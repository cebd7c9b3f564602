/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The body of callgrind files: names, functions, calls, costs (callgrind_reader.h; what they look like stands
 * in callgrind_read.c). */
#include "profile/callgrind_reader.h"

#include <errno.h>
#include <string.h>

/* ---- Costs -------------------------------------------------------------------------------------- */

static int add_costs(struct rps_callgrind_reader *reader, uint64_t *sum, const uint64_t *costs)
{
	for (uint32_t column = 0; column < reader->part.n_columns; column++) {
		uint64_t *into = &sum[reader->part.event_of[column]];

		if (__builtin_add_overflow(*into, costs[column], into))
			return rps_why_fail(&reader->why, -EBADMSG, "the sum of costs is beyond 64 bits");
	}
	return 0;
}

static int check_size(struct rps_callgrind_reader *reader)
{
	uint64_t size = rps_callgrind_graph_size(&reader->graph) +
			rps_callgrind_ids_size(&reader->functions) + rps_callgrind_ids_size(&reader->files) +
			rps_callgrind_ids_size(&reader->objects);

	if (size > RPS_CALLGRIND_MEMORY_MAX)
		return rps_why_fail(&reader->why, -E2BIG,
				    "more functions and calls than can be held (%u MiB)",
				    RPS_CALLGRIND_MEMORY_MAX >> 20);
	return 0;
}

static int take_call(struct rps_callgrind_reader *reader, uint32_t line, const uint64_t *costs)
{
	uint32_t at = rps_callgrind_graph_call(&reader->graph, reader->function, reader->callee,
					       line != 0 ? reader->file : reader->empty, line);
	struct rps_edge *call;

	if (at == RPS_NONE)
		return rps_callgrind_out_of_memory(reader);
	call = &reader->graph.calls[at];
	if (__builtin_add_overflow(call->calls, reader->n_calls, &call->calls))
		return rps_why_fail(&reader->why, -EBADMSG, "the count of calls is beyond 64 bits");
	reader->called_name = reader->called_object = reader->called_file = NULL;
	return add_costs(reader, call->inclusive, costs);
}

static int take_line(struct rps_callgrind_reader *reader, uint32_t line, const uint64_t *costs)
{
	bool is_empty = true;
	uint32_t at;

	for (uint32_t column = 0; column < reader->part.n_columns; column++)
		is_empty = is_empty && costs[column] == 0;
	if (is_empty)
		return 0;
	at = rps_callgrind_graph_line(&reader->graph, reader->function, reader->file, line);
	return at != RPS_NONE ? add_costs(reader, reader->graph.lines[at].self, costs)
			      : rps_callgrind_out_of_memory(reader);
}

static int take_self(struct rps_callgrind_reader *reader, uint32_t line, const uint64_t *costs)
{
	struct rps_read_function *function = &reader->graph.functions[reader->function];
	int error;

	/* Where its body begins is better known than where it is called. */
	if (!function->has_body && reader->file == reader->own_file) {
		function->line = line;
		function->has_body = true;
	}
	error = add_costs(reader, function->self, costs);
	if (error == 0 && (line != function->line || reader->file != reader->own_file))
		error = take_line(reader, line, costs);
	for (uint32_t column = 0; column < reader->part.n_columns && error == 0; column++)
		if (__builtin_add_overflow(reader->part.sum[column], costs[column],
					   &reader->part.sum[column]))
			error = rps_why_fail(&reader->why, -EBADMSG, "the sum of costs is beyond 64 bits");
	return error;
}

int rps_callgrind_read_cost_line(struct rps_callgrind_reader *reader, char *at)
{
	struct rps_callgrind_part *part = &reader->part;
	const enum rps_callgrind_expected expected = reader->expected;
	uint64_t costs[RPS_EVENTS_MAX];
	uint32_t line;
	int error;

	if (!part->has_events)
		return rps_why_fail(&reader->why, -EBADMSG, "a cost before the line \"events:\"");
	if (reader->function == RPS_NONE)
		return rps_why_fail(&reader->why, -EBADMSG, "a cost before any function (fn=)");
	error = rps_callgrind_read_positions(reader, &at, part->position);
	if (error == 0)
		error = rps_callgrind_read_costs(reader, at, costs);
	if (error == 0)
		error = rps_callgrind_line_of(reader, part->position, &line);
	if (error != 0)
		return error;
	reader->expected = RPS_EXPECT_ANY;
	part->has_costs = true;
	part->costs_since_totals = true;
	if (expected == RPS_EXPECT_JUMP_PLACE)
		return 0;
	return expected == RPS_EXPECT_CALL_COST ? take_call(reader, line, costs)
						: take_self(reader, line, costs);
}

/* ---- Names -------------------------------------------------------------------------------------- */

static int read_name(struct rps_callgrind_reader *reader, struct rps_callgrind_ids *ids, char *text,
		     const char **name)
{
	char *at = rps_callgrind_skip_spaces(text);
	uint64_t id;
	bool has_id = false;
	int error;

	if (at[0] == '(' && at[1] >= '0' && at[1] <= '9') {
		at++;
		error = rps_callgrind_read_number(reader, &at, &id);
		if (error != 0)
			return error;
		if (*at != ')')
			return rps_why_fail(&reader->why, -EBADMSG,
					    "\")\" is missing behind a name's number");
		at = rps_callgrind_skip_spaces(at + 1);
		has_id = true;
	}
	if (*at == '\0' && has_id) {
		*name = rps_callgrind_ids_find(ids, id);
		return *name != NULL
			   ? 0
			   : rps_why_fail(&reader->why, -EBADMSG, "no name was given to number %llu",
					  (unsigned long long)id);
	}
	*name = rps_profile_text(reader->graph.profile, strcmp(at, "???") == 0 ? "" : at);
	if (*name == NULL)
		return rps_callgrind_out_of_memory(reader);
	ids->text_size += strlen(at) + 1;
	if (has_id && rps_callgrind_ids_put(ids, id, *name) != 0)
		return rps_callgrind_out_of_memory(reader);
	return check_size(reader);
}

static int set_function(struct rps_callgrind_reader *reader, const char *name)
{
	reader->file = reader->own_file;
	reader->function =
	    rps_callgrind_graph_function(&reader->graph, name, reader->own_file, reader->object);
	return reader->function != RPS_NONE ? check_size(reader) : rps_callgrind_out_of_memory(reader);
}

/* "12 80": count, position of the callee. */
static int read_calls(struct rps_callgrind_reader *reader, char *at)
{
	uint64_t target[RPS_CALLGRIND_POSITIONS_MAX];
	struct rps_read_function *callee;
	uint32_t line;
	int error;

	if (reader->function == RPS_NONE)
		return rps_why_fail(&reader->why, -EBADMSG, "a call before any function (fn=)");
	if (reader->called_name == NULL)
		return rps_why_fail(&reader->why, -EBADMSG,
				    "calls= without a function that is called (cfn=)");
	if (!reader->part.has_events)
		return rps_why_fail(&reader->why, -EBADMSG, "a call before the line \"events:\"");
	error = rps_callgrind_read_number(reader, &at, &reader->n_calls);
	if (error == 0)
		error = rps_callgrind_end_of_number(reader, at);
	memcpy(target, reader->part.position, sizeof(target));
	if (error == 0 && *rps_callgrind_skip_spaces(at) != '\0')
		error = rps_callgrind_read_positions(reader, &at, target);
	if (error == 0)
		error = rps_callgrind_line_of(reader, target, &line);
	if (error != 0)
		return error;
	reader->callee = rps_callgrind_graph_function(
	    &reader->graph, reader->called_name,
	    reader->called_file != NULL ? reader->called_file : reader->file,
	    reader->called_object != NULL ? reader->called_object : reader->object);
	if (reader->callee == RPS_NONE)
		return rps_callgrind_out_of_memory(reader);
	callee = &reader->graph.functions[reader->callee];
	/* The lowest, so that it does not depend on the order. */
	if (!callee->has_body && line != 0 && (callee->line == 0 || line < callee->line))
		callee->line = line;
	reader->expected = RPS_EXPECT_CALL_COST;
	return check_size(reader);
}

/* ---- Lines -------------------------------------------------------------------------------------- */

static int read_function(struct rps_callgrind_reader *reader, char *value)
{
	const char *name;
	int error = read_name(reader, &reader->functions, value, &name);

	return error != 0 ? error : set_function(reader, name);
}

static int read_object(struct rps_callgrind_reader *reader, char *value)
{
	reader->function = RPS_NONE;
	return read_name(reader, &reader->objects, value, &reader->object);
}

/* fl=, fi=, fe= */
static int read_file(struct rps_callgrind_reader *reader, bool is_own, char *value)
{
	int error = read_name(reader, &reader->files, value, &reader->file);

	if (is_own)
		reader->own_file = reader->file;
	return error;
}

/* Of the function that is called. */
static int read_callee(struct rps_callgrind_reader *reader, const char *key, char *value)
{
	if (strncmp(key, "fn=", 3) == 0)
		return read_name(reader, &reader->functions, value, &reader->called_name);
	if (strncmp(key, "fi=", 3) == 0 || strncmp(key, "fl=", 3) == 0)
		return read_name(reader, &reader->files, value, &reader->called_file);
	if (strncmp(key, "ob=", 3) == 0)
		return read_name(reader, &reader->objects, value, &reader->called_object);
	if (strncmp(key, "alls=", 5) == 0)
		return read_calls(reader, rps_callgrind_skip_spaces(value));
	return -ENOENT;
}

static int read_jump(struct rps_callgrind_reader *reader, const char *key, char *value)
{
	const char *name;

	if (strncmp(key, "fn=", 3) == 0)
		return read_name(reader, &reader->functions, value, &name);
	if (strncmp(key, "fi=", 3) == 0)
		return read_name(reader, &reader->files, value, &name);
	if (strncmp(key, "ump=", 4) != 0 && strncmp(key, "cnd=", 4) != 0)
		return -ENOENT;
	reader->expected = RPS_EXPECT_JUMP_PLACE;
	return 0;
}

/* "key=value"; by the first letter, since most of a file are these lines. */
int rps_callgrind_read_body(struct rps_callgrind_reader *reader, char *line, char *value)
{
	int error = -ENOENT;

	switch (line[0]) {
	case 'c':
		error = read_callee(reader, line + 1, value);
		break;
	case 'f':
		if (strncmp(line, "fn=", 3) == 0)
			error = read_function(reader, value);
		else if (line[1] != '\0' && strchr("lie", line[1]) != NULL && line[2] == '=')
			error = read_file(reader, line[1] == 'l', value);
		break;
	case 'o':
		if (strncmp(line, "ob=", 3) == 0)
			error = read_object(reader, value);
		break;
	case 'j':
		error = read_jump(reader, line + 1, value);
		break;
	default:
		break;
	}
	return error != -ENOENT ? error
				: rps_why_fail(&reader->why, -EBADMSG, "an unknown line: \"%.40s\"", line);
}
