/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See svg_write.h. Called by tools. The root is at the top, callees below their callers, side by side by
 * name; a frame is as wide as what it and all below it cost. What its callees leave free is its own cost.
 *
 *     ┌──────────────── GET /cart ────────────────┐
 *     └────────── handle ──────────┘ (self)
 *     └─ parse ─┘└─── walk ───┘ (self)
 *
 * flame.js and flame.css, which stand in the file as they are, know the classes and ids used here. */
#include "profile/svg_write.h"

#include "profile/order.h"
#include "profile/pprof_units.h"
#include "profile/unfold.h"
#include "profile/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 1200.0
#define TOP 76.0
#define ROW 17.0
#define CHAR_WIDTH 6.65
#define THINNEST 0.02 /* of the image's units: what zooming would still show */
#define COLOURS 8u

static const char style[] =
#include "profile/flame.css.h"
    ;
static const char script[] =
#include "profile/flame.js.h"
    ;

struct writer {
	const struct rps_profile *profile;
	FILE *out;
	uint32_t *order;
	uint64_t *sums;   /* of each node's subtree */
	uint64_t *starts; /* where it begins, in the event's units */
	uint64_t *taken;  /* of it, by its children so far */
	uint64_t *calls;
	uint32_t *depths, depth_max, n_thin;
	uint64_t total;
	int has_files, error;
};

/* ---- Texts -------------------------------------------------------------------------------------- */

/* Characters of East Asian scripts and emoji are two wide. flame.js counts the same. */
static size_t columns(uint32_t code_point)
{
	return code_point >= 0x1100 ? 2 : 1;
}

static void put_character(struct writer *writer, const char *at, size_t length, uint32_t code_point)
{
	if (strchr("&<>\"'", *at) != NULL)
		fprintf(writer->out, "&#%d;", *at);
	else if ((code_point >= 0x202a && code_point <= 0x202e) ||
		 (code_point >= 0x2066 && code_point <= 0x2069))
		fprintf(writer->out, "\\u%04x", code_point); /* would turn what follows around */
	else if (code_point == 0xfffe || code_point == 0xffff)
		fputs("\xef\xbf\xbd", writer->out); /* what XML can't hold */
	else
		fwrite(at, 1, length, writer->out);
}

/* At most `width` columns of it, with an ellipsis if that is not all. */
static void put_text(struct writer *writer, const char *from, size_t width)
{
	char *text = rps_utf8_escape(from, RPS_UTF8_CONTROLS);
	size_t left, length, all = 0, used = 0;
	uint32_t code_point;

	if (text == NULL) {
		writer->error = -ENOMEM;
		return;
	}
	left = strlen(text);
	for (size_t at = 0; at < left;) {
		at += rps_utf8_decode(text + at, left - at, &code_point);
		all += columns(code_point);
	}
	for (const char *at = text; left > 0; at += length, left -= length) {
		length = rps_utf8_decode(at, left, &code_point);
		used += columns(code_point);
		if (all > width && used + 1 > width) {
			fputs("\xe2\x80\xa6", writer->out);
			break;
		}
		put_character(writer, at, length, code_point);
	}
	free(text);
}

/* "1,234,567" */
static const char *grouped(uint64_t number, char *text, size_t size)
{
	char *at = text + size - 1;

	*at = '\0';
	for (unsigned int n = 0; n == 0 || number > 0; n++, number /= 10) {
		if (n > 0 && n % 3 == 0)
			*--at = ',';
		*--at = (char)('0' + number % 10);
	}
	return at;
}

/* "5.300 ms", "1,234" */
static const char *amount(const struct writer *writer, uint64_t cost, char *text, size_t size)
{
	static const struct {
		double unit;
		const char *name;
	} times[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "\xc2\xb5s"}};
	char type[128];

	if (strcmp(rps_pprof_unit_of_event(writer->profile->events[0].name, type, sizeof(type)),
		   "nanoseconds") != 0)
		return grouped(cost, text, size);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if ((double)cost >= times[i].unit) {
			snprintf(text, size, "%.3f %s", (double)cost / times[i].unit, times[i].name);
			return text;
		}
	snprintf(text, size, "%" PRIu64 " ns", cost);
	return text;
}

/* ---- Where frames are --------------------------------------------------------------------------- */

static int measure(struct writer *writer)
{
	const struct rps_profile *profile = writer->profile;
	const uint32_t n = profile->n_nodes;

	writer->order = rps_profile_order(profile);
	writer->sums = calloc(n, sizeof(*writer->sums));
	writer->starts = calloc(n, sizeof(*writer->starts));
	writer->taken = calloc(n, sizeof(*writer->taken));
	writer->calls = calloc(n, sizeof(*writer->calls));
	writer->depths = calloc(n, sizeof(*writer->depths));
	if (writer->order == NULL || writer->sums == NULL || writer->starts == NULL ||
	    writer->taken == NULL || writer->calls == NULL || writer->depths == NULL)
		return -ENOMEM;
	for (uint32_t i = n; i-- > 0;) {
		writer->sums[i] = rps_cost_add(writer->sums[i], profile->nodes[i].self[0]);
		if (i > 0)
			writer->sums[profile->nodes[i].parent] =
			    rps_cost_add(writer->sums[profile->nodes[i].parent], writer->sums[i]);
	}
	for (uint32_t i = 0; i < profile->n_functions; i++)
		writer->has_files |= profile->functions[i].file[0] != '\0';
	for (uint32_t i = 0; i < profile->n_edges; i++)
		writer->calls[profile->edges[i].to] =
		    rps_cost_add(writer->calls[profile->edges[i].to], profile->edges[i].calls);
	/* A parent stands before its children in both orders. */
	for (uint32_t i = 1; i < n; i++) {
		const uint32_t node = writer->order[i], parent = profile->nodes[node].parent;

		writer->starts[node] = rps_cost_add(writer->starts[parent], writer->taken[parent]);
		writer->taken[parent] = rps_cost_add(writer->taken[parent], writer->sums[node]);
		writer->depths[node] = writer->depths[parent] + 1;
		if (writer->depth_max < writer->depths[node] && writer->sums[node] > 0)
			writer->depth_max = writer->depths[node];
	}
	writer->total = writer->sums[0];
	return 0;
}

static double to_width(const struct writer *writer, uint64_t cost)
{
	return writer->total > 0 ? (double)cost / (double)writer->total * WIDTH : 0;
}

/* ---- Frames ------------------------------------------------------------------------------------- */

/* One colour for each source file; code without source is grey, unless there is nothing else. */
static void put_class(struct writer *writer, uint32_t node)
{
	const struct rps_function *function =
	    &writer->profile->functions[writer->profile->nodes[node].function];
	const char *key = writer->has_files ? function->file : function->name;
	uint32_t hash = 2166136261u;

	for (const char *at = key; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * 16777619u;
	if (node == 0)
		fputs("root", writer->out);
	else if (key[0] == '\0')
		fputs("lib", writer->out);
	else
		fprintf(writer->out, "c%u", (hash >> 16) % COLOURS);
}

static void put_title(struct writer *writer, uint32_t node)
{
	const struct rps_profile *profile = writer->profile;
	const struct rps_function *function = &profile->functions[profile->nodes[node].function];
	char inclusive[48], self[48], calls[48];

	fputs("<title>", writer->out);
	put_text(writer, function->name[0] != '\0' ? function->name : "???", SIZE_MAX);
	fprintf(writer->out, "\n%s (%.2f %%), self %s",
		amount(writer, writer->sums[node], inclusive, sizeof(inclusive)),
		writer->total > 0 ? (double)writer->sums[node] / (double)writer->total * 100 : 100.0,
		amount(writer, profile->nodes[node].self[0], self, sizeof(self)));
	if (writer->calls[node] > 0)
		fprintf(writer->out, ", %s call%s", grouped(writer->calls[node], calls, sizeof(calls)),
			writer->calls[node] == 1 ? "" : "s");
	if (function->file[0] != '\0') {
		fputc('\n', writer->out);
		put_text(writer, function->file, SIZE_MAX);
		if (function->line != 0)
			fprintf(writer->out, ":%" PRIu32, function->line);
	} else if (function->object[0] != '\0') {
		fputc('\n', writer->out);
		put_text(writer, function->object, SIZE_MAX);
	}
	fputs("</title>", writer->out);
}

static void put_frame(struct writer *writer, uint32_t node)
{
	const char *name = writer->profile->functions[writer->profile->nodes[node].function].name;
	const double x = to_width(writer, writer->starts[node]);
	const double width = node == 0 ? WIDTH : to_width(writer, writer->sums[node]);
	const double y = TOP + ROW * writer->depths[node];

	if (width < THINNEST) {
		writer->n_thin += writer->sums[node] > 0;
		return;
	}
	fputs("<g class=\"f\">", writer->out);
	put_title(writer, node);
	fprintf(writer->out, "<rect x=\"%.3f\" y=\"%.0f\" width=\"%.3f\" height=\"%.0f\" rx=\"1\" class=\"",
		x, y, width, ROW - 1);
	put_class(writer, node);
	fputs("\"/>", writer->out);
	if (width >= 6 + 3 * CHAR_WIDTH) {
		fprintf(writer->out, "<text x=\"%.3f\" y=\"%.0f\">", x + 3, y + 12);
		put_text(writer, name[0] != '\0' ? name : "???", (size_t)((width - 6) / CHAR_WIDTH));
		fputs("</text>", writer->out);
	}
	fputs("</g>\n", writer->out);
}

/* ---- The image ---------------------------------------------------------------------------------- */

static void put_head(struct writer *writer, const struct rps_profile *profile, double height)
{
	const struct rps_event *event = &profile->events[0];
	const char *name = profile->functions[profile->nodes[0].function].name;
	const char *count = rps_profile_meta(profile, "Aggregate"), *when = rps_profile_meta(profile, "Time");
	char text[48];

	fprintf(writer->out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"100%%\" "
		"role=\"img\" "
		"preserveAspectRatio=\"xMidYMin\">\n<title>",
		WIDTH, height);
	put_text(writer, name, SIZE_MAX);
	fprintf(writer->out,
		"</title>\n<style><![CDATA[\n%s]]></style>\n<text class=\"title\" x=\"3\" y=\"20\">", style);
	put_text(writer, name, 80);
	fputs("</text>\n<text class=\"faint\" x=\"3\" y=\"40\">", writer->out);
	put_text(writer, event->long_name[0] != '\0' ? event->long_name : event->name, 60);
	fprintf(writer->out, ": %s", amount(writer, writer->total, text, sizeof(text)));
	if (when != NULL) {
		fputs(" \xc2\xb7 ", writer->out);
		put_text(writer, when, 40);
	}
	if (count != NULL) {
		fputs(" \xc2\xb7 sum of ", writer->out);
		put_text(writer, count, 20);
	}
	if (profile->is_flat)
		fputs(" \xc2\xb7 the file has no call paths: they are estimated", writer->out);
	fprintf(
	    writer->out,
	    "</text>\n<text id=\"detail\" x=\"3\" y=\"62\" class=\"control\">Click a frame to zoom, / to "
	    "search, Esc to go back</text>\n"
	    "<text id=\"reset\" x=\"%.0f\" y=\"40\" text-anchor=\"end\" class=\"control\">reset zoom</text>\n"
	    "<text id=\"matched\" x=\"%.0f\" y=\"20\" text-anchor=\"end\" class=\"control\"></text>\n"
	    "<foreignObject class=\"control\" x=\"%.0f\" y=\"5\" width=\"200\" height=\"24\"><input "
	    "xmlns=\"http://www.w3.org/1999/xhtml\" id=\"search\" type=\"search\" placeholder=\"search\" "
	    "aria-label=\"search\"/></foreignObject>\n",
	    WIDTH - 3, WIDTH - 212, WIDTH - 203);
}

static void put_all(struct writer *writer, const struct rps_profile *profile)
{
	const double height = TOP + ROW * (writer->depth_max + 2);

	put_head(writer, profile, height);
	for (uint32_t i = 0; i < writer->profile->n_nodes; i++)
		put_frame(writer, writer->order[i]);
	if (writer->n_thin > 0)
		fprintf(writer->out,
			"<text class=\"faint\" x=\"3\" y=\"%.0f\">%" PRIu32
			" call paths are too thin to be drawn, even zoomed in</text>\n",
			height - 5, writer->n_thin);
	fprintf(writer->out, "<script><![CDATA[\n%s]]></script>\n</svg>\n", script);
}

int rps_svg_write(const struct rps_profile *profile, FILE *out)
{
	struct rps_unfolded unfolded;
	struct writer writer = {.profile = rps_profile_with_contexts(profile, &unfolded), .out = out};

	errno = 0;
	writer.error = writer.profile != NULL ? measure(&writer) : -ENOMEM;
	if (writer.error == 0)
		put_all(&writer, profile);
	if (writer.error == 0 && (fflush(out) != 0 || ferror(out)))
		writer.error = errno != 0 ? -errno : -EIO;
	free(writer.order);
	free(writer.sums);
	free(writer.starts);
	free(writer.taken);
	free(writer.calls);
	free(writer.depths);
	rps_unfolded_destroy(&unfolded);
	return writer.error;
}
