/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two sets of profiles, old and new, row by row: what a function (a request's path, a call) costs per request
 * on either side.
 *
 * A row's values are sums over a side's profiles and the number of requests they are divided by; counts are
 * compared exactly. Several profiles on both sides show how much times vary by themselves: the change's bound
 * is Welch's confidence interval of the difference of two means. Sums of others count for as many requests as
 * they hold, but say nothing of how those vary. */
#ifndef RPS_TOOLS_COMPARISON_H
#define RPS_TOOLS_COMPARISON_H

#include "profile/id_table.h"
#include "profile/model.h"
#include "tools/student.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rps_comparison_by { RPS_BY_FUNCTION, RPS_BY_PATH, RPS_BY_CALL };

/* Of all profiles of a side. */
struct rps_amount {
	uint64_t sum;
	unsigned __int128
	    squares; /* the sum of each profile's squares; RPS_SQUARES_UNKNOWN: it can't be held */
};
#define RPS_SQUARES_UNKNOWN (~(unsigned __int128)0)

/* What a row is about. Texts of the comparison: equal exactly when they are one pointer. */
struct rps_row_names {
	const char *name, *file;               /* of a call: the caller */
	const char *callee_name, *callee_file; /* NULL but of a call */
};

struct rps_figures {
	struct rps_row_names names;
	uint64_t n_profiles, n_requests; /* by path: of this row; else of the side */
	uint32_t line;
	uint64_t calls;
	struct rps_amount self[RPS_EVENTS_MAX], inclusive[RPS_EVENTS_MAX];
};

struct rps_side {
	struct rps_figures *figures;
	uint32_t n_figures, room;
	struct rps_id_table table;
	struct rps_figures total;
	uint64_t n_profiles, n_requests;
	bool has_sums; /* some profile is the sum of several */
};

struct rps_comparison_row {
	const struct rps_figures *old, *new; /* one may be NULL: it is on the other side only */
};

struct rps_comparison {
	enum rps_comparison_by by;
	const char *path;          /* only requests of paths that match; NULL: all */
	struct rps_profile *texts; /* holds all names */
	struct rps_event events[RPS_EVENTS_MAX];
	uint32_t n_events;
	struct rps_side old, new;
	struct rps_comparison_row *rows;
	uint32_t n_rows;
	uint64_t n_other_paths; /* profiles that were left out */
	struct rps_student_cache *bounds;
};

/* Values per request. */
struct rps_change {
	double old, new, change;
	double bound;   /* of the change: +-; NAN: not known */
	bool is_change; /* it differs, and by more than the bound if there is one */
};

/* 0 or -ENOMEM. */
int rps_comparison_init(struct rps_comparison *comparison, enum rps_comparison_by by, const char *path);
void rps_comparison_clear(struct rps_comparison *comparison);

/* 0, -ENOMEM, -E2BIG (too many different events), -EOVERFLOW (a sum beyond 64 bits). */
int rps_comparison_add(struct rps_comparison *comparison, struct rps_side *side,
		       const struct rps_profile *profile);

/* Finds the rows: what is on both sides by name, file and so on; then what only a moved directory, or a moved
 * file, tells apart. 0 or -ENOMEM. */
int rps_comparison_match(struct rps_comparison *comparison);

/* The change of a cost; p_outside as of rps_student_bound. */
struct rps_change rps_comparison_cost(const struct rps_comparison *comparison,
				      const struct rps_comparison_row *row, uint32_t event, bool is_self,
				      double p_outside);
/* Of the number of calls: exact, without a bound. */
struct rps_change rps_comparison_calls(const struct rps_comparison_row *row);
/* The sign of new - old - change, all per request, without rounding; `change` in whole calls. */
int rps_comparison_compare_calls(const struct rps_comparison_row *row, int64_t change);

struct rps_comparison_row rps_comparison_total(const struct rps_comparison *comparison);

#endif
