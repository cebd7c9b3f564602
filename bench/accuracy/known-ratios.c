/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Three functions of known cost ratio, about 1:2:4: a long one that calls nothing, one that is nearly all
 * calls of a tiny function, and one that mixes both. Each is timed from outside, so that the uninstrumented
 * program tells the true ratio.
 */
#include "report.h"

#include <stdint.h>

#define ROUNDS 200
#define LONG_LOOPS 150000
#define TINY_CALLS 250000
#define MIXED_CALLS 58000

static volatile uint32_t sink;

static __attribute__((noinline)) uint32_t tiny(uint32_t x)
{
	return (x ^ (x >> 7)) * 2654435761u;
}

static __attribute__((noinline)) uint32_t small(uint32_t x)
{
	for (int i = 0; i < 6; i++)
		x = (x ^ (x >> 5)) * 2246822519u;
	return x;
}

static __attribute__((noinline)) void one_long(uint32_t x)
{
	for (int i = 0; i < LONG_LOOPS; i++)
		x = (x ^ (x >> 7)) * 2654435761u;
	sink ^= x;
}

static __attribute__((noinline)) void two_tiny(uint32_t x)
{
	for (int i = 0; i < TINY_CALLS; i++)
		x = tiny(x);
	sink ^= x;
}

static __attribute__((noinline)) void four_mixed(uint32_t x)
{
	for (int i = 0; i < MIXED_CALLS; i++) {
		x = small(x) ^ tiny(x);
		for (int j = 0; j < 4; j++)
			x = (x ^ (x >> 3)) * 3266489917u;
	}
	sink ^= x;
}

int main(void)
{
	double one = 0, two = 0, four = 0;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		double start = cpu_ns(), after_one, after_two;

		one_long(i);
		after_one = cpu_ns();
		two_tiny(i);
		after_two = cpu_ns();
		four_mixed(i);
		four += cpu_ns() - after_two;
		one += after_one - start;
		two += after_two - after_one;
	}
	report("one_long", one);
	report("two_tiny", two);
	report("four_mixed", four);
	report("two_tiny_calls", (double)ROUNDS * TINY_CALLS);
	report("four_mixed_calls", 2.0 * ROUNDS * MIXED_CALLS);
	report_cpu();
	return 0;
}
