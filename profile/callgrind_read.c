/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads a callgrind file line by line (callgrind_read.h; the format:
 * https://valgrind.org/docs/manual/cl-format.html). Called by tools, tests and the fuzzer, on their thread.
 *
 *     fl=(3) /src/cart.c        current file, of the function that follows
 *     fn=(7) cart_total         current function, in the current object; brings back the last fl=
 *     41 1200                   its own cost
 *     fi=(4) /src/item.inc      from here on lines are of this file (inlined code)
 *     cob= cfi= cfn=            the callee; what is left out is the current object, or file
 *     calls=12 80               count, line of the callee; the next line is the call's place and inclusive cost
 *     47 5300
 *     jump=, jcnd=              skipped, and the cost-less position behind them
 */
#include "profile/callgrind_read.h"

#include "profile/callgrind_graph.h"
#include "profile/callgrind_ids.h"
#include "profile/why.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define POSITIONS_MAX 2
#define LONG_NAMES_MAX 64u

enum creator { CREATOR_OTHER, CREATOR_OWN, CREATOR_VALGRIND, CREATOR_XDEBUG };

/* What the next line must be. */
enum expected { EXPECT_ANY, EXPECT_CALL_COST, EXPECT_JUMP_PLACE };

/* Of one part of the file. */
struct part {
	bool has_events, has_costs, has_summary, has_totals, costs_since_totals;
	uint32_t n_columns;
	uint32_t event_of[RPS_EVENTS_MAX]; /* of each column */
	uint64_t sum[RPS_EVENTS_MAX], summary[RPS_EVENTS_MAX], totals[RPS_EVENTS_MAX];
	uint32_t n_positions, line_position; /* line_position RPS_NONE: there are no lines */
	uint64_t position[POSITIONS_MAX];
};

struct reader {
	struct rps_input *input;
	struct rps_why why;
	struct rps_callgrind_graph graph;
	struct rps_callgrind_ids functions, files, objects;
	struct part part;
	uint32_t n_events;
	struct rps_event events[RPS_EVENTS_MAX];
	struct rps_event long_names[LONG_NAMES_MAX]; /* of `event:`, which does not say the events' order */
	uint32_t n_long_names;
	enum creator creator;
	bool is_verified, last_line_is_empty;
	const char *empty; /* the profile's "" */
	const char *object, *own_file, *file;
	uint32_t function; /* RPS_NONE: none yet */
	const char *called_name, *called_object, *called_file;
	uint64_t n_calls; /* of the calls= line above */
	uint32_t callee;
	enum expected expected;
};

static int out_of_memory(struct reader *reader)
{
	return rps_why_fail(&reader->why, -ENOMEM, "out of memory");
}

/* ---- Numbers ------------------------------------------------------------------------------------ */

static char *skip_spaces(char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

/* Decimal or 0x...; moves *at behind it. */
static int read_number(struct reader *reader, char **at, uint64_t *number)
{
	const char *digits = *at;
	uint64_t value = 0;

	if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') &&
	    isxdigit((unsigned char)digits[2])) {
		char *end;

		errno = 0;
		value = strtoull(digits, &end, 16);
		if (errno != 0)
			return rps_why_fail(&reader->why, -EBADMSG, "a number beyond 64 bits");
		*at = end;
		*number = value;
		return 0;
	}
	if (*digits < '0' || *digits > '9')
		return rps_why_fail(&reader->why, -EBADMSG, "a number is expected, not \"%.40s\"", *at);
	for (; *digits >= '0' && *digits <= '9'; digits++)
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*digits - '0'), &value))
			return rps_why_fail(&reader->why, -EBADMSG, "a number beyond 64 bits");
	*at += digits - *at;
	*number = value;
	return 0;
}

static int end_of_number(struct reader *reader, const char *at)
{
	if (*at != '\0' && *at != ' ' && *at != '\t')
		return rps_why_fail(&reader->why, -EBADMSG,
				    "a number is expected, not one that ends in \"%.40s\"", at);
	return 0;
}

/* "+3", "-3", "*" (the same again) or a number. */
static int read_position(struct reader *reader, char **at, uint64_t *position)
{
	const char sign = **at;
	uint64_t number;
	int error;

	if (sign == '*') {
		++*at;
		return end_of_number(reader, *at);
	}
	if (sign == '+' || sign == '-')
		++*at;
	error = read_number(reader, at, &number);
	if (error == 0)
		error = end_of_number(reader, *at);
	if (error != 0)
		return error;
	if (sign == '+' && __builtin_add_overflow(*position, number, &number))
		return rps_why_fail(&reader->why, -EBADMSG, "a position beyond 64 bits");
	if (sign == '-' && __builtin_sub_overflow(*position, number, &number))
		return rps_why_fail(&reader->why, -EBADMSG, "a position below 0");
	*position = number;
	return 0;
}

static int read_positions(struct reader *reader, char **at, uint64_t *positions)
{
	for (uint32_t i = 0; i < reader->part.n_positions; i++) {
		int error;

		*at = skip_spaces(*at);
		error = read_position(reader, at, &positions[i]);
		if (error != 0)
			return error;
	}
	return 0;
}

/* To the end of the line; what is left out is 0. */
static int read_costs(struct reader *reader, char *at, uint64_t *costs)
{
	for (uint32_t column = 0; column < RPS_EVENTS_MAX; column++)
		costs[column] = 0;
	for (uint32_t column = 0;; column++) {
		uint64_t ignored;
		bool is_negative;
		int error;

		at = skip_spaces(at);
		if (*at == '\0')
			return 0;
		if (column == reader->part.n_columns)
			return rps_why_fail(&reader->why, -EBADMSG,
					    "more than the %u costs that \"events:\" names",
					    reader->part.n_columns);
		/* Memory that PHP gave back. KCacheGrind makes 0 of it, too. */
		is_negative = *at == '-' && reader->creator == CREATOR_XDEBUG;
		at += is_negative;
		error = read_number(reader, &at, is_negative ? &ignored : &costs[column]);
		if (error == 0)
			error = end_of_number(reader, at);
		if (error != 0)
			return error;
	}
}

static int line_of(struct reader *reader, const uint64_t *positions, uint32_t *line)
{
	*line = 0;
	if (reader->part.line_position == RPS_NONE)
		return 0;
	if (positions[reader->part.line_position] >= RPS_NONE)
		return rps_why_fail(&reader->why, -EBADMSG, "a line number beyond 32 bits");
	*line = (uint32_t)positions[reader->part.line_position];
	return 0;
}

/* ---- Costs -------------------------------------------------------------------------------------- */

static int add_costs(struct reader *reader, uint64_t *sum, const uint64_t *costs)
{
	for (uint32_t column = 0; column < reader->part.n_columns; column++) {
		uint64_t *into = &sum[reader->part.event_of[column]];

		if (__builtin_add_overflow(*into, costs[column], into))
			return rps_why_fail(&reader->why, -EBADMSG, "the sum of costs is beyond 64 bits");
	}
	return 0;
}

static int check_size(struct reader *reader)
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

static int take_call(struct reader *reader, uint32_t line, const uint64_t *costs)
{
	uint32_t at = rps_callgrind_graph_call(&reader->graph, reader->function, reader->callee,
					       line != 0 ? reader->file : reader->empty, line);
	struct rps_edge *call;

	if (at == RPS_NONE)
		return out_of_memory(reader);
	call = &reader->graph.calls[at];
	if (__builtin_add_overflow(call->calls, reader->n_calls, &call->calls))
		return rps_why_fail(&reader->why, -EBADMSG, "the count of calls is beyond 64 bits");
	reader->called_name = reader->called_object = reader->called_file = NULL;
	return add_costs(reader, call->inclusive, costs);
}

static int take_line(struct reader *reader, uint32_t line, const uint64_t *costs)
{
	bool is_empty = true;
	uint32_t at;

	for (uint32_t column = 0; column < reader->part.n_columns; column++)
		is_empty = is_empty && costs[column] == 0;
	if (is_empty)
		return 0;
	at = rps_callgrind_graph_line(&reader->graph, reader->function, reader->file, line);
	return at != RPS_NONE ? add_costs(reader, reader->graph.lines[at].self, costs)
			      : out_of_memory(reader);
}

static int take_self(struct reader *reader, uint32_t line, const uint64_t *costs)
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

/* "41 1200", "+3 1200", "0x8048 * 7" */
static int read_cost_line(struct reader *reader, char *at)
{
	struct part *part = &reader->part;
	const enum expected expected = reader->expected;
	uint64_t costs[RPS_EVENTS_MAX];
	uint32_t line;
	int error;

	if (!part->has_events)
		return rps_why_fail(&reader->why, -EBADMSG, "a cost before the line \"events:\"");
	if (reader->function == RPS_NONE)
		return rps_why_fail(&reader->why, -EBADMSG, "a cost before any function (fn=)");
	error = read_positions(reader, &at, part->position);
	if (error == 0)
		error = read_costs(reader, at, costs);
	if (error == 0)
		error = line_of(reader, part->position, &line);
	if (error != 0)
		return error;
	reader->expected = EXPECT_ANY;
	part->has_costs = true;
	part->costs_since_totals = true;
	if (expected == EXPECT_JUMP_PLACE)
		return 0;
	return expected == EXPECT_CALL_COST ? take_call(reader, line, costs) : take_self(reader, line, costs);
}

/* ---- Names -------------------------------------------------------------------------------------- */

static int read_name(struct reader *reader, struct rps_callgrind_ids *ids, char *text, const char **name)
{
	char *at = skip_spaces(text);
	uint64_t id;
	bool has_id = false;
	int error;

	if (at[0] == '(' && at[1] >= '0' && at[1] <= '9') {
		at++;
		error = read_number(reader, &at, &id);
		if (error != 0)
			return error;
		if (*at != ')')
			return rps_why_fail(&reader->why, -EBADMSG,
					    "\")\" is missing behind a name's number");
		at = skip_spaces(at + 1);
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
		return out_of_memory(reader);
	ids->text_size += strlen(at) + 1;
	if (has_id && rps_callgrind_ids_put(ids, id, *name) != 0)
		return out_of_memory(reader);
	return check_size(reader);
}

static int set_function(struct reader *reader, const char *name)
{
	reader->file = reader->own_file;
	reader->function =
	    rps_callgrind_graph_function(&reader->graph, name, reader->own_file, reader->object);
	return reader->function != RPS_NONE ? check_size(reader) : out_of_memory(reader);
}

/* "12 80": count, position of the callee. */
static int read_calls(struct reader *reader, char *at)
{
	uint64_t target[POSITIONS_MAX];
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
	error = read_number(reader, &at, &reader->n_calls);
	if (error == 0)
		error = end_of_number(reader, at);
	memcpy(target, reader->part.position, sizeof(target));
	if (error == 0 && *skip_spaces(at) != '\0')
		error = read_positions(reader, &at, target);
	if (error == 0)
		error = line_of(reader, target, &line);
	if (error != 0)
		return error;
	reader->callee = rps_callgrind_graph_function(
	    &reader->graph, reader->called_name,
	    reader->called_file != NULL ? reader->called_file : reader->file,
	    reader->called_object != NULL ? reader->called_object : reader->object);
	if (reader->callee == RPS_NONE)
		return out_of_memory(reader);
	callee = &reader->graph.functions[reader->callee];
	/* The lowest, so that it does not depend on the order. */
	if (!callee->has_body && line != 0 && (callee->line == 0 || line < callee->line))
		callee->line = line;
	reader->expected = EXPECT_CALL_COST;
	return check_size(reader);
}

/* ---- Header ------------------------------------------------------------------------------------- */

static int check_part(struct reader *reader)
{
	const struct part *part = &reader->part;
	const uint64_t *said = part->has_totals ? part->totals : part->summary;
	const bool is_known = reader->creator == CREATOR_OWN || reader->creator == CREATOR_VALGRIND;

	if (reader->expected != EXPECT_ANY)
		return rps_why_fail(&reader->why, -EBADMSG,
				    "the file is cut off: the cost of a call is missing");
	if (!part->has_events)
		return rps_why_fail(
		    &reader->why, -EBADMSG,
		    "there is no line \"events:\", so this is no callgrind file, or it is cut off");
	if (reader->creator == CREATOR_XDEBUG) {
		if (!part->has_summary || !reader->last_line_is_empty)
			return rps_why_fail(
			    &reader->why, -EBADMSG,
			    "the file is cut off: Xdebug ends it with a summary and an empty line");
		return 0;
	}
	if (is_known && (!part->has_totals || part->costs_since_totals))
		return rps_why_fail(&reader->why, -EBADMSG,
				    "the file is cut off: the line \"totals:\" is missing at its end");
	if (!part->has_totals && !part->has_summary) {
		reader->is_verified = false;
		return 0;
	}
	for (uint32_t column = 0; column < part->n_columns; column++)
		if (said[column] != part->sum[column])
			return rps_why_fail(
			    &reader->why, -EBADMSG,
			    "the file is cut off or damaged: %s is %llu in all, but \"%s:\" says %llu",
			    reader->events[part->event_of[column]].name,
			    (unsigned long long)part->sum[column], part->has_totals ? "totals" : "summary",
			    (unsigned long long)said[column]);
	return 0;
}

/* A line of the header behind costs begins a new part. Numbers of names stay: some writers go on with them,
 * the others declare them anew. */
static int begin_part(struct reader *reader)
{
	int error;

	if (!reader->part.has_events || !(reader->part.has_costs || reader->part.has_totals))
		return 0;
	error = check_part(reader);
	reader->part = (struct part){.n_positions = 1};
	reader->function = RPS_NONE;
	reader->object = reader->own_file = reader->file = reader->empty;
	reader->called_name = reader->called_object = reader->called_file = NULL;
	return error;
}

static enum creator creator_of(const char *text)
{
	if (strncmp(text, "RunProfileServer", 16) == 0)
		return CREATOR_OWN;
	if (strncmp(text, "callgrind-", 10) == 0)
		return CREATOR_VALGRIND;
	return strncasecmp(text, "xdebug", 6) == 0 ? CREATOR_XDEBUG : CREATOR_OTHER;
}

/* A letter or '_', then letters, digits, '_'. Xdebug's is Time_(10ns). In place. */
static void clean_event_name(char *name)
{
	if (isdigit((unsigned char)name[0]))
		name[0] = '_';
	for (char *at = name; *at != '\0'; at++)
		if (!isalnum((unsigned char)*at))
			*at = '_';
}

/* The event of this name, added if it is new; RPS_NONE after a message. */
static uint32_t find_event(struct reader *reader, char *word)
{
	const char *long_name = rps_profile_text(reader->graph.profile, word);
	const char *name;
	uint32_t event;

	clean_event_name(word);
	name = rps_profile_text(reader->graph.profile, word);
	if (name == NULL || long_name == NULL) {
		out_of_memory(reader);
		return RPS_NONE;
	}
	for (event = 0; event < reader->n_events; event++)
		if (reader->events[event].name == name)
			return event;
	if (event == RPS_EVENTS_MAX) {
		rps_why_fail(&reader->why, -EBADMSG, "more than %u events", RPS_EVENTS_MAX);
		return RPS_NONE;
	}
	reader->events[event] =
	    (struct rps_event){name, strcmp(name, long_name) == 0 ? reader->empty : long_name};
	reader->n_events++;
	return event;
}

static int read_events(struct reader *reader, char *text)
{
	struct part *part = &reader->part;
	char *rest;
	int error = begin_part(reader);

	if (error != 0)
		return error;
	if (part->has_events)
		return rps_why_fail(&reader->why, -EBADMSG, "a second line \"events:\"");
	for (char *word = strtok_r(text, " \t", &rest); word != NULL; word = strtok_r(NULL, " \t", &rest)) {
		uint32_t event;

		if (part->n_columns == RPS_EVENTS_MAX)
			return rps_why_fail(&reader->why, -EBADMSG, "more than %u events", RPS_EVENTS_MAX);
		event = find_event(reader, word);
		if (event == RPS_NONE)
			return -EBADMSG;
		for (uint32_t column = 0; column < part->n_columns; column++)
			if (part->event_of[column] == event)
				return rps_why_fail(&reader->why, -EBADMSG, "event %s stands there twice",
						    word);
		part->event_of[part->n_columns++] = event;
	}
	if (part->n_columns == 0)
		return rps_why_fail(&reader->why, -EBADMSG, "\"events:\" names none");
	part->has_events = true;
	return 0;
}

/* "Wall_ns : Wall time (ns)"; one with a formula is no event of its own. */
static int read_event(struct reader *reader, char *text)
{
	char *name = skip_spaces(text), *colon = strchr(name, ':');
	size_t size = strcspn(name, " \t:=");
	struct rps_event *event;

	if (colon == NULL || memchr(name, '=', (size_t)(colon - name)) != NULL || size == 0)
		return 0;
	name[size] = '\0';
	if (reader->n_long_names == LONG_NAMES_MAX)
		return 0;
	clean_event_name(name);
	event = &reader->long_names[reader->n_long_names++];
	event->name = rps_profile_text(reader->graph.profile, name);
	event->long_name = rps_profile_text(reader->graph.profile, skip_spaces(colon + 1));
	return event->name != NULL && event->long_name != NULL ? 0 : out_of_memory(reader);
}

static int read_positions_header(struct reader *reader, char *text)
{
	struct part *part = &reader->part;
	char *rest;

	part->n_positions = 0;
	part->line_position = RPS_NONE;
	for (char *word = strtok_r(text, " \t", &rest); word != NULL; word = strtok_r(NULL, " \t", &rest)) {
		if (part->n_positions == POSITIONS_MAX ||
		    (strcmp(word, "line") != 0 && strcmp(word, "instr") != 0 && strcmp(word, "addr") != 0))
			return rps_why_fail(&reader->why, -EBADMSG,
					    "positions other than \"instr\" and \"line\"");
		if (strcmp(word, "line") == 0)
			part->line_position = part->n_positions;
		part->n_positions++;
	}
	return part->n_positions > 0 ? 0 : rps_why_fail(&reader->why, -EBADMSG, "\"positions:\" names none");
}

static int read_totals(struct reader *reader, char *text, bool is_summary)
{
	struct part *part = &reader->part;
	int error;

	if (!part->has_events)
		return rps_why_fail(&reader->why, -EBADMSG, "a sum before the line \"events:\"");
	error = read_costs(reader, text, is_summary ? part->summary : part->totals);
	if (is_summary)
		part->has_summary = true;
	else
		part->has_totals = true;
	part->costs_since_totals = part->costs_since_totals && is_summary;
	return error;
}

static int read_desc(struct reader *reader, char *text)
{
	char *colon = strchr(text, ':');

	/* valgrind describes its caches and triggers, also once per part; its options are worth keeping. */
	if (colon == NULL || colon == text)
		return 0;
	*colon = '\0';
	for (uint32_t i = 0; i < reader->graph.profile->n_metas && reader->creator != CREATOR_OWN; i++)
		if (strcmp(reader->graph.profile->metas[i].key, text) == 0)
			return 0;
	if (reader->graph.profile->n_metas >= 10000)
		return rps_why_fail(&reader->why, -E2BIG, "more than 10000 lines \"desc:\"");
	return rps_profile_add_meta(reader->graph.profile, text, skip_spaces(colon + 1)) == 0
		   ? 0
		   : out_of_memory(reader);
}

static int read_pid(struct reader *reader, char *text)
{
	uint64_t pid;
	int error = read_number(reader, &text, &pid);

	if (error == 0 && pid < RPS_NONE)
		reader->graph.profile->pid = (uint32_t)pid;
	return error;
}

static char *after(char *line, const char *keyword)
{
	size_t size = strlen(keyword);

	return strncmp(line, keyword, size) == 0 ? skip_spaces(line + size) : NULL;
}

/* "key: value" */
static int read_header(struct reader *reader, char *line)
{
	char *text;
	int error;

	if ((text = after(line, "events:")) != NULL)
		return read_events(reader, text);
	if ((text = after(line, "summary:")) != NULL)
		return read_totals(reader, text, true);
	if ((text = after(line, "totals:")) != NULL)
		return read_totals(reader, text, false);
	error = begin_part(reader);
	if (error != 0)
		return error;
	if ((text = after(line, "creator:")) != NULL)
		reader->creator = creator_of(text);
	else if ((text = after(line, "positions:")) != NULL)
		return read_positions_header(reader, text);
	else if ((text = after(line, "event:")) != NULL)
		return read_event(reader, text);
	else if ((text = after(line, "desc:")) != NULL)
		return read_desc(reader, text);
	else if ((text = after(line, "pid:")) != NULL)
		return read_pid(reader, text);
	else if ((text = after(line, "cmd:")) != NULL)
		return rps_profile_set_command(reader->graph.profile, text) == 0 ? 0 : out_of_memory(reader);
	return 0;
}

/* ---- Lines -------------------------------------------------------------------------------------- */

static int read_function(struct reader *reader, char *value)
{
	const char *name;
	int error = read_name(reader, &reader->functions, value, &name);

	return error != 0 ? error : set_function(reader, name);
}

static int read_object(struct reader *reader, char *value)
{
	reader->function = RPS_NONE;
	return read_name(reader, &reader->objects, value, &reader->object);
}

/* fl=, fi=, fe= */
static int read_file(struct reader *reader, bool is_own, char *value)
{
	int error = read_name(reader, &reader->files, value, &reader->file);

	if (is_own)
		reader->own_file = reader->file;
	return error;
}

/* Of the function that is called. */
static int read_callee(struct reader *reader, const char *key, char *value)
{
	if (strncmp(key, "fn=", 3) == 0)
		return read_name(reader, &reader->functions, value, &reader->called_name);
	if (strncmp(key, "fi=", 3) == 0 || strncmp(key, "fl=", 3) == 0)
		return read_name(reader, &reader->files, value, &reader->called_file);
	if (strncmp(key, "ob=", 3) == 0)
		return read_name(reader, &reader->objects, value, &reader->called_object);
	if (strncmp(key, "alls=", 5) == 0)
		return read_calls(reader, skip_spaces(value));
	return -ENOENT;
}

static int read_jump(struct reader *reader, const char *key, char *value)
{
	const char *name;

	if (strncmp(key, "fn=", 3) == 0)
		return read_name(reader, &reader->functions, value, &name);
	if (strncmp(key, "fi=", 3) == 0)
		return read_name(reader, &reader->files, value, &name);
	if (strncmp(key, "ump=", 4) != 0 && strncmp(key, "cnd=", 4) != 0)
		return -ENOENT;
	reader->expected = EXPECT_JUMP_PLACE;
	return 0;
}

/* "key=value"; by the first letter, since most of a file are these lines. */
static int read_body(struct reader *reader, char *line, char *value)
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

static int read_line(struct reader *reader, char *line)
{
	char *end;

	line = skip_spaces(line);
	reader->last_line_is_empty = line[0] == '\0';
	if (line[0] == '\0' || line[0] == '#')
		return 0;
	if ((line[0] >= '0' && line[0] <= '9') || line[0] == '+' || line[0] == '-' || line[0] == '*')
		return read_cost_line(reader, line);
	if (reader->expected != EXPECT_ANY)
		return rps_why_fail(&reader->why, -EBADMSG,
				    "the cost of a call, or the place of a jump, is missing");
	end = line;
	while (*end != '\0' && *end != ':' && *end != '=')
		end++;
	if (*end == ':')
		return read_header(reader, line);
	if (*end != '=')
		return rps_why_fail(&reader->why, -EBADMSG, "this is no line of a callgrind file: \"%.40s\"",
				    line);
	return read_body(reader, line, end + 1);
}

static int finish(struct reader *reader, struct rps_profile **result)
{
	struct rps_profile *profile;
	char problem[200];
	int error = check_part(reader);

	if (error != 0)
		return error;
	if (!reader->is_verified &&
	    rps_profile_add_meta(reader->graph.profile, "Unverified",
				 "the file has no totals that would show whether it is whole") != 0)
		return out_of_memory(reader);
	for (uint32_t i = 0; i < reader->n_long_names; i++)
		for (uint32_t event = 0; event < reader->n_events; event++)
			if (reader->events[event].name == reader->long_names[i].name)
				reader->events[event].long_name = reader->long_names[i].long_name;
	if (rps_profile_set_events(reader->graph.profile, reader->events, reader->n_events) != 0)
		return out_of_memory(reader);
	profile = rps_callgrind_graph_finish(&reader->graph, reader->creator == CREATOR_OWN,
					     reader->creator == CREATOR_OWN);
	if (profile == NULL)
		return out_of_memory(reader);
	if (rps_profile_check(profile, problem, sizeof(problem)) != 0) {
		rps_profile_destroy(profile);
		return rps_why_fail(&reader->why, -EBADMSG, "%s", problem);
	}
	*result = profile;
	return 0;
}

int rps_callgrind_read(struct rps_input *input, struct rps_profile **profile, char *why, size_t why_size)
{
	struct reader reader = {.input = input,
				.why = {why, why_size, input, RPS_WHY_LINE, 0},
				.is_verified = true,
				.function = RPS_NONE,
				.part = {.n_positions = 1}};
	char *line;
	size_t size;
	int error;

	if (rps_callgrind_graph_init(&reader.graph) != 0)
		return out_of_memory(&reader);
	reader.empty = rps_profile_text(reader.graph.profile, "");
	reader.object = reader.own_file = reader.file = reader.empty;
	while ((error = rps_input_line(input, &line, &size)) == 1) {
		error = read_line(&reader, line);
		if (error != 0)
			goto out;
	}
	if (error < 0)
		rps_why_fail(&reader.why, error, "%s", rps_input_why(input));
	else
		error = finish(&reader, profile);
out:
	rps_callgrind_ids_clear(&reader.functions);
	rps_callgrind_ids_clear(&reader.files);
	rps_callgrind_ids_clear(&reader.objects);
	rps_callgrind_graph_clear(&reader.graph);
	return error;
}

bool rps_callgrind_is(const char *bytes, size_t size)
{
	static const char *const words[] = {
	    "# callgrind", "version:", "creator:",   "pid:",   "cmd:",    "part:",
	    "thread:",     "desc:",    "positions:", "event:", "events:", "summary:",
	    "totals:",     "fl=",      "fn=",        "ob=",    "fi=",     "fe="};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (size >= strlen(words[i]) && memcmp(bytes, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}
