/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads and judges conditions (conditions.h). Called by runprofile diff. */
#include "tools/conditions.h"

#include "tools/choose.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TOTAL "total"

/* ---- Reading ------------------------------------------------------------------------------------ */

static const struct {
	const char *text;
	enum rps_operator as;
} operators[] = {
    {">=", RPS_GREATER_OR_EQUAL}, {"<=", RPS_LESS_OR_EQUAL}, {"==", RPS_EQUAL}, {"!=", RPS_NOT_EQUAL},
    {">", RPS_GREATER},           {"<", RPS_LESS},           {"=", RPS_EQUAL}};

/* The last operator in the text: names of functions may hold others. */
static const char *find_operator(const char *text, size_t *size, enum rps_operator *as)
{
	const char *at = text + strlen(text);

	while (at > text && strchr("<>=!", at[-1]) == NULL)
		at--;
	if (at == text)
		return NULL;
	at--;
	if (at > text && at[0] == '=' && strchr("<>=!", at[-1]) != NULL)
		at--;
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		*size = strlen(operators[i].text);
		if (strncmp(at, operators[i].text, *size) == 0) {
			*as = operators[i].as;
			return at;
		}
	}
	return NULL;
}

static int read_value(struct rps_condition *condition, const char *text)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"", 1}, {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
	char *end;

	condition->is_change = text[0] == '+' || text[0] == '-';
	condition->value = strtod(text, &end);
	if (end == text || !isfinite(condition->value))
		return -EINVAL;
	if (strcmp(end, "%") == 0) {
		condition->is_percent = true;
		return 0;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].name) == 0 && (i == 0 || condition->event != NULL)) {
			condition->value *= units[i].ns;
			return 0;
		}
	return -EINVAL;
}

static int read_metric(struct rps_condition *condition, const char *text, size_t size)
{
	static const char self[] = ".self";

	if (size > strlen(self) && strncmp(text + size - strlen(self), self, strlen(self)) == 0) {
		condition->is_self = true;
		size -= strlen(self);
	}
	if (size == 0)
		return -EINVAL;
	if (!condition->is_self && size == strlen("Calls") && strncasecmp(text, "Calls", size) == 0)
		return 0;
	condition->event = strndup(text, size);
	return condition->event != NULL ? 0 : -ENOMEM;
}

int rps_condition_parse(struct rps_condition *condition, const char *text, char *why, size_t why_size)
{
	size_t operator_size;
	const char *symbol, *metric = text;
	int error;

	*condition = (struct rps_condition){.text = text};
	symbol = find_operator(text, &operator_size, &condition->as);
	if (symbol == NULL) {
		snprintf(why, why_size, "there is no comparison in it, as in Calls>+0");
		return -EINVAL;
	}
	for (const char *at = text; at < symbol; at++)
		if (*at == ':')
			metric = at + 1;
	if (metric != text) {
		condition->name = strndup(text, (size_t)(metric - 1 - text));
		if (condition->name == NULL)
			return -ENOMEM;
	}
	error = read_metric(condition, metric, (size_t)(symbol - metric));
	if (error == 0)
		error = read_value(condition, symbol + operator_size);
	if (error == 0 && condition->event != NULL &&
	    (condition->as == RPS_EQUAL || condition->as == RPS_NOT_EQUAL)) {
		snprintf(why, why_size, "only calls are exact enough to be equal; use < or >");
		error = -EINVAL;
	} else if (error == -EINVAL) {
		snprintf(why, why_size,
			 "[NAME:]Calls or [NAME:]EVENT, a comparison, and a number is expected, as in "
			 "Calls>+0 or total:Wall_ns>+5%%");
	}
	if (error != 0)
		rps_condition_clear(condition);
	return error;
}

void rps_condition_clear(struct rps_condition *condition)
{
	free(condition->name);
	free(condition->event);
	condition->name = condition->event = NULL;
}

/* ---- Judging ------------------------------------------------------------------------------------ */

bool rps_condition_is_about(const struct rps_condition *condition, const struct rps_comparison_row *row,
			    bool is_total)
{
	const struct rps_row_names *names = row->old != NULL ? &row->old->names : &row->new->names;

	if (is_total)
		return condition->name != NULL && strcmp(condition->name, TOTAL) == 0;
	if (condition->name == NULL)
		return true;
	return rps_choose_matches(names->name, condition->name) ||
	       (names->callee_name != NULL && rps_choose_matches(names->callee_name, condition->name));
}

static bool is_so(enum rps_operator as, double order)
{
	switch (as) {
	case RPS_GREATER:
		return order > 0;
	case RPS_GREATER_OR_EQUAL:
		return order >= 0;
	case RPS_LESS:
		return order < 0;
	case RPS_LESS_OR_EQUAL:
		return order <= 0;
	case RPS_EQUAL:
		return order == 0;
	default:
		return order != 0;
	}
}

/* What the value must be compared with. */
static double limit_of(const struct rps_condition *condition, const struct rps_change *change)
{
	const double value =
	    condition->is_percent ? condition->value / 100.0 * change->old : condition->value;

	return condition->is_change ? change->old + value : value;
}

bool rps_condition_holds(const struct rps_condition *condition, const struct rps_comparison *comparison,
			 const struct rps_comparison_row *row, uint32_t event, double p_outside,
			 struct rps_change *change)
{
	const bool is_upward = condition->as == RPS_GREATER || condition->as == RPS_GREATER_OR_EQUAL;
	double value;

	if (condition->event == NULL) {
		*change = rps_comparison_calls(row);
		if (condition->is_change && !condition->is_percent &&
		    condition->value == trunc(condition->value) && fabs(condition->value) < 1e15)
			return is_so(condition->as,
				     rps_comparison_compare_calls(row, (int64_t)condition->value));
		return is_so(condition->as, change->new - limit_of(condition, change));
	}
	*change = rps_comparison_cost(comparison, row, event, condition->is_self, p_outside);
	value = change->new;
	/* Only the part of a change that is beyond doubt. */
	if (condition->is_change && !isnan(change->bound))
		value += is_upward ? -change->bound : change->bound;
	return is_so(condition->as, value - limit_of(condition, change));
}
