/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See folded_read.h. Called by format.c for tools, tests and the fuzzer, on their thread. */
#include "profile/folded_read.h"

#include "profile/callgrind_read.h"
#include "profile/folded_write.h"
#include "profile/stacks.h"
#include "profile/why.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (64u << 20) /* bytes of function names */

struct reader {
	struct rps_profile *profile;
	struct rps_stacks *stacks;
	struct rps_why why;
	uint64_t total, expected_total, text_size;
	bool is_titled, is_verified;
	bool is_rooted; /* the first frame of each stack is the root */
	uint64_t n_stacks;
};

/* All of `text`. */
static int read_number(struct reader *reader, const char *text, uint64_t *number)
{
	*number = 0;
	if (*text == '\0')
		return rps_why_fail(&reader->why, -EBADMSG, "a number is missing");
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return rps_why_fail(&reader->why, -EBADMSG,
					    "a whole number is expected, not what ends in \"%.40s\"", text);
		if (__builtin_mul_overflow(*number, 10u, number) ||
		    __builtin_add_overflow(*number, (uint64_t)(*text - '0'), number))
			return rps_why_fail(&reader->why, -EBADMSG, "a number beyond 64 bits");
	}
	return 0;
}

/* "rooted=1 event=Wall_ns total=5300" */
static int read_title(struct reader *reader, char *text)
{
	char *total = strstr(text, " total=");
	struct rps_event event = {.long_name = ""};

	if (strncmp(text, "rooted=", 7) != 0 || strncmp(text + 8, " event=", 7) != 0 || total == NULL)
		return rps_why_fail(&reader->why, -EBADMSG, "the first line is not complete");
	*total = '\0';
	reader->is_rooted = text[7] == '1';
	event.name = text + 15;
	if (rps_profile_set_events(reader->profile, &event, 1) != 0)
		return rps_why_fail(&reader->why, -ENOMEM, "out of memory");
	if (strcmp(event.name, "Wall_ns") == 0)
		reader->profile->events[0].long_name = "Wall time (ns)";
	reader->is_verified = true;
	return read_number(reader, total + 7, &reader->expected_total);
}

/* "a;b;c" */
static int read_stack(struct reader *reader, char *text, uint64_t cost)
{
	char *rest = text;
	int error = 0;

	rps_stacks_begin(reader->stacks);
	while (rest != NULL && error == 0) {
		struct rps_function function = {.name = rest};
		uint32_t id;

		rest = strchr(rest, ';');
		if (rest != NULL)
			*rest++ = '\0';
		if (function.name[0] == '\0')
			return rps_why_fail(&reader->why, -EBADMSG, "a frame without a name");
		reader->text_size += strlen(function.name);
		id = rps_profile_function(reader->profile, &function);
		if (reader->is_rooted && function.name == text) {
			if (reader->n_stacks == 1 && id != RPS_NONE)
				reader->profile->nodes[0].function = id;
			if (id != reader->profile->nodes[0].function)
				return rps_why_fail(&reader->why, -EBADMSG,
						    "the stack does not begin with the root");
			continue;
		}
		error = id != RPS_NONE ? rps_stacks_enter(reader->stacks, id, "", 0) : -ENOMEM;
	}
	if (error == 0)
		error = rps_stacks_charge(reader->stacks, 0, &cost);
	/* Names that are there already count as well; then a file of 64 MiB of new ones is measured exactly.
	 */
	if (error == 0 && reader->text_size > TEXT_MAX) {
		reader->text_size = 0;
		for (uint32_t i = 0; i < reader->profile->n_functions; i++)
			reader->text_size +=
			    strlen(reader->profile->functions[i].name) + sizeof(struct rps_function);
		if (reader->text_size > TEXT_MAX / 2)
			error = -E2BIG;
	}
	return error == 0 ? 0 : rps_why_fail(&reader->why, error, "%s", rps_stacks_why(error));
}

static int read_line(struct reader *reader, char *line, size_t size)
{
	uint64_t cost;
	char *space;
	int error;

	if (!reader->is_titled && strncmp(line, RPS_FOLDED_TITLE, strlen(RPS_FOLDED_TITLE)) == 0) {
		reader->is_titled = true;
		return read_title(reader, line + strlen(RPS_FOLDED_TITLE));
	}
	reader->is_titled = true;
	while (size > 0 && (line[size - 1] == ' ' || line[size - 1] == '\t'))
		line[--size] = '\0';
	if (size == 0 || line[0] == '#')
		return 0;
	space = strrchr(line, ' ');
	if (space == NULL || space == line)
		return rps_why_fail(&reader->why, -EBADMSG, "this is no stack with its cost: \"%.40s\"",
				    line);
	*space = '\0';
	/* Any text with a ';' is taken for folded stacks, if for anything. */
	if (reader->n_stacks == 0 && !reader->is_verified &&
	    strspn(space + 1, "0123456789") != strlen(space + 1))
		return rps_why_fail(&reader->why, -EBADMSG,
				    "this is no profile, or a stack without its cost: \"%.40s %.40s\"", line,
				    space + 1);
	error = read_number(reader, space + 1, &cost);
	if (error != 0)
		return error;
	if (__builtin_add_overflow(reader->total, cost, &reader->total))
		return rps_why_fail(&reader->why, -EBADMSG, "the sum of costs is beyond 64 bits");
	reader->n_stacks++;
	return read_stack(reader, line, cost);
}

static int finish(struct reader *reader)
{
	char problem[200];

	if (reader->is_verified && reader->total != reader->expected_total)
		return rps_why_fail(&reader->why, -EBADMSG,
				    "the file is cut off or damaged: the sum is %" PRIu64
				    ", but the first line says %" PRIu64,
				    reader->total, reader->expected_total);
	if (!reader->is_verified && reader->n_stacks == 0)
		return rps_why_fail(&reader->why, -EBADMSG, "there are no stacks in it");
	if (!reader->is_verified &&
	    rps_profile_add_meta(reader->profile, "Unverified",
				 "the file has no totals that would show whether it is whole") != 0)
		return rps_why_fail(&reader->why, -ENOMEM, "out of memory");
	if (rps_profile_check(reader->profile, problem, sizeof(problem)) != 0)
		return rps_why_fail(&reader->why, -EBADMSG, "%s", problem);
	return 0;
}

int rps_folded_read(struct rps_input *input, struct rps_profile **profile, char *why, size_t why_size)
{
	static const struct rps_event samples = {"Samples", ""};
	struct reader reader = {.why = {why, why_size, input, RPS_WHY_LINE, 0, 0}};
	char *line;
	size_t size;
	int error = 0, result;

	reader.profile = rps_profile_create("(profile)");
	reader.stacks = reader.profile != NULL ? rps_stacks_create(reader.profile) : NULL;
	if (reader.stacks == NULL || rps_profile_set_events(reader.profile, &samples, 1) != 0)
		error = rps_why_fail(&reader.why, -ENOMEM, "out of memory");
	while (error == 0 && (result = rps_input_line(input, &line, &size)) != 0)
		error = result < 0 ? rps_why_fail(&reader.why, result, "%s", rps_input_why(input))
				   : read_line(&reader, line, size);
	if (error == 0)
		error = finish(&reader);
	rps_stacks_destroy(reader.stacks);
	if (error == 0)
		*profile = reader.profile;
	else
		rps_profile_destroy(reader.profile);
	return error;
}

/* ---- Recognition -------------------------------------------------------------------------------- */

bool rps_folded_is(const char *bytes, size_t size)
{
	const char *at = bytes, *end = bytes + size;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *line_end = newline != NULL ? newline : end, *last = line_end;

		if ((size_t)(end - at) >= strlen(RPS_FOLDED_TITLE) &&
		    memcmp(at, RPS_FOLDED_TITLE, strlen(RPS_FOLDED_TITLE)) == 0)
			return true;
		/* The first line that says anything decides. */
		if (at < line_end && *at != '#' && *at != '\r') {
			if (rps_callgrind_is(at, (size_t)(line_end - at)))
				return false;
			while (last > at && (last[-1] == '\r' || last[-1] == ' ' || last[-1] == '\t'))
				last--;
			if (last == at || last[-1] < '0' || last[-1] > '9')
				return memchr(at, ';', (size_t)(line_end - at)) != NULL;
			while (last > at && ((last[-1] >= '0' && last[-1] <= '9') || last[-1] == '.'))
				last--;
			return last > at + 1 && last[-1] == ' ';
		}
		at = newline != NULL ? newline + 1 : end;
	}
	return false;
}
