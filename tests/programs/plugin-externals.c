/* SPDX-License-Identifier: MIT */
/* Calls of functions that are not instrumented, or in another unit. Each line that makes calls says so in a comment,
 * "=> CALLEE COUNT", which is what the test compares with at every optimisation level; what is called by a pointer is "*", if
 * it is not instrumented. Prints what it computes, for comparison with GCC's own build. */
#include "plugin-externals.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile int sink;

static int callback(int x)
{
	return outside_leaf(x); /* => outside_leaf 30 */
}

static int compare(const void *a, const void *b)
{
	sink++;
	return *(const int *)a - *(const int *)b;
}

static inline __attribute__((always_inline)) int inlined(int x)
{
	return outside_leaf(x) * 2; /* => outside_leaf 4 */
}

__attribute__((no_instrument_function, noinline)) static int silent(int x)
{
	return outside_leaf(x) + atoi("1"); /* not seen */
}

__attribute__((no_instrument_function, always_inline)) static inline int silent_inlined(int x)
{
	for (;;) { /* no statement outside of this block: at -g0 the function's own scope is lost */
		void *volatile kept = malloc(3); /* not seen */

		free(kept);
		return outside_leaf(x);
	}
}

static int by_pointer(int (*volatile f)(int), int x)
{
	return f(x); /* => * 5, => callback 2, => other_leaf 3 */
}

static int print(const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vfprintf(stdout, format, ap); /* => vfprintf 3 */
	va_end(ap);
	return n;
}

static int jumps(int n)
{
	static jmp_buf env;

	if (setjmp(env) != 0)
		return outside_leaf(n); /* => outside_leaf 4 */
	outside_jumps(env);             /* => outside_jumps 4 */
	return -1;
}

static double sums(int n)
{
	double total = 0;

	for (int i = 0; i < n; i++)
		total += outside_mixed(i, 1, 2, 3, "a", i, 6, 7, i); /* => outside_mixed 10 */
	return total + fabs(-(double)n);
}

static void copies(const char *text, size_t n)
{
	char *copy = malloc(n + 1), fixed[8]; /* => malloc 3 */

	memcpy(fixed, text, sizeof fixed);
	if (!copy)
		return;
	strcpy(copy, text);                            /* => strcpy 3 */
	copy = realloc(copy, 2 * n + 1);               /* => realloc 3 */
	print("%s %.3s %zu\n", copy, fixed, strlen("constant"));
	free(copy); /* => free 3 */
}

__attribute__((noinline)) static void at_exit(void)
{
	fputs(".", stdout); /* fputc, sometimes */
	fflush(stdout); /* => fflush 1 */
}

int main(int argc, char **argv)
{
	int numbers[] = { 3, 1, 2 }, x = 0;
	struct outside_big big = { { 0 } };

	atexit(at_exit); /* => atexit 1 */
	qsort(numbers, 3, sizeof *numbers, compare); /* => qsort 1 */
	x += callback(1);
	x += outside_calls(callback, 20); /* => outside_calls 1 */
	for (int i = 0; i < 4; i++)
		x += inlined(i);
	x += silent(2) + silent_inlined(3);
	x += outside_leaf(x) + outside_leaf(x + 1); /* => outside_leaf 2 */
	for (int i = 0; i < 3; i++)
		x += other_leaf(i); /* => other_leaf 3 */
	for (int i = 0; i < 4; i++)
		x += other_calls_back(callback, i); /* => other_calls_back 4 */
	x += other_calls_back(outside_leaf, 9) + other_calls_back(other_leaf, 9); /* => other_calls_back 2 */
	for (int i = 0; i < 3; i++)
		x += by_pointer(outside_leaf, i) + by_pointer(other_leaf, i);
	x += by_pointer(outside_pointer(), 8) + by_pointer(outside_pointer(), 9); /* => outside_pointer 2 */
	x += by_pointer(callback, 1) + by_pointer(callback, 2);
	for (int i = 0; i < 4; i++)
		x += jumps(i);
	for (int i = 0; i < 3; i++)
		big = outside_big(big); /* => outside_big 3 */
	for (int i = 0; i < 3; i++)
		copies(argv[0] + strlen(argv[0]) - 8, (size_t)(8 + i)); /* => strlen 3 */
	x += callback(3) + other_calls_back(callback, 1); /* => other_calls_back 1 */
	x += outside_calls(callback, 1); /* => outside_calls 1 */
	printf("%d %d %d %.2f\n", x, big.a[39], argc, sums(10)); /* => printf 1 */
	outside_leaves(3);                                       /* => outside_leaves 1 */
}
