/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes a profile's call graph as a callgrind file (callgrind_write.h).
 * Called by the server for each finished request, on the thread that ends it,
 * and by tools.
 *
 *     ob=(1) /usr/lib/shop.so          the function: object, file, name in this order,
 *     fl=(3) /src/shop/cart.c          since ob= clears the others
 *     fn=(7) cart_total
 *     41 1200                          its own cost, at its definition
 *     cob=(1)                          a call: all three names each time, since
 *     cfi=(3)                          loaders fall back to different ones
 *     cfn=(9) item_price
 *     calls=12 80                      count, line of the callee's definition
 *     47 5300                          call site's line, inclusive cost
 *     fi=(4) /src/shop/item.inc        calls from here on stand in this file
 *     12 0                             see put_lines_and_calls
 *     ...
 *
 * Loaders: KCacheGrind (libcore/cachegrindloader.cpp), valgrind's callgrind_annotate,
 * speedscope. The format: https://valgrind.org/docs/manual/cl-format.html
 */
#include "profile/callgrind_write.h"

#include "profile/call_graph.h"
#include "profile/callgrind_names.h"
#include "profile/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct writer {
	const struct rps_profile *profile;
	const struct rps_call_graph *graph;
	const struct rps_callgrind_names *names;
	FILE *out;
	bool *functions_known, *files_known, *objects_known; /* declared already */
	int error;                                           /* 0 or -errno: the first */
};

static void put(struct writer *writer, const char *text)
{
	if (writer->error == 0 && fputs_unlocked(text, writer->out) == EOF)
		writer->error = errno != 0 ? -errno : -EIO;
}

static void put_number(struct writer *writer, uint64_t number)
{
	char digits[24], *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do
		*--at = (char)('0' + number % 10);
	while ((number /= 10) != 0);
	put(writer, at);
}

/* "41 1200\n" */
static void put_costs(struct writer *writer, uint32_t line, const uint64_t *costs)
{
	put_number(writer, line);
	for (uint32_t event = 0; event < writer->profile->n_events; event++) {
		put(writer, " ");
		put_number(writer, costs != NULL ? costs[event] : 0);
	}
	put(writer, "\n");
}

/* "fn=(7) cart_total\n" the first time, then "fn=(7)\n". */
static void put_name(struct writer *writer, const char *keyword, uint32_t id, char *const *names, bool *known)
{
	put(writer, keyword);
	put(writer, "=(");
	put_number(writer, (uint64_t)id + 1);
	put(writer, ")");
	if (!known[id]) {
		put(writer, " ");
		put(writer, names[id]);
		known[id] = true;
	}
	put(writer, "\n");
}

static void put_file(struct writer *writer, const char *keyword, uint32_t file)
{
	put_name(writer, keyword, file, writer->names->files, writer->files_known);
}

/* ---- Header ------------------------------------------------------------------------------------- */

static void put_escaped(struct writer *writer, const char *text)
{
	char *escaped = rps_utf8_escape(text, RPS_UTF8_CONTROLS);

	if (escaped != NULL)
		put(writer, escaped);
	else if (writer->error == 0)
		writer->error = -ENOMEM;
	free(escaped);
}

static void put_totals(struct writer *writer, const char *keyword)
{
	put(writer, keyword);
	for (uint32_t event = 0; event < writer->profile->n_events; event++) {
		put(writer, " ");
		put_number(writer, rps_profile_total(writer->profile, event));
	}
	put(writer, "\n");
}

/* The order matters: what stands here before `events` would begin a new part behind it. */
static void put_headers(struct writer *writer)
{
	const struct rps_profile *profile = writer->profile;

	put(writer, "# callgrind format\nversion: 1\ncreator: RunProfileServer " PACKAGE_VERSION "\n");
	if (profile->volatile_headers && profile->pid != 0) {
		put(writer, "pid: ");
		put_number(writer, profile->pid);
		put(writer, "\n");
	}
	if (profile->volatile_headers && profile->command[0] != '\0') {
		put(writer, "cmd: ");
		put_escaped(writer, profile->command);
		put(writer, "\n");
	}
	put(writer, "part: 1\n");
	for (uint32_t i = 0; i < profile->n_metas; i++) {
		const struct rps_meta *meta = &profile->metas[i];

		if (meta->is_volatile && !profile->volatile_headers)
			continue;
		put(writer, "desc: ");
		put_escaped(writer, meta->key);
		put(writer, ": ");
		put_escaped(writer, meta->value);
		put(writer, "\n");
	}
	put(writer, "positions: line\n");
	for (uint32_t event = 0; event < profile->n_events; event++) {
		if (profile->events[event].long_name[0] == '\0')
			continue;
		put(writer, "event: ");
		put(writer, profile->events[event].name);
		put(writer, " : ");
		put_escaped(writer, profile->events[event].long_name);
		put(writer, "\n");
	}
	put(writer, "events:");
	for (uint32_t event = 0; event < profile->n_events; event++) {
		put(writer, " ");
		put(writer, profile->events[event].name);
	}
	put(writer, "\n");
	put_totals(writer, "summary:");
}

/* ---- Functions ---------------------------------------------------------------------------------- */

static void put_call(struct writer *writer, const struct rps_graph_call *call)
{
	const struct rps_graph_function *callee = &writer->graph->functions[call->callee];

	put_name(writer, "cob", callee->object, writer->names->objects, writer->objects_known);
	put_file(writer, "cfi", callee->file);
	put_name(writer, "cfn", call->callee, writer->names->functions, writer->functions_known);
	put(writer, "calls=");
	/* A sampled profile may not know the count. callgrind_annotate would book what stands
	 * after calls=0 as the caller's own cost. */
	put_number(writer, call->calls != 0 ? call->calls : 1);
	put(writer, " ");
	put_number(writer, callee->line);
	put(writer, "\n");
	put_costs(writer, call->site_line, call->inclusive);
}

/* The self cost: what no line is known for is the definition's. */
static void put_own_lines(struct writer *writer, const struct rps_graph_function *function)
{
	const struct rps_graph_line *lines = &writer->graph->lines[function->first_line];
	uint64_t at_definition[RPS_EVENTS_MAX];

	memcpy(at_definition, function->self, writer->profile->n_events * sizeof(*at_definition));
	for (uint32_t i = 0; i < function->n_lines; i++)
		for (uint32_t event = 0; event < writer->profile->n_events; event++)
			if (lines[i].file != function->file || lines[i].line != function->line)
				at_definition[event] -= lines[i].self[event];
	put_costs(writer, function->line, at_definition);
	/* callgrind_annotate complains about a source file that has costs, but none in a line. */
	if (function->line == 0 && writer->graph->files[function->file][0] != '\0')
		put_costs(writer, 1, NULL);
	for (uint32_t i = 0; i < function->n_lines && lines[i].file == function->file; i++)
		if (lines[i].line != function->line)
			put_costs(writer, lines[i].line, lines[i].self);
}

/* File by file, since lines and calls are both sorted so, the function's own first. */
static void put_lines_and_calls(struct writer *writer, const struct rps_graph_function *function)
{
	const struct rps_graph_line *line = &writer->graph->lines[function->first_line];
	const struct rps_graph_line *lines_end = line + function->n_lines;
	const struct rps_graph_call *call = &writer->graph->calls[function->first_call];
	const struct rps_graph_call *calls_end = call + function->n_calls;
	uint32_t file = function->file;

	put_own_lines(writer, function);
	while (line < lines_end && line->file == file)
		line++;
	for (;;) {
		for (; call < calls_end && call->site_file == file; call++)
			put_call(writer, call);
		if (line == lines_end && call == calls_end)
			return;
		if (line < lines_end && (call == calls_end || line->file <= call->site_file))
			file = line->file;
		else
			file = call->site_file;
		put_file(writer, "fi", file);
		/* callgrind_annotate complains about a source file in which nothing but calls stands. */
		if (line == lines_end || line->file != file)
			put_costs(writer, call->site_line, NULL);
		for (; line < lines_end && line->file == file; line++)
			put_costs(writer, line->line, line->self);
	}
}

static void put_function(struct writer *writer, uint32_t id)
{
	const struct rps_graph_function *function = &writer->graph->functions[id];

	put(writer, "\n");
	put_name(writer, "ob", function->object, writer->names->objects, writer->objects_known);
	put_file(writer, "fl", function->file);
	put_name(writer, "fn", id, writer->names->functions, writer->functions_known);
	put_lines_and_calls(writer, function);
}

int rps_callgrind_write(const struct rps_profile *profile, FILE *out)
{
	struct writer writer = {.profile = profile, .out = out};
	struct rps_call_graph *graph = rps_call_graph_create(profile);
	struct rps_callgrind_names *names = graph != NULL ? rps_callgrind_names_create(graph) : NULL;

	writer.error = -ENOMEM;
	if (names == NULL)
		goto out;
	writer.graph = graph;
	writer.names = names;
	writer.functions_known = calloc((size_t)graph->n_functions + 1, sizeof(bool));
	writer.files_known = calloc((size_t)graph->n_files + 1, sizeof(bool));
	writer.objects_known = calloc((size_t)graph->n_objects + 1, sizeof(bool));
	if (writer.functions_known == NULL || writer.files_known == NULL || writer.objects_known == NULL)
		goto out;
	writer.error = 0;
	put_headers(&writer);
	for (uint32_t id = 0; id < graph->n_functions && writer.error == 0; id++)
		put_function(&writer, id);
	put(&writer, "\n");
	put_totals(&writer, "totals:");
	if (writer.error == 0 && fflush(out) != 0)
		writer.error = errno != 0 ? -errno : -EIO;
out:
	free(writer.functions_known);
	free(writer.files_known);
	free(writer.objects_known);
	rps_callgrind_names_destroy(names);
	rps_call_graph_destroy(graph);
	return writer.error;
}
