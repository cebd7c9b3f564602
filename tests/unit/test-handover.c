/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The collector takes an arena away from a process that is writing to it. The writer's walk is determined by a seed: so what the arena must
 * look like after n calls is known from walking again, alone. A copy is whole if it is, to the edge, what it must look like after
 * the calls it counts, with as many open activations as there were at some moment after the last of them; else it is torn.
 *
 * By the protocol (collect/handover.h) none is torn. That the test can tell is shown by leaving steps out: without waiting for the hook under
 * way some are torn, each of which says so itself (is_busy); without any step hardly one is whole.
 *
 * The writer is another process, as in life; so ThreadSanitizer has nothing to say about the copy itself, which is a race by design.
 */
#include "collect/arena.h"
#include "collect/handover.h"
#include "collect/pool.h"
#include "tests/unit/handover-writer.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define N_ROUNDS 1500
#define SPIN_MAX 40000
#define PATIENCE_S 120

/* Between the two processes. */
struct control {
	_Atomic uint64_t round;   /* begin it; 0: none yet */
	_Atomic uint64_t running; /* has begun */
	_Atomic uint64_t stop;    /* leave it */
	_Atomic uint64_t stopped; /* has left */
};

static struct rps_pool shared, alone;
static struct control *control;
static pid_t writer_pid;

static uint64_t epoch_of(uint64_t round, enum rps_mode mode)
{
	return (2 * round + (mode == RPS_MODE_OFF)) << 2 | mode;
}

/* ---- The other process -------------------------------------------------------------------- */

static void wait_until(const _Atomic uint64_t *word, uint64_t value)
{
	while (atomic_load_explicit(word, memory_order_acquire) < value)
		sched_yield();
}

static void write_for_ever(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0);
	writer_join(shared.header, rps_pool_arena(&shared, 0), 0, 0);
	writer_fill_dictionary();
	for (uint64_t round = 1;; round++) {
		struct writer writer;

		wait_until(&control->round, round);
		writer_begin(&writer, round);
		writer_join(shared.header, rps_pool_arena(&shared, 0), round, epoch_of(round, RPS_MODE_APPLICATION));
		atomic_store_explicit(&control->running, round, memory_order_release);
		while (atomic_load_explicit(&control->stop, memory_order_acquire) < round)
			writer_step(&writer);
		atomic_store_explicit(&control->stopped, round, memory_order_release);
	}
}

static int is_writer_alive(const void *cls)
{
	siginfo_t ended = {0};

	(void)cls;
	return waitid(P_PID, (id_t)writer_pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == 0;
}

static void expect_word(const _Atomic uint64_t *word, uint64_t value)
{
	time_t deadline = time(NULL) + PATIENCE_S;

	while (atomic_load_explicit(word, memory_order_acquire) < value) {
		if (!is_writer_alive(NULL) || time(NULL) > deadline)
			fail_msg("the writer has died, or does not go on");
		sched_yield();
	}
}

static int start_writer(void **state)
{
	assert_int_equal(rps_pool_create(&shared, 1, RPS_CLOCK_MONOTONIC), 0);
	assert_int_equal(rps_pool_create(&alone, 1, RPS_CLOCK_MONOTONIC), 0);
	shared.header->short_ticks = alone.header->short_ticks = 100;
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(control != MAP_FAILED);
	writer_pid = fork();
	if (writer_pid == 0)
		write_for_ever();
	writer_join(alone.header, rps_pool_arena(&alone, 0), 0, 0);
	writer_fill_dictionary();
	return 0;
}

static int stop_writer(void **state)
{
	writer_leave();
	kill(writer_pid, SIGKILL);
	waitpid(writer_pid, NULL, 0);
	munmap(control, sizeof(*control));
	rps_pool_destroy(&shared);
	rps_pool_destroy(&alone);
	return 0;
}

/* ---- What it must look like --------------------------------------------------------------- */

static int is_same_tree(const struct rps_arena_copy *a, const struct rps_arena_copy *b)
{
	if (a->n_nodes != b->n_nodes || a->n_edges != b->n_edges)
		return 0;
	for (uint32_t i = 0; i < a->n_nodes; i++)
		if (a->nodes[i].function != b->nodes[i].function || a->nodes[i].parent != b->nodes[i].parent)
			return 0;
	for (uint32_t i = 0; i < a->n_edges; i++)
		if (a->edges[i].from != b->edges[i].from || a->edges[i].to != b->edges[i].to ||
		    rps_wire_edge_calls(&a->edges[i].wire) != rps_wire_edge_calls(&b->edges[i].wire) ||
		    a->edges[i].wire.site_line_or_address != b->edges[i].wire.site_line_or_address)
			return 0;
	return 1;
}

/* Walks again up to the last call that the copy has. What is open then is at most `depth_max`, and at least what it is before the next
 * call; one less than that where the last call is counted, and its frame not there yet. */
static int is_whole(const struct rps_arena_copy *copy, uint64_t round)
{
	struct rps_arena_copy expected;
	struct writer writer;
	uint32_t depth_max, depth_min;
	int is_same;

	writer_begin(&writer, round);
	alone.header->epoch = epoch_of(round, RPS_MODE_APPLICATION);
	writer_join(alone.header, rps_pool_arena(&alone, 0), round, epoch_of(round, RPS_MODE_APPLICATION));
	while (writer.n_calls < copy->calls)
		writer_step(&writer);
	assert_int_equal(rps_arena_copy(&alone, 0, 0, &expected), 0);
	is_same = is_same_tree(copy, &expected);
	depth_max = writer.depth;
	for (depth_min = depth_max; writer_step(&writer) == 0; depth_min = writer.depth)
		;
	if (depth_min == depth_max && depth_min > 0)
		depth_min--;
	rps_arena_copy_free(&expected);
	return is_same && copy->n_unfinished <= depth_max && copy->n_unfinished >= depth_min;
}

/* ---- Rounds --------------------------------------------------------------------------------- */

enum { REVOKE = 1, FENCE = 2, WAIT = 4, BY_THE_PROTOCOL = REVOKE | FENCE | WAIT };

struct result {
	uint32_t n_whole, n_torn, n_torn_unnoticed, n_busy;
	uint64_t n_calls;
};

static void take(unsigned int steps)
{
	struct rps_arena_header *arena = rps_pool_arena(&shared, 0);
	struct timespec now;

	if (steps & REVOKE) {
		atomic_store_explicit(&shared.header->epoch, epoch_of(control->round, RPS_MODE_OFF), memory_order_release);
		rps_handover_revoke(arena);
	}
	if (steps & FENCE)
		rps_handover_fence();
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (steps & WAIT)
		rps_handover_wait(arena, ((uint64_t)now.tv_sec + PATIENCE_S) * 1000, is_writer_alive, NULL);
}

/* One is taken from a running writer, after a while. */
static void do_round(unsigned int steps, struct result *result)
{
	uint64_t round = control->round + 1;
	struct rps_arena_copy copy;
	int is_torn, error;

	atomic_store_explicit(&shared.header->epoch, epoch_of(round, RPS_MODE_APPLICATION), memory_order_release);
	atomic_store_explicit(&control->round, round, memory_order_release);
	expect_word(&control->running, round);
	for (volatile int spin = rand() % SPIN_MAX; spin > 0; spin--)
		;
	take(steps);
	error = rps_arena_copy(&shared, 0, 0, &copy);
	/* Whoever leaves steps out finds it running still. */
	atomic_store_explicit(&shared.header->epoch, epoch_of(round, RPS_MODE_OFF), memory_order_release);
	atomic_store_explicit(&control->stop, round, memory_order_release);
	expect_word(&control->stopped, round);
	assert_int_not_equal(error, -ENOMEM);
	is_torn = error != 0 || !is_whole(&copy, round);
	result->n_torn += is_torn != 0;
	result->n_whole += !is_torn;
	if (error != 0)
		return; /* refused: noticed, too */
	result->n_torn_unnoticed += is_torn && !copy.is_busy;
	result->n_busy += copy.is_busy != 0;
	result->n_calls += copy.calls;
	rps_arena_copy_free(&copy);
}

static void by_the_protocol_each_copy_is_whole(void **state)
{
	struct result result = {0};

	for (int i = 0; i < N_ROUNDS; i++)
		do_round(BY_THE_PROTOCOL, &result);
	assert_int_equal(result.n_torn, 0);
	assert_int_equal(result.n_busy, 0);
	assert_int_equal(result.n_whole, N_ROUNDS);
	assert_true(result.n_calls > N_ROUNDS); /* or there was nothing to tear */
}

/* The control: goes on until it has seen what must come. */
static void without_waiting_torn_copies_say_so(void **state)
{
	time_t deadline = time(NULL) + PATIENCE_S;
	struct result result = {0};

	do
		do_round(REVOKE | FENCE, &result);
	while ((result.n_torn == 0 || result.n_busy == 0) && time(NULL) < deadline);
	assert_true(result.n_torn > 0);
	assert_true(result.n_busy > 0);
	assert_int_equal(result.n_torn_unnoticed, 0);
}

/* The control of that: a copy from under a writer that goes on is torn and does not know. */
static void without_revoking_torn_copies_look_whole(void **state)
{
	time_t deadline = time(NULL) + PATIENCE_S;
	struct result result = {0};

	do
		do_round(FENCE | WAIT, &result);
	while (result.n_torn_unnoticed == 0 && time(NULL) < deadline);
	assert_true(result.n_torn_unnoticed > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(by_the_protocol_each_copy_is_whole),
	    cmocka_unit_test(without_waiting_torn_copies_say_so),
	    cmocka_unit_test(without_revoking_torn_copies_look_whole),
	};

	return cmocka_run_group_tests(tests, start_writer, stop_writer);
}
