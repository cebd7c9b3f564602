/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runprofile callers, runprofile callees: who calls a function, from which line, and what it calls. */
#include "profile/flat.h"
#include "tools/choose.h"
#include "tools/command.h"
#include "tools/load.h"
#include "tools/table.h"
#include "tools/text.h"
#include "tools/view.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct calls {
	struct rps_view view;
	bool of_callers; /* else callees */
	const char *function, *event_name;
	uint32_t event;
	uint64_t limit;
	const struct rps_profile *profile;
	const struct rps_flat *flat;
};

static void help(bool of_callers, FILE *out)
{
	fprintf(out,
		"Usage: runprofile %s [OPTION]... FUNCTION FILE|DIR...\n\n"
		"Shows %s, from which line, how often, and at what\n"
		"cost, in a profile or in several added up. FUNCTION is a name, with or without\n"
		"parameters and name spaces, or a pattern such as 'sql*'.\n\n"
		"  -e, --event=NAME     this event (default: the profile's first)\n"
		"  -n, --limit=N        this many lines for each function (default: all)\n" RPS_VIEW_HELP,
		of_callers ? "callers" : "callees",
		of_callers ? "what calls FUNCTION" : "what FUNCTION calls");
}

struct order {
	const struct rps_call_graph *graph;
	uint32_t event;
};

static int compare_calls(const void *a, const void *b, void *cls)
{
	const struct order *order = cls;
	const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	const struct rps_graph_call *left_call = &order->graph->calls[left],
				    *right_call = &order->graph->calls[right];
	const uint64_t left_cost = left_call->inclusive[order->event],
		       right_cost = right_call->inclusive[order->event];

	if (left_cost != right_cost)
		return left_cost > right_cost ? -1 : 1;
	if (left_call->calls != right_call->calls)
		return left_call->calls > right_call->calls ? -1 : 1;
	return left == right ? 0 : left < right ? -1 : 1;
}

static void add_columns(const struct calls *calls, struct rps_table *table)
{
	const struct rps_event *event = &calls->profile->events[calls->event];
	char title[128], key[160];

	rps_event_title(title, "Inclusive", event);
	snprintf(key, sizeof(key), "inclusive_%.100s", event->name);
	rps_table_column(table, title, key, true);
	rps_table_column(table, "%", "percent", true);
	rps_table_column(table, "Calls", "calls", true);
	rps_table_json_column(table, "site_file");
	rps_table_json_column(table, "site_line");
	rps_table_json_column(table, "file");
	rps_table_column(table, calls->of_callers ? "Caller" : "Callee", "function", false);
}

static void add_row(const struct calls *calls, struct rps_table *table, uint32_t i, uint64_t whole)
{
	const struct rps_call_graph *graph = calls->flat->graph;
	const struct rps_graph_call *call = &graph->calls[i];
	const struct rps_graph_function *other =
	    &graph->functions[calls->of_callers ? call->caller : call->callee];
	const char *site_file = call->site_line != 0 ? graph->files[call->site_file] : "";
	char place[300], note[320] = "";

	rps_table_row(table);
	rps_table_cost(table, &calls->profile->events[calls->event], call->inclusive[calls->event]);
	rps_table_percent(table, call->inclusive[calls->event], whole);
	rps_table_number(table, call->calls);
	rps_table_text(table, site_file);
	rps_table_number(table, call->site_line);
	rps_table_text(table, graph->files[other->file]);
	rps_place_text(place, sizeof(place), site_file, call->site_line);
	if (place[0] != '\0')
		snprintf(note, sizeof(note), "%s%s", calls->of_callers ? "" : "at ", place);
	rps_table_text_and_note(table, other->name, note);
}

/* Of function `i`, all its calls in one direction, the costliest first. */
static int fill(const struct calls *calls, struct rps_table *table, uint32_t i, uint32_t *n_left_out)
{
	const struct rps_call_graph *graph = calls->flat->graph;
	const struct rps_flat_function *figures = &calls->flat->functions[i];
	const struct rps_graph_function *function = &graph->functions[i];
	const uint32_t n = calls->of_callers ? figures->n_callers : function->n_calls;
	const uint32_t n_shown = calls->limit != 0 && calls->limit < n ? (uint32_t)calls->limit : n;
	uint32_t *order = calloc((size_t)n + 1, sizeof(*order));
	struct order by = {graph, calls->event};

	if (order == NULL)
		return -1;
	for (uint32_t j = 0; j < n; j++)
		order[j] = calls->of_callers ? calls->flat->callers[figures->first_caller + j]
					     : function->first_call + j;
	if (n > 0)
		qsort_r(order, n, sizeof(*order), compare_calls, &by);
	add_columns(calls, table);
	for (uint32_t j = 0; j < n_shown; j++)
		add_row(calls, table, order[j], figures->inclusive[calls->event]);
	*n_left_out = n - n_shown;
	free(order);
	return 0;
}

static void put_function(const struct calls *calls, uint32_t i)
{
	const struct rps_view *view = &calls->view;
	const struct rps_graph_function *function = &calls->flat->graph->functions[i];
	const struct rps_event *event = &calls->profile->events[calls->event];
	const char *file = calls->flat->graph->files[function->file];
	char self[RPS_TEXT_NUMBER_SIZE], inclusive[RPS_TEXT_NUMBER_SIZE], n_calls[RPS_TEXT_NUMBER_SIZE];
	void (*number)(char *, uint64_t) = rps_event_is_time(event) ? rps_text_ms : rps_text_number;

	number(self, function->self[calls->event]);
	number(inclusive, calls->flat->functions[i].inclusive[calls->event]);
	rps_text_number(n_calls, calls->flat->functions[i].calls);
	fputs(rps_view_style(view, RPS_STYLE_HEAD), view->out);
	rps_text_put_safe(view->out, function->name);
	fprintf(view->out, "%s  ", rps_view_style(view, RPS_STYLE_PLAIN));
	if (file[0] != '\0') {
		rps_text_put_safe(view->out, file);
		if (function->line != 0)
			fprintf(view->out, ":%" PRIu32, function->line);
		fputs("\n  ", view->out);
	}
	fprintf(view->out, "self %s, inclusive %s%s, %s calls%s\n", self, inclusive,
		rps_event_is_time(event) ? " ms" : "", n_calls,
		calls->flat->functions[i].is_recursive ? "; it is recursive: its cost counts once" : "");
}

static void put_function_json(const struct calls *calls, uint32_t i)
{
	const struct rps_graph_function *function = &calls->flat->graph->functions[i];
	const char *event = calls->profile->events[calls->event].name;
	FILE *out = calls->view.out;

	fputs("{\"function\": ", out);
	rps_text_put_json(out, function->name);
	fputs(", \"file\": ", out);
	rps_text_put_json(out, calls->flat->graph->files[function->file]);
	fprintf(out,
		", \"line\": %" PRIu32 ", \"self_%s\": %" PRIu64 ", \"inclusive_%s\": %" PRIu64
		", \"calls\": %" PRIu64 ",\n  \"%s\": ",
		function->line, event, function->self[calls->event], event,
		calls->flat->functions[i].inclusive[calls->event], calls->flat->functions[i].calls,
		calls->of_callers ? "callers" : "callees");
}

static int show_function(const struct calls *calls, uint32_t i, bool is_first)
{
	struct rps_table *table = rps_table_create();
	const struct rps_view *view = &calls->view;
	uint32_t n_left_out;
	int error = table != NULL ? fill(calls, table, i, &n_left_out) : -1;

	if (error != 0)
		goto out;
	if (view->json) {
		fputs(is_first ? "" : ",\n", view->out);
		put_function_json(calls, i);
		error = rps_table_print_json(table, view);
		fputs("}", view->out);
		goto out;
	}
	fputs(is_first ? "" : "\n", view->out);
	put_function(calls, i);
	if (rps_table_n_rows(table) == 0)
		fprintf(view->out, "  %s\n", calls->of_callers ? "nothing calls it" : "it calls nothing");
	else
		error = rps_table_print(table, view);
	if (n_left_out > 0)
		fprintf(view->out, "%s%" PRIu32 " more (without --limit all are shown)%s\n",
			rps_view_style(view, RPS_STYLE_DIM), n_left_out,
			rps_view_style(view, RPS_STYLE_PLAIN));
out:
	rps_table_destroy(table);
	return error;
}

static int show(struct calls *calls)
{
	const uint32_t n_functions = calls->flat->graph->n_functions;
	bool *chosen = calloc((size_t)n_functions + 1, sizeof(*chosen)), is_first = true;
	int error = 0, status;

	if (chosen == NULL) {
		rps_complain("out of memory");
		return 1;
	}
	if (rps_choose_functions(calls->flat->graph, calls->function, chosen) == 0) {
		free(chosen);
		return 1;
	}
	rps_view_open(&calls->view);
	fputs(calls->view.json ? "[" : "", calls->view.out);
	for (uint32_t i = 0; i < n_functions && error == 0; i++) {
		if (!chosen[i])
			continue;
		error = show_function(calls, i, is_first);
		is_first = false;
	}
	fputs(calls->view.json ? "]\n" : "", calls->view.out);
	status = rps_view_close(&calls->view);
	if (error != 0)
		rps_complain("out of memory");
	free(chosen);
	return status != 0 || error != 0;
}

static int calls_of(struct calls *calls, char *const *paths, int n_paths)
{
	struct rps_profile *profile = NULL;
	struct rps_flat *flat = NULL;
	int status = rps_load_sum(paths, n_paths, &profile) != 0;

	if (profile == NULL)
		return 1;
	calls->event = rps_choose_event(profile, calls->event_name);
	if (calls->event == RPS_NONE) {
		status = 2;
		goto out;
	}
	flat = rps_flat_create(profile);
	calls->profile = profile;
	calls->flat = flat;
	if (flat == NULL)
		rps_complain("out of memory");
	if (flat == NULL || show(calls) != 0)
		status = 1;
out:
	rps_flat_destroy(flat);
	rps_profile_destroy(profile);
	return status;
}

static int take_option(struct calls *calls, int option, const char *value)
{
	switch (option) {
	case 'e':
		calls->event_name = value;
		return 0;
	case 'n':
		return rps_choose_number("--limit", value, &calls->limit);
	default:
		return rps_view_option(&calls->view, option, value);
	}
}

static int run(int argc, char **argv, bool of_callers)
{
	static const struct option options[] = {{"event", required_argument, NULL, 'e'},
						{"limit", required_argument, NULL, 'n'},
						{"help", no_argument, NULL, 'h'},
						RPS_VIEW_OPTIONS,
						{NULL, 0, NULL, 0}};
	struct calls calls = {.of_callers = of_callers};
	int option;

	while ((option = getopt_long(argc, argv, "e:n:h", options, NULL)) != -1) {
		if (option == 'h') {
			help(of_callers, stdout);
			return 0;
		}
		if (take_option(&calls, option, optarg) != 0) {
			fprintf(stderr, "runprofile %s --help lists the options\n", argv[0]);
			return 2;
		}
	}
	if (optind + 2 > argc) {
		rps_complain("of which function, in which profiles? runprofile %s FUNCTION FILE|DIR... (--help tells more)",
			     argv[0]);
		return 2;
	}
	calls.function = argv[optind];
	return calls_of(&calls, argv + optind + 1, argc - optind - 1);
}

int rps_command_callers(int argc, char **argv)
{
	return run(argc, argv, true);
}

int rps_command_callees(int argc, char **argv)
{
	return run(argc, argv, false);
}
