/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The collector takes an arena away from a process that is writing to it. The writer's walk is determined by a seed: so what the arena must
 * look like after n calls is known from walking again, alone. A copy is whole if it is, to the edge, what it must look like after
 * the calls it counts, with as many open activations as there were at some moment after the last of them; else it is torn.
 *
 * Each copy is stopped in the middle until the writer has gone on.
 *
 * By the protocol (collect/handover.h) none is torn. That the test can tell is shown by leaving steps out: without waiting for the hook under
 * way some are torn, each of which says so itself (is_busy) or is refused; without revoking hardly one is whole.
 *
 * The writer is another process, as in life; so ThreadSanitizer has nothing to say about the copy itself, which is a race by design.
 */
#include "collect/arena.h"
#include "collect/handover.h"
#include "collect/pool.h"
#include "tests/unit/handover-writer.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <poll.h>
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

#define N_ROUNDS 300
#define PATIENCE_S 120
#define ENOUGH_S 10

static struct rps_pool shared, alone;
/* Between the two processes. Waiting in a read: whoever is woken goes on at once, however many others are running. */
static int to_writer[2], from_writer[2];
static struct control {
	_Atomic uint64_t stop;    /* the round that the writer is to leave */
	_Atomic uint64_t n_steps; /* it has made */
} *control;
static uint64_t round_now;
static pid_t writer_pid;

static uint64_t epoch_of(uint64_t round, enum rps_mode mode)
{
	return (2 * round + (mode == RPS_MODE_OFF)) << 2 | mode;
}

/* ---- The other process -------------------------------------------------------------------- */

static void tell(int fd)
{
	if (write(fd, "", 1) != 1)
		abort();
}

static void wait_told(int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		_exit(1); /* the other one has gone */
}

static void write_for_ever(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0);
	writer_join(shared.header, rps_pool_arena(&shared, 0), 0, 0);
	writer_fill_dictionary();
	for (uint64_t round = 1;; round++) {
		struct writer writer;

		wait_told(to_writer[0]);
		writer_begin(&writer, round);
		writer_join(shared.header, rps_pool_arena(&shared, 0), round, epoch_of(round, RPS_MODE_APPLICATION));
		atomic_store(&control->n_steps, 0);
		tell(from_writer[1]);
		while (atomic_load_explicit(&control->stop, memory_order_acquire) < round) {
			atomic_fetch_add_explicit(&control->n_steps, 1, memory_order_relaxed);
			writer_step(&writer);
		}
		tell(from_writer[1]);
	}
}

static int is_writer_alive(const void *cls)
{
	siginfo_t ended = {0};

	(void)cls;
	return waitid(P_PID, (id_t)writer_pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == 0;
}

static void expect_writer(void)
{
	struct pollfd end = {from_writer[0], POLLIN, 0};
	char byte;

	if (poll(&end, 1, PATIENCE_S * 1000) != 1 || read(from_writer[0], &byte, 1) != 1)
		fail_msg("the writer has died, or does not go on");
}

static int start_writer(void **state)
{
	assert_int_equal(rps_pool_create(&shared, 1, RPS_CLOCK_MONOTONIC), 0);
	assert_int_equal(rps_pool_create(&alone, 1, RPS_CLOCK_MONOTONIC), 0);
	shared.header->short_ticks = alone.header->short_ticks = 100;
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(control != MAP_FAILED);
	assert_int_equal(pipe(to_writer), 0);
	assert_int_equal(pipe(from_writer), 0);
	writer_pid = fork();
	if (writer_pid == 0)
		write_for_ever();
	close(to_writer[0]);
	close(from_writer[1]);
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

	/* With those there was no room for, when the writer had long gone on. */
	if (copy->calls > atomic_load(&control->n_steps) || copy->lost_calls > atomic_load(&control->n_steps))
		return 0; /* more than there were */
	writer_begin(&writer, round);
	alone.header->epoch = epoch_of(round, RPS_MODE_APPLICATION);
	writer_join(alone.header, rps_pool_arena(&alone, 0), round, epoch_of(round, RPS_MODE_APPLICATION));
	while (writer.n_calls < copy->calls + copy->lost_calls)
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
		atomic_store_explicit(&shared.header->epoch, epoch_of(round_now, RPS_MODE_OFF), memory_order_release);
		rps_handover_revoke(arena);
	}
	if (steps & FENCE)
		rps_handover_fence();
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (steps & WAIT)
		rps_handover_wait(arena, ((uint64_t)now.tv_sec + PATIENCE_S) * 1000, is_writer_alive, NULL);
}

/* ---- A copy that takes its time ------------------------------------------------------------- */

#define HEAD_SIZE 4096
#define STEPS_BEFORE_MAX 500
#define STEPS_MEANWHILE 50

/* Asleep: on a busy machine the writer may have to have the same processor. */
static void wait_for_steps(uint64_t n_steps)
{
	const struct timespec pause = {0, 20000};

	for (uint32_t n = 0; atomic_load(&control->n_steps) < n_steps && n < PATIENCE_S * 10000u; n++)
		nanosleep(&pause, NULL);
}

/* Between the copy's beginning (the header) and the rest of the tree the writer goes on, on however few processors. */
static void pause_copy(int signal_number)
{
	int saved_errno = errno;

	(void)signal_number;
	wait_for_steps(atomic_load(&control->n_steps) + STEPS_MEANWHILE);
	mprotect((char *)rps_pool_arena(&shared, 0) + HEAD_SIZE, RPS_STACK_OFFSET - HEAD_SIZE, PROT_READ | PROT_WRITE);
	errno = saved_errno;
}

static int copy_slowly(struct rps_arena_copy *copy)
{
	struct sigaction on_access = {.sa_handler = pause_copy}, before;
	int error;

	sigaction(SIGSEGV, &on_access, &before);
	mprotect((char *)rps_pool_arena(&shared, 0) + HEAD_SIZE, RPS_STACK_OFFSET - HEAD_SIZE, PROT_NONE);
	error = rps_arena_copy(&shared, 0, 0, copy);
	mprotect((char *)rps_pool_arena(&shared, 0) + HEAD_SIZE, RPS_STACK_OFFSET - HEAD_SIZE, PROT_READ | PROT_WRITE);
	sigaction(SIGSEGV, &before, NULL);
	return error;
}

/* One is taken from a running writer, after a while. */
static void do_round(unsigned int steps, struct result *result)
{
	uint64_t round = ++round_now;
	struct rps_arena_copy copy;
	int is_torn, error;

	atomic_store_explicit(&shared.header->epoch, epoch_of(round, RPS_MODE_APPLICATION), memory_order_release);
	tell(to_writer[1]);
	expect_writer();
	wait_for_steps(1 + (uint64_t)rand() % STEPS_BEFORE_MAX);
	take(steps);
	error = copy_slowly(&copy);
	/* Whoever leaves steps out finds it running still. */
	atomic_store_explicit(&shared.header->epoch, epoch_of(round, RPS_MODE_OFF), memory_order_release);
	atomic_store_explicit(&control->stop, round, memory_order_release);
	expect_writer();
	assert_int_not_equal(error, -ENOMEM);
	is_torn = error != 0 || !is_whole(&copy, round);
	if (is_torn && steps == BY_THE_PROTOCOL)
		print_message("round %llu: error %d, %llu calls, busy %d\n", (unsigned long long)round, error, (unsigned long long)copy.calls,
			      copy.is_busy);
	result->n_torn += is_torn != 0;
	result->n_whole += !is_torn;
	if (error != 0)
		return; /* refused: nobody takes that for whole */
	result->n_torn_unnoticed += is_torn && !copy.is_busy;
	result->n_busy += copy.is_busy != 0;
	result->n_calls += copy.calls;
	rps_arena_copy_free(&copy);
}

static void by_the_protocol_each_copy_is_whole(void **state)
{
	time_t deadline = time(NULL) + ENOUGH_S;
	struct result result = {0};

	/* On a machine with much else to do, fewer. */
	for (int i = 0; i < N_ROUNDS && (i < N_ROUNDS / 10 || time(NULL) < deadline); i++)
		do_round(BY_THE_PROTOCOL, &result);
	/* Busy it may be all the same: a hook sets that, sees that the epoch has changed, and leaves the arena alone. */
	assert_int_equal(result.n_torn, 0);
	assert_true(result.n_calls > result.n_whole); /* or there was nothing to tear */
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

/* From under a writer that goes on. */
static void without_revoking_copies_are_torn(void **state)
{
	time_t deadline = time(NULL) + PATIENCE_S;
	struct result result = {0};

	do
		do_round(FENCE | WAIT, &result);
	while (result.n_torn == 0 && time(NULL) < deadline);
	assert_true(result.n_torn > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(by_the_protocol_each_copy_is_whole),
	    cmocka_unit_test(without_waiting_torn_copies_say_so),
	    cmocka_unit_test(without_revoking_copies_are_torn),
	};

	return cmocka_run_group_tests(tests, start_writer, stop_writer);
}
