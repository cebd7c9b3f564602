/* SPDX-License-Identifier: GPL-3.0-or-later */
/* runprofile diff: what has changed between two profiles, or between two sets of them (comparison.h); and
 * whether that is more than what was allowed (conditions.h). */
#include "tools/choose.h"
#include "tools/command.h"
#include "tools/comparison.h"
#include "tools/conditions.h"
#include "tools/diff_table.h"
#include "tools/load.h"
#include "tools/table.h"
#include "tools/text.h"
#include "tools/view.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 30u
#define CONDITIONS_MAX 64u
#define NAMED_MAX 5u
#define STATUS_CONDITION 3

struct diff {
	struct rps_view view;
	enum rps_comparison_by by;
	const char *event_name, *path;
	struct rps_diff_table table;
	struct rps_condition conditions[CONDITIONS_MAX];
	uint32_t n_conditions;
	struct rps_comparison comparison;
	struct rps_side *side; /* that is being loaded */
};

static void help(FILE *out)
{
	fputs("Usage: runprofile diff [OPTION]... OLD NEW\n"
	      "\n"
	      "Compares two profiles; or two directories, per request. Calls are compared\n"
	      "exactly; costs with what they vary by themselves, if there are several files on\n"
	      "both sides (95 % confidence).\n"
	      "\n"
	      "  -b, --by=WHAT        function (default), path (of requests), call (by whom)\n"
	      "  -e, --event=NAME     this event (default: the profiles' first)\n"
	      "  -i, --inclusive      inclusive costs instead of self costs\n"
	      "  -c, --calls          sort by the change of calls instead of costs\n"
	      "  -p, --path=PATTERN   only requests of such paths, as '/item/*'\n"
	      "  -n, --limit=N        this many rows (default 30; 0: all)\n"
	      "  -a, --all            also what has not changed\n"
	      "      --fail-if=[NAME:]METRIC>CHANGE   exit with status 3 if so for a row,\n"
	      "                       or for NAME (a function, or total); repeatable. As in\n"
	      "                       Calls>+0   total:Wall_ns>+5%   'sql*:Calls>1'\n" RPS_VIEW_HELP,
	      out);
}

/* ---- Loading ------------------------------------------------------------------------------------ */

static int take(void *cls, const char *path, const struct rps_profile *profile)
{
	struct diff *diff = cls;
	int error = rps_comparison_add(&diff->comparison, diff->side, profile);

	if (error == -E2BIG || error == -EOVERFLOW)
		rps_complain("cannot add %s: %s", path,
			     error == -E2BIG ? "too many different events in all"
					     : "the sum would be beyond 64 bits");
	return error;
}

static int load_side(struct diff *diff, struct rps_side *side, char *path)
{
	uint64_t n_read;
	int status;

	diff->side = side;
	status = rps_load_each(&path, 1, RPS_LOAD_WITHOUT_SUMS, take, diff, &n_read);
	if (status != 2 && n_read > 0 && side->n_profiles == 0) {
		rps_complain("no profile in %s has a path like %s", path, diff->path);
		return 2;
	}
	return n_read > 0 ? status : 2;
}

/* ---- Conditions --------------------------------------------------------------------------------- */

static uint32_t event_of(const struct diff *diff, const struct rps_condition *condition)
{
	struct rps_profile events = {.n_events = diff->comparison.n_events};

	memcpy(events.events, diff->comparison.events, sizeof(events.events));
	return condition->event != NULL ? rps_choose_event(&events, condition->event) : 0;
}

static void report(const struct diff *diff, const struct rps_condition *condition,
		   const struct rps_comparison_row *row, const struct rps_change *change)
{
	const struct rps_row_names *names = rps_diff_names(row);
	const struct rps_event calls = {"Calls", ""};
	struct rps_event event = calls;
	char old[RPS_TEXT_NUMBER_SIZE], new[RPS_TEXT_NUMBER_SIZE], bound[RPS_TEXT_NUMBER_SIZE + 8] = "";
	const uint32_t at = event_of(diff, condition);

	if (condition->event != NULL && at != RPS_NONE)
		event = diff->comparison.events[at];
	rps_diff_text(old, &event, change->old, false);
	rps_diff_text(new, &event, change->new, false);
	if (condition->event != NULL && !isnan(change->bound)) {
		memcpy(bound, " ± ", 5);
		rps_diff_text(bound + strlen(bound), &event, change->bound, false);
	}
	rps_complain("%s holds for %s%s%s: %s became %s%s%s", condition->text, names->name,
		     names->callee_name != NULL ? " → " : "",
		     names->callee_name != NULL ? names->callee_name : "", old, new, bound,
		     rps_event_is_time(&event) ? " ms" : "");
}

/* 1 if it holds for any row, 0 if for none, -1 after a message. */
static int check_condition(struct diff *diff, const struct rps_condition *condition)
{
	const struct rps_comparison *comparison = &diff->comparison;
	const struct rps_comparison_row total = rps_comparison_total(comparison);
	const uint32_t event = event_of(diff, condition);
	uint32_t n_asked = 0, n_held = 0;
	struct rps_change change;

	if (event == RPS_NONE)
		return -1;
	if (rps_condition_is_about(condition, &total, true)) {
		n_asked++;
		if (rps_condition_holds(condition, comparison, &total, event, RPS_DIFF_P_OUTSIDE, &change)) {
			report(diff, condition, &total, &change);
			return 1;
		}
	}
	for (uint32_t i = 0; i < comparison->n_rows; i++)
		n_asked += rps_condition_is_about(condition, &comparison->rows[i], false);
	for (uint32_t i = 0; i < comparison->n_rows; i++) {
		const struct rps_comparison_row *row = &comparison->rows[i];

		/* Of many rows some would be beyond their bounds by chance; so the bounds are wider
		 * (Bonferroni). */
		if (!rps_condition_is_about(condition, row, false) ||
		    !rps_condition_holds(condition, comparison, row, event, RPS_DIFF_P_OUTSIDE / n_asked,
					 &change))
			continue;
		if (n_held++ < NAMED_MAX)
			report(diff, condition, row, &change);
	}
	if (n_held > NAMED_MAX)
		rps_complain("%s holds for %" PRIu32 " more", condition->text, n_held - NAMED_MAX);
	if (n_asked == 0)
		rps_complain("%s: there is nothing called %s, so it does not hold", condition->text,
			     condition->name);
	return n_held > 0;
}

static int check_conditions(struct diff *diff)
{
	int result = 0;

	for (uint32_t i = 0; i < diff->n_conditions; i++) {
		int held = check_condition(diff, &diff->conditions[i]);

		if (held < 0)
			return -1;
		result |= held;
	}
	return result;
}

/* ---- Showing ------------------------------------------------------------------------------------ */

static void put_side(const struct diff *diff, const char *what, const char *path, const struct rps_side *side)
{
	char profiles[RPS_TEXT_NUMBER_SIZE], requests[RPS_TEXT_NUMBER_SIZE];
	FILE *out = diff->view.out;

	rps_text_number(profiles, side->n_profiles);
	rps_text_number(requests, side->n_requests);
	fputs(what, out);
	rps_text_put_safe(out, path);
	fprintf(out, ": %s %s", profiles, side->n_profiles == 1 ? "profile" : "profiles");
	if (side->n_requests != side->n_profiles)
		fprintf(out, ", the sum of %s", requests);
	fputs("\n", out);
}

static void put_footnotes(const struct diff *diff)
{
	const struct rps_change total = rps_comparison_cost(
	    &diff->comparison,
	    &(struct rps_comparison_row){&diff->comparison.old.total, &diff->comparison.new.total},
	    diff->table.event, true, RPS_DIFF_P_OUTSIDE);
	FILE *out = diff->view.out;

	fputs(rps_view_style(&diff->view, RPS_STYLE_DIM), out);
	if (diff->table.n_left_out > 0)
		fprintf(out, "%" PRIu32 " more rows (--limit=0 shows all)\n", diff->table.n_left_out);
	if (diff->table.n_alike > 0)
		fprintf(out, "%" PRIu32 " are alike (--all shows them)\n", diff->table.n_alike);
	if (diff->comparison.n_other_paths > 0)
		fprintf(out, "%" PRIu64 " profiles of other paths\n", diff->comparison.n_other_paths);
	if (isnan(total.bound))
		fputs("?: how costs vary by themselves is not known; it needs several profiles, not sums, on "
		      "both sides\n",
		      out);
	fputs(rps_view_style(&diff->view, RPS_STYLE_PLAIN), out);
}

static void put_side_json(const struct diff *diff, const char *key, const char *path,
			  const struct rps_side *side)
{
	fprintf(diff->view.out, "  \"%s\": {\"path\": ", key);
	rps_text_put_json(diff->view.out, path);
	fprintf(diff->view.out, ", \"profiles\": %" PRIu64 ", \"requests\": %" PRIu64 "},\n",
		side->n_profiles, side->n_requests);
}

static int show(struct diff *diff, char *const *paths, int held)
{
	struct rps_table *table = rps_diff_table_fill(&diff->table);
	FILE *out;
	int error, status;

	rps_view_open(&diff->view);
	out = diff->view.out;
	if (table == NULL) {
		error = -ENOMEM;
	} else if (diff->view.json) {
		fputs("{\n", out);
		put_side_json(diff, "old", paths[0], &diff->comparison.old);
		put_side_json(diff, "new", paths[1], &diff->comparison.new);
		fprintf(out,
			"  \"failed\": %s, \"alike\": %" PRIu32 ",\n  \"rows\": ", held ? "true" : "false",
			diff->table.n_alike);
		error = rps_table_print_json(table, &diff->view);
		fputs("\n}\n", out);
	} else {
		put_side(diff, "old: ", paths[0], &diff->comparison.old);
		put_side(diff, "new: ", paths[1], &diff->comparison.new);
		fputs("\n", out);
		error = rps_table_print(table, &diff->view);
		put_footnotes(diff);
	}
	status = rps_view_close(&diff->view);
	rps_table_destroy(table);
	if (error != 0)
		rps_complain("out of memory");
	return status != 0 || error != 0;
}

static int compare(struct diff *diff, char *const *paths)
{
	int old_status, new_status, held, status = 0;

	old_status = load_side(diff, &diff->comparison.old, paths[0]);
	new_status = old_status != 2 ? load_side(diff, &diff->comparison.new, paths[1]) : 2;
	if (new_status == 2)
		return 1;
	if (diff->comparison.n_events == 0)
		return 1;
	diff->table.event =
	    event_of(diff, &(struct rps_condition){.event = (char *)(uintptr_t)diff->event_name});
	if (diff->table.event == RPS_NONE)
		return 2;
	if (rps_comparison_match(&diff->comparison) != 0) {
		rps_complain("out of memory");
		return 1;
	}
	rps_diff_table_sort(&diff->table);
	held = check_conditions(diff);
	if (held < 0)
		return 2;
	status = show(diff, paths, held);
	if (status != 0 || old_status != 0 || new_status != 0)
		return 1;
	return held ? STATUS_CONDITION : 0;
}

/* ---- Options ------------------------------------------------------------------------------------ */

enum { OPTION_FAIL_IF = 300 };

static int choose_by(struct diff *diff, const char *text)
{
	static const char *const names[] = {
	    [RPS_BY_FUNCTION] = "function", [RPS_BY_PATH] = "path", [RPS_BY_CALL] = "call"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], text) == 0) {
			diff->by = (enum rps_comparison_by)i;
			return 0;
		}
	rps_complain("--by=%s: function, path or call is expected", text);
	return -1;
}

static int add_condition(struct diff *diff, const char *text)
{
	char why[200];

	if (diff->n_conditions == CONDITIONS_MAX) {
		rps_complain("more than %u conditions", CONDITIONS_MAX);
		return -1;
	}
	if (rps_condition_parse(&diff->conditions[diff->n_conditions], text, why, sizeof(why)) != 0) {
		rps_complain("--fail-if=%s: %s", text, why);
		return -1;
	}
	diff->n_conditions++;
	return 0;
}

static int take_option(struct diff *diff, int option, const char *value)
{
	switch (option) {
	case 'b':
		return choose_by(diff, value);
	case 'e':
		diff->event_name = value;
		return 0;
	case 'i':
		diff->table.is_inclusive = true;
		return 0;
	case 'c':
		diff->table.sorts_by_calls = true;
		return 0;
	case 'p':
		diff->path = value;
		return 0;
	case 'n':
		return rps_choose_number("--limit", value, &diff->table.limit);
	case 'a':
		diff->table.shows_all = true;
		return 0;
	case OPTION_FAIL_IF:
		return add_condition(diff, value);
	default:
		return rps_view_option(&diff->view, option, value);
	}
}

int rps_command_diff(int argc, char **argv)
{
	static const struct option options[] = {{"by", required_argument, NULL, 'b'},
						{"event", required_argument, NULL, 'e'},
						{"inclusive", no_argument, NULL, 'i'},
						{"calls", no_argument, NULL, 'c'},
						{"path", required_argument, NULL, 'p'},
						{"limit", required_argument, NULL, 'n'},
						{"all", no_argument, NULL, 'a'},
						{"fail-if", required_argument, NULL, OPTION_FAIL_IF},
						{"help", no_argument, NULL, 'h'},
						RPS_VIEW_OPTIONS,
						{NULL, 0, NULL, 0}};
	static struct diff diff = {.table = {.comparison = &diff.comparison, .limit = LIMIT_DEFAULT}};
	int option, status = 2;

	while ((option = getopt_long(argc, argv, "b:e:icp:n:ah", options, NULL)) != -1) {
		if (option == 'h') {
			help(stdout);
			return 0;
		}
		if (take_option(&diff, option, optarg) != 0) {
			fputs("runprofile diff --help lists the options\n", stderr);
			goto out;
		}
	}
	if (optind + 2 != argc) {
		rps_complain("two are compared: runprofile diff OLD NEW (--help tells more)");
		goto out;
	}
	if (rps_comparison_init(&diff.comparison, diff.by, diff.path) != 0) {
		rps_complain("out of memory");
		return 1;
	}
	status = compare(&diff, argv + optind);
	rps_comparison_clear(&diff.comparison);
out:
	for (uint32_t i = 0; i < diff.n_conditions; i++)
		rps_condition_clear(&diff.conditions[i]);
	return status;
}
