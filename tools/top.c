/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runprofile top: the functions of one profile, or of several added up, by what they cost. */
#include "profile/flat.h"
#include "tools/choose.h"
#include "tools/command.h"
#include "tools/load.h"
#include "tools/table.h"
#include "tools/view.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 30u

enum sorting { SORT_SELF, SORT_INCLUSIVE, SORT_CALLS, SORT_NAME };

struct top {
	struct rps_view view;
	const char *event_names[RPS_EVENTS_MAX];
	uint32_t events[RPS_EVENTS_MAX], n_events; /* the first sorts */
	enum sorting sorting;
	uint64_t limit; /* 0: all */
	const struct rps_profile *profile;
	const struct rps_flat *flat;
};

static void help(FILE *out)
{
	fputs("Usage: runprofile top [OPTION]... FILE|DIR...\n"
	      "\n"
	      "Shows the functions of a profile, or of several added up: what each costs\n"
	      "itself, what it costs with all that it calls, and how often it is called.\n"
	      "\n"
	      "  -e, --event=NAME     this event (default: the profile's first); repeatable\n"
	      "  -s, --sort=BY        self (default), inclusive, calls, or name\n"
	      "  -i, --inclusive      the same as --sort=inclusive\n"
	      "  -n, --limit=N        this many functions (default 30; 0: all)\n" RPS_VIEW_HELP,
	      out);
}

static uint64_t sort_value(const struct top *top, uint32_t function)
{
	switch (top->sorting) {
	case SORT_SELF:
		return top->flat->graph->functions[function].self[top->events[0]];
	case SORT_INCLUSIVE:
		return top->flat->functions[function].inclusive[top->events[0]];
	case SORT_CALLS:
		return top->flat->functions[function].calls;
	default:
		return 0;
	}
}

/* The graph's own order, by name, decides between equal ones. */
static int compare_functions(const void *a, const void *b, void *cls)
{
	const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	const uint64_t left_value = sort_value(cls, left), right_value = sort_value(cls, right);

	if (left_value != right_value)
		return left_value > right_value ? -1 : 1;
	return left == right ? 0 : left < right ? -1 : 1;
}

static void add_columns(const struct top *top, struct rps_table *table)
{
	for (uint32_t i = 0; i < top->n_events; i++) {
		const struct rps_event *event = &top->profile->events[top->events[i]];
		char title[128], key[160];

		rps_event_title(title, "Self", event);
		snprintf(key, sizeof(key), "self_%.100s", event->name);
		rps_table_column(table, title, key, true);
		rps_table_column(table, "%", "", true);
		rps_event_title(title, "Inclusive", event);
		snprintf(key, sizeof(key), "inclusive_%.100s", event->name);
		rps_table_column(table, title, key, true);
		rps_table_column(table, "%", "", true);
	}
	rps_table_column(table, "Calls", "calls", true);
	rps_table_json_column(table, "file");
	rps_table_json_column(table, "line");
	rps_table_json_column(table, "object");
	rps_table_json_column(table, "recursive");
	rps_table_column(table, "Function", "function", false);
}

static void add_row(const struct top *top, struct rps_table *table, uint32_t i)
{
	const struct rps_call_graph *graph = top->flat->graph;
	const struct rps_graph_function *function = &graph->functions[i];
	const struct rps_flat_function *figures = &top->flat->functions[i];
	char place[300];

	rps_table_row(table);
	for (uint32_t j = 0; j < top->n_events; j++) {
		const uint32_t event = top->events[j];

		rps_table_cost(table, &top->profile->events[event], function->self[event]);
		rps_table_percent(table, function->self[event], top->flat->totals[event]);
		rps_table_cost(table, &top->profile->events[event], figures->inclusive[event]);
		rps_table_percent(table, figures->inclusive[event], top->flat->totals[event]);
	}
	rps_table_number(table, figures->calls);
	rps_table_text(table, graph->files[function->file]);
	rps_table_number(table, function->line);
	rps_table_text(table, graph->objects[function->object]);
	rps_table_formatted(table, "", figures->is_recursive ? "true" : "false", RPS_STYLE_PLAIN);
	rps_place_text(place, sizeof(place),
		       graph->files[function->file][0] != '\0' ? graph->files[function->file]
							       : graph->objects[function->object],
		       function->line);
	rps_table_text_and_note(table, function->name, place);
}

static int fill(const struct top *top, struct rps_table *table, uint32_t *n_left_out)
{
	const uint32_t n_functions = top->flat->graph->n_functions;
	uint32_t *order = calloc((size_t)n_functions + 1, sizeof(*order)), n_shown = n_functions;

	if (order == NULL)
		return -1;
	for (uint32_t i = 0; i < n_functions; i++)
		order[i] = i;
	if (n_functions > 0)
		qsort_r(order, n_functions, sizeof(*order), compare_functions, (void *)(uintptr_t)top);
	if (top->limit != 0 && top->limit < n_shown)
		n_shown = (uint32_t)top->limit;
	add_columns(top, table);
	for (uint32_t i = 0; i < n_shown; i++)
		add_row(top, table, order[i]);
	*n_left_out = n_functions - n_shown;
	free(order);
	return 0;
}

static int show(struct top *top)
{
	struct rps_table *table = rps_table_create();
	uint32_t n_left_out;
	int failed = table == NULL || fill(top, table, &n_left_out) != 0;

	if (failed) {
		rps_complain("out of memory");
		rps_table_destroy(table);
		return 1;
	}
	rps_view_open(&top->view);
	if (top->view.json) {
		fputs("{\n", top->view.out);
		rps_describe_profile_json(top->profile, &top->view);
		fputs("  \"functions\": ", top->view.out);
		failed = rps_table_print_json(table, &top->view);
		fputs("\n}\n", top->view.out);
	} else {
		rps_describe_profile(top->profile, &top->view);
		failed = rps_table_print(table, &top->view);
		if (n_left_out > 0)
			fprintf(top->view.out, "%s%" PRIu32 " more functions (--limit=0 shows all)%s\n",
				rps_view_style(&top->view, RPS_STYLE_DIM), n_left_out,
				rps_view_style(&top->view, RPS_STYLE_PLAIN));
	}
	rps_table_destroy(table);
	if (failed)
		rps_complain("out of memory");
	return rps_view_close(&top->view) != 0 || failed;
}

static int top_of(struct top *top, char *const *paths, int n_paths)
{
	struct rps_profile *profile = NULL;
	struct rps_flat *flat = NULL;
	int status = rps_load_sum(paths, n_paths, &profile) != 0;

	if (profile == NULL)
		return 1;
	if (top->n_events == 0)
		top->n_events = 1;
	for (uint32_t i = 0; i < top->n_events; i++) {
		top->events[i] = rps_choose_event(profile, top->event_names[i]);
		if (top->events[i] == RPS_NONE) {
			status = 2;
			goto out;
		}
	}
	flat = rps_flat_create(profile);
	if (flat == NULL) {
		rps_complain("out of memory");
		status = 1;
		goto out;
	}
	top->profile = profile;
	top->flat = flat;
	if (show(top) != 0)
		status = 1;
out:
	rps_flat_destroy(flat);
	rps_profile_destroy(profile);
	return status;
}

static int choose_sorting(struct top *top, const char *text)
{
	static const char *const names[] = {"self", "inclusive", "calls", "name"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], text) == 0) {
			top->sorting = (enum sorting)i;
			return 0;
		}
	rps_complain("--sort=%s: self, inclusive, calls or name is expected", text);
	return -1;
}

static int take_option(struct top *top, int option, const char *value)
{
	switch (option) {
	case 'e':
		if (top->n_events == RPS_EVENTS_MAX) {
			rps_complain("more than %d events", RPS_EVENTS_MAX);
			return -1;
		}
		top->event_names[top->n_events++] = value;
		return 0;
	case 's':
		return choose_sorting(top, value);
	case 'i':
		top->sorting = SORT_INCLUSIVE;
		return 0;
	case 'n':
		return rps_choose_number("--limit", value, &top->limit);
	default:
		return rps_view_option(&top->view, option, value);
	}
}

int rps_command_top(int argc, char **argv)
{
	static const struct option options[] = {{"event", required_argument, NULL, 'e'},
						{"sort", required_argument, NULL, 's'},
						{"inclusive", no_argument, NULL, 'i'},
						{"limit", required_argument, NULL, 'n'},
						{"help", no_argument, NULL, 'h'},
						RPS_VIEW_OPTIONS,
						{NULL, 0, NULL, 0}};
	struct top top = {.limit = LIMIT_DEFAULT};
	int option;

	while ((option = getopt_long(argc, argv, "e:s:in:h", options, NULL)) != -1) {
		if (option == 'h') {
			help(stdout);
			return 0;
		}
		if (take_option(&top, option, optarg) != 0) {
			fputs("runprofile top --help lists the options\n", stderr);
			return 2;
		}
	}
	if (optind == argc) {
		rps_complain("of which profiles? runprofile top FILE|DIR... (--help tells more)");
		return 2;
	}
	return top_of(&top, argv + optind, argc - optind);
}
