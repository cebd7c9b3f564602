/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See callgrind_rules.h. One pass over the lines:
 *
 *     # callgrind format           the first line, exactly; else loaders look for other words, in 2047 bytes only
 *     version: ... events:         the header, in this order; a second events: would begin another part
 *     summary:                     behind events:
 *     ob= fl= fn=                  in this order, since ob= clears the function
 *     cob= cfi= cfn= calls=        all of them each time, since loaders fall back to different ones
 *     41 1200                      decimal, absolute, one space; each name's number once, and dense
 *     totals:                      at the end, as the summary
 *
 * and, at the end, what functions are told apart by (callgrind_rules_names.h) and, in what was recorded here, what goes
 * into functions and out of them (callgrind_sums.h). Files made of others' may have several roots, and costs in cycles
 * of their own kind. Names of files may be relative: that is what -ffile-prefix-map makes of them. */
#include "profile/callgrind_rules.h"

#include "profile/callgrind_rules_names.h"
#include "profile/callgrind_sums.h"
#include "profile/why.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* By when they may stand: what comes must not be before what came. */
#define HEADERS(HEADER)                                                                                      \
	HEADER(VERSION, "version:", ONCE)                                                                    \
	HEADER(CREATOR, "creator:", ONCE)                                                                    \
	HEADER(PID, "pid:", MAYBE)                                                                           \
	HEADER(CMD, "cmd:", MAYBE)                                                                           \
	HEADER(PART, "part:", ONCE)                                                                          \
	HEADER(THREAD, "thread:", MAYBE)                                                                     \
	HEADER(DESC, "desc:", OFTEN)                                                                         \
	HEADER(POSITIONS, "positions:", ONCE)                                                                \
	HEADER(EVENT, "event:", OFTEN)                                                                       \
	HEADER(EVENTS, "events:", ONCE)                                                                      \
	HEADER(SUMMARY, "summary:", ONCE)                                                                    \
	HEADER(TOTALS, "totals:", ONCE)

#define HEADER_ID(id, word, times) HEADER_##id,
enum { HEADERS(HEADER_ID) N_HEADERS };

#define HEADER_ROW(id, word, times) {word, times},
static const struct {
	const char *word;
	enum { ONCE, MAYBE, OFTEN } times;
} headers[] = {HEADERS(HEADER_ROW)};

enum { HAS_COB = 1, HAS_CFI = 2, HAS_CFN = 4, HAS_ALL = 7 };

struct rules {
	struct rps_why why;
	bool has_ob, has_fl, has_fn, expects_call_cost;
	bool is_recorded;      /* by us: the sums of functions are right */
	unsigned int n_passed; /* headers, up to the last one that was there */
	unsigned int called;   /* HAS_COB ... since the last calls= */
	struct rps_rules_names objects, files, functions;
	uint32_t object, file, function; /* current; indices of names */
	uint32_t called_object, called_file, called_function;
	uint32_t n_events;
	uint64_t summary[RPS_EVENTS_MAX];
	struct rps_sums sums;
};

static bool begins(const char *line, const char *word)
{
	return strncmp(line, word, strlen(word)) == 0;
}

/* "41 1200 3": n_expected decimals, one space between them. */
static int read_numbers(struct rules *rules, const char *text, uint32_t n_expected, uint64_t *numbers)
{
	uint32_t n = 0;

	for (;;) {
		const char *digits = text;
		uint64_t number = 0;

		for (; isdigit((unsigned char)*text); text++)
			number = number * 10 + (uint64_t)(*text - '0');
		if (text == digits)
			return rps_why_fail(&rules->why, -EBADMSG,
					    "a decimal number is expected, and one space between two");
		if (digits[0] == '0' && text > digits + 1)
			return rps_why_fail(&rules->why, -EBADMSG, "a number that begins with 0: %.20s",
					    digits);
		if (n < n_expected)
			numbers[n] = number;
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

/* ---- Header ------------------------------------------------------------------------------------- */

/* The end of an event's name, NULL: it is none. */
static const char *event_name_end(const char *text)
{
	if (!isalpha((unsigned char)*text) && *text != '_')
		return NULL;
	while (isalnum((unsigned char)*text) || *text == '_')
		text++;
	return text;
}

static int check_events(struct rules *rules, const char *text)
{
	while (*text != '\0') {
		text = *text == ' ' ? event_name_end(text + 1) : NULL;
		if (text == NULL)
			return rps_why_fail(&rules->why, -EBADMSG,
					    "one space and a name are expected for each event");
		rules->n_events++;
	}
	if (rules->n_events > RPS_EVENTS_MAX)
		return rps_why_fail(&rules->why, -EBADMSG, "more than %u events", RPS_EVENTS_MAX);
	rules->sums.n_events = rules->n_events;
	return rules->n_events > 0 ? 0 : rps_why_fail(&rules->why, -EBADMSG, "there are no events");
}

static int check_event(struct rules *rules, const char *text)
{
	const char *end = event_name_end(text);

	return end != NULL && begins(end, " : ") && end[3] != '\0'
		   ? 0
		   : rps_why_fail(&rules->why, -EBADMSG, "\"event: NAME : long name\" is expected");
}

static int check_desc(struct rules *rules, const char *text)
{
	if (strstr(text, ": ") == NULL)
		return rps_why_fail(&rules->why, -EBADMSG, "\"desc: Key: value\" is expected");
	rules->is_recorded |= begins(text, "Scope: ");
	return 0;
}

static int check_totals(struct rules *rules, const char *text)
{
	uint64_t totals[RPS_EVENTS_MAX];
	int error = read_numbers(rules, text, rules->n_events, totals);

	if (error == 0 && memcmp(totals, rules->summary, rules->n_events * sizeof(*totals)) != 0)
		error = rps_why_fail(&rules->why, -EBADMSG, "the totals are not the summary");
	return error;
}

static int check_value(struct rules *rules, const char *text, unsigned int header)
{
	uint64_t number;

	switch (header) {
	case HEADER_VERSION:
		return strcmp(text, "1") == 0 ? 0
					      : rps_why_fail(&rules->why, -EBADMSG, "the version is not 1");
	case HEADER_PID:
	case HEADER_PART:
		return read_numbers(rules, text, 1, &number);
	case HEADER_DESC:
		return check_desc(rules, text);
	case HEADER_POSITIONS:
		return strcmp(text, "line") == 0
			   ? 0
			   : rps_why_fail(&rules->why, -EBADMSG, "the positions are not \"line\"");
	case HEADER_EVENT:
		return check_event(rules, text);
	case HEADER_EVENTS:
		return check_events(rules, text - 1);
	case HEADER_SUMMARY:
		return read_numbers(rules, text, rules->n_events, rules->summary);
	case HEADER_TOTALS:
		return check_totals(rules, text);
	default:
		return 0;
	}
}

static int check_header(struct rules *rules, const char *line, unsigned int header)
{
	const char *text = line + strlen(headers[header].word);

	if (header + 1 < rules->n_passed || (header + 1 == rules->n_passed && headers[header].times != OFTEN))
		return rps_why_fail(&rules->why, -EBADMSG, "%s stands behind %s", headers[header].word,
				    headers[rules->n_passed - 1].word);
	for (unsigned int i = rules->n_passed; i < header; i++)
		if (headers[i].times == ONCE)
			return rps_why_fail(&rules->why, -EBADMSG, "there is no %s before %s",
					    headers[i].word, headers[header].word);
	rules->n_passed = header + 1;
	if (*text != ' ')
		return rps_why_fail(&rules->why, -EBADMSG, "one space is expected behind the colon");
	return check_value(rules, text + 1, header);
}

/* ---- Body --------------------------------------------------------------------------------------- */

static int check_object(struct rules *rules, const char *name)
{
	rules->has_ob = true;
	rules->has_fl = rules->has_fn = false;
	return rps_rules_names_read(&rules->objects, &rules->why, name, &rules->object);
}

static int check_file(struct rules *rules, const char *name)
{
	if (!rules->has_ob || rules->has_fn)
		return rps_why_fail(&rules->why, -EBADMSG, "fl= without ob= before it");
	rules->has_fl = true;
	return rps_rules_names_read(&rules->files, &rules->why, name, &rules->file);
}

static int check_function(struct rules *rules, const char *name)
{
	static const uint64_t nothing[RPS_EVENTS_MAX];
	struct rps_rules_name *function;
	int error;

	if (!rules->has_fl || rules->has_fn)
		return rps_why_fail(&rules->why, -EBADMSG, "fn= without ob= and fl= before it");
	rules->has_fn = true;
	error = rps_rules_names_read(&rules->functions, &rules->why, name, &rules->function);
	if (error == 0)
		error = rps_rules_names_place(&rules->functions, &rules->why, rules->function, rules->file,
					      rules->object);
	if (error != 0)
		return error;
	function = &rules->functions.names[rules->function];
	if (function->has_body)
		return rps_why_fail(&rules->why, -EBADMSG, "%.80s stands here for the second time",
				    function->text);
	function->has_body = true;
	return rps_sums_add_self(&rules->sums, rules->function, nothing) == 0
		   ? 0
		   : rps_why_fail(&rules->why, -ENOMEM, "out of memory");
}

/* Lines from here on are of another file: of code that is included or inlined. */
static int check_inlined_file(struct rules *rules, const char *name)
{
	uint32_t ignored;

	if (!rules->has_fn)
		return rps_why_fail(&rules->why, -EBADMSG, "fi= outside of any function");
	return rps_rules_names_read(&rules->files, &rules->why, name, &ignored);
}

static int check_called_object(struct rules *rules, const char *name)
{
	rules->called = HAS_COB;
	return rps_rules_names_read(&rules->objects, &rules->why, name, &rules->called_object);
}

static int check_called_file(struct rules *rules, const char *name)
{
	rules->called |= HAS_CFI;
	return rps_rules_names_read(&rules->files, &rules->why, name, &rules->called_file);
}

static int check_called_function(struct rules *rules, const char *name)
{
	int error;

	rules->called |= HAS_CFN;
	if (rules->called != HAS_ALL)
		return rps_why_fail(&rules->why, -EBADMSG, "cfn= without cob= and cfi= before it");
	error = rps_rules_names_read(&rules->functions, &rules->why, name, &rules->called_function);
	return error != 0 ? error
			  : rps_rules_names_place(&rules->functions, &rules->why, rules->called_function,
						  rules->called_file, rules->called_object);
}

static int check_calls(struct rules *rules, const char *numbers)
{
	uint64_t count_and_line[2];

	if (!rules->has_fn || rules->called != HAS_ALL)
		return rps_why_fail(&rules->why, -EBADMSG, "calls= without cob=, cfi= and cfn= of its own");
	rules->called = 0;
	rules->expects_call_cost = true;
	return begins(numbers, "0 ") ? rps_why_fail(&rules->why, -EBADMSG, "a call that was never made")
				     : read_numbers(rules, numbers, 2, count_and_line);
}

static int check_costs(struct rules *rules, const char *line)
{
	uint64_t numbers[1 + RPS_EVENTS_MAX];
	int error;

	if (!rules->has_fn)
		return rps_why_fail(&rules->why, -EBADMSG, "a cost outside of any function");
	error = read_numbers(rules, line, rules->n_events + 1, numbers);
	if (error != 0)
		return error;
	if (rules->expects_call_cost)
		error = rps_sums_add_call(&rules->sums, rules->function, rules->called_function,
					  rps_input_line_number(rules->why.input), numbers + 1);
	else
		error = rps_sums_add_self(&rules->sums, rules->function, numbers + 1);
	rules->expects_call_cost = false;
	return error == 0 ? 0 : rps_why_fail(&rules->why, error, "out of memory");
}

static int check_body(struct rules *rules, const char *line)
{
	static const struct {
		const char *word;
		int (*check)(struct rules *rules, const char *rest);
	} words[] = {{"ob=", check_object},           {"fl=", check_file},
		     {"fn=", check_function},         {"fi=", check_inlined_file},
		     {"cob=", check_called_object},   {"cfi=", check_called_file},
		     {"cfn=", check_called_function}, {"calls=", check_calls}};

	if (isdigit((unsigned char)line[0]))
		return check_costs(rules, line);
	if (rules->expects_call_cost)
		return rps_why_fail(&rules->why, -EBADMSG, "the cost of a call is expected");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (begins(line, words[i].word))
			return words[i].check(rules, line + strlen(words[i].word));
	return rps_why_fail(&rules->why, -EBADMSG, "a line that our files do not have: \"%.40s\"", line);
}

/* ---- The whole ---------------------------------------------------------------------------------- */

static int check_line(struct rules *rules, const char *line)
{
	if (rps_input_line_number(rules->why.input) == 1)
		return strcmp(line, "# callgrind format") == 0
			   ? 0
			   : rps_why_fail(&rules->why, -EBADMSG,
					  "the first line is not \"# callgrind format\"");
	if (line[0] == '\0')
		return 0;
	for (const char *at = line; *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return rps_why_fail(&rules->why, -EBADMSG, "there is a %s in the line",
					    *at == '\t' ? "tab" : "control character");
	for (unsigned int header = 0; header < N_HEADERS; header++)
		if (begins(line, headers[header].word))
			return check_header(rules, line, header);
	if (rules->n_passed <= HEADER_SUMMARY)
		return rps_why_fail(&rules->why, -EBADMSG,
				    "the header lacks \"summary:\" behind \"events:\"");
	if (rules->n_passed == N_HEADERS)
		return rps_why_fail(&rules->why, -EBADMSG, "there is something behind the totals");
	return check_body(rules, line);
}

static int finish(struct rules *rules)
{
	int error = 0;

	if (rules->n_passed != N_HEADERS)
		error = rps_why_fail(&rules->why, -EBADMSG, "there are no totals at the end");
	if (error == 0)
		error = rps_rules_names_check_dense(&rules->objects, &rules->why);
	if (error == 0)
		error = rps_rules_names_check_dense(&rules->files, &rules->why);
	if (error == 0)
		error = rps_rules_names_check_dense(&rules->functions, &rules->why);
	if (error == 0)
		error = rps_rules_names_check_functions(&rules->functions, &rules->files, &rules->objects,
							&rules->why);
	if (error == 0 && rules->is_recorded)
		error = rps_sums_check(&rules->sums, &rules->functions, &rules->why);
	return error;
}

int rps_callgrind_rules_check(struct rps_input *input, char *why, size_t why_size)
{
	struct rules rules = {.why = {why, why_size, input, RPS_WHY_LINE, 0, 0},
			      .objects.what = "objects",
			      .files.what = "files",
			      .functions.what = "functions"};
	static const char ours[] = "creator: RunProfileServer";
	size_t size;
	const char *head = rps_input_peek(input, &size);
	int result, error = 0;
	char *line;

	if (memmem(head, size, ours, strlen(ours)) == NULL || memmem(head, size, "events:", 7) == NULL ||
	    head[0] == '{')
		return 0;
	while (error == 0 && (result = rps_input_line(input, &line, &size)) != 0)
		error = result < 0 ? rps_why_fail(&rules.why, result, "%s", rps_input_why(input))
				   : check_line(&rules, line);
	if (error == 0)
		error = finish(&rules);
	rps_rules_names_clear(&rules.objects);
	rps_rules_names_clear(&rules.files);
	rps_rules_names_clear(&rules.functions);
	rps_sums_clear(&rules.sums);
	return error;
}
