/* SPDX-License-Identifier: MIT */
/* The rare part of call_tree.h: a call's first appearance in its context, where
 * recursion folds, child tables grow, and memory runs out; and activations that end without an exit.
 */
#include "runtime/call_tree.h"

#include "runtime/callees.h"
#include "runtime/counters.h"
#include "runtime/dictionary.h"
#include "runtime/image.h"
#include "runtime/record.h"
#include "runtime/veneer.h"
#include "runtime/waiting.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define TABLE_FIRST_PLACES 4u
#define TABLE_PLACES_PER_EDGE_MAX 64u
/* Of a node with hundreds of callees: a request has some MiB only. */
#define LARGE_TABLE_PLACES 1024u
#define LARGE_TABLE_PLACES_PER_EDGE_MAX 8u
#define TABLE_PLACES_PER_EDGE_COLLAPSED 4u /* when room is scarce */
/* The larger a table is, the more often two calls must have been in each other's way before it grows: only where it matters. */
#define PLACES_PER_CONFLICT 8u
#define FUNCTIONS_FIRST_PLACES 64u

/* ---- Memory of an arena ---------------------------------------------------------- */

static uint32_t give_out(struct rps_arena_header *arena, uint32_t size)
{
	uint32_t at = arena->used;

	size = (size + RPS_TREE_UNIT - 1) / RPS_TREE_UNIT * RPS_TREE_UNIT;
	if (size > RPS_STACK_OFFSET - at)
		return 0;
	arena->used = at + size;
	for (uint64_t *word = (uint64_t *)((char *)arena + at); size > 0; size -= sizeof(*word)) {
		*word++ = 0;
		__asm__ volatile("" : : : "memory"); /* no memset(): see veneer.h */
	}
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
	node->own_offset = at;
	node->table = rps_call_tree_offset(arena, &node->own_place);
	place = function_place(arena, function);
	if (*place == 0) {
		*place = at;
		arena->n_functions++;
	}
	node->first = *place;
	arena->n_nodes++;
	return at;
}

/* What a recording that was cut short has left above the bottom. */
static void clear_stack(struct rps_arena_header *arena)
{
	struct rps_wire_frame *frame = rps_call_tree_bottom(arena);
	uint64_t size_bytes = arena->top - arena->base - RPS_STACK_OFFSET;

	if (arena->base == 0 || size_bytes >= RPS_ARENA_SIZE - RPS_STACK_OFFSET)
		return;
	for (uint64_t i = 0; i <= size_bytes / sizeof(*frame); i++)
		frame[i].cfa = 0;
}

void rps_call_tree_reset(struct rps_arena_header *arena, uint64_t token)
{
	struct rps_wire_frame *bottom = rps_call_tree_bottom(arena);
	const struct rps_wire_node *root;

	clear_stack(arena);
	memset(arena, 0, RPS_TREE_OFFSET);
	arena->used = RPS_TREE_OFFSET;
	arena->time_mode = rps_pool->time_mode;
	arena->fence = rps_pool->time_mode == RPS_TIME_ADAPTIVE ? RPS_FENCE_LONG : RPS_FENCE_NEVER;
	arena->random = 1;
	arena->base = (uintptr_t)arena;
	arena->limit = (uintptr_t)(bottom + (rps_pool->counters == 0 ? RPS_STACK_FRAMES_MAX : RPS_STACK_FRAMES_COUNTED_MAX) - 1);
	arena->counters = rps_pool->counters;
	arena->touched = RPS_STACK_OFFSET;
	arena->root = new_node(arena, 0, 0);
	root = rps_call_tree_node(arena, arena->root);
	memset(bottom, 0, sizeof(*bottom));
	bottom->cfa = UINT64_MAX;
	bottom->table = root->table;
	bottom->mask = root->mask;
	arena->timed_top = RPS_STACK_OFFSET;
	arena->top = (uintptr_t)bottom;
	arena->stack_size = UINT64_MAX;
	atomic_store_explicit(&arena->token, token, memory_order_release);
}

/* ---- Child tables -------------------------------------------------------------------- */

static struct rps_wire_place *place_of(struct rps_arena_header *arena, const struct rps_wire_node *node, uint32_t hash)
{
	return rps_call_tree_place(arena, node->table) + (hash & node->mask);
}

/* The edge's count of calls to skip goes back to itself; its keys are gone first, so that no hook counts any more, nor one that this
 * handler has interrupted behind its look at the keys (rps_call_tree_count). */
static void leave_place(struct rps_arena_header *arena, struct rps_wire_place *place)
{
	struct rps_wire_edge *edge = rps_call_tree_edge(arena, place->edge);

	if (place->key_function == 0)
		return;
	place->key_function = place->key_site = 0;
	atomic_signal_fence(memory_order_seq_cst);
	edge->skip = place->skip;
	edge->place = 0;
	place->edge = 0;
}

static void take_place(struct rps_arena_header *arena, const struct rps_wire_node *node, uint32_t edge_at)
{
	struct rps_wire_edge *edge = rps_call_tree_edge(arena, edge_at);
	struct rps_wire_place *place = place_of(arena, node, edge->hash);
	const struct rps_wire_node *to = rps_call_tree_node(arena, edge->to);

	leave_place(arena, place);
	place->skip = edge->skip;
	place->edge = edge_at;
	place->to_table = to->table;
	place->to_mask = to->mask;
	edge->place = rps_call_tree_offset(arena, place);
	atomic_signal_fence(memory_order_seq_cst);
	place->key_site = edge->key_site;
	place->key_function = edge->key_function;
}

/* The old table matches nothing any more; its room is lost, but all of a node's tables together are smaller than twice the last.
 * Without room the old one stays: slower, not wrong. */
static void grow_table(struct rps_arena_header *arena, struct rps_wire_node *node)
{
	uint32_t n_places = node->mask == 0 ? TABLE_FIRST_PLACES : 2 * (node->mask + 1);
	uint32_t per_edge_max = arena->used >= RPS_TREE_SOFT_LIMIT ? TABLE_PLACES_PER_EDGE_COLLAPSED
				: n_places > LARGE_TABLE_PLACES	   ? LARGE_TABLE_PLACES_PER_EDGE_MAX
								   : TABLE_PLACES_PER_EDGE_MAX;
	uint32_t old = node->table, n_old = node->mask + 1, at;
	struct rps_wire_table *table;

	if (node->mask != 0 && n_places > per_edge_max * (node->n_edges + 1))
		return;
	at = give_out(arena, (1 + n_places) * (uint32_t)sizeof(struct rps_wire_place));
	if (at == 0)
		return;
	at += (uint32_t)sizeof(struct rps_wire_place);
	table = (struct rps_wire_table *)((char *)arena + at) - 1;
	table->node = rps_call_tree_offset(arena, node);
	for (uint32_t i = 0; i < n_old; i++)
		leave_place(arena, rps_call_tree_place(arena, old) + i);
	node->table = at;
	node->mask = n_places - 1;
	node->conflicts = 0;
	for (uint32_t edge = node->first_edge; edge != 0; edge = rps_call_tree_edge(arena, edge)->next)
		if (place_of(arena, node, rps_call_tree_edge(arena, edge)->hash)->key_function == 0)
			take_place(arena, node, edge);
	for (uint32_t in = node->first_in; in != 0; in = rps_call_tree_edge(arena, in)->next_in) {
		struct rps_wire_place *place = rps_call_tree_place(arena, rps_call_tree_edge(arena, in)->place);

		if (rps_call_tree_edge(arena, in)->place != 0) {
			place->to_table = node->table;
			place->to_mask = node->mask;
		}
	}
}

static struct rps_wire_place *put_in_table(struct rps_arena_header *arena, struct rps_wire_node *node, uint32_t edge_at)
{
	struct rps_wire_edge *edge = rps_call_tree_edge(arena, edge_at);

	if (place_of(arena, node, edge->hash)->key_function != 0 && (node->mask == 0 || ++node->conflicts > node->mask / PLACES_PER_CONFLICT))
		grow_table(arena, node);
	if (edge->place == 0)
		take_place(arena, node, edge_at);
	return rps_call_tree_place(arena, edge->place);
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

static struct rps_wire_node *first_of(struct rps_arena_header *arena, uint32_t node)
{
	return rps_call_tree_node(arena, rps_call_tree_node(arena, node)->first);
}

/* A call from `from` leads back up to `to`: from now on each function in between may be active twice. All others may not: the
 * second activation would have been such a call itself, or have such a call between it and the first. */
static void mark_recursive(struct rps_arena_header *arena, uint32_t from, uint32_t to)
{
	for (uint32_t at = from;; at = rps_call_tree_node(arena, at)->parent) {
		first_of(arena, at)->is_recursive = 1;
		if (at == to)
			return;
	}
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
	first_of(arena, to)->is_recursive = 1; /* for all we know: the path to it is not kept */
	link = rps_call_tree_edge(arena, at);
	link->to = to;
	link->next_in = rps_call_tree_node(arena, to)->first_in;
	rps_call_tree_node(arena, to)->first_in = at;
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
		if (rps_call_tree_node(arena, above)->function == function) {
			mark_recursive(arena, at, above);
			return above;
		}
	if (from->parent == arena->overflow && arena->overflow != 0)
		return overflow_child(arena, function);
	at = child_for(arena, from, function);
	if (at != 0)
		return at;
	if (arena->used >= RPS_TREE_SOFT_LIMIT)
		return overflow_child(arena, function);
	return new_node(arena, function, (uint32_t)((char *)from - (char *)arena));
}

static void describe_site(struct rps_wire_edge *edge, const struct rps_call *call)
{
	uintptr_t address;

	if (call->kind != RPS_CALL_RECORD_PHYSICAL && call->kind != RPS_CALL_ADDRESS) {
		const struct rps_site_record *site = (const struct rps_site_record *)(uintptr_t)call->key_site;

		edge->site_kind = RPS_SITE_LINE;
		edge->site_file_or_image = rps_dictionary_string(site->file);
		edge->site_line_or_address = site->line;
		return;
	}
	edge->site_file_or_image = rps_image_find((uintptr_t)call->key_site, &address);
	edge->site_line_or_address = address;
	edge->site_kind = edge->site_file_or_image != 0 ? RPS_SITE_ADDRESS : RPS_SITE_UNKNOWN;
}

static uint32_t function_id(const struct rps_call *call)
{
	uint64_t key = call->key_function;

	if (call->kind == RPS_CALL_ADDRESS || call->kind == RPS_CALL_POINTER)
		return rps_dictionary_address((uintptr_t)key, call->kind == RPS_CALL_POINTER);
	if (call->kind == RPS_CALL_EXTERNAL)
		return rps_dictionary_external((struct rps_external_record *)(uintptr_t)key);
	return rps_dictionary_record((struct rps_function_record *)(uintptr_t)key);
}

/* Between the slow path and the making of an edge lies a function that keeps the vector registers. */
struct making {
	struct rps_arena_header *arena;
	struct rps_wire_node *from;
	const struct rps_call *call;
	struct rps_wire_place *place;
};

static void make_edge(void *cls)
{
	struct making *making = cls;
	struct rps_arena_header *arena = making->arena;
	struct rps_wire_node *from = making->from;
	struct rps_wire_edge *edge;
	uint32_t function = function_id(making->call);
	uint32_t to = function != 0 ? target_for(arena, from, function) : 0;
	uint32_t at = to != 0 ? give_out(arena, sizeof(*edge)) : 0, counts = 0;

	if (at != 0 && arena->counters != 0)
		at = (counts = give_out(arena, sizeof(struct rps_wire_counts))) != 0 ? at : 0;
	if (at == 0) {
		arena->lost_calls++;
		return;
	}
	edge = rps_call_tree_edge(arena, at);
	edge->key_function = making->call->key_function;
	edge->key_site = making->call->key_site;
	edge->hash = making->call->hash;
	edge->hooks = making->call->hooks;
	edge->to = to;
	edge->period = 1;
	edge->counts = counts;
	edge->may_wait = making->call->kind == RPS_CALL_EXTERNAL &&
			 rps_waiting_is(((const struct rps_external_record *)(uintptr_t)making->call->key_function)->symbol);
	if (arena->time_mode == RPS_TIME_NONE && arena->counters == 0)
		edge->granted = (uint64_t)(edge->skip = RPS_SKIP_UNTIMED);
	describe_site(edge, making->call);
	edge->next_in = rps_call_tree_node(arena, to)->first_in;
	rps_call_tree_node(arena, to)->first_in = at;
	edge->next = from->first_edge;
	from->first_edge = at;
	from->n_edges++;
	arena->n_edges++;
	making->place = put_in_table(arena, from, at);
}

static struct rps_wire_place *find_or_make_edge(struct rps_arena_header *arena, struct rps_wire_node *from,
						const struct rps_call *call)
{
	struct making making = {arena, from, call, NULL};
	const struct rps_wire_edge *edge;

	/* In the table's place stood another edge: is it further down in the list? */
	for (uint32_t at = from->first_edge; at != 0; at = edge->next) {
		edge = rps_call_tree_edge(arena, at);
		if (edge->key_function == call->key_function && edge->key_site == call->key_site)
			return put_in_table(arena, from, at);
	}
	if (rps_unlikely(atomic_load_explicit(&rps_pool->hooks_seen, memory_order_relaxed) == 0))
		atomic_store_explicit(&rps_pool->hooks_seen, 1, memory_order_relaxed);
	rps_veneer_call(make_edge, &making);
	return making.place;
}

/* This path takes up to microseconds, where a hook takes nanoseconds: every open activation began so much later. */
static void take_off(struct rps_arena_header *arena, uint64_t ticks)
{
	struct rps_wire_frame *frame;

	for (uint32_t at = arena->timed_top; at != RPS_STACK_OFFSET; at = frame->below) {
		frame = (struct rps_wire_frame *)((char *)arena + at);
		frame->start_ticks += ticks;
	}
	arena->resumed_ticks += ticks;
	arena->miss_ticks += ticks;
}

struct rps_wire_place *rps_call_tree_miss(struct rps_arena_header *arena, struct rps_wire_frame *caller,
					  const struct rps_call *call)
{
	struct rps_wire_node *from = rps_call_tree_node_of(arena, caller);
	struct rps_wire_place *place = place_of(arena, from, call->hash);
	uint64_t start_ticks;

	/* It may be only that the table has grown since the frame was pushed. */
	if (!rps_call_tree_is_place_of(place, call)) {
		start_ticks = rps_clock_now();
		rps_counters_pause(arena);
		place = find_or_make_edge(arena, from, call);
		rps_counters_resume(arena);
		take_off(arena, rps_clock_now() - start_ticks);
	}
	caller->table = from->table;
	caller->mask = from->mask;
	return place;
}

/* ---- External calls that were none ------------------------------------------------------- */

/* strcmp() would use vector registers, and those are the application's here. */
static int is_equal(const char *a, const char *b)
{
	for (; *a == *b; a++, b++)
		if (*a == '\0')
			return 1;
	return 0;
}

static int is_pointer_call(const struct rps_wire_frame *external)
{
	return external->cfa % 8 == (uint64_t)-3 % 8;
}

/* Is the function entered the one that was called? By address or, a record being all we have of it, by symbol (or name: a
 * constructor has several symbols). */
static int is_known_callee(const struct rps_wire_frame *external, uint64_t called, const struct rps_call *call)
{
	const struct rps_function_record *function = (const struct rps_function_record *)(uintptr_t)call->key_function;
	const struct rps_external_record *callee = (const struct rps_external_record *)(uintptr_t)called;

	if (is_pointer_call(external))
		return called == (call->kind == RPS_CALL_ADDRESS ? call->key_function : (uintptr_t)function->address);
	if (call->kind == RPS_CALL_ADDRESS)
		return 0;
	return is_equal(callee->symbol, function->symbol) || is_equal(callee->name, function->name);
}

/* Else it still is, if nothing lies between its frame and the caller's: a symbol that several objects define, an alias, an entry of the
 * procedure linkage table. (Or the callee has jumped there as its last act: then its frame is gone.) That is not remembered: the
 * next call of the same callee may be another case. */
int rps_call_tree_take_back(struct rps_arena_header *arena, const struct rps_call *call)
{
	struct rps_wire_frame *top = rps_call_tree_top(arena);
	struct rps_wire_edge *edge;
	uint64_t called;

	if (call->kind != RPS_CALL_RECORD_PHYSICAL && call->kind != RPS_CALL_ADDRESS)
		return 0; /* an inlined function is not what was called */
	edge = rps_call_tree_edge(arena, top->edge);
	called = edge->key_function;
	if (!is_known_callee(top, called, call)) {
		if (call->kind != RPS_CALL_RECORD_PHYSICAL || call->cfa != (top->mark & ~UINT64_C(1)))
			return 0;
	} else if (is_pointer_call(top)) {
		rps_callees_add((uintptr_t)called);
	} else {
		atomic_store_explicit(&((struct rps_external_record *)(uintptr_t)called)->is_instrumented, 1, memory_order_relaxed);
	}
	edge->granted--;
	if (rps_call_tree_is_timed(top)) {
		edge->period++; /* the next one timed stands for it, too */
		arena->timed_top = top->below;
	}
	rps_call_tree_pop(arena, top);
	return 1;
}

/* ---- What the application says of its request ---------------------------------------------- */

int rps_call_tree_add_meta(struct rps_arena_header *arena, const char *key, const char *value)
{
	size_t key_size = strnlen(key, RPS_META_TEXT_MAX / 4), value_size = strnlen(value, RPS_META_TEXT_MAX - key_size);
	uint32_t size = (uint32_t)(offsetof(struct rps_wire_meta, text) + key_size + value_size + 63) & ~63u;
	uint32_t at = give_out(arena, size);
	struct rps_wire_meta *meta = (struct rps_wire_meta *)((char *)arena + at);

	if (at == 0)
		return -ENOMEM;
	meta->key_size = (uint16_t)key_size;
	meta->value_size = (uint16_t)value_size;
	memcpy(meta->text, key, key_size);
	memcpy(meta->text + key_size, value, value_size);
	meta->next = arena->metas;
	arena->metas = at;
	return 0;
}

/* ---- Activations without an exit ----------------------------------------------------------- */

void rps_call_tree_unwind(struct rps_arena_header *arena, struct rps_wire_frame *keep, uint64_t now)
{
	for (struct rps_wire_frame *top = rps_call_tree_top(arena); top > keep; top--) {
		if (now == 0 && rps_call_tree_is_timed(top))
			now = rps_call_tree_now(arena);
		rps_call_tree_close(arena, top, now);
		arena->abandoned++;
	}
}
