/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one call costs: 20 million calls of a tiny function, and fib(32) (7,049,155 calls). Compiled without and
 * with instrumentation; prints nanoseconds per call: "tiny fib".
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define N_TINY 20000000
#define FIB_N 32
#define FIB_CALLS 7049155.0

static volatile unsigned int sink;

static __attribute__((noinline)) unsigned int tiny(unsigned int x)
{
	return x * 3 + 1;
}

static __attribute__((noinline)) unsigned int fib(unsigned int n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static __attribute__((no_instrument_function)) double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

int main(void)
{
	double start_ns = now_ns(), tiny_ns, fib_ns;

	for (unsigned int i = 0; i < N_TINY; i++)
		sink += tiny(i);
	tiny_ns = (now_ns() - start_ns) / N_TINY;
	start_ns = now_ns();
	sink += fib(FIB_N);
	fib_ns = (now_ns() - start_ns) / FIB_CALLS;
	printf("%.3f %.3f\n", tiny_ns, fib_ns);
	return 0;
}
