/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conditions on a comparison, for --fail-if:
 *
 *     [NAME:]METRIC OPERATOR VALUE     Calls>+0   total:Wall_ns>+5%   query*:Calls>1   Ir.self>=+1000
 *
 * NAME is "total", a function (a path, with --by=path) or a pattern; without it the condition is on every
 * row. METRIC is Calls, or an event, inclusive, or self with ".self" behind it. A VALUE with a sign is a
 * change per request, one without is the new value; with % it is a part of the old one; times may have a unit
 * (ns, us, ms, s). */
#ifndef RPS_TOOLS_CONDITIONS_H
#define RPS_TOOLS_CONDITIONS_H

#include "tools/comparison.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum rps_operator {
	RPS_GREATER,
	RPS_GREATER_OR_EQUAL,
	RPS_LESS,
	RPS_LESS_OR_EQUAL,
	RPS_EQUAL,
	RPS_NOT_EQUAL
};

struct rps_condition {
	const char *text; /* as it was given */
	char *name;       /* NULL: every row */
	char *event;      /* NULL: calls */
	bool is_self, is_change, is_percent;
	enum rps_operator as;
	double value;
};

/* 0; -EINVAL with a message in `why`; -ENOMEM. */
int rps_condition_parse(struct rps_condition *condition, const char *text, char *why, size_t why_size);
void rps_condition_clear(struct rps_condition *condition);

/* Whether the condition holds for the row. `event`: the comparison's, for the condition's name. A cost counts
 * only by what is beyond its bound (p_outside as of rps_student_bound). *change: what was compared. */
bool rps_condition_holds(const struct rps_condition *condition, const struct rps_comparison *comparison,
			 const struct rps_comparison_row *row, uint32_t event, double p_outside,
			 struct rps_change *change);

/* Whether the row is one that the condition is about; the total is only if it is named. */
bool rps_condition_is_about(const struct rps_condition *condition, const struct rps_comparison_row *row,
			    bool is_total);

#endif
