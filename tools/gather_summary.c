/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table behind gather_summary.h. Called by gather_profile_stats at its end, on its main thread. */
#include "tools/gather_summary.h"

#include "tools/table.h"
#include "tools/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    [RPS_SUMMARY_PERCENTILES] = "percentiles", [RPS_SUMMARY_MEAN] = "mean", [RPS_SUMMARY_SUM] = "sum"};

static const unsigned percents[] = {50, 90, 95, 99, 100};
#define N_PERCENTS (sizeof(percents) / sizeof(percents[0]))

int rps_summary_find(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

/* ---- Numbers ------------------------------------------------------------------------------------ */

static int compare_numbers(const void *a, const void *b)
{
	const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left == right ? 0 : left < right ? -1 : 1;
}

/* The smallest number that at least `percent` of all do not exceed. `numbers` is sorted. */
static uint64_t percentile(const struct rps_gather_numbers *numbers, unsigned percent)
{
	size_t rank = (numbers->n * percent + 99) / 100;

	return numbers->numbers[rank > 0 ? rank - 1 : 0];
}

static uint64_t sum_of(const struct rps_gather_numbers *numbers)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < numbers->n; i++)
		sum = rps_cost_add(sum, numbers->numbers[i]);
	return sum;
}

static void add_real(struct rps_table *table, double value, int decimals)
{
	char text[RPS_TEXT_NUMBER_SIZE], json[40];
	const uint64_t scale = decimals == 6 ? 1000000 : decimals == 3 ? 1000 : 10;
	const uint64_t scaled =
	    value < 1e12 ? (uint64_t)(value * (double)scale + 0.5) : (uint64_t)value * scale;

	rps_text_number(text, scaled / scale);
	snprintf(text + strlen(text), 8, ".%0*" PRIu64, decimals, scaled % scale);
	snprintf(json, sizeof(json), "%.15g", value);
	rps_table_formatted(table, text, json, RPS_STYLE_PLAIN);
}

/* ---- Columns and cells -------------------------------------------------------------------------- */

/* All events that any sum has, in the order they come. */
static uint32_t find_events(const struct rps_gather_groups *groups, struct rps_event *events)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < groups->n_groups; i++)
		for (uint32_t j = 0; j < groups->groups[i].n_events; j++) {
			uint32_t at = 0;

			while (at < n && strcmp(events[at].name, groups->groups[i].events[j].name) != 0)
				at++;
			if (at == n && n < RPS_EVENTS_MAX)
				events[n++] = (struct rps_event){groups->groups[i].events[j].name, ""};
		}
	return n;
}

static uint64_t total_of(const struct rps_gather_group *group, const struct rps_event *event)
{
	for (uint32_t i = 0; i < group->n_events; i++)
		if (strcmp(group->events[i].name, event->name) == 0)
			return group->totals[i];
	return 0;
}

static void add_columns(enum rps_summary summary, struct rps_table *table, const struct rps_event *events,
			uint32_t n_events)
{
	rps_table_column(table, "Requests", "requests", true);
	rps_table_column(table, summary == RPS_SUMMARY_SUM ? "Calls" : "Calls each",
			 summary == RPS_SUMMARY_SUM ? "calls" : "calls_mean", true);
	if (summary == RPS_SUMMARY_SUM)
		rps_table_column(table, "Duration ms", "duration_us", true);
	else
		rps_table_column(table, "Mean ms", "duration_us_mean", true);
	for (size_t i = 0; i < N_PERCENTS && summary == RPS_SUMMARY_PERCENTILES; i++) {
		char title[16], key[32];

		snprintf(title, sizeof(title), percents[i] == 100 ? "Longest" : "%u %%", percents[i]);
		snprintf(key, sizeof(key), "duration_us_%u", percents[i]);
		rps_table_column(table, title, key, true);
		snprintf(key, sizeof(key), "calls_%u", percents[i]);
		rps_table_json_column(table, key);
	}
	for (uint32_t i = 0; i < n_events && summary != RPS_SUMMARY_PERCENTILES; i++) {
		char title[128], key[160];

		snprintf(title, sizeof(title), "%.100s%s", events[i].name,
			 rps_event_is_time(&events[i]) ? " (ms)" : "");
		snprintf(key, sizeof(key), "%.100s%s", events[i].name,
			 summary == RPS_SUMMARY_MEAN ? "_mean" : "");
		rps_table_column(table, title, key, true);
	}
	rps_table_column(table, "Path", "path", false);
}

static void add_percentiles(struct rps_table *table, const struct rps_gather_group *group)
{
	for (size_t i = 0; i < N_PERCENTS; i++) {
		char json[32] = "null";

		if (group->durations_us.n == 0) {
			rps_table_nothing(table);
		} else {
			const uint64_t us = percentile(&group->durations_us, percents[i]);
			char text[RPS_TEXT_NUMBER_SIZE];

			rps_text_number(text, us / 1000);
			snprintf(text + strlen(text), 8, ".%03" PRIu64, us % 1000);
			snprintf(json, sizeof(json), "%" PRIu64, us);
			rps_table_formatted(table, text, json, RPS_STYLE_PLAIN);
		}
		if (group->calls.n > 0)
			snprintf(json, sizeof(json), "%" PRIu64, percentile(&group->calls, percents[i]));
		rps_table_formatted(table, "", group->calls.n > 0 ? json : "null", RPS_STYLE_PLAIN);
	}
}

static void add_cost(struct rps_table *table, const struct rps_event *event, uint64_t total,
		     uint64_t n_requests)
{
	const double mean = (double)total / (double)n_requests;
	char json[40], text[RPS_TEXT_NUMBER_SIZE];

	if (n_requests == 1) {
		rps_table_cost(table, event, total);
	} else if (rps_event_is_time(event)) {
		rps_text_ms(text, (uint64_t)(mean + 0.5));
		snprintf(json, sizeof(json), "%.15g", mean);
		rps_table_formatted(table, text, json, RPS_STYLE_PLAIN);
	} else {
		add_real(table, mean, 1);
	}
}

static void add_row(enum rps_summary summary, struct rps_table *table, const struct rps_gather_group *group,
		    const struct rps_event *events, uint32_t n_events)
{
	const uint64_t n = rps_merge_count(group->merge), us = sum_of(&group->durations_us);
	char json[32];

	rps_table_row(table);
	rps_table_number(table, n);
	if (summary == RPS_SUMMARY_SUM)
		rps_table_number(table, group->n_calls);
	else
		add_real(table, n > 0 ? (double)group->n_calls / (double)n : 0.0, 1);
	if (group->durations_us.n == 0) {
		rps_table_nothing(table);
	} else if (summary == RPS_SUMMARY_SUM) {
		char text[RPS_TEXT_NUMBER_SIZE];

		rps_text_number(text, us / 1000);
		snprintf(text + strlen(text), 8, ".%03" PRIu64, us % 1000);
		snprintf(json, sizeof(json), "%" PRIu64, us);
		rps_table_formatted(table, text, json, RPS_STYLE_PLAIN);
	} else {
		char text[RPS_TEXT_NUMBER_SIZE];
		const double mean = (double)us / (double)group->durations_us.n;

		rps_text_number(text, (uint64_t)(mean + 0.5) / 1000);
		snprintf(text + strlen(text), 8, ".%03" PRIu64, (uint64_t)(mean + 0.5) % 1000);
		snprintf(json, sizeof(json), "%.15g", mean);
		rps_table_formatted(table, text, json, RPS_STYLE_PLAIN);
	}
	if (summary == RPS_SUMMARY_PERCENTILES)
		add_percentiles(table, group);
	for (uint32_t i = 0; i < n_events && summary != RPS_SUMMARY_PERCENTILES; i++)
		add_cost(table, &events[i], total_of(group, &events[i]),
			 summary == RPS_SUMMARY_MEAN && n > 0 ? n : 1);
	rps_table_text(table, rps_merge_root(group->merge));
}

int rps_summary_print(enum rps_summary summary, const struct rps_gather_groups *groups,
		      const struct rps_view *view)
{
	struct rps_event events[RPS_EVENTS_MAX];
	const uint32_t n_events = find_events(groups, events);
	struct rps_table *table = rps_table_create();
	int error;

	if (table == NULL)
		return -ENOMEM;
	add_columns(summary, table, events, n_events);
	for (uint32_t i = 0; i < groups->n_groups; i++) {
		struct rps_gather_group *group = &groups->groups[i];

		if (group->durations_us.n > 0)
			qsort(group->durations_us.numbers, group->durations_us.n, sizeof(uint64_t),
			      compare_numbers);
		if (group->calls.n > 0)
			qsort(group->calls.numbers, group->calls.n, sizeof(uint64_t), compare_numbers);
		add_row(summary, table, group, events, n_events);
	}
	if (view->json)
		error = rps_table_print_json(table, view);
	else
		error = rps_table_print(table, view);
	if (view->json)
		fputs("\n", view->out);
	rps_table_destroy(table);
	return error;
}
