/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runtime's call tree against a slow reference: random walks over a simulated stack, with
 * recursion, inlined calls, and frames that vanish without an exit (longjmp). What must agree: the
 * calls of every (context, call site, callee), and the shadow stack.
 */
#include "runtime/call_tree.h"
#include "runtime/record.h"
#include "runtime/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#define N_FUNCTIONS 24
#define N_SITES 40
#define DEPTH_MAX 200

static struct rps_function_record functions[N_FUNCTIONS];
static char names[N_FUNCTIONS][16];
static struct rps_site_record sites[N_SITES];
static struct rps_arena_header *arena;

static int make_pool(void **state)
{
	size_t size = RPS_ARENAS_OFFSET + RPS_ARENA_SIZE;
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_true(at != MAP_FAILED);
	rps_pool = (struct rps_pool_header *)at;
	rps_pool->clock = RPS_CLOCK_MONOTONIC;
	rps_pool->dict_used = 16;
	rps_pool->short_ticks = 100;
	arena = (struct rps_arena_header *)(at + RPS_ARENAS_OFFSET);
	for (int i = 0; i < N_FUNCTIONS; i++) {
		snprintf(names[i], sizeof(names[i]), "function %d", i);
		functions[i].name = functions[i].symbol = names[i];
		functions[i].file = "/src/a.c";
		functions[i].line = (uint32_t)i + 1;
	}
	for (int i = 0; i < N_SITES; i++) {
		sites[i].file = "/src/a.c";
		sites[i].line = 100 + (uint32_t)i;
	}
	return 0;
}

static int enter(uint64_t cfa, const struct rps_function_record *function, int site)
{
	struct rps_call call = {(uintptr_t)function, (uintptr_t)&sites[site], cfa, (uintptr_t)function, (uint32_t)site,
				RPS_CALL_RECORD_INLINED, RPS_HOOKS_INLINED};

	return rps_call_tree_enter(arena, &call);
}

static uint64_t calls_of(const struct rps_wire_edge *edge)
{
	return edge->granted -
	       (uint64_t)(int64_t)(edge->place != 0 ? rps_call_tree_place(arena, edge->place)->skip : edge->skip);
}

static uint32_t depth_of_stack(void)
{
	return (uint32_t)(rps_call_tree_top(arena) - rps_call_tree_bottom(arena));
}

/* ---- The reference: a tree of malloc'ed nodes, looked through from end to end ------------- */

struct edge {
	int function, site;
	uint64_t calls;
	struct node *to;
	struct edge *next;
};

struct node {
	int function; /* -1: root */
	struct node *parent;
	struct edge *edges;
};

struct frame {
	uint64_t cfa;
	int function;
	struct node *node;
};

static struct node *reference_target(struct node *from, int function)
{
	struct node *node;

	for (node = from; node != NULL; node = node->parent)
		if (node->function == function)
			return node;
	for (struct edge *edge = from->edges; edge != NULL; edge = edge->next)
		if (edge->to->function == function && edge->to->parent == from)
			return edge->to;
	node = calloc(1, sizeof(*node));
	node->function = function;
	node->parent = from;
	return node;
}

static struct node *reference_call(struct node *from, int function, int site)
{
	struct edge *edge;

	for (edge = from->edges; edge != NULL; edge = edge->next)
		if (edge->function == function && edge->site == site)
			break;
	if (edge == NULL) {
		edge = calloc(1, sizeof(*edge));
		edge->function = function;
		edge->site = site;
		edge->to = reference_target(from, function);
		edge->next = from->edges;
		from->edges = edge;
	}
	edge->calls++;
	return edge->to;
}

/* Both trees, edge by edge. */
static void compare(const struct node *expected, uint32_t offset, uint64_t *n_calls)
{
	const struct rps_wire_node *node = rps_call_tree_node(arena, offset);
	uint32_t n_expected = 0, n_found = 0;

	for (const struct edge *edge = expected->edges; edge != NULL; edge = edge->next)
		n_expected++;
	for (uint32_t at = node->first_edge; at != 0; at = rps_call_tree_edge(arena, at)->next) {
		const struct rps_wire_edge *found = rps_call_tree_edge(arena, at);
		const struct edge *edge;

		n_found++;
		for (edge = expected->edges; edge != NULL; edge = edge->next)
			if (found->key_function == (uintptr_t)&functions[edge->function] &&
			    found->key_site == (uintptr_t)&sites[edge->site])
				break;
		assert_non_null(edge);
		assert_int_equal(calls_of(found), edge->calls);
		assert_int_equal(found->site_kind, RPS_SITE_LINE);
		assert_int_equal(found->site_line_or_address, 100 + edge->site);
		*n_calls += calls_of(found);
		if (edge->to->parent == expected && edge->to != expected) {
			assert_int_equal(rps_call_tree_node(arena, found->to)->parent, offset);
			/* Several call sites lead to one child: compare it once. */
			for (uint32_t later = found->next; later != 0; later = rps_call_tree_edge(arena, later)->next)
				if (rps_call_tree_edge(arena, later)->to == found->to)
					goto seen;
			compare(edge->to, found->to, n_calls);
		}
	seen:;
	}
	assert_int_equal(n_found, n_expected);
}

static void free_tree(struct node *node)
{
	struct edge *edge, *next;

	for (edge = node->edges; edge != NULL; edge = edge->next) {
		struct node *to = edge->to;

		if (to->parent != node || to == node)
			continue;
		for (struct edge *later = edge->next; later != NULL; later = later->next)
			if (later->to == to)
				to = NULL;
		if (to != NULL)
			free_tree(to);
	}
	for (edge = node->edges; edge != NULL; edge = next) {
		next = edge->next;
		free(edge);
	}
	free(node);
}

/* A walk of `n_steps`; `shape` sets the odds. */
static void walk(unsigned int seed, int n_steps, int n_functions, int n_sites, int odds_of_jump)
{
	struct node *root = calloc(1, sizeof(*root));
	struct frame stack[DEPTH_MAX + 1];
	int depth = 0;
	uint64_t n_calls = 0, n_compared = 0;

	srandom(seed);
	rps_call_tree_reset(arena, 1);
	root->function = -1;
	stack[0] = (struct frame){UINT64_MAX, -1, root};
	for (int step = 0; step < n_steps; step++) {
		int dice = (int)(random() % 100);

		if (odds_of_jump > 0 && depth > 1 && dice < odds_of_jump) {
			/* longjmp: frames vanish; the next event must notice. Whole machine frames only. */
			int to = 1 + (int)(random() % depth);

			while (to > 1 && stack[to].cfa == stack[to - 1].cfa)
				to--;
			while (to < depth && stack[to + 1].cfa == stack[to].cfa)
				to++;
			depth = to;
			/* The function jumped into goes on: its exit or its next call is the next event. */
		}
		if (depth < DEPTH_MAX && (depth == 0 || dice >= 52)) {
			int function = (int)(random() % n_functions), site = (int)(random() % n_sites);
			int is_inlined = depth > 0 && random() % 3 == 0;
			uint64_t cfa = is_inlined ? stack[depth].cfa
						  : (depth == 0 ? 0x7fff00000000u : stack[depth].cfa) - 16 - 16 * (uint64_t)(random() % 8);

			/* Inlined or called, the site is a record here: a return address would need real code. */
			enter(cfa, &functions[function], site);
			stack[depth + 1] = (struct frame){cfa, function, reference_call(stack[depth].node, function, site)};
			depth++;
			n_calls++;
		} else {
			/* A function that was split leaves from a frame below its own. */
			uint64_t below = odds_of_jump == 0 && random() % 4 == 0 ? 8 + 8 * (uint64_t)(random() % 4) : 0;

			rps_call_tree_exit(arena, (uintptr_t)&functions[stack[depth].function], stack[depth].cfa - below,
					   rps_clock_now(), RPS_CALL_RECORD_PHYSICAL);
			depth--;
			assert_true(odds_of_jump > 0 || depth_of_stack() == (uint32_t)depth);
		}
	}
	/* One last exit of each that is left, so that vanished frames are noticed. */
	for (; depth > 0; depth--)
		rps_call_tree_exit(arena, (uintptr_t)&functions[stack[depth].function], stack[depth].cfa, rps_clock_now(),
				   RPS_CALL_RECORD_PHYSICAL);
	assert_int_equal(depth_of_stack(), 0);
	assert_int_equal(arena->lost_calls, 0);
	compare(root, arena->root, &n_compared);
	assert_int_equal(n_compared, n_calls);
	free_tree(root);
}

static void random_walks_agree_with_the_reference(void **state)
{
	for (unsigned int seed = 1; seed <= 60; seed++)
		walk(seed, 4000, 3 + (int)(seed % (N_FUNCTIONS - 2)), 1 + (int)(seed % N_SITES), 0);
}

static void frames_that_vanish_are_noticed(void **state)
{
	for (unsigned int seed = 1; seed <= 60; seed++)
		walk(seed, 4000, 3 + (int)(seed % (N_FUNCTIONS - 2)), 1 + (int)(seed % N_SITES), 8);
}

static uint8_t is_seen[RPS_STACK_OFFSET / RPS_TREE_UNIT];

/* Sums over all edges. Each node once. */
static void sum_below(uint32_t offset, uint64_t *calls, uint64_t *ticks)
{
	is_seen[offset / RPS_TREE_UNIT] = 1;
	for (uint32_t at = rps_call_tree_node(arena, offset)->first_edge; at != 0; at = rps_call_tree_edge(arena, at)->next) {
		*calls += calls_of(rps_call_tree_edge(arena, at));
		*ticks += rps_call_tree_edge(arena, at)->ticks;
		if (!is_seen[rps_call_tree_edge(arena, at)->to / RPS_TREE_UNIT])
			sum_below(rps_call_tree_edge(arena, at)->to, calls, ticks);
	}
}

/* No tick is lost or counted twice: what all timed calls report is the time of the outermost ones, whether all are timed
 * or some. */
static void times_add_up(void **state)
{
	for (uint32_t mode = RPS_TIME_ADAPTIVE; mode <= RPS_TIME_EXACT; mode++) {
		uint64_t calls = 0, ticks = 0;

		rps_pool->time_mode = mode;
		walk(7, 20000, 10, 10, 4);
		memset(is_seen, 0, sizeof(is_seen));
		sum_below(arena->root, &calls, &ticks);
		assert_int_equal(ticks, rps_call_tree_bottom(arena)->child_ticks);
		assert_true(ticks > 0);
	}
	rps_pool->time_mode = RPS_TIME_ADAPTIVE;
}

/* Frequent and short: fewer and fewer calls are timed, and their weights stand for all. */
static void short_calls_are_sampled(void **state)
{
	const struct rps_wire_edge *edge;
	uint64_t n = 200000, cfa = 0x7fff00000000u;

	rps_pool->short_ticks = 1000000000; /* all are */
	rps_call_tree_reset(arena, 1);
	enter(cfa, &functions[0], 0);
	for (uint64_t i = 0; i < n; i++) {
		enter(cfa - 16, &functions[1], 1);
		rps_call_tree_exit(arena, (uintptr_t)&functions[1], cfa - 16, rps_clock_now(), RPS_CALL_RECORD_PHYSICAL);
	}
	rps_call_tree_exit(arena, (uintptr_t)&functions[0], cfa, rps_clock_now(), RPS_CALL_RECORD_PHYSICAL);
	edge = rps_call_tree_edge(arena, rps_call_tree_node(arena, arena->root)->first_edge);
	assert_int_equal(edge->n_timed, 1);
	edge = rps_call_tree_edge(arena, rps_call_tree_node(arena, edge->to)->first_edge);
	assert_int_equal(calls_of(edge), n);
	assert_in_range(edge->n_timed, n / 512, n / 32);
	assert_in_range(edge->weight, n - 1024, n);
	rps_pool->short_ticks = 100;
}

/* Never timed: counted all the same, beyond what an edge can skip at once. */
static void without_a_clock_calls_are_counted(void **state)
{
	struct rps_wire_edge *edge;
	uint64_t cfa = 0x7fff00000000u, granted;

	rps_pool->time_mode = RPS_TIME_NONE;
	rps_call_tree_reset(arena, 1);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(enter(cfa, &functions[0], 0), 0);
		rps_call_tree_exit(arena, (uintptr_t)&functions[0], cfa, 0, RPS_CALL_RECORD_PHYSICAL);
	}
	edge = rps_call_tree_edge(arena, rps_call_tree_node(arena, arena->root)->first_edge);
	assert_int_equal(calls_of(edge), 10);
	granted = edge->granted;
	edge->granted -= (uint64_t)rps_call_tree_place(arena, edge->place)->skip - 1;
	rps_call_tree_place(arena, edge->place)->skip = 1;
	for (int i = 0; i < 10; i++) {
		enter(cfa, &functions[0], 0);
		rps_call_tree_exit(arena, (uintptr_t)&functions[0], cfa, 0, RPS_CALL_RECORD_PHYSICAL);
	}
	assert_int_equal(calls_of(edge), 20);
	assert_true(edge->granted > granted);
	assert_int_equal(edge->n_timed, 0);
	rps_pool->time_mode = RPS_TIME_ADAPTIVE;
}

static void a_stack_that_is_too_deep_still_counts(void **state)
{
	uint64_t n = 3 * RPS_STACK_FRAMES_MAX, cfa = 0x7fff00000000u;
	uint32_t edge;

	rps_call_tree_reset(arena, 1);
	for (uint64_t i = 0; i < n; i++)
		enter(cfa - 16 * i, &functions[0], 0);
	for (uint64_t i = n; i-- > 0;)
		rps_call_tree_exit(arena, (uintptr_t)&functions[0], cfa - 16 * i, rps_clock_now(), RPS_CALL_RECORD_PHYSICAL);
	assert_int_equal(depth_of_stack(), 0);
	assert_int_equal(arena->deep_calls, n - (RPS_STACK_FRAMES_MAX - 1));
	edge = rps_call_tree_node(arena, rps_call_tree_edge(arena, rps_call_tree_node(arena, arena->root)->first_edge)->to)->first_edge;
	assert_int_equal(calls_of(rps_call_tree_edge(arena, edge)), n - 1);
}

/* Contexts without end: a new function at every step would need a node each. */
static void contexts_beyond_the_limit_collapse_and_stay_counted(void **state)
{
	enum { N = 400 };
	static struct rps_function_record many[N];
	static char many_names[N][16];
	uint64_t cfa = 0x7fff00000000u, n_calls = 0, n_found = 0, ticks = 0, counted = 0;

	for (int i = 0; i < N; i++) {
		snprintf(many_names[i], sizeof(many_names[i]), "many %d", i);
		many[i] = (struct rps_function_record){many_names[i], many_names[i], "/src/b.c", (uint32_t)i + 1, 0, NULL, 0, 0};
	}
	rps_call_tree_reset(arena, 1);
	srandom(1);
	for (int path = 0; path < 3000; path++) {
		int chosen[20];

		for (int depth = 0; depth < 20; depth++) {
			chosen[depth] = (int)(random() % N);
			enter(cfa - 16 * (uint64_t)depth, &many[chosen[depth]], 0);
			n_calls++;
		}
		for (int depth = 20; depth-- > 0;)
			rps_call_tree_exit(arena, (uintptr_t)&many[chosen[depth]], cfa - 16 * (uint64_t)depth,
					   rps_clock_now(), RPS_CALL_RECORD_PHYSICAL);
	}
	assert_int_not_equal(arena->overflow, 0);
	memset(is_seen, 0, sizeof(is_seen));
	sum_below(arena->root, &n_found, &ticks);
	assert_int_equal(n_found + arena->lost_calls, n_calls);
	assert_int_equal(depth_of_stack(), 0);
	for (uint32_t at = rps_call_tree_node(arena, arena->overflow)->first_edge; at != 0; at = rps_call_tree_edge(arena, at)->next)
		counted++;
	/* One node a function; a few may not have been called before there was no room at all. */
	assert_in_range(counted, N * 9 / 10, N);
}

/* A signal handler has left by siglongjmp in the middle of a hook that pushes a timed frame: the frame is linked already, and not yet on the
 * stack. The next one in its place must not be linked to itself, or whoever goes along the links never ends. */
static void a_hook_given_up_leaves_no_loop(void **state)
{
	struct rps_thread *thread = &rps_this_thread;
	const uint64_t cfa = 0x7fff00000000u;
	uint32_t at, n = 0;

	rps_pool->time_mode = RPS_TIME_EXACT;
	atomic_store(&rps_pool->epoch, 4 | RPS_MODE_REQUEST);
	rps_call_tree_reset(arena, 1);
	thread->epoch = 4 | RPS_MODE_REQUEST;
	rps_thread_join(thread, arena);
	enter(cfa, &functions[0], 0);

	atomic_store(&arena->busy, 1);
	arena->timed_top = rps_call_tree_offset(arena, rps_call_tree_top(arena) + 1);
	__runprofile_resync_v2(&functions[0], (void *)(uintptr_t)cfa);
	assert_int_equal(atomic_load(&arena->busy), 0);
	enter(cfa - 16, &functions[1], 1);
	for (at = arena->timed_top; at != RPS_STACK_OFFSET && n < 3; n++)
		at = ((const struct rps_wire_frame *)((const char *)arena + at))->below;
	assert_int_equal(n, 2);
	rps_thread_leave(thread);
	rps_pool->time_mode = RPS_TIME_ADAPTIVE;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_walks_agree_with_the_reference),
	    cmocka_unit_test(frames_that_vanish_are_noticed),
	    cmocka_unit_test(times_add_up),
	    cmocka_unit_test(short_calls_are_sampled),
	    cmocka_unit_test(without_a_clock_calls_are_counted),
	    cmocka_unit_test(a_hook_given_up_leaves_no_loop),
	    cmocka_unit_test(a_stack_that_is_too_deep_still_counts),
	    cmocka_unit_test(contexts_beyond_the_limit_collapse_and_stay_counted),
	};

	return cmocka_run_group_tests(tests, make_pool, NULL);
}
