/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which stack is a thread on? Walks at random over many stacks, each frame address no further down than a frame is large: the answer is
 * one arena for each stack, always the same. While another is current, time stands still. The pool is a stand-in: what is tested knows it by five
 * functions.
 */
#include "runtime/stacks.h"

#include "runtime/call_tree.h"
#include "runtime/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- The pool's part ------------------------------------------------------------------------- */

#define N_ARENAS 300u
#define ARENA_BYTES (RPS_STACK_OFFSET + 16 * sizeof(struct rps_wire_frame))

struct rps_arena_header rps_idle_arena;
__thread struct rps_thread rps_this_thread __attribute__((tls_model("initial-exec")));
union rps_process_page __runprofile_process_v2 __attribute__((aligned(RPS_ARCH_PAGE)));
extern union rps_process_page rps_process __attribute__((alias("__runprofile_process_v2")));

static struct rps_pool_header header = {.clock = RPS_CLOCK_MONOTONIC};
static char *arenas[N_ARENAS];
static uint32_t n_claimed, n_ended[N_ARENAS], n_unwound[N_ARENAS];

struct rps_arena_header *rps_pool_arena_at(uint32_t slot)
{
	return (struct rps_arena_header *)(void *)arenas[slot];
}

uint32_t rps_pool_slot_of(const struct rps_arena_header *arena)
{
	for (uint32_t slot = 0; slot < N_ARENAS; slot++)
		if (arenas[slot] == (const char *)arena)
			return slot;
	fail_msg("no arena");
	return RPS_NO_SLOT;
}

uint32_t rps_pool_claim_beside(const struct rps_arena_header *arena, uint64_t epoch, struct rps_arena_header **claimed)
{
	if (n_claimed == N_ARENAS)
		return RPS_NO_SLOT;
	*claimed = rps_pool_arena_at(n_claimed);
	(*claimed)->timed_top = RPS_STACK_OFFSET;
	(*claimed)->stack_size = UINT64_MAX;
	return n_claimed++;
}

void rps_pool_end_beside(struct rps_arena_header *claimed, const struct rps_arena_header *arena)
{
	assert_int_equal(n_unwound[rps_pool_slot_of(claimed)], 1);
	n_ended[rps_pool_slot_of(claimed)]++;
}

void rps_call_tree_unwind(struct rps_arena_header *arena, struct rps_wire_frame *keep, uint64_t now)
{
	n_unwound[rps_pool_slot_of(arena)]++;
}

/* ---- Walks ------------------------------------------------------------------------------------- */

/* Of stacks.c: a frame is at most so large, and a thread has so many other stacks. */
#define FRAME_MAX 16000u
#define N_OTHERS_MAX 256u

/* The n-th stack's upper end; the thread's own is number 0. */
static uint64_t end_of(uint32_t n)
{
	return UINT64_C(0x7f0000000000) + n * (UINT64_C(8) << 20);
}

static struct rps_arena_header *home;

static int begin(void **state)
{
	rps_process.here.pool = &header;
	memset(n_ended, 0, sizeof(n_ended));
	memset(n_unwound, 0, sizeof(n_unwound));
	n_claimed = 0;
	for (uint32_t i = 0; i < N_ARENAS; i++) {
		free(arenas[i]);
		arenas[i] = calloc(1, i == 0 ? ARENA_BYTES : RPS_TREE_OFFSET); /* the others' frames are not looked at */
		assert_non_null(arenas[i]);
	}
	rps_pool_claim_beside(NULL, 0, &home);
	rps_stacks_begin(&rps_this_thread, home);
	home->stack_low = end_of(0) - (1 << 20);
	home->stack_size = 1 << 20;
	return 0;
}

static int free_arenas(void **state)
{
	for (uint32_t i = 0; i < N_ARENAS; i++)
		free(arenas[i]);
	return 0;
}

static struct rps_arena_header *go(struct rps_arena_header *from, uint64_t cfa)
{
	struct rps_stacks_question question = {from, cfa};

	rps_stacks_find(&question);
	return question.arena;
}

static void each_stack_has_one_arena(void **state)
{
	enum { N_STACKS = 12 };
	struct rps_arena_header *of[N_STACKS] = {home}, *current = home;
	uint64_t depth[N_STACKS] = {0}, deepest[N_STACKS] = {0};

	srandom(11);
	for (int i = 0; i < 50000; i++) {
		uint32_t n = (uint32_t)random() % N_STACKS;
		uint64_t before = depth[n];

		if (of[n] == NULL)
			; /* a stack begins at its upper end */
		else if (random() % 2 == 0)
			depth[n] = before > 100 ? before - (uint64_t)random() % before : before;
		else
			depth[n] += (uint64_t)random() % FRAME_MAX;
		if (depth[n] > deepest[n] + FRAME_MAX || depth[n] > 900000)
			depth[n] = before;
		if (depth[n] > deepest[n])
			deepest[n] = depth[n];
		current = go(current, end_of(n) - 16 - depth[n]);
		if (of[n] == NULL)
			of[n] = current;
		assert_ptr_equal(current, of[n]);
	}
	for (int a = 0; a < N_STACKS; a++)
		for (int b = 0; b < a; b++)
			assert_ptr_not_equal(of[a], of[b]);
	assert_int_equal(n_claimed, N_STACKS);
}

/* Beyond, they are recorded with the thread's own. */
static void stacks_beyond_the_limit_share_the_own_arena(void **state)
{
	struct rps_arena_header *current = home;

	for (uint32_t n = 1; n <= N_OTHERS_MAX + 10; n++) {
		current = go(current, end_of(n) - 16);
		assert_int_equal(current == home, n > N_OTHERS_MAX);
	}
	assert_int_equal(n_claimed, 1 + N_OTHERS_MAX);
	for (uint32_t n = N_OTHERS_MAX; n >= 1; n--)
		assert_int_equal(rps_pool_slot_of(go(home, end_of(n) - 16)), n);
}

/* What is open on the own stack began as much later as the thread was away. */
static void time_stands_still_while_the_thread_is_elsewhere(void **state)
{
	struct rps_wire_frame *timed = rps_call_tree_bottom(home) + 1, *outer = rps_call_tree_bottom(home) + 2;
	struct rps_arena_header *other;
	uint64_t before, away;

	timed->below = rps_call_tree_offset(home, outer);
	outer->below = RPS_STACK_OFFSET;
	timed->start_ticks = 2000;
	outer->start_ticks = 1000;
	home->timed_top = rps_call_tree_offset(home, timed);
	home->resumed_ticks = 500;
	before = rps_clock_now();
	other = go(home, end_of(1) - 16);
	assert_ptr_not_equal(other, home);
	assert_true(home->paused_ticks >= before);
	assert_int_equal(other->paused_ticks, 0);
	while (rps_clock_now() < home->paused_ticks + 1000)
		;
	assert_ptr_equal(go(other, end_of(0) - 16), home);
	away = home->resumed_ticks - 500;
	assert_true(away >= 1000 && away <= rps_clock_now() - before);
	assert_int_equal(timed->start_ticks, 2000 + away);
	assert_int_equal(outer->start_ticks, 1000 + away);
	assert_int_equal(home->paused_ticks, 0);
	assert_true(other->paused_ticks != 0);
}

static void the_end_hands_all_of_them_over_once(void **state)
{
	struct rps_arena_header *current = home;

	for (uint32_t n = 1; n <= 20; n++)
		current = go(current, end_of(n) - 16);
	rps_stacks_end(&rps_this_thread, home);
	assert_null(rps_this_thread.home);
	assert_int_equal(home->next_stack, 0);
	for (uint32_t slot = 0; slot < N_ARENAS; slot++)
		assert_int_equal(n_ended[slot], slot >= 1 && slot <= 20);
	/* It works for nothing now. */
	assert_ptr_equal(go(home, end_of(3) - 16), home);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(each_stack_has_one_arena, begin),
	    cmocka_unit_test_setup(stacks_beyond_the_limit_share_the_own_arena, begin),
	    cmocka_unit_test_setup(time_stands_still_while_the_thread_is_elsewhere, begin),
	    cmocka_unit_test_setup(the_end_hands_all_of_them_over_once, begin),
	};

	return cmocka_run_group_tests_name("stacks", tests, NULL, free_arenas);
}
