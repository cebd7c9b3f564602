/* SPDX-License-Identifier: MIT */
/* Which calls are timed, and what is kept of it (call_tree.h). collect/estimate.c makes times of all calls of that. */
#include "runtime/call_tree.h"
#include "runtime/counters.h"
#include "runtime/pool.h"

/* Of how many calls of this edge the next one timed is to be the last. The clock's own cost disturbs short calls, and they are
 * many: the more of them were timed, the fewer need be. What takes long is timed always, what may wait, and what the root calls: no
 * timed activation lies around it. */
#define LONG_SHORTS 10u          /* a microsecond */
#define TIMED_PER_PERIOD 4u
#define PERIOD_MAX 128u
#define PERIOD_MAX_VERY_SHORT 512u

static uint32_t next_period(struct rps_arena_header *arena, const struct rps_wire_edge *edge)
{
	uint64_t mean = edge->n_timed > 0 ? edge->ticks / edge->n_timed : UINT64_MAX;
	uint32_t period = edge->n_timed / TIMED_PER_PERIOD, short_ticks = rps_pool->short_ticks;
	uint32_t most = mean < short_ticks ? PERIOD_MAX_VERY_SHORT : PERIOD_MAX;

	if (arena->time_mode == RPS_TIME_EXACT || arena->counters != 0 || edge->may_wait || period <= 1 || mean >= (uint64_t)LONG_SHORTS * short_ticks ||
	    rps_call_tree_top(arena)->cfa == UINT64_MAX)
		return 1;
	if (period > most)
		period = most;
	/* Spread, so that a period of the program's own does not beat with ours. */
	arena->random = arena->random * 1664525u + 1013904223u;
	return period / 2 + 1 + (uint32_t)((uint64_t)(arena->random >> 8) * period >> 24);
}

static int is_to_be_fenced(const struct rps_arena_header *arena, const struct rps_wire_edge *edge)
{
	return arena->fence == RPS_FENCE_ALWAYS ||
	       (arena->fence == RPS_FENCE_LONG && edge->ticks >= (uint64_t)edge->n_timed * rps_pool->short_ticks);
}

/* How far down the stack another activation of a recursive function is looked for. Not found: there is one. */
#define OUTERMOST_FRAMES 1024

static int is_outermost(struct rps_arena_header *arena, const struct rps_wire_edge *edge)
{
	uint32_t first = rps_call_tree_node(arena, edge->to)->first;
	const struct rps_wire_frame *frame = rps_call_tree_top(arena);

	if (!rps_call_tree_node(arena, first)->is_recursive)
		return 1;
	for (int i = 0; i < OUTERMOST_FRAMES; i++, frame--) {
		if (frame->cfa == UINT64_MAX)
			return 1;
		if (rps_call_tree_node_of(arena, frame)->first == first)
			return 0;
	}
	return 0;
}

int rps_call_tree_is_turn(struct rps_arena_header *arena, struct rps_wire_place *place)
{
	if (arena->time_mode != RPS_TIME_NONE || arena->counters != 0)
		return 1;
	rps_call_tree_edge(arena, place->edge)->granted += RPS_SKIP_UNTIMED;
	place->skip += RPS_SKIP_UNTIMED;
	return 0;
}

void rps_call_tree_push_timed(struct rps_arena_header *arena, struct rps_wire_place *place, const struct rps_call *call)
{
	struct rps_wire_edge *edge = rps_call_tree_edge(arena, place->edge);
	struct rps_wire_frame *frame = rps_call_tree_top(arena) + 1;
	uint32_t period = next_period(arena, edge);

	rps_counters_touch(arena, frame);
	frame->cfa = rps_call_tree_frame_cfa(call->cfa, call->kind);
	frame->mark = call->mark + 1;
	frame->table = place->to_table;
	frame->mask = place->to_mask;
	frame->edge = place->edge;
	frame->weight = edge->period + (is_outermost(arena, edge) ? 0 : RPS_WEIGHT_INNER) +
			(is_to_be_fenced(arena, edge) ? RPS_WEIGHT_FENCED : 0);
	frame->start_ticks = UINT64_MAX; /* not begun, for whoever finds it so */
	frame->child_ticks = 0;
	frame->below = arena->timed_top;
	edge->granted += period;
	place->skip += (int32_t)period;
	edge->period = period;
	arena->timed_top = rps_call_tree_offset(arena, frame);
	rps_counters_enter(arena, frame);
	rps_call_tree_set_top(arena, frame);
	frame->start_ticks = rps_call_tree_now(arena); /* behind a fence, like its end */
}

static int32_t *skip_of(struct rps_arena_header *arena, struct rps_wire_edge *edge)
{
	return edge->place != 0 ? &rps_call_tree_place(arena, edge->place)->skip : &edge->skip;
}

/* What was short so far has taken long: have a closer look, from the next call on. */
static void look_closer(struct rps_arena_header *arena, struct rps_wire_edge *edge)
{
	int32_t *skip = skip_of(arena, edge), left = *skip;

	if (left <= 0)
		return;
	*skip -= left;
	edge->granted -= (uint64_t)left;
	edge->period -= (uint32_t)left < edge->period ? (uint32_t)left : edge->period - 1;
}

/* What a timed call adds for those it stands for. One that took far longer than usual (another program ran in between, a page was
 * fetched) stands for itself alone as to what it took too long. */
#define USUAL_FACTOR 16u

static uint64_t weigh(struct rps_arena_header *arena, struct rps_wire_edge *edge, uint64_t own, uint32_t weight)
{
	uint64_t usual;

	if (rps_likely(weight == 1 || own <= (uint64_t)LONG_SHORTS * rps_pool->short_ticks))
		return own * weight;
	look_closer(arena, edge);
	usual = edge->weight > 0 ? edge->weighted_ticks / edge->weight : 0;
	return own > USUAL_FACTOR * usual ? own + usual * (weight - 1) : own * weight;
}

void rps_call_tree_close_timed(struct rps_arena_header *arena, struct rps_wire_frame *top, uint64_t now)
{
	struct rps_wire_edge *edge = rps_call_tree_edge(arena, top->edge);
	uint32_t weight = top->weight & RPS_WEIGHT_MASK;
	/* Clocks of two cores may differ by a few ticks after a migration. */
	uint64_t ticks = rps_likely(now > top->start_ticks) ? now - top->start_ticks : 0;
	uint64_t own = rps_likely(ticks > top->child_ticks) ? ticks - top->child_ticks : 0;

	edge->weighted_ticks += weigh(arena, edge, own, weight);
	edge->n_timed++;
	edge->n_fenced += (top->weight & RPS_WEIGHT_FENCED) != 0;
	edge->weight += weight;
	edge->ticks += own;
	if (top->weight & RPS_WEIGHT_INNER)
		edge->inner_calls = 1;
	else
		edge->outermost_ticks += ticks * weight;
	rps_counters_exit(arena, top, edge);
	((struct rps_wire_frame *)((char *)arena + top->below))->child_ticks += ticks;
	arena->timed_top = top->below;
	rps_call_tree_pop(arena, top);
}
