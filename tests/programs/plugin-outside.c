/* SPDX-License-Identifier: MIT */
/* Functions that are not instrumented, for plugin-externals.c and .cc: compiled by plain GCC, with -fexceptions. */
#include "plugin-externals.h"
#include <stdlib.h>

static int private_leaf(int x)
{
	return x - 1;
}

int outside_leaf(int x)
{
	return x + 1;
}

int outside_pure(int x)
{
	return x * 2;
}

int outside_calls(int (*f)(int), int times)
{
	int total = 0;

	for (int i = 0; i < times; i++)
		total += f(i);
	return total;
}

void outside_jumps(jmp_buf env)
{
	longjmp(env, 1);
}

void outside_leaves(int status)
{
	exit(status);
}

struct outside_big outside_big(struct outside_big b)
{
	b.a[39]++;
	return b;
}

double outside_mixed(int a, double b, long c, float d, const char *e, int f, int g, long double h, int i)
{
	return a + b + (double)c + (double)d + e[0] + f + g + (double)h + i;
}

int (*outside_pointer(void))(int)
{
	return private_leaf;
}
