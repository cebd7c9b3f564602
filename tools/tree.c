/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runprofile tree: what called what, from the root down, with costs (tree_rows.h). */
#include "profile/flat.h"
#include "tools/choose.h"
#include "tools/command.h"
#include "tools/load.h"
#include "tools/table.h"
#include "tools/text.h"
#include "tools/tree_rows.h"
#include "tools/view.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THRESHOLD_DEFAULT 1.0 /* percent */

struct tree {
	struct rps_view view;
	const char *event_name;
	struct rps_tree_options options;
	const struct rps_profile *profile;
	const struct rps_flat *flat;
	struct rps_tree_rows rows;
};

static void help(FILE *out)
{
	fputs("Usage: runprofile tree [OPTION]... FILE|DIR...\n"
	      "\n"
	      "Shows what called what, from the root down, with costs. Callgrind files know no\n"
	      "contexts: where a function has several callers, what lies below it is shared out\n"
	      "in proportion, and marked with ~.\n"
	      "\n"
	      "  -e, --event=NAME     this event (default: the profile's first)\n"
	      "  -t, --threshold=PERCENT  leave out what costs less of the total (default 1)\n"
	      "  -d, --depth=N        only N levels\n"
	      "      --from=FUNCTION  begin at FUNCTION\n"
	      "      --to=FUNCTION    only paths that lead to FUNCTION\n" RPS_VIEW_HELP,
	      out);
}

/* ---- Showing ------------------------------------------------------------------------------------ */

static void describe(const struct tree *tree, const struct rps_tree_row *item, const char **name,
		     const char **file, uint32_t *line)
{
	if (!tree->profile->is_flat) {
		const struct rps_function *function =
		    &tree->profile->functions[tree->profile->nodes[item->at].function];

		*name = function->name;
		*file = function->file;
		*line = function->line;
	} else {
		const struct rps_graph_function *function = &tree->flat->graph->functions[item->at];

		*name = function->name;
		*file = tree->flat->graph->files[function->file];
		*line = function->line;
	}
}

static void put_cost(const struct tree *tree, struct rps_table *table, uint64_t cost, bool is_count,
		     bool is_estimate)
{
	const struct rps_event *event = &tree->profile->events[tree->options.event];
	char text[RPS_TEXT_NUMBER_SIZE + 1] = "~";

	if (!is_count && rps_event_is_time(event))
		rps_text_ms(text + 1, cost);
	else
		rps_text_number(text + 1, cost);
	rps_table_formatted(table, is_estimate ? text : text + 1, "", RPS_STYLE_PLAIN);
}

static struct rps_table *fill(const struct tree *tree)
{
	const struct rps_event *event = &tree->profile->events[tree->options.event];
	struct rps_table *table = rps_table_create();
	char title[128];

	if (table == NULL)
		return NULL;
	rps_event_title(title, "Inclusive", event);
	rps_table_column(table, title, "", true);
	rps_table_column(table, "%", "", true);
	rps_event_title(title, "Self", event);
	rps_table_column(table, title, "", true);
	rps_table_column(table, "Calls", "", true);
	rps_table_column(table, "Function", "", false);
	for (size_t i = 0; i < tree->rows.n_rows; i++) {
		const struct rps_tree_row *item = &tree->rows.rows[i];
		const char *name, *file;
		char place[320];
		uint32_t line;

		describe(tree, item, &name, &file, &line);
		rps_table_row(table);
		put_cost(tree, table, item->inclusive, false, item->is_estimate);
		rps_table_percent(table, item->inclusive, tree->rows.total);
		put_cost(tree, table, item->self, false, item->self_is_estimate);
		put_cost(tree, table, item->calls, true, item->is_estimate);
		rps_place_text(place, sizeof(place) - 16, file, line);
		if (item->is_recursion)
			strcat(place, place[0] != '\0' ? "  recursion" : "recursion");
		rps_table_text_and_note(table, name, place);
		rps_table_indent(table, 2 * item->depth);
	}
	return table;
}

/* Nested: "children" holds what it calls. */
static void print_json(const struct tree *tree)
{
	const char *event = tree->profile->events[tree->options.event].name;
	FILE *out = tree->view.out;
	uint32_t open = 0;

	fputs("{\n", out);
	rps_describe_profile_json(tree->profile, &tree->view);
	fprintf(out, "  \"contexts\": %s, \"hidden\": %" PRIu64 ", \"tree\": [",
		!tree->profile->is_flat ? "true" : "false", tree->rows.n_hidden);
	for (size_t i = 0; i < tree->rows.n_rows; i++) {
		const struct rps_tree_row *item = &tree->rows.rows[i];
		const char *name, *file;
		uint32_t line;

		for (; open > item->depth; open--)
			fputs("]}", out);
		fputs(i > 0 && tree->rows.rows[i - 1].depth >= item->depth ? ",\n" : "\n", out);
		describe(tree, item, &name, &file, &line);
		fputs("{\"function\": ", out);
		rps_text_put_json(out, name);
		fputs(", \"file\": ", out);
		rps_text_put_json(out, file);
		fprintf(out,
			", \"line\": %" PRIu32 ", \"inclusive_%s\": %" PRIu64 ", \"self_%s\": %" PRIu64
			", \"calls\": %" PRIu64
			", \"estimate\": %s, \"self_is_estimate\": %s, \"recursion\": %s, \"children\": [",
			line, event, item->inclusive, event, item->self, item->calls,
			item->is_estimate ? "true" : "false", item->self_is_estimate ? "true" : "false",
			item->is_recursion ? "true" : "false");
		open = item->depth + 1;
	}
	for (; open > 0; open--)
		fputs("]}", out);
	fputs("]\n}\n", out);
}

static void put_footnotes(const struct tree *tree)
{
	const struct rps_view *view = &tree->view;

	fputs(rps_view_style(view, RPS_STYLE_DIM), view->out);
	if (tree->rows.is_cut)
		fprintf(
		    view->out,
		    "Only the first %u lines are shown (--depth=N and --threshold=PERCENT leave more out).\n",
		    RPS_TREE_ROWS_MAX);
	if (tree->rows.n_hidden > 0 && tree->options.to == NULL)
		fprintf(view->out,
			"%" PRIu64
			" branches that are deeper, or below %g %%, are not shown (--threshold=0).\n",
			tree->rows.n_hidden, tree->options.threshold);
	fputs(rps_view_style(view, RPS_STYLE_PLAIN), view->out);
}

static int show(struct tree *tree)
{
	struct rps_table *table = fill(tree);
	int error = table != NULL ? 0 : -ENOMEM, status;

	rps_view_open(&tree->view);
	if (tree->view.json) {
		print_json(tree);
	} else if (error == 0) {
		rps_describe_profile(tree->profile, &tree->view);
		error = rps_table_print(table, &tree->view);
		put_footnotes(tree);
	}
	status = rps_view_close(&tree->view);
	rps_table_destroy(table);
	if (error != 0)
		rps_complain("out of memory");
	return status != 0 || error != 0;
}

/* ---- The command -------------------------------------------------------------------------------- */

static int check_functions(const struct tree *tree)
{
	bool *chosen = calloc((size_t)tree->flat->graph->n_functions + 1, sizeof(*chosen));
	int status = 0;

	if (chosen == NULL)
		return -1;
	if (tree->options.from != NULL &&
	    rps_choose_functions(tree->flat->graph, tree->options.from, chosen) == 0)
		status = -1;
	if (tree->options.to != NULL &&
	    rps_choose_functions(tree->flat->graph, tree->options.to, chosen) == 0)
		status = -1;
	free(chosen);
	return status;
}

static int tree_of(struct tree *tree, char *const *paths, int n_paths)
{
	struct rps_profile *profile = NULL;
	struct rps_flat *flat = NULL;
	int status = rps_load_sum(paths, n_paths, &profile) != 0;

	if (profile == NULL)
		return 1;
	tree->options.event = rps_choose_event(profile, tree->event_name);
	if (tree->options.event == RPS_NONE) {
		rps_profile_destroy(profile);
		return 2;
	}
	flat = rps_flat_create(profile);
	tree->profile = profile;
	tree->flat = flat;
	if (flat == NULL) {
		rps_complain("out of memory");
		status = 1;
	} else if (check_functions(tree) != 0) {
		status = 1;
	} else if (rps_tree_rows_create(&tree->rows, profile, flat, &tree->options) != 0) {
		rps_complain("out of memory");
		status = 1;
	} else if (show(tree) != 0) {
		status = 1;
	}
	rps_tree_rows_clear(&tree->rows);
	rps_flat_destroy(flat);
	rps_profile_destroy(profile);
	return status;
}

enum { OPTION_FROM = 300, OPTION_TO };

static int take_option(struct tree *tree, int option, const char *value)
{
	switch (option) {
	case 'e':
		tree->event_name = value;
		return 0;
	case 't':
		return rps_choose_percent("--threshold", value, &tree->options.threshold);
	case 'd':
		return rps_choose_number("--depth", value, &tree->options.depth);
	case OPTION_FROM:
		tree->options.from = value;
		return 0;
	case OPTION_TO:
		tree->options.to = value;
		return 0;
	default:
		return rps_view_option(&tree->view, option, value);
	}
}

int rps_command_tree(int argc, char **argv)
{
	static const struct option options[] = {{"event", required_argument, NULL, 'e'},
						{"threshold", required_argument, NULL, 't'},
						{"depth", required_argument, NULL, 'd'},
						{"from", required_argument, NULL, OPTION_FROM},
						{"to", required_argument, NULL, OPTION_TO},
						{"help", no_argument, NULL, 'h'},
						RPS_VIEW_OPTIONS,
						{NULL, 0, NULL, 0}};
	struct tree tree = {.options = {.threshold = THRESHOLD_DEFAULT}};
	int option;

	while ((option = getopt_long(argc, argv, "e:t:d:h", options, NULL)) != -1) {
		if (option == 'h') {
			help(stdout);
			return 0;
		}
		if (take_option(&tree, option, optarg) != 0) {
			fputs("runprofile tree --help lists the options\n", stderr);
			return 2;
		}
	}
	if (optind == argc) {
		rps_complain("of which profiles? runprofile tree FILE|DIR... (--help tells more)");
		return 2;
	}
	return tree_of(&tree, argv + optind, argc - optind);
}
