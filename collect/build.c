/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See build.h. Of every event each node has its own part (self). Inclusive costs are passed on from there, from the
 * callees up, component by component (components.h): what goes into one is what is spent there and what goes out of it,
 *
 *     sum over the edges into it = sum of self of its nodes + sum over the edges out of it
 *
 * and each edge into it gets a part in proportion to what its calls took as far as was seen. So the sums of any function, or
 * cycle of functions, agree to the unit, and root: self + outgoing == sum of all self. Of edges within a component
 * (recursion) only what was seen is known: the time of the callee's outermost activations.
 */
#include "collect/build.h"

#include "collect/components.h"
#include "collect/estimate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Working values per node of the arena. */
struct work {
	int is_used, is_allocator;
	uint32_t profile_node;
};

/* One event of an arena. */
struct costs {
	uint64_t *self;      /* [n_nodes] */
	double *weight;      /* [n_edges] in proportion to which costs are passed on; of edges within a component their cost */
	uint64_t *inclusive; /* [n_edges] */
};

int rps_build_set_events(struct rps_profile *profile, unsigned int events)
{
	struct rps_event chosen[RPS_N_EVENTS];
	uint32_t n_chosen = 0;

	for (int id = 0; id < RPS_N_EVENTS; id++)
		if (events & 1u << id)
			chosen[n_chosen++] = rps_event_kinds[id].event;
	return rps_profile_set_events(profile, chosen, n_chosen);
}

/* ---- Inclusive ------------------------------------------------------------------------------ */

/* Passes the cost of component `c` on to the edges into it. */
static void share_out(const struct rps_arena_copy *copy, const struct rps_components *components, uint32_t c,
		      const struct costs *costs)
{
	const uint32_t *into = components->into + components->first_into[c];
	uint32_t n_into = components->first_into[c + 1] - components->first_into[c], last = UINT32_MAX;
	uint64_t cost = 0, given = 0;
	double weight = 0, n_calls = 0;

	for (uint32_t i = components->first[c]; i < components->first[c + 1]; i++)
		cost = rps_cost_add(cost, costs->self[components->nodes[i]]);
	for (uint32_t i = components->first_out_of[c]; i < components->first_out_of[c + 1]; i++)
		if (components->of[copy->edges[components->out_of[i]].to] != c)
			cost = rps_cost_add(cost, costs->inclusive[components->out_of[i]]);
	for (uint32_t i = 0; i < n_into; i++) {
		uint32_t edge = into[i];

		if (components->of[copy->edges[edge].from] == c) {
			costs->inclusive[edge] = costs->weight[edge] < (double)cost ? (uint64_t)costs->weight[edge] : cost;
			continue;
		}
		weight += costs->weight[edge];
		n_calls += (double)rps_wire_edge_calls(&copy->edges[edge].wire);
		last = i;
	}
	/* Where all has been seen (of what is counted), each gets what was its own. */
	for (uint32_t i = 0; i < n_into && weight == (double)cost; i++)
		if (components->of[copy->edges[into[i]].from] != c)
			costs->inclusive[into[i]] = (uint64_t)costs->weight[into[i]];
	for (uint32_t i = 0; i < n_into && weight != (double)cost && last != UINT32_MAX; i++) {
		uint32_t edge = into[i];
		/* Where nothing was seen of any: by calls. */
		double part = weight > 0 ? costs->weight[edge] / weight
					 : (double)rps_wire_edge_calls(&copy->edges[edge].wire) / n_calls;
		uint64_t share = (uint64_t)((double)cost * part);

		if (components->of[copy->edges[edge].from] == c)
			continue;
		if (i == last || share > cost - given)
			share = cost - given;
		costs->inclusive[edge] = share;
		given += share;
	}
}

static void pass_on(const struct rps_arena_copy *copy, const struct rps_components *components, const struct costs *costs)
{
	for (uint32_t c = 0; c < components->n; c++)
		share_out(copy, components, c, costs);
}

struct function_node {
	uint32_t function, node;
};

static int compare_function_nodes(const void *a, const void *b)
{
	uint32_t left = ((const struct function_node *)a)->function, right = ((const struct function_node *)b)->function;

	return left == right ? 0 : left < right ? -1 : 1;
}

/* What goes into the `n` nodes of one function: from outside of their components, or by calls within these. */
static double sum_into(const uint64_t *within, const uint64_t *outside, const struct function_node *nodes, uint32_t n,
		       double *sum_within)
{
	double sum_outside = 0;

	*sum_within = 0;
	for (uint32_t i = 0; i < n; i++) {
		*sum_within += (double)within[nodes[i].node];
		sum_outside += (double)outside[nodes[i].node];
	}
	return sum_outside;
}

/* Calls within a component are charged as they were seen, by the clock and by sample; so together they may come to more than there
 * is. What goes into a function never is above the total: they get what the others leave. 0 or -ENOMEM. */
static int cap_recursion(const struct rps_arena_copy *copy, const struct rps_components *components, const struct costs *costs)
{
	uint64_t *within = calloc(copy->n_nodes, sizeof(*within)), *outside = calloc(copy->n_nodes, sizeof(*outside));
	double *factor = calloc(copy->n_nodes, sizeof(*factor));
	struct function_node *nodes = calloc(copy->n_nodes, sizeof(*nodes));
	double total = 0;
	int error = within != NULL && outside != NULL && factor != NULL && nodes != NULL ? 0 : -ENOMEM;

	for (uint32_t i = 0; error == 0 && i < copy->n_nodes; i++) {
		total += (double)costs->self[i];
		nodes[i] = (struct function_node){copy->nodes[i].function, i};
	}
	for (uint32_t i = 0; error == 0 && i < copy->n_edges; i++) {
		uint32_t to = copy->edges[i].to;
		uint64_t *sum = components->of[copy->edges[i].from] == components->of[to] ? &within[to] : &outside[to];

		*sum = rps_cost_add(*sum, costs->inclusive[i]);
	}
	if (error == 0)
		qsort(nodes, copy->n_nodes, sizeof(*nodes), compare_function_nodes);
	for (uint32_t i = 0, next; error == 0 && i < copy->n_nodes; i = next) {
		double sum_within, sum_outside;

		for (next = i + 1; next < copy->n_nodes && nodes[next].function == nodes[i].function; next++)
			;
		sum_outside = sum_into(within, outside, nodes + i, next - i, &sum_within);
		for (uint32_t k = i; k < next; k++)
			factor[nodes[k].node] = sum_within + sum_outside <= total ? 1 : sum_outside < total ? (total - sum_outside) / sum_within : 0;
	}
	for (uint32_t i = 0; error == 0 && i < copy->n_edges; i++)
		if (components->of[copy->edges[i].from] == components->of[copy->edges[i].to] && factor[copy->edges[i].to] < 1)
			costs->inclusive[i] = (uint64_t)((double)costs->inclusive[i] * factor[copy->edges[i].to]);
	free(within);
	free(outside);
	free(factor);
	free(nodes);
	return error;
}

/* ---- The events ----------------------------------------------------------------------------------- */

static void measure_time(const struct rps_arena_copy *copy, const struct rps_estimate *estimate, double ns_per_tick,
			 const struct costs *costs)
{
	for (uint32_t i = 0; i < copy->n_nodes; i++)
		costs->self[i] = (uint64_t)llround(estimate->self_ticks[i] * ns_per_tick);
	for (uint32_t i = 0; i < copy->n_edges; i++)
		costs->weight[i] = estimate->inclusive_ticks[i] * ns_per_tick;
}

/* Of a node: calls of it. By calls they are passed on, too: nothing else is the same in each run. */
static void measure_calls(const struct rps_arena_copy *copy, const struct costs *costs)
{
	memset(costs->self, 0, copy->n_nodes * sizeof(*costs->self));
	for (uint32_t i = 0; i < copy->n_edges; i++) {
		uint64_t calls = rps_wire_edge_calls(&copy->edges[i].wire);

		costs->self[copy->edges[i].to] = rps_cost_add(costs->self[copy->edges[i].to], calls);
		costs->weight[i] = (double)calls;
	}
}

/* Calls of the functions that allocate, and do nothing else worth showing: what they get belongs to the caller, and to the line
 * that calls. (One that is instrumented is a function like others.) */
static int is_allocator(const struct rps_function *function)
{
	static const char *const names[] = {"malloc", "calloc",	  "realloc", "reallocarray", "aligned_alloc", "posix_memalign",
					    "memalign", "valloc", "pvalloc"};

	if (function->file[0] != '\0' || function->line != 0)
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(function->name, names[i]) == 0)
			return 1;
	return strncmp(function->symbol, "_Znw", 4) == 0 || strncmp(function->symbol, "_Zna", 4) == 0; /* operator new */
}

static void find_allocators(const struct rps_arena_copy *copy, struct rps_functions *functions, struct work *work)
{
	for (uint32_t i = 1; (copy->counters & RPS_COUNTERS_ALLOC) != 0 && i < copy->n_nodes; i++)
		work[i].is_allocator = copy->nodes[i].function != RPS_FUNCTION_OVERFLOW &&
				       is_allocator(rps_functions_get(functions, copy->nodes[i].function));
	for (uint32_t i = 0; i < copy->n_edges; i++)
		work[copy->edges[i].from].is_allocator = 0; /* it calls back: a new_handler */
}

_Static_assert((int)RPS_EVENT_ALLOC_COUNT + RPS_N_COUNTERS == (int)RPS_N_EVENTS &&
		   (int)RPS_EVENT_PAGE_FAULTS - RPS_EVENT_ALLOC_COUNT == (int)RPS_COUNTER_PAGE_FAULTS &&
		   (int)RPS_EVENT_CTX_SWITCHES - RPS_EVENT_ALLOC_COUNT == (int)RPS_COUNTER_CTX_SWITCHES,
	       "the counters are the last events, in the same order");

static int is_allocation(int counter)
{
	return (RPS_COUNTERS_ALLOC & 1u << counter) != 0;
}

/* What a node has counted itself came in and did not go out. */
static void measure_counter(const struct rps_arena_copy *copy, const struct rps_components *components, const struct work *work,
			    int counter, const struct costs *costs)
{
	memset(costs->self, 0, copy->n_nodes * sizeof(*costs->self));
	costs->self[0] = copy->counted[counter];
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < copy->n_edges; i++) {
			const struct rps_arena_edge *edge = &copy->edges[i];
			int is_callers = is_allocation(counter) && work[edge->to].is_allocator;
			int is_within = components->of[edge->from] == components->of[edge->to];
			uint64_t all = is_callers ? 0 : edge->counts.all[counter], *self = &costs->self[pass == 0 ? edge->to : edge->from];

			costs->weight[i] = is_callers ? 0 : (double)(is_within ? edge->counts.outermost[counter] : all);
			if (pass == 0)
				*self = rps_cost_add(*self, all);
			else
				*self -= all < *self ? all : *self;
		}
	}
}

/* What no call leads to can't be passed on. */
static void move_unused_to_root(uint32_t n_nodes, const struct rps_components *components, const struct costs *costs)
{
	for (uint32_t i = 1; i < n_nodes; i++) {
		if (!components->is_entered[components->of[i]]) {
			costs->self[0] += costs->self[i];
			costs->self[i] = 0;
		}
	}
}

/* ---- Into the profile ------------------------------------------------------------------------- */

static uint32_t profile_function(struct rps_profile *profile, struct rps_functions *functions, uint32_t id)
{
	static const struct rps_function overflow = {RPS_OVERFLOW_NAME, "", "", "", 0};

	return rps_profile_function(profile, id == RPS_FUNCTION_OVERFLOW ? &overflow : rps_functions_get(functions, id));
}

/* Nodes that no call leads to: an external call that was taken back leaves one. */
static void find_unused(const struct rps_arena_copy *copy, struct work *work)
{
	for (uint32_t i = 0; i < copy->n_edges; i++)
		if (rps_wire_edge_calls(&copy->edges[i].wire) > 0)
			work[copy->edges[i].to].is_used = 1;
	for (uint32_t i = copy->n_nodes - 1; i > 0; i--)
		if (work[i].is_used)
			work[copy->nodes[i].parent].is_used = 1;
}

static int add_nodes(struct rps_profile *profile, const struct rps_arena_copy *copy, struct rps_functions *functions,
		     struct work *work)
{
	work[0].profile_node = 0;
	for (uint32_t i = 1; i < copy->n_nodes; i++) {
		uint32_t function;

		if (!work[i].is_used)
			continue;
		function = profile_function(profile, functions, copy->nodes[i].function);
		if (function == RPS_NONE)
			return -ENOMEM;
		work[i].profile_node = rps_profile_node(profile, work[copy->nodes[i].parent].profile_node, function);
		if (work[i].profile_node == RPS_NONE)
			return -ENOMEM;
		if (i == copy->overflow)
			profile->overflow = work[i].profile_node;
	}
	return 0;
}

static int add_edges(struct rps_profile *profile, const struct rps_arena_copy *copy, struct rps_functions *functions,
		     const struct work *work, uint32_t *profile_edges)
{
	for (uint32_t i = 0; i < copy->n_edges; i++) {
		const struct rps_arena_edge *edge = &copy->edges[i];
		uint64_t calls = rps_wire_edge_calls(&edge->wire);
		struct rps_line site;

		profile_edges[i] = RPS_NONE;
		if (calls == 0)
			continue; /* the link to a collapsed context */
		site = rps_functions_site(functions, &edge->wire);
		profile_edges[i] =
		    rps_profile_edge(profile, work[edge->from].profile_node, work[edge->to].profile_node, site.file, site.line);
		if (profile_edges[i] == RPS_NONE)
			return -ENOMEM;
		profile->edges[profile_edges[i]].calls += calls;
	}
	return 0;
}

static void add_costs(struct rps_profile *profile, const struct rps_arena_copy *copy, const struct work *work,
		      const uint32_t *profile_edges, const struct costs *costs, uint32_t event)
{
	for (uint32_t i = 0; i < copy->n_nodes; i++)
		if (i == 0 || work[i].is_used)
			profile->nodes[work[i].profile_node].self[event] += costs->self[i];
	for (uint32_t i = 0; i < copy->n_edges; i++)
		if (profile_edges[i] != RPS_NONE)
			profile->edges[profile_edges[i]].inclusive[event] += costs->inclusive[i];
}

/* The lines that allocate. Of a node's own cost they are a part. */
static int add_lines(struct rps_profile *profile, const struct rps_arena_copy *copy, const struct work *work,
		     const uint32_t *profile_edges, const struct costs *costs, int counter, uint32_t event)
{
	for (uint32_t i = 0; i < copy->n_edges; i++) {
		uint32_t from = copy->edges[i].from, line;
		uint64_t all = copy->edges[i].counts.all[counter], *room = &costs->self[from];
		const struct rps_edge *edge;

		if (profile_edges[i] == RPS_NONE || from == 0 || !work[copy->edges[i].to].is_allocator || all == 0)
			continue;
		edge = &profile->edges[profile_edges[i]];
		if (edge->site_line == 0)
			continue;
		line = rps_profile_line(profile, work[from].profile_node, edge->site_file, edge->site_line);
		if (line == RPS_NONE)
			return -ENOMEM;
		if (all > *room)
			all = *room;
		*room -= all;
		profile->lines[line].self[event] += all;
	}
	return 0;
}

static int add_event(struct rps_profile *profile, const struct rps_arena_copy *copy, const struct work *work,
		     const uint32_t *profile_edges, const struct rps_components *components, const struct costs *costs, int counter,
		     uint32_t event)
{
	move_unused_to_root(copy->n_nodes, components, costs);
	pass_on(copy, components, costs);
	if (cap_recursion(copy, components, costs) != 0)
		return -ENOMEM;
	add_costs(profile, copy, work, profile_edges, costs, event);
	return counter >= 0 && is_allocation(counter) ? add_lines(profile, copy, work, profile_edges, costs, counter, event) : 0;
}

static int add_events(struct rps_profile *profile, const struct rps_arena_copy *copy, const struct work *work,
		      const uint32_t *profile_edges, const struct rps_estimate *estimate, const struct rps_components *components,
		      const struct costs *costs, struct rps_build *build)
{
	uint32_t event = 0;
	int error = 0;

	for (int id = 0; id < RPS_N_EVENTS && error == 0; id++) {
		int counter = id - RPS_EVENT_ALLOC_COUNT;

		if ((build->events & 1u << id) == 0)
			continue;
		if (id == RPS_EVENT_WALL_NS)
			measure_time(copy, estimate, build->ns_per_tick, costs);
		else if (id == RPS_EVENT_CALLS)
			measure_calls(copy, costs);
		else
			measure_counter(copy, components, work, counter, costs);
		error = add_event(profile, copy, work, profile_edges, components, costs, counter, event++);
	}
	return error;
}

int rps_build_add(struct rps_profile *profile, const struct rps_arena_copy *copy, struct rps_functions *functions,
		  struct rps_build *build)
{
	struct work *work = calloc(copy->n_nodes, sizeof(*work));
	uint32_t *profile_edges = calloc(copy->n_edges + 1, sizeof(*profile_edges));
	struct costs costs = {calloc(copy->n_nodes, sizeof(uint64_t)), calloc(copy->n_edges + 1, sizeof(double)),
			      calloc(copy->n_edges + 1, sizeof(uint64_t))};
	struct rps_estimate estimate = {0};
	struct rps_components components = {0};
	int error = -ENOMEM;

	if (work == NULL || profile_edges == NULL || costs.self == NULL || costs.weight == NULL || costs.inclusive == NULL ||
	    rps_estimate_make(copy, &estimate) != 0 || rps_components_find(copy, &components) != 0)
		goto out;
	find_unused(copy, work);
	error = add_nodes(profile, copy, functions, work);
	if (error == 0)
		error = add_edges(profile, copy, functions, work, profile_edges);
	if (error != 0)
		goto out;
	find_allocators(copy, functions, work);
	error = add_events(profile, copy, work, profile_edges, &estimate, &components, &costs, build);
	build->overhead_ns += (uint64_t)llround(estimate.overhead_ticks * build->ns_per_tick);
	estimate.costs.seen |= build->costs.seen;
	build->costs = estimate.costs;
out:
	rps_estimate_free(&estimate);
	rps_components_free(&components);
	free(costs.self);
	free(costs.weight);
	free(costs.inclusive);
	free(work);
	free(profile_edges);
	return error;
}
