/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adds up the two sides of a comparison and compares them (comparison.h). Called by runprofile diff; adding
 * is serialised by its loader. Which row of one side is which of the other: comparison_match.c. */
#include "tools/comparison.h"

#include "profile/flat.h"
#include "profile/merge.h"
#include "tools/student.h"
#include "tools/text.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Life --------------------------------------------------------------------------------------- */

int rps_comparison_init(struct rps_comparison *comparison, enum rps_comparison_by by, const char *path)
{
	*comparison = (struct rps_comparison){.by = by,
					      .path = path,
					      .texts = rps_profile_create(""),
					      .bounds = calloc(1, sizeof(struct rps_student_cache))};
	if (comparison->texts == NULL || comparison->bounds == NULL)
		return -ENOMEM;
	comparison->old.total.names.name = comparison->new.total.names.name = "total";
	comparison->old.total.names.file = comparison->new.total.names.file = "";
	return 0;
}

static void clear_side(struct rps_side *side)
{
	free(side->figures);
	rps_id_table_clear(&side->table);
}

void rps_comparison_clear(struct rps_comparison *comparison)
{
	clear_side(&comparison->old);
	clear_side(&comparison->new);
	free(comparison->rows);
	free(comparison->bounds);
	rps_profile_destroy(comparison->texts);
	*comparison = (struct rps_comparison){0};
}

/* ---- Rows of one side --------------------------------------------------------------------------- */

static bool figures_equal(const void *owner, uint32_t id, const void *key)
{
	const struct rps_row_names *have = &((const struct rps_side *)owner)->figures[id].names,
				   *wanted = key;

	return have->name == wanted->name && have->file == wanted->file &&
	       have->callee_name == wanted->callee_name && have->callee_file == wanted->callee_file;
}

/* The row with the key's names, which are the comparison's texts; NULL when out of memory. */
static struct rps_figures *find_row(struct rps_side *side, const struct rps_row_names *key)
{
	const uint64_t hash =
	    rps_hash_mix(rps_hash_mix((uintptr_t)key->name, (uintptr_t)key->file),
			 rps_hash_mix((uintptr_t)key->callee_name, (uintptr_t)key->callee_file));
	uint32_t at = rps_id_table_find(&side->table, (uint32_t)(hash >> 32), figures_equal, side, key);

	if (at != UINT32_MAX)
		return &side->figures[at];
	if (side->n_figures == side->room) {
		uint32_t room = side->room == 0 ? 64 : side->room * 2;
		struct rps_figures *grown = realloc(side->figures, room * sizeof(*grown));

		if (grown == NULL)
			return NULL;
		side->figures = grown;
		side->room = room;
	}
	if (rps_id_table_reserve(&side->table) != 0)
		return NULL;
	side->figures[side->n_figures] = (struct rps_figures){.names = *key};
	rps_id_table_put(&side->table, (uint32_t)(hash >> 32), side->n_figures);
	return &side->figures[side->n_figures++];
}

static int add_amount(struct rps_amount *amount, uint64_t value)
{
	unsigned __int128 square = (unsigned __int128)value * value;

	if (__builtin_add_overflow(amount->sum, value, &amount->sum))
		return -EOVERFLOW;
	if (amount->squares == RPS_SQUARES_UNKNOWN ||
	    __builtin_add_overflow(amount->squares, square, &amount->squares))
		amount->squares = RPS_SQUARES_UNKNOWN;
	return 0;
}

static int add_amounts(const struct rps_profile *profile, const uint32_t *events, struct rps_amount *amounts,
		       const uint64_t *costs)
{
	int error = 0;

	for (uint32_t i = 0; i < profile->n_events && error == 0; i++)
		error = add_amount(&amounts[events[i]], costs[i]);
	return error;
}

/* ---- One profile -------------------------------------------------------------------------------- */

static int map_events(struct rps_comparison *comparison, const struct rps_profile *profile, uint32_t *events)
{
	for (uint32_t i = 0; i < profile->n_events; i++) {
		uint32_t at = 0;

		while (at < comparison->n_events &&
		       strcmp(comparison->events[at].name, profile->events[i].name) != 0)
			at++;
		if (at == RPS_EVENTS_MAX)
			return -E2BIG;
		events[i] = at;
		if (at < comparison->n_events)
			continue;
		comparison->events[at].name = rps_profile_text(comparison->texts, profile->events[i].name);
		comparison->events[at].long_name =
		    rps_profile_text(comparison->texts, profile->events[i].long_name);
		if (comparison->events[at].name == NULL || comparison->events[at].long_name == NULL)
			return -ENOMEM;
		comparison->n_events++;
	}
	return 0;
}

/* What has no source file is told apart by its object. */
static const char *place_of(const struct rps_call_graph *graph, const struct rps_graph_function *function)
{
	const char *file = graph->files[function->file];

	return file[0] != '\0' ? file : graph->objects[function->object];
}

/* A row's value in one profile is the sum over what shares the row: symbols of one name, calls from several
 * lines. They stand one behind the other in neither order, so they are added up first. */
struct value {
	struct rps_row_names key;
	uint32_t line;
	uint64_t calls, self[RPS_EVENTS_MAX], inclusive[RPS_EVENTS_MAX];
};

static int compare_values(const void *a, const void *b)
{
	const struct rps_row_names *left = &((const struct value *)a)->key,
				   *right = &((const struct value *)b)->key;
	const char *const l[] = {left->name, left->file, left->callee_name, left->callee_file};
	const char *const r[] = {right->name, right->file, right->callee_name, right->callee_file};

	for (size_t i = 0; i < 4; i++)
		if (l[i] != r[i])
			return (uintptr_t)l[i] < (uintptr_t)r[i] ? -1 : 1;
	return 0;
}

static void add_costs(uint64_t *sum, const uint64_t *costs, uint32_t n_events)
{
	for (uint32_t event = 0; event < n_events; event++)
		sum[event] = rps_cost_add(sum[event], costs[event]);
}

static int set_names(struct rps_comparison *comparison, const struct rps_call_graph *graph,
		     const struct rps_graph_function *function, const char **name, const char **file)
{
	*name = rps_profile_text(comparison->texts, function->name);
	*file = rps_profile_text(comparison->texts, place_of(graph, function));
	return *name != NULL && *file != NULL ? 0 : -ENOMEM;
}

static int value_of_function(struct rps_comparison *comparison, const struct rps_flat *flat, uint32_t i,
			     uint32_t n_events, struct value *value)
{
	const struct rps_graph_function *function = &flat->graph->functions[i];

	*value = (struct value){.line = function->line, .calls = flat->functions[i].calls};
	add_costs(value->self, function->self, n_events);
	add_costs(value->inclusive, flat->functions[i].inclusive, n_events);
	return set_names(comparison, flat->graph, function, &value->key.name, &value->key.file);
}

static int value_of_call(struct rps_comparison *comparison, const struct rps_flat *flat, uint32_t i,
			 uint32_t n_events, struct value *value)
{
	const struct rps_call_graph *graph = flat->graph;
	const struct rps_graph_call *call = &graph->calls[i];

	*value = (struct value){.line = call->site_line, .calls = call->calls};
	add_costs(value->inclusive, call->inclusive, n_events);
	if (set_names(comparison, graph, &graph->functions[call->caller], &value->key.name,
		      &value->key.file) != 0)
		return -ENOMEM;
	return set_names(comparison, graph, &graph->functions[call->callee], &value->key.callee_name,
			 &value->key.callee_file);
}

static int add_value(struct rps_side *side, const struct rps_profile *profile, const uint32_t *events,
		     const struct value *value)
{
	struct rps_figures *row = find_row(side, &value->key);
	int error;

	if (row == NULL)
		return -ENOMEM;
	if (row->line == 0)
		row->line = value->line;
	if (__builtin_add_overflow(row->calls, value->calls, &row->calls))
		return -EOVERFLOW;
	error = add_amounts(profile, events, row->self, value->self);
	return error != 0 ? error : add_amounts(profile, events, row->inclusive, value->inclusive);
}

static int add_rows(struct rps_comparison *comparison, struct rps_side *side,
		    const struct rps_profile *profile, const uint32_t *events)
{
	struct rps_flat *flat = rps_flat_create(profile);
	const uint32_t n = flat == NULL                        ? 0
			   : comparison->by == RPS_BY_FUNCTION ? flat->graph->n_functions
							       : flat->graph->n_calls;
	struct value *values = calloc((size_t)n + 1, sizeof(*values));
	int error = flat != NULL && values != NULL ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < n && error == 0; i++)
		error = comparison->by == RPS_BY_FUNCTION
			    ? value_of_function(comparison, flat, i, profile->n_events, &values[i])
			    : value_of_call(comparison, flat, i, profile->n_events, &values[i]);
	if (error == 0 && n > 0)
		qsort(values, n, sizeof(*values), compare_values);
	for (uint32_t i = 0, end; i < n && error == 0; i = end) {
		for (end = i + 1; end < n && compare_values(&values[i], &values[end]) == 0; end++) {
			values[i].calls = rps_cost_add(values[i].calls, values[end].calls);
			add_costs(values[i].self, values[end].self, profile->n_events);
			add_costs(values[i].inclusive, values[end].inclusive, profile->n_events);
		}
		error = add_value(side, profile, events, &values[i]);
	}
	free(values);
	rps_flat_destroy(flat);
	return error;
}

/* "GET /cart", or what the program is called. */
static char *path_of(const struct rps_profile *profile)
{
	const char *method = rps_profile_meta(profile, "Method"), *path = rps_profile_meta(profile, "Path");
	char *text;

	if (path == NULL) {
		const size_t size = strcspn(profile->command, " ");

		return size > 0 ? strndup(profile->command, size) : strdup("unknown");
	}
	return asprintf(&text, "%s%s%s", method != NULL ? method : "", method != NULL ? " " : "", path) >= 0
		   ? text
		   : NULL;
}

static int add_totals(const struct rps_profile *profile, const uint32_t *events, struct rps_figures *row)
{
	int error = 0;

	if (__builtin_add_overflow(row->calls, rps_profile_count_calls(profile), &row->calls))
		return -EOVERFLOW;
	row->n_profiles++;
	row->n_requests += rps_profile_aggregate_count(profile);
	for (uint32_t i = 0; i < profile->n_events && error == 0; i++) {
		const uint64_t total = rps_profile_total(profile, i);

		error = add_amount(&row->inclusive[events[i]], total);
		if (error == 0)
			error = add_amount(&row->self[events[i]], total);
	}
	return error;
}

static int add_path(struct rps_comparison *comparison, struct rps_side *side,
		    const struct rps_profile *profile, const uint32_t *events)
{
	char *path = path_of(profile);
	const struct rps_row_names key = {.name =
					      path != NULL ? rps_profile_text(comparison->texts, path) : NULL,
					  .file = rps_profile_text(comparison->texts, "")};
	struct rps_figures *row = key.name != NULL && key.file != NULL ? find_row(side, &key) : NULL;

	free(path);
	return row != NULL ? add_totals(profile, events, row) : -ENOMEM;
}

int rps_comparison_add(struct rps_comparison *comparison, struct rps_side *side,
		       const struct rps_profile *profile)
{
	uint32_t events[RPS_EVENTS_MAX];
	const char *path = rps_profile_meta(profile, "Path");
	int error;

	if (comparison->path != NULL && (path == NULL || fnmatch(comparison->path, path, 0) != 0)) {
		comparison->n_other_paths++;
		return 0;
	}
	error = map_events(comparison, profile, events);
	if (error == 0)
		error = comparison->by == RPS_BY_PATH ? add_path(comparison, side, profile, events)
						      : add_rows(comparison, side, profile, events);
	if (error == 0)
		error = add_totals(profile, events, &side->total);
	if (error != 0)
		return error;
	side->n_profiles++;
	side->n_requests += rps_profile_aggregate_count(profile);
	side->has_sums |= rps_profile_aggregate_count(profile) != 1;
	return 0;
}

/* ---- Changes ------------------------------------------------------------------------------------ */

struct rps_comparison_row rps_comparison_total(const struct rps_comparison *comparison)
{
	return (struct rps_comparison_row){&comparison->old.total, &comparison->new.total};
}

/* What one side's value and spread are. */
struct mean {
	double value, variance_of_mean;
	uint64_t n_profiles;
	bool is_sure; /* the variance is known */
};

static struct mean mean_of(const struct rps_side *side, const struct rps_figures *row, uint32_t event,
			   bool is_self)
{
	static const struct rps_amount none;
	const struct rps_amount *amount = row == NULL ? &none
					  : is_self   ? &row->self[event]
						      : &row->inclusive[event];
	const uint64_t n_requests = row != NULL && row->n_requests != 0 ? row->n_requests : side->n_requests;
	const uint64_t n = row != NULL && row->n_profiles != 0 ? row->n_profiles : side->n_profiles;
	struct mean mean = {.n_profiles = n};

	if (n_requests == 0)
		return mean;
	mean.value = (double)((long double)amount->sum / (long double)n_requests);
	if (n >= 2 && !side->has_sums && amount->squares != RPS_SQUARES_UNKNOWN) {
		/* n times the squares less the square of the sum: without cancellation, all integers. */
		const unsigned __int128 square = (unsigned __int128)amount->sum * amount->sum;
		unsigned __int128 scaled;

		if (__builtin_mul_overflow(amount->squares, (unsigned __int128)n, &scaled) || scaled < square)
			return mean;
		mean.variance_of_mean = (double)((long double)(scaled - square) / (long double)n /
						 (long double)n / (long double)(n - 1));
		mean.is_sure = true;
	}
	return mean;
}

/* Welch and Satterthwaite. Two sides that never varied have no bound at all to speak of: 0. */
static double bound_of(struct rps_student_cache *bounds, const struct mean *old, const struct mean *new,
		       double p_outside)
{
	const double of_old = old->variance_of_mean, of_new = new->variance_of_mean, sum = of_old + of_new;
	double freedom;

	if (!old->is_sure || !new->is_sure)
		return NAN;
	if (sum <= 0)
		return 0;
	freedom = sum * sum /
		  (of_old * of_old / (double)(old->n_profiles - 1) +
		   of_new * of_new / (double)(new->n_profiles - 1));
	freedom = freedom < 1 ? 1 : freedom > RPS_STUDENT_FREEDOM_MAX ? RPS_STUDENT_FREEDOM_MAX : freedom;
	return rps_student_cached_bound(bounds, p_outside, (uint32_t)freedom) * sqrt(sum);
}

struct rps_change rps_comparison_cost(const struct rps_comparison *comparison,
				      const struct rps_comparison_row *row, uint32_t event, bool is_self,
				      double p_outside)
{
	const struct mean old = mean_of(&comparison->old, row->old, event, is_self);
	const struct mean new = mean_of(&comparison->new, row->new, event, is_self);
	struct rps_change change = {.old = old.value, .new = new.value, .change = new.value - old.value};

	change.bound = bound_of(comparison->bounds, &old, &new, p_outside);
	change.is_change = isnan(change.bound) ? change.change != 0 : fabs(change.change) > change.bound;
	return change;
}

static void counts_of(const struct rps_comparison_row *row, uint64_t *old, uint64_t *n_old, uint64_t *new,
		      uint64_t *n_new)
{
	*old = row->old != NULL ? row->old->calls : 0;
	*new = row->new != NULL ? row->new->calls : 0;
	*n_old = row->old != NULL && row->old->n_requests != 0 ? row->old->n_requests : 1;
	*n_new = row->new != NULL && row->new->n_requests != 0 ? row->new->n_requests : 1;
}

int rps_comparison_compare_calls(const struct rps_comparison_row *row, int64_t change)
{
	uint64_t old, n_old, new, n_new;
	long double exact;
	__int128 left, right, product;

	counts_of(row, &old, &n_old, &new, &n_new);
	if (!__builtin_mul_overflow((__int128)new, n_old, &left) &&
	    !__builtin_mul_overflow((__int128)old, n_new, &right) &&
	    !__builtin_mul_overflow((__int128)n_old * n_new, change, &product) &&
	    !__builtin_add_overflow(right, product, &right))
		return left == right ? 0 : left > right ? 1 : -1;
	exact = (long double)new / n_new - (long double)old / n_old - change;
	return exact == 0 ? 0 : exact > 0 ? 1 : -1;
}

struct rps_change rps_comparison_calls(const struct rps_comparison_row *row)
{
	struct rps_change change = {.bound = 0};
	uint64_t old, n_old, new, n_new;

	counts_of(row, &old, &n_old, &new, &n_new);
	change.old = (double)old / (double)n_old;
	change.new = (double)new / (double)n_new;
	change.change = change.new - change.old;
	change.is_change = rps_comparison_compare_calls(row, 0) != 0;
	return change;
}
