/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows and cells of runprofile diff (diff_table.h). */
#include "tools/diff_table.h"

#include "tools/choose.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Rows --------------------------------------------------------------------------------------- */

static struct rps_change cost_of(const struct rps_diff_table *diff, const struct rps_comparison_row *row)
{
	return rps_comparison_cost(diff->comparison, row, diff->event, !diff->is_inclusive,
				   RPS_DIFF_P_OUTSIDE);
}

static bool has_changed(const struct rps_diff_table *diff, const struct rps_comparison_row *row)
{
	return rps_comparison_compare_calls(row, 0) != 0 || cost_of(diff, row).is_change;
}

const struct rps_row_names *rps_diff_names(const struct rps_comparison_row *row)
{
	return row->new != NULL ? &row->new->names : &row->old->names;
}

static int compare_texts(const char *left, const char *right)
{
	return strcmp(left != NULL ? left : "", right != NULL ? right : "");
}

/* Their order says nothing of how sure a change is: --fail-if and the bounds do. */
static int compare_rows(const void *a, const void *b, void *cls)
{
	const struct rps_diff_table *diff = cls;
	const struct rps_row_names *left = rps_diff_names(a), *right = rps_diff_names(b);
	const double left_cost = fabs(cost_of(diff, a).change), right_cost = fabs(cost_of(diff, b).change);
	const double left_calls = fabs(rps_comparison_calls(a).change),
		     right_calls = fabs(rps_comparison_calls(b).change);
	int order;

	if (diff->sorts_by_calls && left_calls != right_calls)
		return left_calls > right_calls ? -1 : 1;
	if (left_cost != right_cost)
		return left_cost > right_cost ? -1 : 1;
	if (left_calls != right_calls)
		return left_calls > right_calls ? -1 : 1;
	order = strcmp(left->name, right->name);
	if (order == 0)
		order = compare_texts(left->callee_name, right->callee_name);
	return order != 0 ? order : strcmp(left->file, right->file);
}

/* ---- Cells -------------------------------------------------------------------------------------- */

/* A number per request: whole if it is, else with three decimals; `has_sign` as a change. */
static void count_text(char text[RPS_TEXT_NUMBER_SIZE], double value, bool has_sign)
{
	const double size = fabs(value);
	const char *sign = has_sign && value > 0 ? "+" : value < 0 ? "-" : "";
	char digits[RPS_TEXT_NUMBER_SIZE];

	if (size >= 9e18) {
		snprintf(text, RPS_TEXT_NUMBER_SIZE, "%s%.6g", sign, size);
		return;
	}
	rps_text_number(digits, (uint64_t)size);
	if (size != trunc(size)) {
		const uint64_t thousandths = (uint64_t)llround(size * 1000);

		rps_text_number(digits, thousandths / 1000);
		snprintf(digits + strlen(digits), 8, ".%03" PRIu64, thousandths % 1000);
	}
	snprintf(text, RPS_TEXT_NUMBER_SIZE, "%s%.40s", sign, digits);
}

void rps_diff_text(char text[RPS_TEXT_NUMBER_SIZE], const struct rps_event *event, double value,
		   bool has_sign)
{
	if (rps_event_is_time(event) && fabs(value) < 9e18) {
		char digits[RPS_TEXT_NUMBER_SIZE];

		rps_text_ms(digits, (uint64_t)llround(fabs(value)));
		snprintf(text, RPS_TEXT_NUMBER_SIZE, "%s%.40s",
			 has_sign && value > 0 ? "+"
			 : value < 0           ? "-"
					       : "",
			 digits);
	} else {
		count_text(text, value, has_sign);
	}
}

static void add_value(struct rps_table *table, const char *text, double value, enum rps_style style)
{
	char json[40];

	snprintf(json, sizeof(json), isnan(value) ? "null" : "%.15g", value);
	rps_table_formatted(table, text, json, style);
}

static enum rps_style style_of(const struct rps_change *change)
{
	return !change->is_change ? RPS_STYLE_PLAIN : change->change > 0 ? RPS_STYLE_WORSE : RPS_STYLE_BETTER;
}

static void add_calls(struct rps_table *table, const struct rps_comparison_row *row)
{
	struct rps_change change = rps_comparison_calls(row);
	char text[RPS_TEXT_NUMBER_SIZE];

	count_text(text, change.old, false);
	add_value(table, row->old != NULL ? text : "-", row->old != NULL ? change.old : NAN, RPS_STYLE_PLAIN);
	count_text(text, change.new, false);
	add_value(table, row->new != NULL ? text : "-", row->new != NULL ? change.new : NAN, RPS_STYLE_PLAIN);
	count_text(text, change.change, true);
	add_value(table, change.is_change ? text : "", change.change, style_of(&change));
}

static void add_cost(const struct rps_diff_table *diff, struct rps_table *table,
		     const struct rps_comparison_row *row)
{
	const struct rps_event *event = &diff->comparison->events[diff->event];
	struct rps_change change = cost_of(diff, row);
	char text[RPS_TEXT_NUMBER_SIZE];

	rps_diff_text(text, event, change.old, false);
	add_value(table, row->old != NULL ? text : "-", row->old != NULL ? change.old : NAN, RPS_STYLE_PLAIN);
	rps_diff_text(text, event, change.new, false);
	add_value(table, row->new != NULL ? text : "-", row->new != NULL ? change.new : NAN, RPS_STYLE_PLAIN);
	rps_diff_text(text, event, change.change, true);
	add_value(table, text, change.change, style_of(&change));
	if (isnan(change.bound))
		snprintf(text, sizeof(text), "?");
	else
		rps_diff_text(text, event, change.bound, false);
	add_value(table, text, change.bound, RPS_STYLE_PLAIN);
	rps_table_formatted(table, "", change.is_change ? "true" : "false", RPS_STYLE_PLAIN);
}

static void add_name(const struct rps_diff_table *diff, struct rps_table *table,
		     const struct rps_comparison_row *row)
{
	const struct rps_row_names *names = rps_diff_names(row);
	const uint32_t line = row->new != NULL ? row->new->line : row->old->line;
	const char *note = row->old == NULL ? "new" : row->new == NULL ? "gone" : "";
	char place[300], all[320], *both;

	rps_table_text(table, names->file);
	if (diff->comparison->by == RPS_BY_CALL && names->callee_name != NULL) {
		rps_table_text(table, names->callee_name);
		if (asprintf(&both, "%s → %s", names->name, names->callee_name) < 0)
			both = NULL;
		rps_table_text_as(table, both != NULL ? both : names->name, note, names->name);
		free(both);
		return;
	}
	rps_table_text(table, "");
	rps_place_text(place, sizeof(place), names->file, diff->comparison->by == RPS_BY_FUNCTION ? line : 0);
	snprintf(all, sizeof(all), "%s%s%s", place, place[0] != '\0' && note[0] != '\0' ? "  " : "", note);
	rps_table_text_and_note(table, names->name, all);
}

static void add_columns(const struct rps_diff_table *diff, struct rps_table *table)
{
	static const char *const titles[] = {
	    [RPS_BY_FUNCTION] = "Function", [RPS_BY_PATH] = "Request", [RPS_BY_CALL] = "Call"};
	const struct rps_event *event = &diff->comparison->events[diff->event];
	const char *what = diff->is_inclusive ? "inclusive" : "self";
	char title[128], key[200];

	rps_table_column(table, "Calls old", "calls_old", true);
	rps_table_column(table, "new", "calls_new", true);
	rps_table_column(table, "change", "calls_change", true);
	rps_event_title(title,
			diff->comparison->by == RPS_BY_PATH ? "Total"
			: diff->is_inclusive                ? "Inclusive"
							    : "Self",
			event);
	strcat(title, " old");
	snprintf(key, sizeof(key), "%s_%.100s_old", what, event->name);
	rps_table_column(table, title, key, true);
	snprintf(key, sizeof(key), "%s_%.100s_new", what, event->name);
	rps_table_column(table, "new", key, true);
	snprintf(key, sizeof(key), "%s_%.100s_change", what, event->name);
	rps_table_column(table, "change", key, true);
	snprintf(key, sizeof(key), "%s_%.100s_bound", what, event->name);
	rps_table_column(table, "±", key, true);
	rps_table_json_column(table, "is_change");
	if (diff->comparison->by == RPS_BY_PATH) {
		rps_table_column(table, "Requests old", "requests_old", true);
		rps_table_column(table, "new", "requests_new", true);
	}
	rps_table_json_column(table, "file");
	rps_table_json_column(table, "callee");
	rps_table_column(table, titles[diff->comparison->by],
			 diff->comparison->by == RPS_BY_CALL ? "caller" : "name", false);
}

static void add_row(const struct rps_diff_table *diff, struct rps_table *table,
		    const struct rps_comparison_row *row)
{
	rps_table_row(table);
	add_calls(table, row);
	add_cost(diff, table, row);
	if (diff->comparison->by == RPS_BY_PATH) {
		rps_table_number(table, row->old != NULL ? row->old->n_requests : 0);
		rps_table_number(table, row->new != NULL ? row->new->n_requests : 0);
	}
	add_name(diff, table, row);
}

/* ---- The table ---------------------------------------------------------------------------------- */

void rps_diff_table_sort(const struct rps_diff_table *as)
{
	struct rps_comparison *comparison = as->comparison;

	if (comparison->n_rows > 0)
		qsort_r(comparison->rows, comparison->n_rows, sizeof(*comparison->rows), compare_rows,
			(void *)(uintptr_t)as);
}

struct rps_table *rps_diff_table_fill(struct rps_diff_table *as)
{
	struct rps_comparison *comparison = as->comparison;
	const struct rps_comparison_row total = rps_comparison_total(comparison);
	struct rps_table *table = rps_table_create();
	uint64_t n_shown = 0;

	if (table == NULL)
		return NULL;
	add_columns(as, table);
	as->n_alike = as->n_left_out = 0;
	for (uint32_t i = 0; i < comparison->n_rows; i++) {
		if (!as->shows_all && !has_changed(as, &comparison->rows[i])) {
			as->n_alike++;
		} else if (as->limit != 0 && n_shown == as->limit) {
			as->n_left_out++;
		} else {
			n_shown++;
			add_row(as, table, &comparison->rows[i]);
		}
	}
	add_row(as, table, &total);
	return table;
}
