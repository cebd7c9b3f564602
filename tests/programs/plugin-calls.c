/* SPDX-License-Identifier: MIT */
/* The shapes a call takes in C. Each line that makes calls says so in a
 * comment, "=> CALLEE COUNT", which is what the test compares the recorded call
 * sites with, at every optimisation level. */
#include <alloca.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "plugin-calls.h"

static volatile int sink;

static int leaf(int x)
{
	return sink + x;
}

static int small(int x)
{
	int a = leaf(x);     /* => leaf 39 */
	int b = leaf(x + 1); /* => leaf 39 */

	return a + b;
}

__attribute__((always_inline)) static inline int forced(int x)
{
	return small(x) + 1; /* => small 20 */
}

__attribute__((noinline)) static int never(int x)
{
	return leaf(x) + small(x); /* => leaf 5, => small 5 */
}

/* The start is inlined, the rest split off by the compiler at -O2. */
static int split(int n)
{
	if (n > 3)
		return 0;
	for (int i = 0; i < 5; i++)
		sink += never(i) * n;       /* => never 5 */
	printf("split %d %d\n", n, small(n)); /* => small 1 */
	return sink;
}

int header_leaf(int x)
{
	return x ^ sink;
}

static int even(unsigned n);
static int odd(unsigned n)
{
	return n == 0 ? 0 : even(n - 1); /* => even 10 */
}
static int even(unsigned n)
{
	return n == 0 ? 1 : odd(n - 1); /* => odd 10 */
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int sum(int n, ...)
{
	va_list ap;
	int total = 0;

	va_start(ap, n);
	for (int i = 0; i < n; i++)
		total += va_arg(ap, int);
	va_end(ap);
	return total;
}

static int on_the_stack(int n)
{
	char *p = alloca((size_t)n);

	memset(p, n, (size_t)n);
	return leaf(p[n - 1]); /* => leaf 3 */
}

#define TWICE(f, x) (f(x) + f(x + 1))

static int interpreter(const char *code)
{
	static const void *const labels[] = { &&stop, &&add, &&call };
	int x = 0;

	goto *labels[(int)*code];
add:
	x++;
	goto *labels[(int)*++code];
call:
	x += leaf(x); /* => leaf 2 */
	goto *labels[(int)*++code];
stop:
	return x;
}

static int with_nested(int n)
{
	int nested(int x)
	{
		return leaf(x + n); /* => leaf 2 */
	}

	return nested(1) + nested(2); /* => nested 2 */
}

struct big {
	int a[40];
};

static struct big by_value(struct big b)
{
	b.a[3] = leaf(b.a[2]); /* => leaf 4 */
	return b;
}

/* A stack that is realigned: the frame address is not where it used to be. */
static int aligned(int x)
{
	_Alignas(64) int v[16] = { x };

	__asm__ volatile("" : : "r"(v) : "memory");
	return leaf(v[0]); /* => leaf 3 */
}

__attribute__((no_instrument_function)) static int silent(int x)
{
	return leaf(x); /* => leaf 3 */
}

static int through_pointer(int (*f)(int), int x)
{
	return f(x); /* => small 2, => leaf 1 */
}

__attribute__((always_inline)) static inline void same(void)
{
	sink++;
}

/* Functions and branches that do the same: when the compiler merges them, a call is counted on the other's line. */
__attribute__((no_instrument_function, noinline)) static void alike(int n)
{
	for (int i = 0; i < n; i++)
		same(); /* => same 4 */
}

__attribute__((no_instrument_function, noinline)) static void just_alike(int n)
{
	for (int i = 0; i < n; i++)
		same(); /* => same 6 */
}

static void branches(int n)
{
	if (n % 3 == 0)
		same(); /* => same 4 */
	else
		same(); /* => same 6 */
}

int main(int argc, char **argv)
{
	int numbers[] = { 3, 1, 2 };
	struct big b = { { 0 } };
	int (*volatile pointer)(int) = leaf;
	int x = 0;

	for (int i = 0; i < 10; i++)
		x += forced(i) + forced(i + 1); /* => forced 20 */
	for (int i = 0; i < 10; i++)
		x += header_inline(i); /* => header_inline 10 */
	x += split(argc) + split(9) + split(10); /* => split 3 */
	x += even(20);                           /* => even 1 */
	qsort(numbers, 3, sizeof *numbers, compare);
	x += sum(2, 1, 2) + sum(3, 1, 2, 3); /* => sum 2 */
	for (int i = 1; i < 4; i++)
		x += on_the_stack(i);               /* => on_the_stack 3 */
	x += TWICE(small, x);                   /* => small 2 */
	x += interpreter("\1\2\1\2");           /* => interpreter 1 */
	x += with_nested(argc);                 /* => with_nested 1 */
	for (int i = 0; i < 4; i++)
		b = by_value(b);                    /* => by_value 4 */
	for (int i = 0; i < 3; i++)
		x += aligned(i) + silent(i);        /* => aligned 3 */
	x += through_pointer(small, 1);         /* => through_pointer 1 */
	x += through_pointer(small, 2);         /* => through_pointer 1 */
	x += through_pointer(leaf, 3);          /* => through_pointer 1 */
	x += pointer(4);                        /* => leaf 1 */
	x += small(x) + small(x + 3); x += small(x); x += small(7); /* => small 4 */
	for (int i = 0; i < 10; i++)
		branches(i); /* => branches 10 */
	alike(4);
	just_alike(6);
	if (argc > 100)
		x += small(8); /* never */
	x += small(1)                           /* => small 1 */
	     + small(2)                         /* => small 1 */
	     + small(3)                         /* => small 1 */
	     + small(4)                         /* => small 1 */
	     + small(5);                        /* => small 1 */
	return x == 12345678;
}
