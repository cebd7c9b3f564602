/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds what was asked for (choose.h). Called by the commands that show profiles. */
#include "tools/choose.h"

#include "profile/merge.h"
#include "tools/complain.h"
#include "tools/table.h"
#include "tools/text.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SIMILAR_MAX 5u

/* ---- Numbers ------------------------------------------------------------------------------------ */

int rps_choose_number(const char *name, const char *text, uint64_t *number)
{
	char *end;

	*number = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0')
		return 0;
	rps_complain("%s=%s: a whole number is expected", name, text);
	return -1;
}

int rps_choose_percent(const char *name, const char *text, double *percent)
{
	char *end;

	*percent = strtod(text, &end);
	if (end != text && (*end == '\0' || strcmp(end, "%") == 0) && *percent >= 0 && *percent <= 100)
		return 0;
	rps_complain("%s=%s: a percentage is expected", name, text);
	return -1;
}

/* ---- Events ------------------------------------------------------------------------------------- */

static void complain_of_event(const struct rps_profile *profile, const char *name)
{
	char list[RPS_EVENTS_MAX * 34 + 1] = "";

	for (uint32_t i = 0; i < profile->n_events; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%.30s", i > 0 ? ", " : "",
			 profile->events[i].name);
	rps_complain("there is no event %s (there are: %s)", name, list);
}

uint32_t rps_choose_event(const struct rps_profile *profile, const char *name)
{
	uint32_t found = RPS_NONE, n_found = 0;

	if (name == NULL)
		return 0;
	for (uint32_t i = 0; i < profile->n_events; i++)
		if (strcasecmp(profile->events[i].name, name) == 0)
			return i;
	for (uint32_t i = 0; i < profile->n_events; i++) {
		if (name[0] == '\0' || strncasecmp(profile->events[i].name, name, strlen(name)) != 0)
			continue;
		found = i;
		n_found++;
	}
	if (n_found == 1)
		return found;
	complain_of_event(profile, name);
	return RPS_NONE;
}

/* ---- Functions ---------------------------------------------------------------------------------- */

/* The name proper within "void shop::Cart<int>::add<X>(Item const&) const": where it begins and ends. */
static const char *bare_name(const char *name, size_t *size)
{
	const char *start = name, *end = NULL, *at;
	uint32_t depth = 0;

	if (strstr(name, "operator") != NULL) {
		*size = strlen(name);
		return name;
	}
	for (at = name; *at != '\0'; at++) {
		if (depth == 0 && at != name && (*at == '(' || *at == '<') && end == NULL)
			end = at;
		if (*at == '(' && depth == 0 && strncmp(at, "(anonymous namespace)", 21) != 0)
			break;
		if (*at == '<' || *at == '(')
			depth++;
		else if ((*at == '>' || *at == ')') && depth > 0)
			depth--;
		else if (depth == 0 && (*at == ' ' || (at[0] == ':' && at[1] == ':'))) {
			start = at + (*at == ':' ? 2 : 1);
			end = NULL;
		}
	}
	if (end == NULL)
		end = at;
	*size = (size_t)(end - start);
	return start;
}

/* "add", "Cart::add": a tail of the name without parameters that begins at a component. */
static bool matches_tail(const char *name, const char *wanted)
{
	size_t bare_size, wanted_size = strlen(wanted);
	const char *bare = bare_name(name, &bare_size), *end = bare + bare_size, *start;

	if (wanted_size == 0 || (size_t)(end - name) < wanted_size)
		return false;
	start = end - wanted_size;
	if (memcmp(start, wanted, wanted_size) != 0 || start > bare)
		return false;
	return start == name || start == bare ||
	       (start - name >= 2 && start[-1] == ':' && start[-2] == ':') || start[-1] == ' ';
}

bool rps_choose_matches(const char *name, const char *wanted)
{
	return strcmp(name, wanted) == 0 || matches_tail(name, wanted) || fnmatch(wanted, name, 0) == 0;
}

static void complain_of_function(const struct rps_call_graph *graph, const char *wanted)
{
	uint32_t n_similar = 0;
	char *list = NULL;
	size_t size;
	FILE *stream = open_memstream(&list, &size);

	if (stream == NULL)
		return;
	for (uint32_t i = 0; i < graph->n_functions; i++) {
		const char *name = graph->functions[i].name;

		if (strcasestr(name, wanted) == NULL)
			continue;
		if (n_similar < SIMILAR_MAX)
			fprintf(stream, "%s%.60s", n_similar == 0 ? " (there is: " : ", ", name);
		n_similar++;
	}
	if (n_similar > SIMILAR_MAX)
		fprintf(stream, ", and %" PRIu32 " more", n_similar - SIMILAR_MAX);
	if (n_similar > 0)
		fputs(")", stream);
	fclose(stream);
	rps_complain("there is no function %s%s", wanted,
		     n_similar > 0 ? list : " (runprofile top lists them)");
	free(list);
}

uint32_t rps_choose_functions(const struct rps_call_graph *graph, const char *wanted, bool *chosen)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < graph->n_functions; i++) {
		chosen[i] = strcmp(graph->functions[i].name, wanted) == 0;
		n += chosen[i];
	}
	for (uint32_t i = 0; i < graph->n_functions && n == 0; i++)
		chosen[i] = rps_choose_matches(graph->functions[i].name, wanted);
	for (uint32_t i = 0; i < graph->n_functions && n == 0; i++)
		if (chosen[i])
			n = 1;
	if (n == 0)
		complain_of_function(graph, wanted);
	return n;
}

/* ---- What a profile is -------------------------------------------------------------------------- */

void rps_place_text(char *text, size_t size, const char *file, uint32_t line)
{
	if (file[0] == '\0')
		snprintf(text, size, "%s", "");
	else if (line == 0)
		snprintf(text, size, "%s", rps_text_base(file));
	else
		snprintf(text, size, "%s:%" PRIu32, rps_text_base(file), line);
}

static void put_part(const struct rps_view *view, const char *text, const char *unit, bool *is_first)
{
	if (text == NULL || text[0] == '\0')
		return;
	fputs(*is_first ? "" : ", ", view->out);
	rps_text_put_safe(view->out, text);
	fputs(unit, view->out);
	*is_first = false;
}

static void put_title(const struct rps_profile *profile, const struct rps_view *view, bool *is_first)
{
	const char *method = rps_profile_meta(profile, "Method"), *path = rps_profile_meta(profile, "Path");
	const uint64_t count = rps_profile_aggregate_count(profile);
	char number[RPS_TEXT_NUMBER_SIZE];

	if (rps_profile_meta(profile, RPS_AGGREGATE_KEY) != NULL) {
		rps_text_number(number, count);
		put_part(view, number, count == 1 ? " profile" : " profiles", is_first);
	}
	if (path != NULL) {
		put_part(view, method, " ", is_first);
		*is_first = *is_first || method != NULL;
		put_part(view, path, "", is_first);
	} else {
		put_part(view, profile->command, "", is_first);
	}
}

void rps_describe_profile(const struct rps_profile *profile, const struct rps_view *view)
{
	const char *duration = rps_profile_meta(profile, "Duration us");
	const uint64_t calls = rps_profile_count_calls(profile);
	char number[RPS_TEXT_NUMBER_SIZE];
	bool is_first = true;

	fputs(rps_view_style(view, RPS_STYLE_HEAD), view->out);
	put_title(profile, view, &is_first);
	put_part(view, rps_profile_meta(profile, "Status"), "", &is_first);
	if (duration != NULL) {
		snprintf(number, sizeof(number), "%.3f", strtod(duration, NULL) / 1000.0);
		put_part(view, number, " ms", &is_first);
	}
	rps_text_number(number, calls);
	put_part(view, number, calls == 1 ? " call" : " calls", &is_first);
	for (uint32_t event = 0; event < profile->n_events; event++) {
		char unit[80];

		snprintf(unit, sizeof(unit), " %s%.60s",
			 rps_event_is_time(&profile->events[event]) ? "ms " : "",
			 profile->events[event].name);
		if (rps_event_is_time(&profile->events[event]))
			rps_text_ms(number, rps_profile_total(profile, event));
		else
			rps_text_number(number, rps_profile_total(profile, event));
		put_part(view, number, unit, &is_first);
	}
	fprintf(view->out, "%s\n", rps_view_style(view, RPS_STYLE_PLAIN));
	for (uint32_t i = 0; i < profile->n_metas; i++) {
		if (!rps_meta_is_trouble(profile->metas[i].key))
			continue;
		fprintf(view->out, "%s", rps_view_style(view, RPS_STYLE_WORSE));
		rps_text_put_safe(view->out, profile->metas[i].key);
		fputs(": ", view->out);
		rps_text_put_safe(view->out, profile->metas[i].value);
		fprintf(view->out, "%s\n", rps_view_style(view, RPS_STYLE_PLAIN));
	}
	fputc('\n', view->out);
}

void rps_describe_profile_json(const struct rps_profile *profile, const struct rps_view *view)
{
	fprintf(view->out,
		"  \"profiles\": %" PRIu64 ",\n  \"command\": ", rps_profile_aggregate_count(profile));
	rps_text_put_json(view->out, profile->command);
	fputs(",\n  \"totals\": {", view->out);
	for (uint32_t event = 0; event < profile->n_events; event++)
		fprintf(view->out, "%s\"%s\": %" PRIu64, event > 0 ? ", " : "", profile->events[event].name,
			rps_profile_total(profile, event));
	fputs("},\n  \"desc\": {", view->out);
	for (uint32_t i = 0; i < profile->n_metas; i++) {
		fputs(i > 0 ? ", " : "", view->out);
		rps_text_put_json(view->out, profile->metas[i].key);
		fputs(": ", view->out);
		rps_text_put_json(view->out, profile->metas[i].value);
	}
	fputs("},\n", view->out);
}
