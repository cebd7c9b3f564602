/* SPDX-License-Identifier: MIT */
/* The rare part of call_tree.h: a call's first appearance in its context, where
 * recursion folds, child tables grow, and memory runs out; and activations that end without an exit.
 */
#include "runtime/call_tree.h"

#include "runtime/callees.h"
#include "runtime/dictionary.h"
#include "runtime/image.h"
#include "runtime/record.h"

#include <string.h>

#define TABLE_FIRST_PLACES 4u
#define TABLE_PLACES_PER_EDGE_MAX 16u
#define CONFLICTS_MAX 4u
#define FUNCTIONS_FIRST_PLACES 64u

/* ---- Memory of an arena ---------------------------------------------------------- */

static uint32_t give_out(struct rps_arena_header *arena, uint32_t size)
{
	uint32_t at = arena->used;

	if (size > RPS_STACK_OFFSET - at)
		return 0;
	arena->used = at + size;
	memset((char *)arena + at, 0, size);
	return at;
}

/* ---- The first node of each function ------------------------------------------------ */

/* Where the first node of `function` stands in the table, or would stand. The table is never full. */
static uint32_t *function_place(struct rps_arena_header *arena, uint32_t function)
{
	uint32_t *table = (uint32_t *)((char *)arena + arena->functions);
	uint32_t place = (function / 8) * 2654435761u >> 7;

	for (;; place++) {
		uint32_t *at = &table[place & arena->functions_mask];

		if (*at == 0 || rps_call_tree_node(arena, *at)->function == function)
			return at;
	}
}

/* Makes room for one more function. 0: no memory. */
static int grow_functions(struct rps_arena_header *arena)
{
	uint32_t old = arena->functions, n_old = old != 0 ? arena->functions_mask + 1 : 0;
	uint32_t n_places = old != 0 ? 2 * n_old : FUNCTIONS_FIRST_PLACES, at;

	if (2 * (arena->n_functions + 1) <= n_old)
		return 1;
	at = give_out(arena, n_places * (uint32_t)sizeof(uint32_t));
	if (at == 0)
		return 0;
	arena->functions = at;
	arena->functions_mask = n_places - 1;
	for (uint32_t i = 0; i < n_old; i++) {
		uint32_t node = ((uint32_t *)((char *)arena + old))[i];

		if (node != 0)
			*function_place(arena, rps_call_tree_node(arena, node)->function) = node;
	}
	return 1;
}

static uint32_t new_node(struct rps_arena_header *arena, uint32_t function, uint32_t parent)
{
	uint32_t at = grow_functions(arena) ? give_out(arena, sizeof(struct rps_wire_node)) : 0;
	struct rps_wire_node *node = rps_call_tree_node(arena, at);
	uint32_t *place;

	if (at == 0)
		return 0;
	node->function = function;
	node->parent = parent;
	node->table = RPS_EMPTY_TABLE_OFFSET;
	place = function_place(arena, function);
	if (*place == 0) {
		*place = at;
		arena->n_functions++;
	}
	node->first = *place;
	arena->n_nodes++;
	return at;
}

void rps_call_tree_reset(struct rps_arena_header *arena)
{
	struct rps_wire_frame *bottom = rps_call_tree_bottom(arena);

	memset(arena, 0, RPS_TREE_OFFSET);
	*(uint32_t *)((char *)arena + RPS_EMPTY_TABLE_OFFSET) = RPS_EMPTY_EDGE_OFFSET;
	arena->used = RPS_TREE_OFFSET;
	arena->root = new_node(arena, 0, 0);
	memset(bottom, 0, sizeof(*bottom));
	bottom->cfa = UINT64_MAX;
	bottom->node = arena->root;
	arena->stack_top = RPS_STACK_OFFSET;
}

/* ---- Child tables -------------------------------------------------------------------- */

static uint32_t *place_of(struct rps_arena_header *arena, const struct rps_wire_node *node,
			  const struct rps_wire_edge *edge)
{
	uint32_t *table = (uint32_t *)((char *)arena + node->table);

	return &table[rps_call_tree_hash(edge->key_function, edge->key_site) & node->mask];
}

/* The old table's room is lost; all of a node's tables together are smaller than twice the last. Without room the old one stays:
 * slower, not wrong. */
static void grow_table(struct rps_arena_header *arena, struct rps_wire_node *node)
{
	uint32_t n_places = node->mask == 0 ? TABLE_FIRST_PLACES : 2 * (node->mask + 1);
	uint32_t at;

	if (node->table != RPS_EMPTY_TABLE_OFFSET && n_places > TABLE_PLACES_PER_EDGE_MAX * (node->n_edges + 1))
		return;
	at = give_out(arena, (n_places * (uint32_t)sizeof(uint32_t) + 63u) & ~63u);
	if (at == 0)
		return;
	for (uint32_t i = 0; i < n_places; i++)
		((uint32_t *)((char *)arena + at))[i] = RPS_EMPTY_EDGE_OFFSET;
	node->table = at;
	node->mask = n_places - 1;
	node->conflicts = 0;
	for (uint32_t edge = node->first_edge; edge != 0; edge = rps_call_tree_edge(arena, edge)->next)
		*place_of(arena, node, rps_call_tree_edge(arena, edge)) = edge;
}

static void put_in_table(struct rps_arena_header *arena, struct rps_wire_node *node, uint32_t edge_at)
{
	struct rps_wire_edge *edge = rps_call_tree_edge(arena, edge_at);

	if (node->table == RPS_EMPTY_TABLE_OFFSET)
		grow_table(arena, node);
	else if (*place_of(arena, node, edge) != RPS_EMPTY_EDGE_OFFSET && ++node->conflicts > CONFLICTS_MAX)
		grow_table(arena, node);
	if (node->table != RPS_EMPTY_TABLE_OFFSET)
		*place_of(arena, node, edge) = edge_at;
}

/* ---- Where a call leads ----------------------------------------------------------------- */

static uint32_t child_for(struct rps_arena_header *arena, const struct rps_wire_node *parent, uint32_t function)
{
	for (uint32_t at = parent->first_edge; at != 0; at = rps_call_tree_edge(arena, at)->next) {
		uint32_t to = rps_call_tree_edge(arena, at)->to;

		if (rps_call_tree_node(arena, to)->function == function)
			return to;
	}
	return 0;
}

/* Beyond the soft limit there is one node per function, whatever the context,
 * all of them children of the overflow node (linked from it by edges that count nothing). */
static uint32_t overflow_child(struct rps_arena_header *arena, uint32_t function)
{
	struct rps_wire_edge *link;
	uint32_t to, at;

	if (arena->overflow == 0)
		arena->overflow = new_node(arena, RPS_FUNCTION_OVERFLOW, arena->root);
	if (arena->overflow == 0)
		return 0;
	to = child_for(arena, rps_call_tree_node(arena, arena->overflow), function);
	if (to != 0)
		return to;
	to = new_node(arena, function, arena->overflow);
	at = give_out(arena, sizeof(*link));
	if (to == 0 || at == 0)
		return 0;
	link = rps_call_tree_edge(arena, at);
	link->to = to;
	link->next = rps_call_tree_node(arena, arena->overflow)->first_edge;
	rps_call_tree_node(arena, arena->overflow)->first_edge = at;
	arena->n_edges++;
	return to;
}

/* The node a call of `function` from `from` leads to: the nearest active one on the path (recursion folds, so no path is
 * longer than there are functions), else a child. A static property of the two, so it is found once. */
static uint32_t target_for(struct rps_arena_header *arena, struct rps_wire_node *from, uint32_t function)
{
	uint32_t at = (uint32_t)((char *)from - (char *)arena);

	for (uint32_t above = at; above != 0; above = rps_call_tree_node(arena, above)->parent)
		if (rps_call_tree_node(arena, above)->function == function)
			return above;
	if (from->parent == arena->overflow && arena->overflow != 0)
		return overflow_child(arena, function);
	at = child_for(arena, from, function);
	if (at != 0)
		return at;
	if (arena->used >= RPS_TREE_SOFT_LIMIT)
		return overflow_child(arena, function);
	return new_node(arena, function, (uint32_t)((char *)from - (char *)arena));
}

static void describe_site(struct rps_wire_edge *edge, uint64_t key_site, enum rps_call_kind kind)
{
	uintptr_t address;

	if (kind != RPS_CALL_RECORD_PHYSICAL && kind != RPS_CALL_ADDRESS) {
		const struct rps_site_record *site = (const struct rps_site_record *)(uintptr_t)key_site;

		edge->site_kind = RPS_SITE_LINE;
		edge->site_file_or_image = rps_dictionary_string(site->file);
		edge->site_line_or_address = site->line;
		return;
	}
	edge->site_file_or_image = rps_image_find((uintptr_t)key_site, &address);
	edge->site_line_or_address = address;
	edge->site_kind = edge->site_file_or_image != 0 ? RPS_SITE_ADDRESS : RPS_SITE_UNKNOWN;
}

static uint32_t function_id(uint64_t key_function, enum rps_call_kind kind)
{
	if (kind == RPS_CALL_ADDRESS || kind == RPS_CALL_POINTER)
		return rps_dictionary_address((uintptr_t)key_function, kind == RPS_CALL_POINTER);
	if (kind == RPS_CALL_EXTERNAL)
		return rps_dictionary_external((struct rps_external_record *)(uintptr_t)key_function);
	return rps_dictionary_record((struct rps_function_record *)(uintptr_t)key_function);
}

static struct rps_wire_edge *find_or_make_edge(struct rps_arena_header *arena, struct rps_wire_node *from,
					       uint64_t key_function, uint64_t key_site, enum rps_call_kind kind)
{
	struct rps_wire_edge *edge;
	uint32_t at, function, to;

	/* In the table's place stood another edge: is it further down in the list? */
	for (at = from->first_edge; at != 0; at = edge->next) {
		edge = rps_call_tree_edge(arena, at);
		if (edge->key_function == key_function && edge->key_site == key_site) {
			put_in_table(arena, from, at);
			return edge;
		}
	}
	if (rps_unlikely(atomic_load_explicit(&rps_pool->hooks_seen, memory_order_relaxed) == 0))
		atomic_store_explicit(&rps_pool->hooks_seen, 1, memory_order_relaxed);
	function = function_id(key_function, kind);
	to = function != 0 ? target_for(arena, from, function) : 0;
	at = to != 0 ? give_out(arena, sizeof(*edge)) : 0;
	if (at == 0) {
		arena->lost_calls++;
		return NULL;
	}
	edge = rps_call_tree_edge(arena, at);
	edge->key_function = key_function;
	edge->key_site = key_site;
	edge->to = to;
	describe_site(edge, key_site, kind);
	edge->next = from->first_edge;
	from->first_edge = at;
	from->n_edges++;
	arena->n_edges++;
	put_in_table(arena, from, at);
	return edge;
}

/* This path takes up to microseconds, where a hook takes nanoseconds: every open activation began so much later. */
struct rps_wire_edge *rps_call_tree_miss(struct rps_arena_header *arena, struct rps_wire_node *from,
					 uint64_t key_function, uint64_t key_site, enum rps_call_kind kind)
{
	uint64_t start_ticks = rps_clock_now(), ticks;
	struct rps_wire_edge *edge = find_or_make_edge(arena, from, key_function, key_site, kind);

	ticks = rps_clock_now() - start_ticks;
	for (struct rps_wire_frame *top = rps_call_tree_top(arena); top->cfa < UINT64_MAX; top--)
		top->start_ticks += ticks;
	arena->resumed_ticks += ticks;
	arena->miss_ticks += ticks;
	return edge;
}

/* ---- External calls that were none ------------------------------------------------------- */

static int is_pointer_call(const struct rps_wire_frame *external)
{
	return external->cfa % 8 == (uint64_t)-3 % 8;
}

/* Is the function entered the one that was called? By address or, a record being all we have of it, by symbol (or name: a
 * constructor has several symbols). */
static int is_known_callee(const struct rps_wire_frame *external, uint64_t called, uint64_t entered,
			   enum rps_call_kind kind)
{
	const struct rps_function_record *function = (const struct rps_function_record *)(uintptr_t)entered;
	const struct rps_external_record *callee = (const struct rps_external_record *)(uintptr_t)called;

	if (is_pointer_call(external))
		return called == (kind == RPS_CALL_ADDRESS ? entered : (uintptr_t)function->address);
	if (kind == RPS_CALL_ADDRESS)
		return 0;
	return strcmp(callee->symbol, function->symbol) == 0 || strcmp(callee->name, function->name) == 0;
}

/* Else it still is, if nothing lies between its frame and the caller's: a symbol that several objects define, an alias, an entry of the
 * procedure linkage table. (Or the callee has jumped there as its last act: then its frame is gone.) That is not remembered: the
 * next call of the same callee may be another case. */
int rps_call_tree_take_back(struct rps_arena_header *arena, uint64_t key_function, uint64_t cfa, enum rps_call_kind kind)
{
	struct rps_wire_frame *top = rps_call_tree_top(arena);
	struct rps_wire_edge *edge = rps_call_tree_edge(arena, top->edge);
	struct rps_wire_node *node = rps_call_tree_node(arena, top->node);
	uint64_t called = edge->key_function;

	if (kind != RPS_CALL_RECORD_PHYSICAL && kind != RPS_CALL_ADDRESS)
		return 0; /* an inlined function is not what was called */
	if (!is_known_callee(top, called, key_function, kind)) {
		if (kind != RPS_CALL_RECORD_PHYSICAL || cfa != top->mark)
			return 0;
	} else if (is_pointer_call(top)) {
		rps_callees_add((uintptr_t)called);
	} else {
		((struct rps_external_record *)(uintptr_t)called)->is_instrumented = 1;
	}
	edge->calls--;
	arena->calls--;
	rps_call_tree_node(arena, node->first)->active--;
	rps_call_tree_set_top(arena, top - 1);
	return 1;
}

/* ---- Activations without an exit ----------------------------------------------------------- */

void rps_call_tree_unwind(struct rps_arena_header *arena, struct rps_wire_frame *keep, uint64_t now)
{
	for (struct rps_wire_frame *top = rps_call_tree_top(arena); top > keep; top--) {
		rps_call_tree_close(arena, top, now);
		arena->abandoned++;
	}
}

void rps_call_tree_recount(struct rps_arena_header *arena)
{
	const uint32_t *first = (const uint32_t *)((const char *)arena + arena->functions);

	for (uint32_t i = 0; i <= arena->functions_mask; i++)
		if (first[i] != 0)
			rps_call_tree_node(arena, first[i])->active = 0;
	for (struct rps_wire_frame *frame = rps_call_tree_top(arena); frame > rps_call_tree_bottom(arena); frame--)
		rps_call_tree_node(arena, rps_call_tree_node(arena, frame->node)->first)->active++;
}
