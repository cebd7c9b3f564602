/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See arena.h. First everything is copied, then looked at: the application can't
 * change it between the check and the use.
 *
 * Which offsets are nodes is found by walking from the root along edges; a map with
 * one entry per unit of the arena says what stands where, so that nothing is taken for two things, and every node and
 * edge is visited once.
 */
#include "collect/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UNIT RPS_TREE_UNIT

struct reading {
	char *bytes; /* the copy, RPS_ARENA_SIZE */
	struct rps_arena_header header;
	uint32_t stack_top; /* offset of the topmost frame */
	uint32_t *index_at; /* per unit: 1 + index of the node there, 0 none, EDGE_HERE an edge */
	uint32_t *pending;  /* nodes found whose edges are still to be walked: a stack of indices */
	uint32_t n_pending;
	struct rps_arena_copy *copy;
};
#define EDGE_HERE UINT32_MAX

/* May `size` bytes of the tree start here? */
static int is_unit(const struct reading *reading, uint32_t offset, size_t size)
{
	return offset % UNIT == 0 && offset >= RPS_TREE_OFFSET && offset <= reading->header.used - size;
}

static int is_node(const struct reading *reading, uint32_t offset)
{
	return is_unit(reading, offset, sizeof(struct rps_wire_node));
}

static int is_edge(const struct reading *reading, uint32_t offset)
{
	return is_unit(reading, offset, sizeof(struct rps_wire_edge));
}

static struct rps_wire_node *node_at(const struct reading *reading, uint32_t offset)
{
	return (struct rps_wire_node *)(reading->bytes + offset);
}

static struct rps_wire_edge *edge_at(const struct reading *reading, uint32_t offset)
{
	return (struct rps_wire_edge *)(reading->bytes + offset);
}

/* The node whose child table starts at `offset`; 0: there is none. */
static uint32_t node_of_table(const struct reading *reading, uint32_t offset)
{
	const struct rps_wire_table *table = (const struct rps_wire_table *)(reading->bytes + offset - sizeof(*table));

	if (offset % sizeof(uint64_t) != 0 || offset < RPS_TREE_OFFSET + sizeof(*table) || offset > reading->header.used ||
	    !is_node(reading, table->node))
		return 0;
	return table->node;
}

/* Calls left to skip stand in the edge's place in a child table, if it has one. */
static int take_skip(const struct reading *reading, struct rps_wire_edge *edge)
{
	const struct rps_wire_place *place = (const struct rps_wire_place *)(reading->bytes + edge->place);

	if (edge->place != 0) {
		if (edge->place % sizeof(uint64_t) != 0 || edge->place < RPS_TREE_OFFSET ||
		    edge->place > reading->header.used - sizeof(*place))
			return -EINVAL;
		edge->skip = place->skip;
	}
	return edge->skip > 0 && edge->granted < (uint64_t)edge->skip ? -EINVAL : 0;
}

/* NULL: it has none. */
static struct rps_wire_counts *counts_of(const struct reading *reading, const struct rps_wire_edge *edge)
{
	if (edge->counts == 0 || !is_unit(reading, edge->counts, sizeof(struct rps_wire_counts)))
		return NULL;
	return (struct rps_wire_counts *)(reading->bytes + edge->counts);
}

/* ---- Copying ------------------------------------------------------------------------- */

static int copy_bytes(const struct rps_pool *pool, uint32_t index, struct reading *reading)
{
	const struct rps_arena_header *arena = rps_pool_arena(pool, index);
	const char *source = (const char *)arena;
	struct rps_arena_header *header = &reading->header;
	uint64_t top_cfa;

	memcpy(header, source, sizeof(*header));
	/* Of a thread that still runs: with `top` the frames below it are there, with the address of the topmost frame is the rest of it. */
	header->top = __atomic_load_n(&arena->top, __ATOMIC_ACQUIRE);
	if (header->used < RPS_TREE_OFFSET + sizeof(struct rps_wire_edge) || header->used > RPS_STACK_OFFSET ||
	    header->used % UNIT != 0 || header->top < header->base + RPS_STACK_OFFSET ||
	    header->top > header->base + RPS_ARENA_SIZE - sizeof(struct rps_wire_frame))
		return -EINVAL;
	reading->stack_top = (uint32_t)(header->top - header->base);
	if ((reading->stack_top - RPS_STACK_OFFSET) % sizeof(struct rps_wire_frame) != 0)
		return -EINVAL;
	/* Only what is in use: reading a hole of the pool would fill it. */
	reading->bytes = malloc(RPS_ARENA_SIZE);
	reading->index_at = calloc(header->used / UNIT, sizeof(*reading->index_at));
	if (reading->bytes == NULL || reading->index_at == NULL)
		return -ENOMEM;
	top_cfa = __atomic_load_n(&((const struct rps_wire_frame *)(source + reading->stack_top))->cfa, __ATOMIC_ACQUIRE);
	memcpy(reading->bytes, source, header->used);
	memcpy(reading->bytes + RPS_STACK_OFFSET, source + RPS_STACK_OFFSET,
	       reading->stack_top + sizeof(struct rps_wire_frame) - RPS_STACK_OFFSET);
	((struct rps_wire_frame *)(reading->bytes + reading->stack_top))->cfa = top_cfa;
	if (header->counters != 0) {
		uint64_t n_frames = (reading->stack_top - RPS_STACK_OFFSET) / sizeof(struct rps_wire_frame) + 1;

		if (n_frames > RPS_STACK_FRAMES_COUNTED_MAX)
			return -EINVAL;
		memcpy(reading->bytes + RPS_COUNTED_OFFSET, source + RPS_COUNTED_OFFSET, n_frames * sizeof(struct rps_wire_counted));
	}
	return 0;
}

/* ---- Open activations ------------------------------------------------------------------- */

/* As the runtime would have closed it (runtime/call_tree.c). Returns how long it was. */
static uint64_t close_timed(struct reading *reading, const struct rps_wire_frame *frame, uint64_t end_ticks)
{
	struct rps_wire_edge *edge = edge_at(reading, frame->edge);
	uint64_t ticks = end_ticks > frame->start_ticks ? end_ticks - frame->start_ticks : 0;
	uint64_t own = ticks > frame->child_ticks ? ticks - frame->child_ticks : 0;
	uint32_t weight = frame->weight & RPS_WEIGHT_MASK;

	edge->n_timed++;
	edge->n_fenced += (frame->weight & RPS_WEIGHT_FENCED) != 0;
	edge->ticks += own;
	/* It did not end, so it is like no other: what it took too long it took alone. */
	edge->weighted_ticks += own + (edge->weight > 0 ? edge->weighted_ticks / edge->weight * (weight - 1) : 0);
	edge->weight += weight;
	if (frame->weight & RPS_WEIGHT_INNER)
		edge->inner_calls = 1;
	else
		edge->outermost_ticks += ticks * weight;
	return ticks;
}

/* The same for what was counted. */
static void close_counted(struct reading *reading, const struct rps_wire_frame *frame)
{
	size_t n = (size_t)(frame - (const struct rps_wire_frame *)(reading->bytes + RPS_STACK_OFFSET));
	const struct rps_wire_counted *entry = (const struct rps_wire_counted *)(reading->bytes + RPS_COUNTED_OFFSET) + n;
	struct rps_wire_counts *counts = counts_of(reading, edge_at(reading, frame->edge));

	for (int i = 0; reading->header.counters != 0 && counts != NULL && i < RPS_N_COUNTERS; i++) {
		uint64_t counted = reading->header.counted[i];
		uint64_t grown = counted > entry->counted[i] ? counted - entry->counted[i] : 0;

		counts->all[i] += grown;
		if ((frame->weight & RPS_WEIGHT_INNER) == 0)
			counts->outermost[i] += grown;
	}
}

/* From the top down. Works on the raw copy, before the tree is read; so every frame's links are checked here. */
static int close_open_frames(struct reading *reading, uint64_t end_ticks)
{
	struct rps_arena_copy *copy = reading->copy;
	struct rps_wire_frame *bottom = (struct rps_wire_frame *)(reading->bytes + RPS_STACK_OFFSET);
	struct rps_wire_frame *top = (struct rps_wire_frame *)(reading->bytes + reading->stack_top);
	uint32_t n = (uint32_t)(top - bottom);
	uint64_t child_ticks = 0; /* of the timed activation inside, for the next one further out */

	copy->timed_ticks = bottom->child_ticks;
	/* Died while pushing a frame. */
	if (n > 0 && top->cfa == 0)
		top--, n--;
	if (n == 0)
		return 0;
	copy->unfinished = malloc(n * sizeof(*copy->unfinished));
	if (copy->unfinished == NULL)
		return -ENOMEM;
	copy->n_unfinished = n;
	for (; top > bottom; top--) {
		uint32_t node = node_of_table(reading, top->table);

		if (node == 0 || ((top->mark & 1) && !is_edge(reading, top->edge)))
			return -EINVAL;
		copy->unfinished[top - bottom - 1] = node_at(reading, node)->function;
		if ((top->mark & 1) == 0)
			continue;
		top->child_ticks += child_ticks;
		child_ticks = close_timed(reading, top, end_ticks);
		close_counted(reading, top);
	}
	copy->timed_ticks += child_ticks;
	return 0;
}

/* ---- The tree ------------------------------------------------------------------------------- */

/* Takes the node at `offset` over, below node `parent`. */
static int add_node(struct reading *reading, uint32_t offset, uint32_t parent)
{
	struct rps_arena_copy *copy = reading->copy;
	struct rps_arena_node *node = &copy->nodes[copy->n_nodes];

	node->offset = offset;
	node->parent = parent;
	node->function = node_at(reading, offset)->function;
	reading->index_at[offset / UNIT] = 1 + copy->n_nodes;
	reading->pending[reading->n_pending++] = copy->n_nodes++;
	return 0;
}

/* Where an edge leads: a node met before (recursion, a second call site, collapsed contexts), or a new child. */
static int follow(struct reading *reading, uint32_t from, uint32_t to_offset, uint32_t *to)
{
	if (!is_node(reading, to_offset) || reading->index_at[to_offset / UNIT] == EDGE_HERE)
		return -EINVAL;
	if (reading->index_at[to_offset / UNIT] == 0) {
		uint32_t parent_offset = node_at(reading, to_offset)->parent;
		uint32_t parent = from;

		/* A node below the overflow node may be met first from elsewhere. */
		if (parent_offset != reading->copy->nodes[from].offset) {
			if (!is_node(reading, parent_offset))
				return -EINVAL;
			parent = reading->index_at[parent_offset / UNIT];
			if (parent == 0 || parent == EDGE_HERE)
				return -EINVAL;
			parent--;
		}
		add_node(reading, to_offset, parent);
	}
	*to = reading->index_at[to_offset / UNIT] - 1;
	return 0;
}

static int walk_edges(struct reading *reading, uint32_t from)
{
	struct rps_arena_copy *copy = reading->copy;
	uint32_t at = node_at(reading, copy->nodes[from].offset)->first_edge;

	while (at != 0) {
		struct rps_arena_edge *edge = &copy->edges[copy->n_edges];
		const struct rps_wire_counts *counts;
		int error;

		if (!is_edge(reading, at) || reading->index_at[at / UNIT] != 0)
			return -EINVAL;
		reading->index_at[at / UNIT] = EDGE_HERE;
		edge->from = from;
		edge->wire = *edge_at(reading, at);
		if (take_skip(reading, &edge->wire) != 0)
			return -EINVAL;
		counts = counts_of(reading, &edge->wire);
		if (counts != NULL)
			edge->counts = *counts;
		copy->calls += rps_wire_edge_calls(&edge->wire);
		error = follow(reading, from, edge->wire.to, &edge->to);
		if (error != 0)
			return error;
		copy->n_edges++;
		at = edge->wire.next;
	}
	return 0;
}

static int read_tree(struct reading *reading)
{
	struct rps_arena_copy *copy = reading->copy;
	uint32_t n_units = reading->header.used / UNIT, overflow = reading->header.overflow;
	int error = 0;

	copy->nodes = calloc(n_units, sizeof(*copy->nodes));
	copy->edges = calloc(n_units, sizeof(*copy->edges));
	reading->pending = calloc(n_units, sizeof(*reading->pending));
	if (copy->nodes == NULL || copy->edges == NULL || reading->pending == NULL)
		return -ENOMEM;
	if (!is_node(reading, reading->header.root))
		return -EINVAL;
	add_node(reading, reading->header.root, 0);
	if (overflow != 0) {
		if (!is_node(reading, overflow) || overflow == reading->header.root)
			return -EINVAL;
		copy->overflow = copy->n_nodes;
		add_node(reading, overflow, 0);
	}
	while (error == 0 && reading->n_pending > 0)
		error = walk_edges(reading, reading->pending[--reading->n_pending]);
	return error;
}

int rps_arena_copy(const struct rps_pool *pool, uint32_t index, uint64_t end_ticks, struct rps_arena_copy *copy)
{
	struct reading reading = {.copy = copy};
	const struct rps_process_slot *process = rps_pool_process(pool, rps_pool_slot(pool, index)->process);
	int error;

	memset(copy, 0, sizeof(*copy));
	error = copy_bytes(pool, index, &reading);
	if (error == 0)
		error = close_open_frames(&reading, end_ticks);
	if (error == 0)
		error = read_tree(&reading);
	if (error == 0) {
		copy->lost_calls = reading.header.lost_calls;
		copy->deep_calls = reading.header.deep_calls;
		copy->abandoned = reading.header.abandoned;
		copy->miss_ticks = reading.header.miss_ticks;
		copy->scope_ticks = reading.header.scope_ticks;
		if (reading.header.attached && end_ticks > reading.header.resumed_ticks)
			copy->scope_ticks += end_ticks - reading.header.resumed_ticks;
		copy->is_busy = atomic_load_explicit(&reading.header.busy, memory_order_relaxed) != 0;
		copy->time_mode = reading.header.time_mode;
		copy->counters = reading.header.counters;
		memcpy(copy->counted, reading.header.counted, sizeof(copy->counted));
		copy->process = *process;
	} else {
		rps_arena_copy_free(copy);
	}
	free(reading.bytes);
	free(reading.index_at);
	free(reading.pending);
	return error;
}

void rps_arena_copy_free(struct rps_arena_copy *copy)
{
	free(copy->nodes);
	free(copy->edges);
	free(copy->unfinished);
	memset(copy, 0, sizeof(*copy));
}
