/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See speedscope_write.h. Called by tools. A stack is a list of frames, the root first:
 *
 *     {"$schema": ..., "shared": {"frames": [{"name": "handle", "file": "/src/app.c", "line": 12}, ...]},
 *      "profiles": [{"type": "sampled", "name": "Wall_ns", "unit": "nanoseconds", "startValue": 0,
 *                    "endValue": 5300, "samples": [[0,1], ...], "weights": [300, ...]}, ...]}
 */
#include "profile/speedscope_write.h"

#include "profile/json_text.h"
#include "profile/order.h"
#include "profile/pprof_units.h"
#include "profile/unfold.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct writer {
	const struct rps_profile *profile;
	FILE *out;
	uint32_t *order, *place; /* nodes, and where each is among them */
	uint32_t *stack;
	uint32_t *frames; /* of each function; RPS_NONE: it is nowhere */
	int is_titled, error;
};

static void put_text(struct writer *writer, const char *text)
{
	if (rps_json_put_text(text, writer->out) != 0)
		writer->error = -ENOMEM;
}

static void put_frame(struct writer *writer, const struct rps_function *function)
{
	fputs("{\"name\":", writer->out);
	put_text(writer, function->name);
	if (function->file[0] != '\0') {
		fputs(",\"file\":", writer->out);
		put_text(writer, function->file);
	}
	if (function->line != 0)
		fprintf(writer->out, ",\"line\":%" PRIu32, function->line);
	putc('}', writer->out);
}

/* Those that have a node, in the order of nodes. */
static void put_frames(struct writer *writer)
{
	const struct rps_profile *profile = writer->profile;
	uint32_t n_frames = 0;

	fputs("\"shared\":{\"frames\":[\n", writer->out);
	for (uint32_t i = 0; i < profile->n_nodes; i++) {
		const uint32_t function = profile->nodes[writer->order[i]].function;

		if (writer->frames[function] != RPS_NONE)
			continue;
		fputs(n_frames > 0 ? ",\n" : "", writer->out);
		writer->frames[function] = n_frames++;
		put_frame(writer, &profile->functions[function]);
	}
	fputs("]},\n", writer->out);
}

/* The stack of `node`, and on top of it `leaf` (a folded call's), if it is a node. */
static void put_stack(struct writer *writer, uint32_t node, uint32_t leaf)
{
	const struct rps_profile *profile = writer->profile;
	uint32_t n = 0;

	if (leaf != RPS_NONE)
		writer->stack[n++] = profile->nodes[leaf].function;
	for (uint32_t at = node; at != 0; at = profile->nodes[at].parent)
		writer->stack[n++] = profile->nodes[at].function;
	if (!writer->is_titled)
		writer->stack[n++] = profile->nodes[0].function;
	putc_unlocked('[', writer->out);
	while (n-- > 0)
		fprintf(writer->out, "%" PRIu32 "%s", writer->frames[writer->stack[n]], n > 0 ? "," : "");
	putc_unlocked(']', writer->out);
}

static void begin_profile(struct writer *writer, const char *name, const char *unit, uint64_t total)
{
	fputs("{\"type\":\"sampled\",\"name\":", writer->out);
	put_text(writer, name);
	fprintf(writer->out, ",\"unit\":\"%s\",\"startValue\":0,\"endValue\":%" PRIu64 ",\n\"samples\":[",
		unit, total);
}

static void put_event(struct writer *writer, uint32_t event)
{
	const struct rps_profile *profile = writer->profile;
	const char *comma = "", *unit;
	char type[128];

	unit = rps_pprof_unit_of_event(profile->events[event].name, type, sizeof(type));
	if (strcmp(unit, "count") == 0 || strcmp(unit, "kilobytes") == 0)
		unit = "none";
	begin_profile(writer, profile->events[event].name, unit, rps_profile_total(profile, event));
	for (uint32_t i = 0; i < profile->n_nodes; i++) {
		if (profile->nodes[writer->order[i]].self[event] == 0)
			continue;
		fputs(comma, writer->out);
		put_stack(writer, writer->order[i], RPS_NONE);
		comma = ",\n";
	}
	fputs("],\n\"weights\":[", writer->out);
	comma = "";
	for (uint32_t i = 0; i < profile->n_nodes; i++) {
		const uint64_t self = profile->nodes[writer->order[i]].self[event];

		if (self == 0)
			continue;
		fprintf(writer->out, "%s%" PRIu64, comma, self);
		comma = ",";
	}
	fputs("]},\n", writer->out);
}

static int compare_edges(const void *a, const void *b, void *cls)
{
	const struct writer *writer = cls;
	const struct rps_edge *left = &writer->profile->edges[*(const uint32_t *)a];
	const struct rps_edge *right = &writer->profile->edges[*(const uint32_t *)b];

	if (left->from != right->from)
		return writer->place[left->from] < writer->place[right->from] ? -1 : 1;
	return writer->place[left->to] < writer->place[right->to] ? -1 : left->to != right->to;
}

/* Edges in the order of nodes; sites are not told apart. The count of each is in the first of its equals. */
static uint32_t sum_up_calls(const struct writer *writer, uint32_t *edges, uint64_t *calls)
{
	const struct rps_profile *profile = writer->profile;
	uint32_t n_kept = 0;

	for (uint32_t i = 0; i < profile->n_edges; i++)
		edges[i] = i;
	qsort_r(edges, profile->n_edges, sizeof(*edges), compare_edges, (void *)(uintptr_t)writer);
	for (uint32_t i = 0; i < profile->n_edges; i++) {
		const struct rps_edge *edge = &profile->edges[edges[i]];

		if (n_kept > 0 && profile->edges[edges[n_kept - 1]].from == edge->from &&
		    profile->edges[edges[n_kept - 1]].to == edge->to) {
			calls[n_kept - 1] = rps_cost_add(calls[n_kept - 1], edge->calls);
		} else if (edge->calls > 0) {
			calls[n_kept] = edge->calls;
			edges[n_kept++] = edges[i];
		}
	}
	return n_kept;
}

static void put_calls(struct writer *writer)
{
	const struct rps_profile *profile = writer->profile;
	uint32_t *edges = malloc(((size_t)profile->n_edges + 1) * sizeof(*edges)), n_edges;
	uint64_t *calls = malloc(((size_t)profile->n_edges + 1) * sizeof(*calls)), total = 0;

	if (edges == NULL || calls == NULL) {
		writer->error = -ENOMEM;
		goto out;
	}
	n_edges = sum_up_calls(writer, edges, calls);
	for (uint32_t i = 0; i < n_edges; i++)
		total = rps_cost_add(total, calls[i]);
	begin_profile(writer, "calls", "none", total);
	for (uint32_t i = 0; i < n_edges; i++) {
		fputs(i > 0 ? ",\n" : "", writer->out);
		put_stack(writer, profile->edges[edges[i]].from, profile->edges[edges[i]].to);
	}
	fputs("],\n\"weights\":[", writer->out);
	for (uint32_t i = 0; i < n_edges; i++)
		fprintf(writer->out, "%s%" PRIu64, i > 0 ? "," : "", calls[i]);
	fputs("]}]}\n", writer->out);
out:
	free(edges);
	free(calls);
}

int rps_speedscope_write(const struct rps_profile *profile, FILE *out)
{
	struct rps_unfolded unfolded;
	struct writer writer = {.profile = rps_profile_with_contexts(profile, &unfolded), .out = out};

	errno = 0;
	if (writer.profile != NULL) {
		writer.order = rps_profile_order(writer.profile);
		writer.place = malloc(writer.profile->n_nodes * sizeof(*writer.place));
		writer.stack = malloc(((size_t)writer.profile->n_nodes + 1) * sizeof(*writer.stack));
		writer.frames = malloc(writer.profile->n_functions * sizeof(*writer.frames));
	}
	if (writer.order == NULL || writer.place == NULL || writer.stack == NULL || writer.frames == NULL) {
		writer.error = -ENOMEM;
		goto out;
	}
	for (uint32_t i = 0; i < writer.profile->n_nodes; i++)
		writer.place[writer.order[i]] = i;
	memset(writer.frames, 0xff, writer.profile->n_functions * sizeof(*writer.frames));
	writer.is_titled = profile->is_flat && profile->nodes[0].first_edge == RPS_NONE;
	fputs("{\"$schema\":\"" RPS_SPEEDSCOPE_SCHEMA "\",\n\"exporter\":\"RunProfileServer " PACKAGE_VERSION
	      "\",\n\"name\":",
	      out);
	put_text(&writer, profile->functions[profile->nodes[0].function].name);
	fprintf(out, ",\n\"rooted\":%s,\"activeProfileIndex\":0,\n", writer.is_titled ? "false" : "true");
	put_frames(&writer);
	fputs("\"profiles\":[\n", out);
	for (uint32_t event = 0; event < profile->n_events; event++)
		put_event(&writer, event);
	put_calls(&writer);
	if (fflush(out) != 0 || ferror(out))
		writer.error = errno != 0 ? -errno : -EIO;
out:
	free(writer.order);
	free(writer.place);
	free(writer.stack);
	free(writer.frames);
	rps_unfolded_destroy(&unfolded);
	return writer.error;
}
