/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See callgrind_rules.h. One pass over the lines:
 *
 *     # callgrind format           the first line, exactly; else loaders look for other words, in 2047 bytes only
 *     version: ... events:         the header, in this order; a second events: would begin another part
 *     summary:                     behind events:
 *     ob= fl= fn=                  in this order, since ob= clears the function
 *     cob= cfi= cfn= calls=        all of them each time, since loaders fall back to different ones
 *     41 1200                      decimal, absolute, one space; each name's number once, and dense
 *     totals:                      at the end
 */
#include "profile/callgrind_rules.h"

#include "profile/why.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* By when they may stand: what comes must not be before what came. */
static const char *const headers[] = {"version:", "creator:",   "pid:",   "cmd:",    "part:",    "thread:",
				      "desc:",    "positions:", "event:", "events:", "summary:", "totals:"};
enum { HEADER_EVENTS = 9, HEADER_SUMMARY, N_HEADERS = 12 };

#define NUMBER_MAX 50000000u

enum { HAS_COB = 1, HAS_CFI = 2, HAS_CFN = 4, HAS_ALL = 7 };

/* Numbers that names were given. */
struct numbers {
	bool *is_given;
	uint64_t room, n_given, highest;
};

struct rules {
	struct rps_why why;
	bool has_ob, has_fl, has_fn, expects_call_cost;
	unsigned int n_passed; /* headers, up to the last one that was there */
	unsigned int called;   /* HAS_COB ... since the last calls= */
	struct numbers objects, files, functions;
	uint32_t n_events;
};

static bool begins(const char *line, const char *word)
{
	return strncmp(line, word, strlen(word)) == 0;
}

/* Each once; a table of the loaders' grows to twice the highest. */
static int give(struct rules *rules, struct numbers *numbers, uint64_t id)
{
	if (id == 0 || id > NUMBER_MAX)
		return rps_why_fail(&rules->why, -EBADMSG, "%" PRIu64 " is no number of a name", id);
	if (id >= numbers->room) {
		uint64_t room = id * 2 + 64;
		bool *grown = realloc(numbers->is_given, room * sizeof(*grown));

		if (grown == NULL)
			return rps_why_fail(&rules->why, -ENOMEM, "out of memory");
		memset(grown + numbers->room, 0, room - numbers->room);
		numbers->is_given = grown;
		numbers->room = room;
	}
	if (numbers->is_given[id])
		return rps_why_fail(&rules->why, -EBADMSG, "number %" PRIu64 " has a name already", id);
	numbers->is_given[id] = true;
	numbers->n_given++;
	if (numbers->highest < id)
		numbers->highest = id;
	return 0;
}

/* "(7) cart_total" the first time, "(7)" from then on. */
static int check_name(struct rules *rules, const char *text, struct numbers *numbers)
{
	char *end;
	uint64_t id;

	if (text[0] != '(' || !isdigit((unsigned char)text[1]))
		return rps_why_fail(&rules->why, -EBADMSG, "a name without a number");
	id = strtoull(text + 1, &end, 10);
	if (end[0] != ')')
		return rps_why_fail(&rules->why, -EBADMSG, "a number without \")\"");
	if (end[1] == '\0')
		return id < numbers->room && numbers->is_given[id]
			   ? 0
			   : rps_why_fail(&rules->why, -EBADMSG, "number %" PRIu64 " has no name yet", id);
	if (end[1] != ' ' || end[2] == ' ' || end[2] == '\0')
		return rps_why_fail(&rules->why, -EBADMSG,
				    "one space and a name are expected behind the number");
	if (end[2] == '(' && isdigit((unsigned char)end[3]))
		return rps_why_fail(&rules->why, -EBADMSG, "a name that looks like a number of one");
	return give(rules, numbers, id);
}

static int check_dense(struct rules *rules, const struct numbers *numbers, const char *what)
{
	return numbers->highest == numbers->n_given
		   ? 0
		   : rps_why_fail(&rules->why, -EBADMSG,
				  "%s have numbers up to %" PRIu64 ", but there are %" PRIu64, what,
				  numbers->highest, numbers->n_given);
}

/* "41 1200 3": decimals, one space between them. */
static int check_numbers(struct rules *rules, const char *text, uint32_t n_expected)
{
	uint32_t n = 0;

	for (;;) {
		const char *digits = text;

		while (isdigit((unsigned char)*text))
			text++;
		if (text == digits)
			return rps_why_fail(&rules->why, -EBADMSG,
					    "a decimal number is expected, and one space between two");
		n++;
		if (*text == '\0')
			break;
		if (*text++ != ' ')
			return rps_why_fail(&rules->why, -EBADMSG,
					    "a decimal number is expected, and one space between two");
	}
	return n == n_expected
		   ? 0
		   : rps_why_fail(&rules->why, -EBADMSG, "%" PRIu32 " numbers where %" PRIu32 " are expected",
				  n, n_expected);
}

static int check_events(struct rules *rules, const char *text)
{
	while (*text != '\0') {
		if (*text++ != ' ' || (!isalpha((unsigned char)*text) && *text != '_'))
			return rps_why_fail(&rules->why, -EBADMSG,
					    "one space and a name are expected for each event");
		while (isalnum((unsigned char)*text) || *text == '_')
			text++;
		rules->n_events++;
	}
	return rules->n_events > 0 ? 0 : rps_why_fail(&rules->why, -EBADMSG, "there are no events");
}

static int check_header(struct rules *rules, const char *line, unsigned int header)
{
	const char *text = line + strlen(headers[header]);
	const bool may_repeat = begins(line, "desc:") || begins(line, "event:");

	if (header + 1 < rules->n_passed || (header + 1 == rules->n_passed && !may_repeat))
		return rps_why_fail(&rules->why, -EBADMSG, "%s stands behind %s", headers[header],
				    headers[rules->n_passed - 1]);
	rules->n_passed = header + 1;
	if (header == HEADER_EVENTS)
		return check_events(rules, text);
	if (header >= HEADER_SUMMARY)
		return *text == ' '
			   ? check_numbers(rules, text + 1, rules->n_events)
			   : rps_why_fail(&rules->why, -EBADMSG, "one space is expected behind the colon");
	return 0;
}

static int check_function(struct rules *rules, const char *line)
{
	if (begins(line, "ob=")) {
		rules->has_ob = true;
		rules->has_fl = rules->has_fn = false;
		return check_name(rules, line + 3, &rules->objects);
	}
	if (begins(line, "fl=")) {
		if (!rules->has_ob || rules->has_fn)
			return rps_why_fail(&rules->why, -EBADMSG, "fl= without ob= before it");
		rules->has_fl = true;
		return check_name(rules, line + 3, &rules->files);
	}
	if (!rules->has_fl || rules->has_fn)
		return rps_why_fail(&rules->why, -EBADMSG, "fn= without ob= and fl= before it");
	rules->has_fn = true;
	return check_name(rules, line + 3, &rules->functions);
}

static int check_call(struct rules *rules, const char *line)
{
	if (begins(line, "cob=")) {
		rules->called = HAS_COB;
		return check_name(rules, line + 4, &rules->objects);
	}
	if (begins(line, "cfi=")) {
		rules->called |= HAS_CFI;
		return check_name(rules, line + 4, &rules->files);
	}
	if (begins(line, "cfn=")) {
		rules->called |= HAS_CFN;
		return check_name(rules, line + 4, &rules->functions);
	}
	if (rules->called != HAS_ALL)
		return rps_why_fail(&rules->why, -EBADMSG, "calls= without cob=, cfi= and cfn= of its own");
	rules->called = 0;
	rules->expects_call_cost = true;
	return begins(line, "calls=0 ") ? rps_why_fail(&rules->why, -EBADMSG, "a call that was never made")
					: check_numbers(rules, line + strlen("calls="), 2);
}

static int check_line(struct rules *rules, const char *line)
{
	if (line[0] == '\0')
		return 0;
	if (strchr(line, '\t') != NULL)
		return rps_why_fail(&rules->why, -EBADMSG, "there is a tab in the line");
	for (unsigned int header = 0; header < N_HEADERS; header++)
		if (begins(line, headers[header]))
			return check_header(rules, line, header);
	if (rules->n_passed <= HEADER_SUMMARY)
		return rps_why_fail(&rules->why, -EBADMSG,
				    "the header lacks \"summary:\" behind \"events:\"");
	if (rules->n_passed == N_HEADERS)
		return rps_why_fail(&rules->why, -EBADMSG, "there is something behind the totals");
	if (isdigit((unsigned char)line[0])) {
		if (!rules->has_fn)
			return rps_why_fail(&rules->why, -EBADMSG, "a cost outside of any function");
		rules->expects_call_cost = false;
		return check_numbers(rules, line, rules->n_events + 1);
	}
	if (rules->expects_call_cost)
		return rps_why_fail(&rules->why, -EBADMSG, "the cost of a call is expected");
	if (begins(line, "ob=") || begins(line, "fl=") || begins(line, "fn="))
		return check_function(rules, line);
	if (begins(line, "fi="))
		return check_name(rules, line + 3, &rules->files);
	if (begins(line, "cob=") || begins(line, "cfi=") || begins(line, "cfn=") || begins(line, "calls="))
		return check_call(rules, line);
	return rps_why_fail(&rules->why, -EBADMSG, "a line that our files do not have: \"%.40s\"", line);
}

int rps_callgrind_rules_check(struct rps_input *input, char *why, size_t why_size)
{
	struct rules rules = {.why = {why, why_size, input, RPS_WHY_LINE, 0}};
	static const char ours[] = "creator: RunProfileServer";
	size_t size;
	const char *head = rps_input_peek(input, &size);
	int result, error = 0;
	char *line;

	if (memmem(head, size, ours, strlen(ours)) == NULL || memmem(head, size, "events:", 7) == NULL ||
	    head[0] == '{')
		return 0;
	while (error == 0 && (result = rps_input_line(input, &line, &size)) != 0) {
		if (result < 0) {
			error = rps_why_fail(&rules.why, result, "%s", rps_input_why(input));
		} else if (rps_input_line_number(input) == 1) {
			error = strcmp(line, "# callgrind format") == 0
				    ? 0
				    : rps_why_fail(&rules.why, -EBADMSG,
						   "the first line is not \"# callgrind format\"");
		} else {
			error = check_line(&rules, line);
		}
	}
	if (error == 0 && rules.n_passed != N_HEADERS)
		error = rps_why_fail(&rules.why, -EBADMSG, "there are no totals at the end");
	if (error == 0)
		error = check_dense(&rules, &rules.objects, "objects");
	if (error == 0)
		error = check_dense(&rules, &rules.files, "files");
	if (error == 0)
		error = check_dense(&rules, &rules.functions, "functions");
	free(rules.objects.is_given);
	free(rules.files.is_given);
	free(rules.functions.is_given);
	return error;
}
