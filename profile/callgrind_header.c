/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines "key: value" of callgrind files, which also begin and end the parts of a file (callgrind_reader.h). */
#include "profile/callgrind_reader.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int rps_callgrind_check_part(struct rps_callgrind_reader *reader)
{
	const struct rps_callgrind_part *part = &reader->part;
	const uint64_t *said = part->has_totals ? part->totals : part->summary;
	const bool is_known = reader->creator == RPS_CREATOR_OWN || reader->creator == RPS_CREATOR_VALGRIND;

	if (reader->expected != RPS_EXPECT_ANY)
		return rps_why_fail(&reader->why, -EBADMSG,
				    "the file is cut off: the cost of a call is missing");
	if (!part->has_events)
		return rps_why_fail(
		    &reader->why, -EBADMSG,
		    "there is no line \"events:\", so this is no callgrind file, or it is cut off");
	if (reader->creator == RPS_CREATOR_XDEBUG) {
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
static int begin_part(struct rps_callgrind_reader *reader)
{
	int error;

	if (!reader->part.has_events || !(reader->part.has_costs || reader->part.has_totals))
		return 0;
	error = rps_callgrind_check_part(reader);
	reader->part = (struct rps_callgrind_part){.n_positions = 1};
	reader->function = RPS_NONE;
	reader->object = reader->own_file = reader->file = reader->empty;
	reader->called_name = reader->called_object = reader->called_file = NULL;
	return error;
}

static enum rps_callgrind_creator creator_of(const char *text)
{
	if (strncmp(text, "RunProfileServer", 16) == 0)
		return RPS_CREATOR_OWN;
	if (strncmp(text, "callgrind-", 10) == 0)
		return RPS_CREATOR_VALGRIND;
	return strncasecmp(text, "xdebug", 6) == 0 ? RPS_CREATOR_XDEBUG : RPS_CREATOR_OTHER;
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
static uint32_t find_event(struct rps_callgrind_reader *reader, char *word)
{
	const char *long_name = rps_profile_text(reader->graph.profile, word);
	const char *name;
	uint32_t event;

	clean_event_name(word);
	name = rps_profile_text(reader->graph.profile, word);
	if (name == NULL || long_name == NULL) {
		rps_callgrind_out_of_memory(reader);
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

static int read_events(struct rps_callgrind_reader *reader, char *text)
{
	struct rps_callgrind_part *part = &reader->part;
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
static int read_event(struct rps_callgrind_reader *reader, char *text)
{
	char *name = rps_callgrind_skip_spaces(text), *colon = strchr(name, ':');
	size_t size = strcspn(name, " \t:=");
	struct rps_event *event;

	if (colon == NULL || memchr(name, '=', (size_t)(colon - name)) != NULL || size == 0)
		return 0;
	name[size] = '\0';
	if (reader->n_long_names == RPS_CALLGRIND_LONG_NAMES_MAX)
		return 0;
	clean_event_name(name);
	event = &reader->long_names[reader->n_long_names++];
	event->name = rps_profile_text(reader->graph.profile, name);
	event->long_name = rps_profile_text(reader->graph.profile, rps_callgrind_skip_spaces(colon + 1));
	return event->name != NULL && event->long_name != NULL ? 0 : rps_callgrind_out_of_memory(reader);
}

static int read_positions_header(struct rps_callgrind_reader *reader, char *text)
{
	struct rps_callgrind_part *part = &reader->part;
	char *rest;

	part->n_positions = 0;
	part->line_position = RPS_NONE;
	for (char *word = strtok_r(text, " \t", &rest); word != NULL; word = strtok_r(NULL, " \t", &rest)) {
		if (part->n_positions == RPS_CALLGRIND_POSITIONS_MAX ||
		    (strcmp(word, "line") != 0 && strcmp(word, "instr") != 0 && strcmp(word, "addr") != 0))
			return rps_why_fail(&reader->why, -EBADMSG,
					    "positions other than \"instr\" and \"line\"");
		if (strcmp(word, "line") == 0)
			part->line_position = part->n_positions;
		part->n_positions++;
	}
	return part->n_positions > 0 ? 0 : rps_why_fail(&reader->why, -EBADMSG, "\"positions:\" names none");
}

static int read_totals(struct rps_callgrind_reader *reader, char *text, bool is_summary)
{
	struct rps_callgrind_part *part = &reader->part;
	int error;

	if (!part->has_events)
		return rps_why_fail(&reader->why, -EBADMSG, "a sum before the line \"events:\"");
	error = rps_callgrind_read_costs(reader, text, is_summary ? part->summary : part->totals);
	if (is_summary)
		part->has_summary = true;
	else
		part->has_totals = true;
	part->costs_since_totals = part->costs_since_totals && is_summary;
	return error;
}

static int read_desc(struct rps_callgrind_reader *reader, char *text)
{
	char *colon = strchr(text, ':');

	/* valgrind describes its caches and triggers, also once per part; its options are worth keeping. */
	if (colon == NULL || colon == text)
		return 0;
	*colon = '\0';
	for (uint32_t i = 0; i < reader->graph.profile->n_metas && reader->creator != RPS_CREATOR_OWN; i++)
		if (strcmp(reader->graph.profile->metas[i].key, text) == 0)
			return 0;
	if (reader->graph.profile->n_metas >= 10000)
		return rps_why_fail(&reader->why, -E2BIG, "more than 10000 lines \"desc:\"");
	return rps_profile_add_meta(reader->graph.profile, text, rps_callgrind_skip_spaces(colon + 1)) == 0
		   ? 0
		   : rps_callgrind_out_of_memory(reader);
}

static int read_pid(struct rps_callgrind_reader *reader, char *text)
{
	uint64_t pid;
	int error = rps_callgrind_read_number(reader, &text, &pid);

	if (error == 0 && pid < RPS_NONE)
		reader->graph.profile->pid = (uint32_t)pid;
	return error;
}

static char *after(char *line, const char *keyword)
{
	size_t size = strlen(keyword);

	return strncmp(line, keyword, size) == 0 ? rps_callgrind_skip_spaces(line + size) : NULL;
}

int rps_callgrind_read_header(struct rps_callgrind_reader *reader, char *line)
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
		return rps_profile_set_command(reader->graph.profile, text) == 0
			   ? 0
			   : rps_callgrind_out_of_memory(reader);
	return 0;
}
