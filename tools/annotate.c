/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runprofile annotate: source files, with what their lines cost themselves, and what the calls in them cost.
 */
#include "profile/flat.h"
#include "tools/choose.h"
#include "tools/command.h"
#include "tools/line_costs.h"
#include "tools/load.h"
#include "tools/source_text.h"
#include "tools/table.h"
#include "tools/text.h"
#include "tools/view.h"

#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CONTEXT_DEFAULT 3u
#define THRESHOLD_DEFAULT 1.0 /* percent */
#define DIRECTORIES_MAX 64u

struct annotation {
	struct rps_view view;
	const char *event_name, *function, *source;
	const char *directories[DIRECTORIES_MAX];
	uint32_t n_directories, event;
	uint64_t context;
	double threshold; /* percent */
	const struct rps_profile *profile;
	const struct rps_flat *flat;
	uint64_t total;
	struct rps_line_costs costs;
	struct file *files;
	uint32_t n_files;
	time_t profile_time_s; /* 0: unknown */
	uint64_t n_below;
	bool hides_files; /* that have a name */
};

struct file {
	uint32_t file, first_line, n_lines;
	uint64_t self, called;
};

static void help(FILE *out)
{
	fputs("Usage: runprofile annotate [OPTION]... FILE|DIR...\n"
	      "\n"
	      "Shows the source, with what each line costs itself, how often it calls\n"
	      "something, and what that costs.\n"
	      "\n"
	      "  -e, --event=NAME     this event (default: the profile's first)\n"
	      "  -f, --function=NAME  only what FUNCTION costs and calls\n"
	      "  -s, --source=PATTERN only these source files: 'cart.c', 'src/*.c'\n"
	      "  -I, --include=DIR    look for source files below DIR, too; repeatable\n"
	      "  -C, --context=N      lines around those that cost something (default 3)\n"
	      "  -t, --threshold=PERCENT  leave out files that cost less (default 1)\n" RPS_VIEW_HELP,
	      out);
}

/* ---- Files -------------------------------------------------------------------------------------- */

/* A pattern for the whole path, or for its end. */
static bool is_source(const char *file, const char *wanted)
{
	const size_t size = strlen(file), tail = strlen(wanted);
	char *pattern;
	bool matches;

	if (tail <= size && strcmp(file + size - tail, wanted) == 0 &&
	    (tail == size || file[size - tail - 1] == '/'))
		return true;
	if (asprintf(&pattern, "*/%s", wanted) < 0)
		return false;
	matches = fnmatch(wanted, file, 0) == 0 || fnmatch(pattern, file, 0) == 0;
	free(pattern);
	return matches;
}

static int compare_files(const void *a, const void *b)
{
	const struct file *left = a, *right = b;

	if (left->self != right->self)
		return left->self > right->self ? -1 : 1;
	if (left->called != right->called)
		return left->called > right->called ? -1 : 1;
	return left->file < right->file ? -1 : 1;
}

/* The files to show, the costliest first. What has no file can't be shown. */
static void choose_files(struct annotation *annotation)
{
	const double total = (double)annotation->total;
	const bool shows_all = annotation->function != NULL || annotation->source != NULL;

	for (uint32_t i = 0, end; i < annotation->costs.n_lines; i = end) {
		struct file file = {.file = annotation->costs.lines[i].file, .first_line = i};
		const char *name = annotation->flat->graph->files[file.file];

		for (end = i;
		     end < annotation->costs.n_lines && annotation->costs.lines[end].file == file.file;
		     end++) {
			file.self = rps_cost_add(file.self, annotation->costs.lines[end].self);
			file.called = rps_cost_add(file.called, annotation->costs.lines[end].called);
		}
		file.n_lines = end - i;
		if (annotation->source != NULL && !is_source(name, annotation->source))
			continue;
		if (name[0] != '\0' &&
		    (shows_all || (double)file.self >= annotation->threshold / 100 * total)) {
			annotation->files[annotation->n_files++] = file;
			continue;
		}
		annotation->n_below++;
		annotation->hides_files |= name[0] != '\0';
	}
	if (annotation->n_files > 0)
		qsort(annotation->files, annotation->n_files, sizeof(*annotation->files), compare_files);
}

/* ---- Showing ------------------------------------------------------------------------------------ */

static void add_costs(const struct annotation *annotation, struct rps_table *table,
		      const struct rps_source_line *line)
{
	const struct rps_event *event = &annotation->profile->events[annotation->event];

	if (line->self != 0) {
		rps_table_cost(table, event, line->self);
		rps_table_percent(table, line->self, annotation->total);
	} else {
		rps_table_formatted(table, "", "0", RPS_STYLE_PLAIN);
		rps_table_formatted(table, "", "0", RPS_STYLE_PLAIN);
	}
	if (line->calls != 0 || line->called != 0) {
		rps_table_number(table, line->calls);
		rps_table_cost(table, event, line->called);
	} else {
		rps_table_formatted(table, "", "0", RPS_STYLE_PLAIN);
		rps_table_formatted(table, "", "0", RPS_STYLE_PLAIN);
	}
}

static void add_row(const struct annotation *annotation, struct rps_table *table,
		    const struct rps_source_line *line, const struct rps_source_text *source)
{
	char number[16], *text = rps_source_text_line(source, line->line);

	snprintf(number, sizeof(number), "%" PRIu32, line->line);
	rps_table_row(table);
	add_costs(annotation, table, line);
	rps_table_formatted(table, line->line != 0 ? number : "?", number, RPS_STYLE_DIM);
	rps_table_source(table, text != NULL           ? text
				: line->line == 0      ? "(which line is not known)"
				: source->path == NULL ? ""
						       : "(the file has no such line)");
	free(text);
}

static void add_gap(struct rps_table *table)
{
	rps_table_row(table);
	for (int i = 0; i < 5; i++)
		rps_table_formatted(table, "", "null", RPS_STYLE_PLAIN);
	rps_table_source(table, "...");
}

/* Lines that cost something, and, for people, those around them. */
static void add_rows(const struct annotation *annotation, struct rps_table *table, const struct file *file,
		     const struct rps_source_text *source)
{
	const struct rps_source_line *lines = &annotation->costs.lines[file->first_line];
	const uint64_t context = annotation->view.json || source->path == NULL ? 0 : annotation->context;
	uint64_t next = 1; /* not shown yet */

	for (uint32_t i = 0; i < file->n_lines; i++) {
		const uint64_t line = lines[i].line,
			       until = i + 1 < file->n_lines ? lines[i + 1].line : UINT64_MAX;
		uint64_t from = line > context ? line - context : 1;

		if (line == 0) {
			add_row(annotation, table, &lines[i], source);
			continue;
		}
		if (from < next)
			from = next;
		if (from > next && next > 1 && context > 0)
			add_gap(table);
		for (; from < line; from++)
			add_row(annotation, table, &(struct rps_source_line){.line = (uint32_t)from}, source);
		add_row(annotation, table, &lines[i], source);
		next = line + 1;
		while (next <= line + context && next < until && next <= source->n_lines)
			add_row(annotation, table, &(struct rps_source_line){.line = (uint32_t)next++},
				source);
	}
}

static void add_columns(const struct annotation *annotation, struct rps_table *table)
{
	const struct rps_event *event = &annotation->profile->events[annotation->event];
	char title[128], key[160];

	rps_event_title(title, "Self", event);
	snprintf(key, sizeof(key), "self_%.100s", event->name);
	rps_table_column(table, title, key, true);
	rps_table_column(table, "%", "", true);
	rps_table_column(table, "Calls", "calls", true);
	rps_event_title(title, "Called", event);
	snprintf(key, sizeof(key), "called_%.100s", event->name);
	rps_table_column(table, title, key, true);
	rps_table_column(table, "Line", "line", true);
	rps_table_column(table, "Source", "source", false);
}

static void put_file(const struct annotation *annotation, const struct file *file,
		     const struct rps_source_text *source)
{
	const struct rps_view *view = &annotation->view;
	const char *name = annotation->flat->graph->files[file->file];

	fputs(rps_view_style(view, RPS_STYLE_HEAD), view->out);
	rps_text_put_safe(view->out, name);
	fputs(rps_view_style(view, RPS_STYLE_PLAIN), view->out);
	if (source->path == NULL)
		fputs("  (not found; --include=DIR says where to look)", view->out);
	else if (strcmp(source->path, name) != 0) {
		fputs("  (found as ", view->out);
		rps_text_put_safe(view->out, source->path);
		fputs(")", view->out);
	}
	fputs("\n", view->out);
	if (source->path != NULL && annotation->profile_time_s != 0 &&
	    source->modified_s > annotation->profile_time_s)
		fprintf(view->out, "%sThe file is newer than the profile: lines may have moved.%s\n",
			rps_view_style(view, RPS_STYLE_WORSE), rps_view_style(view, RPS_STYLE_PLAIN));
}

/* Lines without their text are only worth showing if they were asked for. */
static bool is_worth_showing(const struct annotation *annotation, const struct rps_source_text *source)
{
	return source->path != NULL || annotation->view.json || annotation->function != NULL ||
	       annotation->source != NULL;
}

/* *is_shown: false if the file was not found. */
static int show_file(const struct annotation *annotation, const struct file *file, bool is_first,
		     bool *is_shown)
{
	const struct rps_view *view = &annotation->view;
	const char *name = annotation->flat->graph->files[file->file];
	struct rps_table *table = rps_table_create();
	struct rps_source_text source;
	int error = rps_source_text_read(&source, name, annotation->directories, annotation->n_directories);

	if (error == -ENOMEM || table == NULL) {
		rps_table_destroy(table);
		rps_source_text_clear(&source);
		return -ENOMEM;
	}
	*is_shown = is_worth_showing(annotation, &source);
	if (!*is_shown) {
		rps_table_destroy(table);
		return 0;
	}
	add_columns(annotation, table);
	add_rows(annotation, table, file, &source);
	if (view->json) {
		fputs(is_first ? "\n{\"file\": " : ",\n{\"file\": ", view->out);
		rps_text_put_json(view->out, name);
		fprintf(view->out, ", \"found\": %s, \"lines\": ", source.path != NULL ? "true" : "false");
		error = rps_table_print_json(table, view);
		fputs("}", view->out);
	} else {
		fputs(is_first ? "" : "\n", view->out);
		put_file(annotation, file, &source);
		error = rps_table_print(table, view);
	}
	rps_table_destroy(table);
	rps_source_text_clear(&source);
	return error;
}

/* What was not found, with its costs, at the end. */
static int show_missing(const struct annotation *annotation, const bool *is_shown)
{
	const struct rps_event *event = &annotation->profile->events[annotation->event];
	const uint64_t total = annotation->total;
	struct rps_table *table = rps_table_create();
	char title[128];
	int error;

	if (table == NULL)
		return -ENOMEM;
	rps_event_title(title, "Self", event);
	rps_table_column(table, title, "", true);
	rps_table_column(table, "%", "", true);
	rps_table_column(table, "Not found (--include=DIR says where to look)", "", false);
	for (uint32_t i = 0; i < annotation->n_files; i++) {
		if (is_shown[i])
			continue;
		rps_table_row(table);
		rps_table_cost(table, event, annotation->files[i].self);
		rps_table_percent(table, annotation->files[i].self, total);
		rps_table_source(table, annotation->flat->graph->files[annotation->files[i].file]);
	}
	error = rps_table_n_rows(table) > 0 ? rps_table_print(table, &annotation->view) : 0;
	rps_table_destroy(table);
	return error;
}

static int show_files(const struct annotation *annotation)
{
	bool *is_shown = calloc((size_t)annotation->n_files + 1, sizeof(*is_shown));
	bool is_first = true;
	int error = is_shown != NULL ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < annotation->n_files && error == 0; i++) {
		error = show_file(annotation, &annotation->files[i], is_first, &is_shown[i]);
		is_first = is_first && !is_shown[i];
	}
	if (error == 0 && !annotation->view.json) {
		fputs(is_first ? "" : "\n", annotation->view.out);
		error = show_missing(annotation, is_shown);
	}
	free(is_shown);
	return error;
}

static int show(struct annotation *annotation)
{
	const struct rps_view *view = &annotation->view;
	int error, status;

	rps_view_open(&annotation->view);
	if (view->json) {
		fputs("{\n", view->out);
		rps_describe_profile_json(annotation->profile, view);
		fputs("  \"files\": [", view->out);
	} else {
		rps_describe_profile(annotation->profile, view);
	}
	error = show_files(annotation);
	if (view->json)
		fputs("]\n}\n", view->out);
	else if (annotation->n_below > 0)
		fprintf(view->out,
			"%s%" PRIu64
			" files below %g %%, or without a name, are not shown (--threshold=0)%s\n",
			rps_view_style(view, RPS_STYLE_DIM), annotation->n_below, annotation->threshold,
			rps_view_style(view, RPS_STYLE_PLAIN));
	status = rps_view_close(&annotation->view);
	if (error != 0)
		rps_complain("out of memory");
	return status != 0 || error != 0;
}

/* ---- The command -------------------------------------------------------------------------------- */

/* 0, -ENOMEM, or -ENOENT after a message. */
static int collect(struct annotation *annotation)
{
	const struct rps_call_graph *graph = annotation->flat->graph;
	bool *chosen = calloc((size_t)graph->n_functions + 1, sizeof(*chosen));
	int error = -ENOMEM;

	annotation->total = rps_profile_total(annotation->profile, annotation->event);
	annotation->files = calloc((size_t)graph->n_files + 1, sizeof(*annotation->files));
	if (chosen == NULL || annotation->files == NULL)
		goto out;
	error = -ENOENT;
	if (annotation->function == NULL || rps_choose_functions(graph, annotation->function, chosen) != 0)
		error = rps_line_costs_create(&annotation->costs, graph, annotation->event,
					      annotation->function != NULL ? chosen : NULL);
out:
	free(chosen);
	return error;
}

static int annotate(struct annotation *annotation)
{
	int error;

	annotation->event = rps_choose_event(annotation->profile, annotation->event_name);
	if (annotation->event == RPS_NONE)
		return 2;
	error = annotation->flat != NULL ? collect(annotation) : -ENOMEM;
	if (error == -ENOMEM)
		rps_complain("out of memory");
	if (error != 0)
		return 1;
	choose_files(annotation);
	if (annotation->n_files > 0)
		return show(annotation);
	if (annotation->source != NULL)
		rps_complain("there is no source file %s in the profile", annotation->source);
	else
		rps_complain(annotation->hides_files
				 ? "no source file costs as much as the threshold (--threshold=0 shows all)"
				 : "no source file is known of what costs something (compile with -g)");
	return 1;
}

static int annotate_all(struct annotation *annotation, char *const *paths, int n_paths)
{
	struct rps_profile *profile = NULL;
	struct rps_flat *flat = NULL;
	struct stat file;
	int status = rps_load_sum(paths, n_paths, &profile) != 0;

	if (profile == NULL)
		return 1;
	if (n_paths == 1 && stat(paths[0], &file) == 0 && S_ISREG(file.st_mode))
		annotation->profile_time_s = file.st_mtime;
	flat = rps_flat_create(profile);
	annotation->profile = profile;
	annotation->flat = flat;
	if (status == 0)
		status = annotate(annotation);
	else
		annotate(annotation);
	rps_line_costs_clear(&annotation->costs);
	free(annotation->files);
	rps_flat_destroy(flat);
	rps_profile_destroy(profile);
	return status;
}

static int take_option(struct annotation *annotation, int option, const char *value)
{
	switch (option) {
	case 'e':
		annotation->event_name = value;
		return 0;
	case 'f':
		annotation->function = value;
		return 0;
	case 's':
		annotation->source = value;
		return 0;
	case 'I':
		if (annotation->n_directories == DIRECTORIES_MAX) {
			rps_complain("more than %u directories", DIRECTORIES_MAX);
			return -1;
		}
		annotation->directories[annotation->n_directories++] = value;
		return 0;
	case 'C':
		return rps_choose_number("--context", value, &annotation->context);
	case 't':
		return rps_choose_percent("--threshold", value, &annotation->threshold);
	default:
		return rps_view_option(&annotation->view, option, value);
	}
}

int rps_command_annotate(int argc, char **argv)
{
	static const struct option options[] = {{"event", required_argument, NULL, 'e'},
						{"function", required_argument, NULL, 'f'},
						{"source", required_argument, NULL, 's'},
						{"include", required_argument, NULL, 'I'},
						{"context", required_argument, NULL, 'C'},
						{"threshold", required_argument, NULL, 't'},
						{"help", no_argument, NULL, 'h'},
						RPS_VIEW_OPTIONS,
						{NULL, 0, NULL, 0}};
	struct annotation annotation = {.context = CONTEXT_DEFAULT, .threshold = THRESHOLD_DEFAULT};
	int option;

	while ((option = getopt_long(argc, argv, "e:f:s:I:C:t:h", options, NULL)) != -1) {
		if (option == 'h') {
			help(stdout);
			return 0;
		}
		if (take_option(&annotation, option, optarg) != 0) {
			fputs("runprofile annotate --help lists the options\n", stderr);
			return 2;
		}
	}
	if (optind == argc) {
		rps_complain("of which profiles? runprofile annotate FILE|DIR... (--help tells more)");
		return 2;
	}
	return annotate_all(&annotation, argv + optind, argc - optind);
}
