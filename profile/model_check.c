/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a profile keeps the promises of model.h. Called by tests, by
 * readers after they have read a file, and by the collector on what it made from memory that
 * others wrote; no thread but the profile's owner. */
#include "profile/model.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a node stands in a walk of the tree: b is a descendant of a, or a
 * itself, when a.first <= b.first and b.first <= a.last. */
struct interval {
	uint32_t first, last;
};

struct check {
	const struct rps_profile *profile;
	struct interval *intervals; /* of each node */
	char *why;
	size_t why_size;
};

static int __attribute__((format(printf, 2, 3))) fail(struct check *check, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(check->why, check->why_size, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static int check_events(struct check *check)
{
	const struct rps_profile *profile = check->profile;

	if (profile->n_events < 1 || profile->n_events > RPS_EVENTS_MAX)
		return fail(check, "%u events", profile->n_events);
	for (uint32_t i = 0; i < profile->n_events; i++) {
		const char *name = profile->events[i].name;

		if (!isalpha((unsigned char)name[0]) && name[0] != '_')
			return fail(check, "event %u: bad name \"%s\"", i, name);
		if (strlen(name) > RPS_EVENT_NAME_MAX)
			return fail(check, "event %u: a name of %zu bytes", i, strlen(name));
		for (const char *at = name; *at != '\0'; at++)
			if (!isalnum((unsigned char)*at) && *at != '_')
				return fail(check, "event %u: bad name \"%s\"", i, name);
		for (uint32_t j = 0; j < i; j++)
			if (strcmp(name, profile->events[j].name) == 0)
				return fail(check, "two events are called \"%s\"", name);
	}
	return 0;
}

static int check_nodes(struct check *check)
{
	const struct rps_profile *profile = check->profile;

	if (profile->n_nodes == 0 || profile->nodes[0].parent != RPS_NONE)
		return fail(check, "node 0 is no root");
	for (uint32_t i = 0; i < profile->n_nodes; i++) {
		if (profile->nodes[i].function >= profile->n_functions)
			return fail(check, "node %u: no function %u", i, profile->nodes[i].function);
		if (i > 0 && profile->nodes[i].parent >= i)
			return fail(check, "node %u: parent %u does not stand before it", i,
				    profile->nodes[i].parent);
		if (profile->is_flat && i > 0 && profile->nodes[i].parent != 0)
			return fail(check, "node %u: below node %u in a flat profile", i,
				    profile->nodes[i].parent);
	}
	if (profile->overflow != RPS_NONE && profile->overflow >= profile->n_nodes)
		return fail(check, "no overflow node %u", profile->overflow);
	return 0;
}

/* Children stand behind their parents, so their numbers can be counted from the end and given out from
 * the start, without a walk that needs a stack. */
static void number_nodes(struct check *check)
{
	const struct rps_profile *profile = check->profile;
	struct interval *intervals = check->intervals;

	/* First the size of each subtree, in `last`. */
	for (uint32_t i = profile->n_nodes; i-- > 0;) {
		intervals[i].last++;
		if (i > 0)
			intervals[profile->nodes[i].parent].last += intervals[i].last;
	}
	/* `last` of a node that has its place is the last place not yet given to a child. */
	intervals[0].first = 0;
	intervals[0].last--;
	for (uint32_t i = 1; i < profile->n_nodes; i++) {
		struct interval *parent = &intervals[profile->nodes[i].parent];
		uint32_t size = intervals[i].last;

		intervals[i].last = parent->last;
		intervals[i].first = parent->last - size + 1;
		parent->last -= size;
	}
	/* Every place below a node is given away by now: back to the last one. */
	for (uint32_t i = profile->n_nodes; i-- > 1;) {
		struct interval *parent = &intervals[profile->nodes[i].parent];

		if (parent->last < intervals[i].last)
			parent->last = intervals[i].last;
	}
}

static int check_edge(struct check *check, uint32_t i, const uint64_t *totals)
{
	const struct rps_profile *profile = check->profile;
	const struct rps_edge *edge = &profile->edges[i];
	const struct interval *from, *to;

	if (edge->from >= profile->n_nodes || edge->to >= profile->n_nodes)
		return fail(check, "edge %u: no such node", i);
	if (edge->to == 0)
		return fail(check, "edge %u: leads to the root", i);
	if (profile->is_flat)
		return 0;
	from = &check->intervals[edge->from];
	to = &check->intervals[edge->to];
	if (profile->nodes[edge->to].parent != edge->from &&
	    (profile->overflow == RPS_NONE || profile->nodes[edge->to].parent != profile->overflow) &&
	    !(to->first <= from->first && from->first <= to->last))
		return fail(check, "edge %u: leads from node %u to %u, no child or ancestor of it", i,
			    edge->from, edge->to);
	for (uint32_t event = 0; event < profile->n_events; event++)
		if (edge->inclusive[event] > totals[event])
			return fail(check, "edge %u: inclusive %s is above the total", i,
				    profile->events[event].name);
	return 0;
}

/* Every edge is in the list of its source, once. As many list members as edges, each in the list it says,
 * can only be all of them if none comes twice; a ring is noticed by the count. */
static int check_lists(struct check *check)
{
	const struct rps_profile *profile = check->profile;
	uint32_t n_seen = 0;

	for (uint32_t i = 0; i < profile->n_nodes; i++) {
		for (uint32_t at = profile->nodes[i].first_edge; at != RPS_NONE;
		     at = profile->edges[at].next) {
			if (at >= profile->n_edges)
				return fail(check, "node %u: no edge %u", i, at);
			if (profile->edges[at].from != i)
				return fail(check, "edge %u: in the list of node %u", at, i);
			if (n_seen++ == profile->n_edges)
				return fail(check, "node %u: its list of edges is a ring", i);
		}
	}
	if (n_seen != profile->n_edges)
		return fail(check, "%u of %u edges are in no list", profile->n_edges - n_seen,
			    profile->n_edges);
	return 0;
}

/* As check_lists, and no more cost in lines than the node has. */
static int check_line_costs(struct check *check)
{
	const struct rps_profile *profile = check->profile;
	uint32_t n_seen = 0;

	for (uint32_t i = 0; i < profile->n_nodes; i++) {
		uint64_t sums[RPS_EVENTS_MAX] = {0};

		for (uint32_t at = profile->nodes[i].first_line; at != RPS_NONE;
		     at = profile->lines[at].next) {
			if (at >= profile->n_lines || profile->lines[at].node != i ||
			    n_seen++ == profile->n_lines)
				return fail(check, "node %u: its list of lines is broken", i);
			for (uint32_t event = 0; event < profile->n_events; event++)
				sums[event] = rps_cost_add(sums[event], profile->lines[at].self[event]);
		}
		for (uint32_t event = 0; event < profile->n_events; event++)
			if (sums[event] > profile->nodes[i].self[event])
				return fail(check, "node %u: its lines cost more than it", i);
	}
	return n_seen == profile->n_lines ? 0 : fail(check, "lines that are in no list");
}

static int check_called(struct check *check, bool *called)
{
	const struct rps_profile *profile = check->profile;

	for (uint32_t i = 0; i < profile->n_edges; i++)
		called[profile->edges[i].to] = true;
	for (uint32_t i = 1; i < profile->n_nodes; i++) {
		if (called[i])
			continue;
		for (uint32_t event = 0; event < profile->n_events; event++)
			if (profile->nodes[i].self[event] != 0)
				return fail(check, "node %u: has costs, but nothing calls it", i);
	}
	return 0;
}

static int check_root(struct check *check, const uint64_t *totals)
{
	const struct rps_profile *profile = check->profile;

	for (uint32_t event = 0; event < profile->n_events; event++) {
		uint64_t inclusive = profile->nodes[0].self[event];

		for (uint32_t at = profile->nodes[0].first_edge; at != RPS_NONE; at = profile->edges[at].next)
			inclusive = rps_cost_add(inclusive, profile->edges[at].inclusive[event]);
		if (inclusive != totals[event])
			return fail(check, "%s: the root's self and calls make %llu, all self costs %llu",
				    profile->events[event].name, (unsigned long long)inclusive,
				    (unsigned long long)totals[event]);
	}
	return 0;
}

int rps_profile_check(const struct rps_profile *profile, char *why, size_t why_size)
{
	struct check check = {.profile = profile, .why = why, .why_size = why_size};
	uint64_t totals[RPS_EVENTS_MAX];
	bool *called = NULL;
	int error;

	error = check_events(&check);
	if (error == 0)
		error = check_nodes(&check);
	if (error != 0)
		return error;
	check.intervals = calloc(profile->n_nodes, sizeof(*check.intervals));
	called = calloc(profile->n_nodes, sizeof(*called));
	if (check.intervals == NULL || called == NULL) {
		fail(&check, "out of memory");
		error = -ENOMEM;
		goto out;
	}
	number_nodes(&check);
	for (uint32_t event = 0; event < profile->n_events; event++)
		totals[event] = rps_profile_total(profile, event);
	for (uint32_t i = 0; i < profile->n_edges && error == 0; i++)
		error = check_edge(&check, i, totals);
	if (error == 0)
		error = check_lists(&check);
	if (error == 0)
		error = check_line_costs(&check);
	if (error != 0 || profile->is_flat)
		goto out;
	if (error == 0)
		error = check_called(&check, called);
	if (error == 0)
		error = check_root(&check, totals);
out:
	free(called);
	free(check.intervals);
	return error;
}
