/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See callgrind_sums.h. The sums of all costs fit in 64 bits: the file has been read. */
#include "profile/callgrind_sums.h"

#include "profile/cycles.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- While the file is read --------------------------------------------------------------------- */

int rps_sums_add_self(struct rps_sums *sums, uint32_t function, const uint64_t *costs)
{
	if (function >= sums->functions_room) {
		const uint32_t room = function * 2 + 64;
		uint64_t(*grown)[RPS_EVENTS_MAX] = realloc(sums->self, room * sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		sums->self = grown;
		sums->functions_room = room;
	}
	for (; sums->n_functions <= function; sums->n_functions++)
		memset(sums->self[sums->n_functions], 0, sizeof(sums->self[0]));
	for (uint32_t event = 0; event < sums->n_events; event++)
		sums->self[function][event] += costs[event];
	return 0;
}

int rps_sums_add_call(struct rps_sums *sums, uint32_t caller, uint32_t callee, uint64_t line,
		      const uint64_t *costs)
{
	struct rps_sums_call *call;

	if (sums->n_calls == sums->calls_room) {
		const uint32_t room = sums->calls_room * 2 + 64;
		struct rps_sums_call *grown = realloc(sums->calls, room * sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		sums->calls = grown;
		sums->calls_room = room;
	}
	call = &sums->calls[sums->n_calls++];
	*call = (struct rps_sums_call){caller, callee, line, {0}};
	memcpy(call->costs, costs, sums->n_events * sizeof(*costs));
	return 0;
}

void rps_sums_clear(struct rps_sums *sums)
{
	free(sums->self);
	free(sums->calls);
	*sums = (struct rps_sums){0};
}

/* ---- At the end --------------------------------------------------------------------------------- */

struct flow {
	uint32_t *group_of;               /* of each function: its cycle's number, or its own */
	unsigned __int128 *into, *out_of; /* of each group, in one event */
	bool *is_called;
};

static int compare_callers(const void *a, const void *b)
{
	const struct rps_sums_call *left = a, *right = b;

	if (left->caller != right->caller)
		return left->caller < right->caller ? -1 : 1;
	return left->line < right->line ? -1 : left->line > right->line;
}

static int find_groups(struct rps_sums *sums, struct flow *flow)
{
	uint32_t *first = calloc((size_t)sums->n_functions + 2, sizeof(*first));
	uint32_t *callees = malloc(((size_t)sums->n_calls + 1) * sizeof(*callees));
	int error = -ENOMEM;

	if (first == NULL || callees == NULL)
		goto out;
	qsort(sums->calls, sums->n_calls, sizeof(*sums->calls), compare_callers);
	for (uint32_t i = 0; i < sums->n_calls; i++) {
		callees[i] = sums->calls[i].callee;
		first[sums->calls[i].caller + 1]++;
		flow->is_called[callees[i]] = true;
	}
	for (uint32_t i = 0; i < sums->n_functions; i++)
		first[i + 1] += first[i];
	error = rps_cycles_find(sums->n_functions, first, callees, flow->group_of);
	for (uint32_t i = 0; i < sums->n_functions; i++)
		if (flow->group_of[i] == UINT32_MAX)
			flow->group_of[i] = i;
out:
	free(first);
	free(callees);
	return error;
}

static int find_root(const struct rps_sums *sums, const struct flow *flow,
		     const struct rps_rules_names *functions, struct rps_why *why, uint32_t *root)
{
	*root = UINT32_MAX;
	for (uint32_t i = 0; i < sums->n_functions; i++) {
		if (flow->is_called[i])
			continue;
		if (*root != UINT32_MAX) {
			why->line = functions->names[i].line;
			return rps_why_fail(why, -EBADMSG,
					    "nothing calls %.80s, nor %.80s; one root is expected",
					    functions->names[i].text, functions->names[*root].text);
		}
		*root = i;
	}
	return *root != UINT32_MAX ? 0 : rps_why_fail(why, -EBADMSG, "there is no root: all is called");
}

/* Recursion is charged for the outermost call only: so what goes into a function never is above what there is. */
static int check_callees(const struct rps_sums *sums, struct flow *flow, struct rps_why *why, uint32_t event)
{
	unsigned __int128 total = 0;

	for (uint32_t i = 0; i < sums->n_functions; i++) {
		total += sums->self[i][event];
		flow->into[i] = 0;
	}
	for (uint32_t i = 0; i < sums->n_calls; i++) {
		const struct rps_sums_call *call = &sums->calls[i];

		why->line = call->line;
		if (call->caller == call->callee && call->costs[event] != 0)
			return rps_why_fail(why, -EBADMSG, "a function that calls itself and charges it");
		flow->into[call->callee] += call->costs[event];
		if (flow->into[call->callee] > total)
			return rps_why_fail(why, -EBADMSG,
					    "with this call more goes into a function than there is in all");
	}
	return 0;
}

static void add_flow(const struct rps_sums *sums, struct flow *flow, uint32_t event)
{
	for (uint32_t i = 0; i < sums->n_functions; i++)
		flow->into[i] = flow->out_of[i] = 0;
	for (uint32_t i = 0; i < sums->n_functions; i++)
		flow->out_of[flow->group_of[i]] += sums->self[i][event];
	for (uint32_t i = 0; i < sums->n_calls; i++) {
		const struct rps_sums_call *call = &sums->calls[i];

		if (flow->group_of[call->caller] == flow->group_of[call->callee])
			continue;
		flow->into[flow->group_of[call->callee]] += call->costs[event];
		flow->out_of[flow->group_of[call->caller]] += call->costs[event];
	}
}

static int check_event(const struct rps_sums *sums, struct flow *flow,
		       const struct rps_rules_names *functions, struct rps_why *why, uint32_t event)
{
	uint32_t root;
	int error = find_root(sums, flow, functions, why, &root);

	if (error == 0)
		error = check_callees(sums, flow, why, event);
	add_flow(sums, flow, event);
	/* With this true of all others, the root's inclusive cost is the total. */
	for (uint32_t i = 0; i < sums->n_functions && error == 0; i++) {
		if (i == root || flow->group_of[i] != i || flow->into[i] == flow->out_of[i])
			continue;
		why->line = functions->names[i].line;
		error = rps_why_fail(
		    why, -EBADMSG,
		    "%" PRIu64 " go into %.80s (or its cycle), but %" PRIu64 " are spent there and passed on",
		    (uint64_t)flow->into[i], functions->names[i].text, (uint64_t)flow->out_of[i]);
	}
	return error;
}

int rps_sums_check(struct rps_sums *sums, const struct rps_rules_names *functions, struct rps_why *why)
{
	const size_t n = (size_t)sums->n_functions + 1;
	struct flow flow = {.group_of = malloc(n * sizeof(*flow.group_of)),
			    .into = malloc(n * sizeof(*flow.into)),
			    .out_of = malloc(n * sizeof(*flow.out_of)),
			    .is_called = calloc(n, sizeof(*flow.is_called))};
	int error = -ENOMEM;

	if (flow.group_of != NULL && flow.into != NULL && flow.out_of != NULL && flow.is_called != NULL)
		error = find_groups(sums, &flow);
	if (error != 0)
		rps_why_fail(why, error, "out of memory");
	for (uint32_t event = 0; event < sums->n_events && error == 0; event++)
		error = check_event(sums, &flow, functions, why, event);
	free(flow.group_of);
	free(flow.into);
	free(flow.out_of);
	free(flow.is_called);
	return error;
}
