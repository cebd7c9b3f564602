/* SPDX-License-Identifier: MIT */
/* As many calling contexts as there are orders of eight functions: 109,600, more than a tree has room for. Each function calls the
 * others that are not active: each is called 13,700 times, each by each other 1,957 times.
 *
 *     contexts      once
 *     contexts deep 10,000,000 calls of 300 functions, in some thousands of contexts; then "done", and waits for a line
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))

static volatile unsigned int sink;

/* ---- Orders ------------------------------------------------------------------- */

static void visit(unsigned int active);

#define VISITOR(n)                                                                                           \
	static NOINLINE void f##n(unsigned int active)                                                       \
	{                                                                                                    \
		visit(active | 1u << n);                                                                     \
	}
VISITOR(0) VISITOR(1) VISITOR(2) VISITOR(3) VISITOR(4) VISITOR(5) VISITOR(6) VISITOR(7)

static inline __attribute__((always_inline, no_instrument_function)) void visit(unsigned int active)
{
#define CALL(n)                                                                                              \
	if (!(active & 1u << n))                                                                             \
	f##n(active)
	CALL(0);
	CALL(1);
	CALL(2);
	CALL(3);
	CALL(4);
	CALL(5);
	CALL(6);
	CALL(7);
	sink++;
}

/* ---- Many functions -------------------------------------------------------------- */

#define FUNCTION(a, b)                                                                                       \
	static NOINLINE void g##a##b(unsigned int depth)                                                     \
	{                                                                                                    \
		sink += depth;                                                                               \
	}
#define TEN(a)                                                                                               \
	FUNCTION(a, 0)                                                                                       \
	FUNCTION(a, 1)                                                                                       \
	FUNCTION(a, 2) FUNCTION(a, 3) FUNCTION(a, 4) FUNCTION(a, 5) FUNCTION(a, 6) FUNCTION(a, 7) FUNCTION(a, 8) FUNCTION(a, 9)
#define ADDRESSES(a) g##a##0, g##a##1, g##a##2, g##a##3, g##a##4, g##a##5, g##a##6, g##a##7, g##a##8, g##a##9
#define ALL(what)                                                                                            \
	what(0) what(1) what(2) what(3) what(4) what(5) what(6) what(7) what(8) what(9) what(10) what(11) what(12)   \
	    what(13) what(14) what(15) what(16) what(17) what(18) what(19) what(20) what(21) what(22) what(23)       \
		what(24) what(25) what(26) what(27) what(28)
ALL(TEN)

#define LIST(a) ADDRESSES(a),
static void (*const functions[])(unsigned int depth) = {ALL(LIST)};
#define N_FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

/* Ten callers, so that each function has ten contexts. */
static NOINLINE void call_all(unsigned int round)
{
	for (size_t i = 0; i < N_FUNCTIONS; i++)
		functions[i](round);
}

#define CALLER(n)                                                                                            \
	static NOINLINE void caller##n(unsigned int round)                                                   \
	{                                                                                                    \
		call_all(round);                                                                             \
	}
CALLER(0) CALLER(1) CALLER(2) CALLER(3) CALLER(4) CALLER(5) CALLER(6) CALLER(7) CALLER(8)

static void many_calls(void)
{
	static void (*const callers[])(unsigned int) = {caller0, caller1, caller2, caller3, caller4,
							caller5, caller6, caller7, caller8};

	for (unsigned int round = 0; round < 34247; round++) /* 292 calls each, and so 10 million */
		callers[round % 9](round);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "deep") == 0) {
		many_calls();
		puts("done");
		fflush(stdout);
		return getchar() == EOF;
	}
	visit(0);
	return 0;
}
