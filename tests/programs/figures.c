/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For the commands that show profiles: functions with several callers and call sites, recursion by oneself and by way
 * of another, a long chain, and what costs nothing but is called often. The same work in every run. */
#include <stdio.h>
#include <stdlib.h>

static volatile unsigned sink;

static __attribute__((noinline)) void leaf(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		sink += i;
}

static __attribute__((noinline)) void shared(unsigned n)
{
	leaf(n);
	leaf(n * 2);
}

static __attribute__((noinline)) unsigned fib(unsigned n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static unsigned is_odd(unsigned n);

static __attribute__((noinline)) unsigned is_even(unsigned n)
{
	leaf(3);
	return n == 0 ? 1 : is_odd(n - 1);
}

static __attribute__((noinline)) unsigned is_odd(unsigned n)
{
	leaf(5);
	return n == 0 ? 0 : is_even(n - 1);
}

static __attribute__((noinline)) void first(void)
{
	for (unsigned i = 0; i < 10; i++)
		shared(100);
}

static __attribute__((noinline)) void second(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		shared(7);
	sink += fib(10) + is_even(21);
}

int main(int argc, char **argv)
{
	first();
	second(argc > 1 ? (unsigned)atoi(argv[1]) : 4);
	return 0;
}
