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

#include "profile/callgrind_reader.h"

#include <errno.h>
#include <string.h>

int rps_callgrind_out_of_memory(struct rps_callgrind_reader *reader)
{
	return rps_why_fail(&reader->why, -ENOMEM, "out of memory");
}

static int read_line(struct rps_callgrind_reader *reader, char *line)
{
	char *end;

	line = rps_callgrind_skip_spaces(line);
	reader->last_line_is_empty = line[0] == '\0';
	if (line[0] == '\0' || line[0] == '#')
		return 0;
	if ((line[0] >= '0' && line[0] <= '9') || line[0] == '+' || line[0] == '-' || line[0] == '*')
		return rps_callgrind_read_cost_line(reader, line);
	if (reader->expected != RPS_EXPECT_ANY)
		return rps_why_fail(&reader->why, -EBADMSG,
				    "the cost of a call, or the place of a jump, is missing");
	end = line;
	while (*end != '\0' && *end != ':' && *end != '=')
		end++;
	if (*end == ':')
		return rps_callgrind_read_header(reader, line);
	if (*end != '=')
		return rps_why_fail(&reader->why, -EBADMSG, "this is no line of a callgrind file: \"%.40s\"",
				    line);
	return rps_callgrind_read_body(reader, line, end + 1);
}

static int finish(struct rps_callgrind_reader *reader, struct rps_profile **result)
{
	struct rps_profile *profile;
	char problem[200];
	int error = rps_callgrind_check_part(reader);

	if (error != 0)
		return error;
	if (!reader->is_verified &&
	    rps_profile_add_meta(reader->graph.profile, "Unverified",
				 "the file has no totals that would show whether it is whole") != 0)
		return rps_callgrind_out_of_memory(reader);
	for (uint32_t i = 0; i < reader->n_long_names; i++)
		for (uint32_t event = 0; event < reader->n_events; event++)
			if (reader->events[event].name == reader->long_names[i].name)
				reader->events[event].long_name = reader->long_names[i].long_name;
	if (rps_profile_set_events(reader->graph.profile, reader->events, reader->n_events) != 0)
		return rps_callgrind_out_of_memory(reader);
	profile = rps_callgrind_graph_finish(&reader->graph, reader->creator == RPS_CREATOR_OWN,
					     reader->creator == RPS_CREATOR_OWN);
	if (profile == NULL)
		return rps_callgrind_out_of_memory(reader);
	if (rps_profile_check(profile, problem, sizeof(problem)) != 0) {
		rps_profile_destroy(profile);
		return rps_why_fail(&reader->why, -EBADMSG, "%s", problem);
	}
	*result = profile;
	return 0;
}

int rps_callgrind_read(struct rps_input *input, struct rps_profile **profile, char *why, size_t why_size)
{
	struct rps_callgrind_reader reader = {.why = {why, why_size, input, RPS_WHY_LINE, 0, 0},
					      .is_verified = true,
					      .function = RPS_NONE,
					      .part = {.n_positions = 1}};
	char *line;
	size_t size;
	int error;

	if (rps_callgrind_graph_init(&reader.graph) != 0)
		return rps_callgrind_out_of_memory(&reader);
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
