/* SPDX-License-Identifier: MIT */
/* Allocates through every function of the malloc family, from instrumented code, from libc functions that allocate, in recursion,
 * from two lines into the same function, before main and in threads: known counts of calls and bytes, which
 * tests/e2e/events/allocations-are-exact expects. What it gets goes through `sink`, so that nothing is optimised away.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *volatile sink;
static volatile size_t too_much = (size_t)PTRDIFF_MAX + 1;

static void keep(void *memory)
{
	sink = memory;
	free(sink);
}

static void family(void)
{
	void *memory = NULL;

	keep(malloc(100));
	keep(calloc(3, 50));
	keep(realloc(malloc(10), 1000));
	keep(aligned_alloc(64, 128));
	if (posix_memalign(&memory, 64, 256) == 0)
		keep(memory);
	keep(memalign(32, 512));
	keep(valloc(300));
	keep(pvalloc(4096));
	keep(reallocarray(NULL, 4, 25));
	keep(malloc(too_much)); /* fails: does not count */
}

static void by_libc(void)
{
	keep(strdup("nineteen characters")); /* 20 bytes, by strdup */
}

/* Twice as much from the second line. */
static void leaf(size_t size)
{
	keep(malloc(size));
}

static void two_lines(void)
{
	leaf(1000);
	leaf(2000);
}

static void recurse(int depth)
{
	keep(malloc(8));
	if (depth > 1)
		recurse(depth - 1);
}

static void pong(int n);

/* Each calls the other: what the call of pong() costs is what its outermost call does. */
static void ping(int n)
{
	keep(malloc(16));
	if (n > 1)
		pong(n - 1);
}

static void pong(int n)
{
	keep(malloc(32));
	if (n > 1)
		ping(n - 1);
}

static void sliver(size_t size)
{
	keep(malloc(size));
}

/* A 49th and the rest: 49 times (1 / 49) is less than 1, in floating point. */
static void slivers(void)
{
	sliver(1);
	sliver(48);
}

static __attribute__((constructor)) void before_main(void)
{
	keep(malloc(7));
}

static void *in_thread(void *unused)
{
	for (int i = 0; i < 1000; i++)
		keep(malloc(3));
	return unused;
}

int main(void)
{
	pthread_t threads[2];

	family();
	by_libc();
	two_lines();
	recurse(10);
	ping(4);
	slivers();
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, in_thread, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
