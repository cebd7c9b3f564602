/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads callgrind files as strictly as the strictest of their loaders, for
 * tests. It shares no code with the writer, so that one's mistakes are not the other's.
 *
 *     check-callgrind FILE...                 all rules; exit 1 and "FILE:LINE: what" if one is broken
 *     check-callgrind --calls FUNCTION FILE   calls of it, by whomever
 *     check-callgrind --callers FUNCTION FILE "COUNT CALLER FILE:LINE" for each place it is called from
 *     check-callgrind --self FUNCTION FILE    its own cost, of each event
 *     check-callgrind --desc KEY FILE         the values of this "desc:" (exit 1: none)
 *     check-callgrind --functions FILE        NAME<TAB>CALLS<TAB>SELF
 *     check-callgrind --edges FILE            "CALLER > CALLEE COUNT" for each such pair, sorted; library functions,
 *                                             of which no file is known, are left out
 *
 *     --relative-files before all that              names of files may be relative: what -ffile-prefix-map=DIR=. makes
 *
 * FUNCTION is a whole name; the "[a/util.c]" that tells equal names apart may be left out.
 *
 * Beyond the form of lines it checks what the numbers must do: self costs,
 * the root's inclusive cost, summary and totals are equal; no function's incoming
 * cost is above them; what goes into a function, or into a cycle of functions, is
 * what they cost themselves and pass on. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDS_MAX (1u << 22)
#define EVENTS_MAX 16 /* KCacheGrind's limit is 200, the profile's is this */

struct name {
	char *text; /* NULL: no such id */
	/* of a function only */
	uint32_t file, object;
	bool has_place, has_body;
	uint64_t self[EVENTS_MAX];
	uint32_t component; /* cycle it belongs to */
};

struct name_table {
	const char *what;
	struct name *names; /* by id */
	uint32_t room, n_names, highest;
};

struct call {
	uint32_t caller, callee, file, line;
	uint64_t count;
	uint64_t costs[EVENTS_MAX];
	unsigned long line_number;
};

struct input {
	const char *path;
	unsigned long line_number;
	char *text; /* the line being read */
	struct name_table functions, files, objects;
	char *events[EVENTS_MAX];
	uint32_t n_events;
	uint64_t summary[EVENTS_MAX], totals[EVENTS_MAX];
	bool has_totals;
	struct call *calls;
	size_t n_calls, calls_room;
	char **descs;
	size_t n_descs;
	/* position: ids, 0 none */
	uint32_t object, own_file, file, function;
	uint32_t called_object, called_file, called_function;
	uint64_t count; /* of the calls= line above */
	bool in_call;
};

static void __attribute__((noreturn, format(printf, 2, 3)))
die(const struct input *input, const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	fprintf(stderr, "%s:%lu: ", input->path, input->line_number);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\n");
	exit(1);
}

static void *must(const struct input *input, void *memory)
{
	if (memory == NULL)
		die(input, "out of memory");
	return memory;
}

/* What stands behind `keyword`, or NULL if the line begins otherwise. */
static char *after(char *line, const char *keyword)
{
	size_t size = strlen(keyword);

	return strncmp(line, keyword, size) == 0 ? line + size : NULL;
}

/* ---- Parts of a line ---------------------------------------------------------------------- */

static uint64_t number(const struct input *input, char **at)
{
	unsigned long long value;
	char *end;

	if (!isdigit((unsigned char)**at))
		die(input, "rule 11: a number is expected: \"%s\"", *at);
	if (**at == '0' && isdigit((unsigned char)(*at)[1]))
		die(input, "rule 11: a number begins with 0: \"%s\"", *at);
	errno = 0;
	value = strtoull(*at, &end, 10);
	if (errno != 0)
		die(input, "rule 11: beyond 64 bits: \"%s\"", *at);
	*at = end;
	return value;
}

static void one_space(const struct input *input, char **at)
{
	if ((*at)[0] != ' ' || (*at)[1] == ' ' || (*at)[1] == '\0')
		die(input, "rule 12: one space is expected, then something: \"%s\"", *at);
	++*at;
}

/* " 1 2 3" to the end of the line, one for each event. */
static void costs(const struct input *input, char *at, uint64_t *into)
{
	for (uint32_t event = 0; event < input->n_events; event++) {
		one_space(input, &at);
		into[event] = number(input, &at);
	}
	if (*at != '\0')
		die(input, "rule 11: more than the %u costs that \"events\" names: \"%s\"", input->n_events,
		    at);
}

/* "(7) name" or "(7)". */
static uint32_t name(const struct input *input, struct name_table *table, char *at)
{
	uint64_t id;

	if (*at++ != '(')
		die(input, "rule 13: %s name is not compressed: \"%s\"", table->what, at - 1);
	id = number(input, &at);
	if (*at++ != ')' || id == 0 || id > UINT32_MAX / 2)
		die(input, "rule 13: bad %s id", table->what);
	if (*at == '\0') {
		if (id >= table->room || table->names[id].text == NULL)
			die(input, "rule 13: %s (%llu) was not declared", table->what,
			    (unsigned long long)id);
		return (uint32_t)id;
	}
	one_space(input, &at);
	if (at[0] == '(' && isdigit((unsigned char)at[1]))
		die(input, "rule 12: a name begins like an id: \"%s\"", at);
	if (id >= table->room) {
		uint32_t room = (uint32_t)id * 2 + 64;

		/* Loaders make room for twice the highest id. Whether they are dense is seen at the end. */
		if (id > IDS_MAX)
			die(input, "rule 13: %s id %llu can't be dense", table->what, (unsigned long long)id);
		table->names = must(input, realloc(table->names, room * sizeof(*table->names)));
		memset(table->names + table->room, 0, (room - table->room) * sizeof(*table->names));
		table->room = room;
	}
	if (table->names[id].text != NULL)
		die(input, "rule 13: %s (%llu) is declared twice", table->what, (unsigned long long)id);
	table->names[id].text = must(input, strdup(at));
	table->n_names++;
	table->highest = id > table->highest ? (uint32_t)id : table->highest;
	return (uint32_t)id;
}

/* Whoever loads such a file finds sources from the directory he is in; so none is relative unless it was asked for. */
static bool files_may_be_relative;

static uint32_t file_name(struct input *input, char *at)
{
	uint32_t id = name(input, &input->files, at);
	const char *text = input->files.names[id].text;

	if (text[0] != '/' && strcmp(text, "???") != 0 && !files_may_be_relative)
		die(input, "rule 14: file is neither absolute nor ???: \"%s\"", text);
	return id;
}

/* A function keeps the file and object it was first seen with. */
static uint32_t function_name(struct input *input, char *at, uint32_t file, uint32_t object)
{
	uint32_t id = name(input, &input->functions, at);
	struct name *function = &input->functions.names[id];

	if (function->has_place && (function->file != file || function->object != object))
		die(input, "rule 4: %s has another file or object than before, which makes it two",
		    function->text);
	function->has_place = true;
	function->file = file;
	function->object = object;
	return id;
}

/* ---- Header ---------------------------------------------------------------------------------- */

enum header {
	H_VERSION,
	H_CREATOR,
	H_PID,
	H_CMD,
	H_PART,
	H_THREAD,
	H_DESC,
	H_POSITIONS,
	H_EVENT,
	H_EVENTS,
	H_SUMMARY,
	N_HEADERS
};
static const char *const headers[N_HEADERS] = {
    "version: ", "creator: ",   "pid: ",   "cmd: ",    "part: ",   "thread: ",
    "desc: ",    "positions: ", "event: ", "events: ", "summary: "};

static void event_name(const struct input *input, const char *text, size_t size)
{
	bool bad = size == 0 || isdigit((unsigned char)text[0]);

	for (size_t i = 0; i < size; i++)
		bad = bad || (!isalnum((unsigned char)text[i]) && text[i] != '_');
	if (bad)
		die(input, "rule 15: bad name of an event: \"%s\"", text);
}

static void events(struct input *input, char *at)
{
	for (;;) {
		size_t size = strcspn(at, " ");

		event_name(input, at, size);
		if (input->n_events == EVENTS_MAX)
			die(input, "rule 11: more than %d events", EVENTS_MAX);
		input->events[input->n_events++] = must(input, strndup(at, size));
		at += size;
		if (*at == '\0')
			return;
		one_space(input, &at);
	}
}

/* The number of the header that the line is, in its place after `last`. */
static int header(struct input *input, int last)
{
	char *value = NULL;
	int which;

	for (which = 0; which < N_HEADERS && value == NULL; which++)
		value = after(input->text, headers[which]);
	which--;
	if (value == NULL)
		die(input, "rule 2: no header line, or nothing in it: \"%s\"", input->text);
	if (which < last || (which == last && which != H_DESC && which != H_EVENT))
		die(input, "rule 2: \"%s\" stands in the wrong place", headers[which]);
	for (int skipped = last + 1; skipped < which; skipped++)
		if (skipped != H_PID && skipped != H_CMD && skipped != H_THREAD && skipped != H_DESC &&
		    skipped != H_EVENT)
			die(input, "rule 2: \"%s\" is missing before \"%s\"", headers[skipped],
			    headers[which]);
	if (which == H_VERSION && strcmp(value, "1") != 0)
		die(input, "rule 2: version is not 1");
	if (which == H_POSITIONS && strcmp(value, "line") != 0)
		die(input, "rule 2: positions are not \"line\"");
	if (which == H_PID || which == H_PART) {
		number(input, &value);
		if (*value != '\0')
			die(input, "rule 2: a number is expected");
	}
	if (which == H_DESC) {
		if (strstr(value, ": ") == NULL)
			die(input, "rule 2: desc without \"Key: \"");
		input->descs =
		    must(input, realloc(input->descs, (input->n_descs + 1) * sizeof(*input->descs)));
		input->descs[input->n_descs++] = must(input, strdup(value));
	}
	if (which == H_EVENT) {
		size_t size = strcspn(value, " ");

		event_name(input, value, size);
		if (strncmp(value + size, " : ", 3) != 0 || value[size + 3] == '\0')
			die(input, "rule 15: \"event: NAME : long name\" is expected");
	}
	if (which == H_EVENTS)
		events(input, value);
	if (which == H_SUMMARY)
		costs(input, value - 1, input->summary);
	return which;
}

/* ---- Body ------------------------------------------------------------------------------------- */

static void cost_line(struct input *input, char *at)
{
	uint64_t line = number(input, &at), values[EVENTS_MAX] = {0};
	struct call *call;

	if (input->function == 0)
		die(input, "rule 6: a cost outside any function");
	if (line > UINT32_MAX)
		die(input, "rule 14: no line number: %llu", (unsigned long long)line);
	costs(input, at, values);
	if (!input->in_call) {
		struct name *function = &input->functions.names[input->function];

		for (uint32_t event = 0; event < input->n_events; event++)
			if (__builtin_add_overflow(function->self[event], values[event],
						   &function->self[event]))
				die(input, "rule 11: self cost beyond 64 bits");
		return;
	}
	if (input->n_calls == input->calls_room) {
		input->calls_room = input->calls_room * 2 + 64;
		input->calls = must(input, realloc(input->calls, input->calls_room * sizeof(*input->calls)));
	}
	call = &input->calls[input->n_calls++];
	*call = (struct call){input->function,   input->called_function, input->file,
			      (uint32_t)line,    input->count,           {0},
			      input->line_number};
	memcpy(call->costs, values, sizeof(values));
	input->in_call = false;
	input->called_object = input->called_file = input->called_function = 0;
}

static void calls_line(struct input *input, char *at)
{
	if (input->function == 0 || input->called_object == 0 || input->called_file == 0 ||
	    input->called_function == 0)
		die(input, "rule 5: calls= without cob=, cfi= and cfn= of its own, in a function");
	input->count = number(input, &at);
	if (input->count == 0)
		die(input, "rule 21: calls=0: callgrind_annotate takes the next line for self cost");
	one_space(input, &at);
	if (number(input, &at) > UINT32_MAX || *at != '\0')
		die(input, "rule 14: bad target line");
	input->in_call = true;
}

static void body_line(struct input *input)
{
	char *text = input->text, *at;

	if (input->has_totals)
		die(input, "rule 2: something stands behind \"totals\"");
	if (input->in_call && !isdigit((unsigned char)text[0]))
		die(input, "rule 7: a cost line must follow calls=");
	if (isdigit((unsigned char)text[0]))
		cost_line(input, text);
	else if ((at = after(text, "ob=")) != NULL) {
		input->object = name(input, &input->objects, at);
		input->own_file = input->file = input->function = 0;
	} else if ((at = after(text, "fl=")) != NULL) {
		if (input->object == 0 || input->function != 0)
			die(input, "rule 6: ob=, fl=, fn= is the order");
		input->own_file = input->file = file_name(input, at);
	} else if ((at = after(text, "fn=")) != NULL) {
		if (input->own_file == 0 || input->function != 0)
			die(input, "rule 6: ob=, fl=, fn= is the order");
		input->function = function_name(input, at, input->own_file, input->object);
		if (input->functions.names[input->function].has_body)
			die(input, "rule 6: %s comes twice", input->functions.names[input->function].text);
		input->functions.names[input->function].has_body = true;
	} else if ((at = after(text, "fi=")) != NULL || (at = after(text, "fe=")) != NULL) {
		if (input->function == 0)
			die(input, "rule 6: fi= outside any function");
		input->file = file_name(input, at);
	} else if ((at = after(text, "cob=")) != NULL)
		input->called_object = name(input, &input->objects, at);
	else if ((at = after(text, "cfi=")) != NULL || (at = after(text, "cfl=")) != NULL)
		input->called_file = file_name(input, at);
	else if ((at = after(text, "cfn=")) != NULL) {
		if (input->called_object == 0 || input->called_file == 0)
			die(input, "rule 5: cfn= without cob= and cfi= of its own");
		input->called_function = function_name(input, at, input->called_file, input->called_object);
	} else if ((at = after(text, "calls=")) != NULL)
		calls_line(input, at);
	else if ((at = after(text, "totals:")) != NULL) {
		costs(input, at, input->totals);
		input->has_totals = true;
	} else
		die(input, "rule 3: no line of a body: \"%s\"", text);
}

static void read_input(struct input *input)
{
	FILE *file = fopen(input->path, "re");
	size_t room = 0;
	ssize_t size;
	int last = -1;

	if (file == NULL)
		die(input, "cannot be opened: %s", strerror(errno));
	while ((size = getline(&input->text, &room, file)) > 0) {
		input->line_number++;
		if (input->text[size - 1] != '\n')
			die(input, "the last line is cut off");
		input->text[--size] = '\0';
		for (ssize_t i = 0; i < size; i++)
			if ((unsigned char)input->text[i] < ' ' || input->text[i] == 0x7f)
				die(input, "rule 12: byte %02x in a line", (unsigned char)input->text[i]);
		if (input->line_number == 1) {
			if (strcmp(input->text, "# callgrind format") != 0)
				die(input, "rule 1: the first line is not \"# callgrind format\"");
		} else if (size == 0)
			continue;
		else if (last != H_SUMMARY)
			last = header(input, last);
		else
			body_line(input);
	}
	if (ferror(file))
		die(input, "cannot be read: %s", strerror(errno));
	if (last != H_SUMMARY)
		die(input, "rule 2: the header has no end");
	if (input->in_call || !input->has_totals)
		die(input, "rule 9: the file ends before \"totals\"");
	fclose(file);
}

static void release(struct input *input)
{
	struct name_table *const tables[] = {&input->functions, &input->files, &input->objects};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (uint32_t id = 0; id < tables[i]->room; id++)
			free(tables[i]->names[id].text);
		free(tables[i]->names);
	}
	for (uint32_t event = 0; event < input->n_events; event++)
		free(input->events[event]);
	for (size_t i = 0; i < input->n_descs; i++)
		free(input->descs[i]);
	free(input->descs);
	free(input->calls);
	free(input->text);
}

/* ---- Names ------------------------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strcmp(path, "???") == 0 ? "" : slash != NULL ? slash + 1 : path;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void check_names(struct input *input)
{
	struct name_table *const tables[] = {&input->functions, &input->files, &input->objects};
	char **keys = must(input, calloc(input->functions.highest + 1u, sizeof(*keys)));
	uint32_t n_keys = 0;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (tables[i]->n_names != tables[i]->highest)
			die(input, "rule 13: %s ids are not dense: %u of them, the highest is %u",
			    tables[i]->what, tables[i]->n_names, tables[i]->highest);
	for (uint32_t id = 1; id <= input->functions.highest; id++) {
		const struct name *function = &input->functions.names[id];

		if (!function->has_body)
			die(input, "rule 9: %s is called, but has no cost of its own", function->text);
		if (asprintf(&keys[n_keys++], "%s%s%s", function->text,
			     base_name(input->files.names[function->file].text),
			     base_name(input->objects.names[function->object].text)) < 0)
			die(input, "out of memory");
	}
	qsort(keys, n_keys, sizeof(*keys), compare_texts);
	for (uint32_t i = 1; i < n_keys; i++)
		if (strcmp(keys[i - 1], keys[i]) == 0)
			die(input, "rule 4: two functions are one to KCacheGrind: %s", keys[i]);
	for (uint32_t i = 0; i < n_keys; i++)
		free(keys[i]);
	free(keys);
}

/* ---- Numbers ------------------------------------------------------------------------------------- */

static int compare_callers(const void *a, const void *b)
{
	uint32_t left = ((const struct call *)a)->caller, right = ((const struct call *)b)->caller;

	return left == right ? 0 : left < right ? -1 : 1;
}

/* Sorts functions into cycles (Tarjan's algorithm, with a stack of its own):
 * a function that is in none is a component alone. */
static void find_cycles(struct input *input)
{
	const uint32_t n = input->functions.highest + 1;
	struct visit {
		uint32_t function;
		size_t next_call;
	} *path = must(input, calloc(n, sizeof(*path)));
	size_t *first_call = must(input, calloc((size_t)n + 1, sizeof(*first_call)));
	uint32_t *order = must(input, calloc(n, sizeof(*order)));
	uint32_t *low = must(input, calloc(n, sizeof(*low)));
	uint32_t *open = must(input, calloc(n, sizeof(*open)));
	uint32_t n_open = 0, n_seen = 0, n_components = 0, depth = 0;

	if (input->n_calls > 0)
		qsort(input->calls, input->n_calls, sizeof(*input->calls), compare_callers);
	for (size_t i = 0; i < input->n_calls; i++)
		first_call[input->calls[i].caller + 1]++;
	for (uint32_t id = 0; id < n; id++)
		first_call[id + 1] += first_call[id];
	for (uint32_t start = 1; start < n; start++) {
		if (order[start] != 0)
			continue;
		path[depth++] = (struct visit){start, first_call[start]};
		order[start] = low[start] = ++n_seen;
		open[n_open++] = start;
		while (depth > 0) {
			struct visit *visit = &path[depth - 1];
			uint32_t from = visit->function;

			if (visit->next_call < first_call[from + 1]) {
				uint32_t to = input->calls[visit->next_call++].callee;

				if (order[to] == 0) {
					path[depth++] = (struct visit){to, first_call[to]};
					order[to] = low[to] = ++n_seen;
					open[n_open++] = to;
				} else if (input->functions.names[to].component == 0 && order[to] < low[from])
					low[from] = order[to];
				continue;
			}
			if (--depth > 0 && low[from] < low[path[depth - 1].function])
				low[path[depth - 1].function] = low[from];
			if (low[from] != order[from])
				continue;
			n_components++;
			do
				input->functions.names[open[--n_open]].component = n_components;
			while (open[n_open] != from);
		}
	}
	free(path);
	free(first_call);
	free(order);
	free(low);
	free(open);
}

typedef unsigned __int128 wide; /* sums of 64-bit costs don't wrap in it */

static void check_event(struct input *input, uint32_t event, uint32_t root)
{
	const uint32_t n = input->functions.highest + 1;
	wide *incoming = must(input, calloc(n, sizeof(*incoming)));
	wide *into = must(input, calloc(n, sizeof(*into))), *out_of = must(input, calloc(n, sizeof(*out_of)));
	const uint64_t total = input->summary[event];
	wide sum = 0;

	for (uint32_t id = 1; id < n; id++) {
		sum += input->functions.names[id].self[event];
		out_of[input->functions.names[id].component] += input->functions.names[id].self[event];
	}
	for (size_t i = 0; i < input->n_calls; i++) {
		const struct call *call = &input->calls[i];
		const struct name *caller = &input->functions.names[call->caller];
		const struct name *callee = &input->functions.names[call->callee];

		input->line_number = call->line_number;
		if (call->caller == call->callee && call->costs[event] != 0)
			die(input, "rule 10: %s calls itself and charges it", caller->text);
		incoming[call->callee] += call->costs[event];
		if (incoming[call->callee] > total)
			die(input, "rule 10: %s: what goes into %s is above the total", input->events[event],
			    callee->text);
		if (caller->component != callee->component) {
			into[callee->component] += call->costs[event];
			out_of[caller->component] += call->costs[event];
		}
	}
	if (sum != total || input->totals[event] != total)
		die(input, "rule 9: %s: self costs make %llu, summary is %llu, totals are %llu",
		    input->events[event], (unsigned long long)sum, (unsigned long long)total,
		    (unsigned long long)input->totals[event]);
	if (out_of[input->functions.names[root].component] != total)
		die(input, "rule 9: %s: the root's inclusive cost is %llu, the total %llu",
		    input->events[event], (unsigned long long)out_of[input->functions.names[root].component],
		    (unsigned long long)total);
	for (uint32_t id = 1; id < n; id++) {
		const struct name *function = &input->functions.names[id];

		if (id != root && into[function->component] != out_of[function->component])
			die(input,
			    "rule 8: %s: %llu go into %s (or its cycle), %llu are spent there and passed on",
			    input->events[event], (unsigned long long)into[function->component],
			    function->text, (unsigned long long)out_of[function->component]);
	}
	free(incoming);
	free(into);
	free(out_of);
}

static void check_numbers(struct input *input)
{
	const uint32_t n = input->functions.highest + 1;
	bool *called = must(input, calloc(n, sizeof(*called)));
	uint32_t root = 0;

	for (size_t i = 0; i < input->n_calls; i++)
		called[input->calls[i].callee] = true;
	for (uint32_t id = 1; id < n; id++) {
		if (called[id])
			continue;
		if (root != 0)
			die(input, "rule 8: nothing calls %s and %s: one root is expected",
			    input->functions.names[root].text, input->functions.names[id].text);
		root = id;
	}
	if (root == 0)
		die(input, "rule 8: there is no root");
	find_cycles(input);
	for (uint32_t event = 0; event < input->n_events; event++)
		check_event(input, event, root);
	free(called);
}

/* ---- Questions ----------------------------------------------------------------------------------- */

static bool is_called(const struct name *function, const char *wanted)
{
	size_t size = strlen(wanted);

	return strncmp(function->text, wanted, size) == 0 &&
	       (function->text[size] == '\0' || strncmp(function->text + size, " [", 2) == 0);
}

static void print_calls(struct input *input, const char *wanted)
{
	uint64_t count = 0;

	for (size_t i = 0; i < input->n_calls; i++)
		if (is_called(&input->functions.names[input->calls[i].callee], wanted))
			count += input->calls[i].count;
	printf("%llu\n", (unsigned long long)count);
}

static void print_callers(struct input *input, const char *wanted)
{
	for (size_t i = 0; i < input->n_calls; i++) {
		const struct call *call = &input->calls[i];

		if (is_called(&input->functions.names[call->callee], wanted))
			printf("%llu %s %s:%u\n", (unsigned long long)call->count,
			       input->functions.names[call->caller].text, input->files.names[call->file].text,
			       call->line);
	}
}

static void print_self(struct input *input, const char *wanted)
{
	for (uint32_t event = 0; event < input->n_events; event++) {
		uint64_t self = 0;

		for (uint32_t id = 1; id <= input->functions.highest; id++)
			if (is_called(&input->functions.names[id], wanted))
				self += input->functions.names[id].self[event];
		printf("%s%llu", event > 0 ? " " : "", (unsigned long long)self);
	}
	printf("\n");
}

static void print_desc(struct input *input, const char *key)
{
	bool found = false;

	for (size_t i = 0; i < input->n_descs; i++) {
		const char *separator = strstr(input->descs[i], ": ");

		if (strlen(key) != (size_t)(separator - input->descs[i]) ||
		    strncmp(key, input->descs[i], strlen(key)) != 0)
			continue;
		printf("%s\n", separator + 2);
		found = true;
	}
	if (!found)
		die(input, "no \"desc: %s: \"", key);
}

static void print_functions(struct input *input, const char *unused)
{
	uint64_t *counts = must(input, calloc(input->functions.highest + 1u, sizeof(*counts)));

	for (size_t i = 0; i < input->n_calls; i++)
		counts[input->calls[i].callee] += input->calls[i].count;
	for (uint32_t id = 1; id <= input->functions.highest; id++)
		printf("%s\t%llu\t%llu\n", input->functions.names[id].text, (unsigned long long)counts[id],
		       (unsigned long long)input->functions.names[id].self[0]);
	free(counts);
}

static int compare_edges(const void *a, const void *b)
{
	const struct call *left = a, *right = b;

	if (left->caller != right->caller)
		return left->caller < right->caller ? -1 : 1;
	return left->callee == right->callee ? 0 : left->callee < right->callee ? -1 : 1;
}

static void print_edges(struct input *input, const char *unused)
{
	char **lines = must(input, calloc(input->n_calls + 1, sizeof(*lines)));
	size_t n_lines = 0;

	if (input->n_calls > 0)
		qsort(input->calls, input->n_calls, sizeof(*input->calls), compare_edges);
	for (size_t i = 0, next; i < input->n_calls; i = next) {
		const struct name *caller = &input->functions.names[input->calls[i].caller];
		const struct name *callee = &input->functions.names[input->calls[i].callee];
		uint64_t count = 0;

		for (next = i; next < input->n_calls && compare_edges(&input->calls[i], &input->calls[next]) == 0; next++)
			count += input->calls[next].count;
		if (strcmp(input->files.names[callee->file].text, "???") != 0 &&
		    asprintf(&lines[n_lines++], "%s > %s %llu", caller->text, callee->text, (unsigned long long)count) < 0)
			die(input, "out of memory");
	}
	qsort(lines, n_lines, sizeof(*lines), compare_texts);
	for (size_t i = 0; i < n_lines; i++) {
		puts(lines[i]);
		free(lines[i]);
	}
	free(lines);
}

static void check(struct input *input, const char *unused)
{
	check_names(input);
	check_numbers(input);
}

static void with_file(const char *path, void (*what)(struct input *, const char *), const char *argument)
{
	struct input input = {.path = path};

	input.functions.what = "function";
	input.files.what = "file";
	input.objects.what = "object";
	read_input(&input);
	what(&input, argument);
	release(&input);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *option;
		void (*print)(struct input *, const char *);
	} questions[] = {{"--calls", print_calls},
			 {"--callers", print_callers},
			 {"--self", print_self},
			 {"--desc", print_desc}};

	if (argc > 1 && strcmp(argv[1], "--relative-files") == 0) {
		files_may_be_relative = true;
		argv++;
		argc--;
	}
	for (size_t i = 0; argc == 4 && i < sizeof(questions) / sizeof(questions[0]); i++) {
		if (strcmp(argv[1], questions[i].option) == 0) {
			with_file(argv[3], questions[i].print, argv[2]);
			return 0;
		}
	}
	if (argc == 3 && strcmp(argv[1], "--functions") == 0) {
		with_file(argv[2], print_functions, NULL);
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "--edges") == 0) {
		with_file(argv[2], print_edges, NULL);
		return 0;
	}
	if (argc < 2 || argv[1][0] == '-') {
		fprintf(stderr, "usage: check-callgrind [--relative-files] FILE...\n"
				"       check-callgrind --calls|--callers|--self FUNCTION FILE\n"
				"       check-callgrind --desc KEY FILE\n"
				"       check-callgrind --functions|--edges FILE\n");
		return 2;
	}
	for (int i = 1; i < argc; i++)
		with_file(argv[i], check, NULL);
	return 0;
}
