/* SPDX-License-Identifier: GPL-3.0-or-later */
/* W1, what one call costs: 10 million calls of a tiny function, fib(32) (7,049,155 calls), and, as the floor
 * of all that reads a clock at entry and exit, a loop of two bare clock reads. Prints CPU nanoseconds for
 * each. Compiled so that every call stays a call.
 */
#include "report.h"

#include <stdint.h>

#define N_TINY 10000000
#define FIB_N 32
#define FIB_CALLS 7049155
#define N_CLOCKS 5000000

static volatile unsigned int sink;
static volatile uint64_t wide_sink;

static __attribute__((noinline)) unsigned int tiny(unsigned int x)
{
	return x * 3 + 1;
}

static __attribute__((noinline)) unsigned int fib(unsigned int n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static inline __attribute__((always_inline, no_instrument_function)) uint64_t read_clock(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#else
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
#endif
}

static NOT_PROFILED void read_clocks(void)
{
	uint64_t sum = 0;

	for (int i = 0; i < N_CLOCKS; i++) {
		uint64_t start = read_clock();

		sum += read_clock() - start;
	}
	wide_sink = sum;
}

int main(void)
{
	double start = cpu_ns();

	for (unsigned int i = 0; i < N_TINY; i++)
		sink += tiny(i);
	report("tiny_ns", (cpu_ns() - start) / N_TINY);
	start = cpu_ns();
	sink += fib(FIB_N);
	report("fib_ns", (cpu_ns() - start) / FIB_CALLS);
	start = cpu_ns();
	read_clocks();
	report("two_clocks_ns", (cpu_ns() - start) / N_CLOCKS);
	report_cpu();
	return 0;
}
