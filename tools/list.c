/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runprofile list: the profiles below directories, one line each: what request, how long, how many calls.
 * Everything but the size is read in the files; their names may be any. */
#include "profile/merge.h"
#include "profile/model.h"
#include "tools/choose.h"
#include "tools/command.h"
#include "tools/load.h"
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
#include <strings.h>
#include <sys/stat.h>

#define FILTERS_MAX 64u

struct entry {
	char *file, *method, *path, *status, *time; /* "" where the profile does not say it */
	char *trouble;
	uint64_t duration_us, calls, n_profiles;
	int64_t size_bytes; /* -1: unknown */
	bool has_duration;
};

struct list {
	struct rps_view view;
	const char *sort;
	bool reverse;
	uint64_t limit; /* 0: all */
	const char *paths[FILTERS_MAX], *methods[FILTERS_MAX], *statuses[FILTERS_MAX];
	uint32_t n_paths, n_methods, n_statuses;
	const char *since, *until;   /* beginnings of times as the files have them */
	double slower_ms, faster_ms; /* below 0: no bound */
	struct entry *entries;
	size_t n_entries, room, n_filtered;
};

static void help(FILE *out)
{
	fputs("Usage: runprofile list [OPTION]... DIR|FILE...\n"
	      "\n"
	      "Lists profiles: when, which request, its status and duration, calls, size.\n"
	      "\n"
	      "  -s, --sort=BY        time (default), duration, calls, size, path, method,\n"
	      "                       status, file; numbers and times begin with the largest\n"
	      "  -r, --reverse        the other way round\n"
	      "  -n, --limit=N        only the first N (default: all)\n"
	      "  -p, --path=PATTERN   only such paths, as '/item/*'; repeatable, as the next\n"
	      "  -m, --method=METHOD  only these methods\n"
	      "      --status=STATUS  only these, as 404 or 5xx\n"
	      "      --slower=MS      only durations of MS milliseconds and more\n"
	      "      --faster=MS      only durations below MS\n"
	      "      --since=TIME     from TIME (UTC) on, as 2026-01-31 or 2026-01-31T10:30\n"
	      "      --until=TIME     before TIME\n" RPS_VIEW_HELP,
	      out);
}

/* ---- Filters ------------------------------------------------------------------------------------ */

/* An asterisk may match slashes: all that is below. */
static bool matches_path(const char *pattern, const char *path)
{
	return fnmatch(pattern, path, 0) == 0;
}

static bool matches_method(const char *wanted, const char *method)
{
	return strcasecmp(wanted, method) == 0;
}

/* 'x' is any digit. */
static bool matches_status(const char *wanted, const char *status)
{
	if (strlen(wanted) != strlen(status))
		return false;
	for (size_t i = 0; wanted[i] != '\0'; i++)
		if (wanted[i] != 'x' && wanted[i] != 'X' && wanted[i] != status[i])
			return false;
	return true;
}

static bool is_among(const char *const *wanted, uint32_t n, const char *text,
		     bool (*matches)(const char *, const char *))
{
	for (uint32_t i = 0; i < n; i++)
		if (matches(wanted[i], text))
			return true;
	return n == 0;
}

static bool is_wanted(const struct list *list, const struct entry *entry)
{
	const double duration_ms = (double)entry->duration_us / 1000.0;

	if (!is_among(list->paths, list->n_paths, entry->path, matches_path) ||
	    !is_among(list->methods, list->n_methods, entry->method, matches_method) ||
	    !is_among(list->statuses, list->n_statuses, entry->status, matches_status))
		return false;
	if (list->slower_ms >= 0 && (!entry->has_duration || duration_ms < list->slower_ms))
		return false;
	if (list->faster_ms >= 0 && (!entry->has_duration || duration_ms >= list->faster_ms))
		return false;
	/* ISO times sort as texts do. */
	if (list->since != NULL && strcmp(entry->time, list->since) < 0)
		return false;
	return list->until == NULL || (entry->time[0] != '\0' && strcmp(entry->time, list->until) < 0);
}

/* ---- Reading ------------------------------------------------------------------------------------ */

static void clear_entry(struct entry *entry)
{
	free(entry->file);
	free(entry->method);
	free(entry->path);
	free(entry->status);
	free(entry->time);
	free(entry->trouble);
}

static char *copy_meta(const struct rps_profile *profile, const char *key)
{
	const char *text = rps_profile_meta(profile, key);

	return strdup(text != NULL ? text : "");
}

static char *copy_trouble(const struct rps_profile *profile)
{
	for (uint32_t i = 0; i < profile->n_metas; i++)
		if (rps_meta_is_trouble(profile->metas[i].key))
			return strdup(profile->metas[i].key);
	return strdup("");
}

static int add_entry(struct list *list, const struct entry *entry)
{
	if (list->n_entries == list->room) {
		size_t room = list->room == 0 ? 256 : list->room * 2;
		struct entry *grown = realloc(list->entries, room * sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		list->entries = grown;
		list->room = room;
	}
	list->entries[list->n_entries++] = *entry;
	return 0;
}

static int take(void *cls, const char *path, const struct rps_profile *profile)
{
	struct list *list = cls;
	const char *duration = rps_profile_meta(profile, "Duration us");
	struct stat status;
	struct entry entry = {
	    .file = strdup(path),
	    .method = copy_meta(profile, "Method"),
	    .path = rps_profile_meta(profile, "Path") != NULL ? copy_meta(profile, "Path")
							      : strdup(profile->command),
	    .status = copy_meta(profile, "Status"),
	    .time = copy_meta(profile, "Time"),
	    .trouble = copy_trouble(profile),
	    .n_profiles = rps_profile_aggregate_count(profile),
	    .size_bytes = stat(path, &status) == 0 ? (int64_t)status.st_size : -1,
	    .calls = rps_profile_count_calls(profile),
	    .has_duration = duration != NULL,
	    .duration_us = duration != NULL ? strtoull(duration, NULL, 10) : 0,
	};
	int error = -ENOMEM;

	if (entry.file != NULL && entry.method != NULL && entry.path != NULL && entry.status != NULL &&
	    entry.time != NULL && entry.trouble != NULL) {
		error = 0;
		if (is_wanted(list, &entry)) {
			error = add_entry(list, &entry);
			if (error == 0)
				return 0;
		} else {
			list->n_filtered++;
		}
	}
	clear_entry(&entry);
	return error;
}

/* ---- Order -------------------------------------------------------------------------------------- */

static int compare_numbers(uint64_t left, uint64_t right)
{
	return left == right ? 0 : left > right ? -1 : 1;
}

static int by_duration(const struct entry *a, const struct entry *b)
{
	return compare_numbers(a->duration_us, b->duration_us);
}

static int by_calls(const struct entry *a, const struct entry *b)
{
	return compare_numbers(a->calls, b->calls);
}

static int by_size(const struct entry *a, const struct entry *b)
{
	return a->size_bytes == b->size_bytes ? 0 : a->size_bytes > b->size_bytes ? -1 : 1;
}

static int by_time(const struct entry *a, const struct entry *b)
{
	return strcmp(b->time, a->time);
}

static int by_path(const struct entry *a, const struct entry *b)
{
	return strcmp(a->path, b->path);
}

static int by_method(const struct entry *a, const struct entry *b)
{
	return strcmp(a->method, b->method);
}

static int by_status(const struct entry *a, const struct entry *b)
{
	return strcmp(a->status, b->status);
}

static int by_file(const struct entry *a, const struct entry *b)
{
	return strcmp(a->file, b->file);
}

static const struct sorting {
	const char *name;
	int (*compare)(const struct entry *a, const struct entry *b);
} sortings[] = {{"time", by_time}, {"duration", by_duration}, {"calls", by_calls},   {"size", by_size},
		{"path", by_path}, {"method", by_method},     {"status", by_status}, {"file", by_file}};

static const struct sorting *find_sorting(const char *name)
{
	for (size_t i = 0; i < sizeof(sortings) / sizeof(sortings[0]); i++)
		if (strcmp(sortings[i].name, name) == 0)
			return &sortings[i];
	return NULL;
}

static int compare_entries(const void *a, const void *b, void *cls)
{
	const struct list *list = cls;
	int order = find_sorting(list->sort)->compare(a, b);

	if (list->reverse)
		order = -order;
	return order != 0 ? order : by_file(a, b);
}

/* ---- Showing ------------------------------------------------------------------------------------ */

static void add_row(struct rps_table *table, const struct entry *entry)
{
	char text[RPS_TEXT_NUMBER_SIZE], json[32];

	rps_table_row(table);
	rps_table_text(table, entry->time);
	rps_table_text(table, entry->method);
	rps_table_text(table, entry->status);
	if (entry->has_duration) {
		rps_text_number(text, entry->duration_us / 1000);
		snprintf(text + strlen(text), 8, ".%03" PRIu64, entry->duration_us % 1000);
		snprintf(json, sizeof(json), "%" PRIu64, entry->duration_us);
		rps_table_formatted(table, text, json, RPS_STYLE_PLAIN);
	} else {
		rps_table_nothing(table);
	}
	rps_table_number(table, entry->calls);
	if (entry->size_bytes >= 0)
		rps_table_number(table, (uint64_t)entry->size_bytes);
	else
		rps_table_nothing(table);
	rps_table_number(table, entry->n_profiles);
	rps_table_text(table, entry->trouble);
	rps_table_text(table, entry->path);
	rps_table_text(table, entry->file);
}

static struct rps_table *fill(const struct list *list)
{
	struct rps_table *table = rps_table_create();
	bool has_sums = false, has_trouble = false;
	size_t n = list->limit != 0 && list->limit < list->n_entries ? (size_t)list->limit : list->n_entries;

	if (table == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		has_sums |= list->entries[i].n_profiles != 1;
		has_trouble |= list->entries[i].trouble[0] != '\0';
	}
	rps_table_column(table, "Time (UTC)", "time", false);
	rps_table_column(table, "Method", "method", false);
	rps_table_column(table, "Status", "status", false);
	rps_table_column(table, "Duration ms", "duration_us", true);
	rps_table_column(table, "Calls", "calls", true);
	rps_table_column(table, "Bytes", "size_bytes", true);
	if (has_sums)
		rps_table_column(table, "Sum of", "profiles", true);
	else
		rps_table_json_column(table, "profiles");
	if (has_trouble)
		rps_table_column(table, "Trouble", "trouble", false);
	else
		rps_table_json_column(table, "trouble");
	rps_table_column(table, "Path", "path", false);
	rps_table_column(table, "File", "file", false);
	for (size_t i = 0; i < n; i++)
		add_row(table, &list->entries[i]);
	return table;
}

static int show(struct list *list)
{
	struct rps_table *table = fill(list);
	int error = table == NULL, status;

	rps_view_open(&list->view);
	if (error == 0 && list->view.json) {
		error = rps_table_print_json(table, &list->view);
		fputs("\n", list->view.out);
	} else if (error == 0) {
		error = rps_table_print(table, &list->view);
		fputs(rps_view_style(&list->view, RPS_STYLE_DIM), list->view.out);
		if (list->limit != 0 && list->limit < list->n_entries)
			fprintf(list->view.out, "%zu more (--limit=%" PRIu64 ")\n",
				list->n_entries - (size_t)list->limit, list->limit);
		if (list->n_filtered > 0)
			fprintf(list->view.out, "%zu others do not match\n", list->n_filtered);
		fputs(rps_view_style(&list->view, RPS_STYLE_PLAIN), list->view.out);
	}
	status = rps_view_close(&list->view);
	rps_table_destroy(table);
	if (error != 0)
		rps_complain("out of memory");
	return status != 0 || error != 0;
}

static int list_of(struct list *list, char *const *paths, int n_paths)
{
	uint64_t n_read;
	int status = rps_load_each(paths, n_paths, RPS_LOAD_SUMS, take, list, &n_read);

	if (status != 2 && n_read > 0) {
		qsort_r(list->entries, list->n_entries, sizeof(*list->entries), compare_entries, list);
		if (show(list) != 0)
			status = 1;
	}
	for (size_t i = 0; i < list->n_entries; i++)
		clear_entry(&list->entries[i]);
	free(list->entries);
	return status != 0;
}

/* ---- Options ------------------------------------------------------------------------------------ */

enum { OPTION_STATUS = 300, OPTION_SLOWER, OPTION_FASTER, OPTION_SINCE, OPTION_UNTIL };

static int add_filter(const char **filters, uint32_t *n, const char *value)
{
	if (*n == FILTERS_MAX) {
		rps_complain("more than %u patterns of one kind", FILTERS_MAX);
		return -1;
	}
	filters[(*n)++] = value;
	return 0;
}

static int take_ms(const char *name, const char *text, double *ms)
{
	char *end;

	*ms = strtod(text, &end);
	if (end != text && (*end == '\0' || strcmp(end, "ms") == 0) && *ms >= 0)
		return 0;
	rps_complain("%s=%s: a number of milliseconds is expected", name, text);
	return -1;
}

/* "2026-01-31T10:30:00Z", or as much of its beginning as is needed; a space will do for the T. */
static int check_time(const char *name, char *text)
{
	static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
	const size_t size = strlen(text);

	if (size > 10 && text[10] == ' ')
		text[10] = 'T';
	for (size_t i = 0; i < size; i++)
		if (i >= strlen(form) ||
		    (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])) {
			rps_complain("%s=%s: a time as 2026-01-31T10:30 is expected", name, text);
			return -1;
		}
	return 0;
}

static int take_option(struct list *list, int option, char *value)
{
	switch (option) {
	case 's':
		list->sort = value;
		if (find_sorting(value) != NULL)
			return 0;
		rps_complain(
		    "--sort=%s: time, duration, calls, size, path, method, status or file is expected",
		    value);
		return -1;
	case 'r':
		list->reverse = true;
		return 0;
	case 'n':
		return rps_choose_number("--limit", value, &list->limit);
	case 'p':
		return add_filter(list->paths, &list->n_paths, value);
	case 'm':
		return add_filter(list->methods, &list->n_methods, value);
	case OPTION_STATUS:
		return add_filter(list->statuses, &list->n_statuses, value);
	case OPTION_SLOWER:
		return take_ms("--slower", value, &list->slower_ms);
	case OPTION_FASTER:
		return take_ms("--faster", value, &list->faster_ms);
	case OPTION_SINCE:
		list->since = value;
		return check_time("--since", value);
	case OPTION_UNTIL:
		list->until = value;
		return check_time("--until", value);
	default:
		return rps_view_option(&list->view, option, value);
	}
}

int rps_command_list(int argc, char **argv)
{
	static const struct option options[] = {{"sort", required_argument, NULL, 's'},
						{"reverse", no_argument, NULL, 'r'},
						{"limit", required_argument, NULL, 'n'},
						{"path", required_argument, NULL, 'p'},
						{"method", required_argument, NULL, 'm'},
						{"status", required_argument, NULL, OPTION_STATUS},
						{"slower", required_argument, NULL, OPTION_SLOWER},
						{"faster", required_argument, NULL, OPTION_FASTER},
						{"since", required_argument, NULL, OPTION_SINCE},
						{"until", required_argument, NULL, OPTION_UNTIL},
						{"help", no_argument, NULL, 'h'},
						RPS_VIEW_OPTIONS,
						{NULL, 0, NULL, 0}};
	struct list list = {.sort = "time", .slower_ms = -1, .faster_ms = -1};
	int option;

	while ((option = getopt_long(argc, argv, "s:rn:p:m:h", options, NULL)) != -1) {
		if (option == 'h') {
			help(stdout);
			return 0;
		}
		if (take_option(&list, option, optarg) != 0) {
			fputs("runprofile list --help lists the options\n", stderr);
			return 2;
		}
	}
	if (optind == argc) {
		rps_complain("of which profiles? runprofile list DIR|FILE... (--help tells more)");
		return 2;
	}
	return list_of(&list, argv + optind, argc - optind);
}
