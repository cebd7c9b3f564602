/* SPDX-License-Identifier: MIT */
/* Functions that are instrumented in another unit than their callers, for plugin-externals.c and .cc. */
#include "plugin-externals.h"

int other_leaf(int x)
{
	return x ^ 5;
}

int other_calls_back(int (*f)(int), int x)
{
	return f(x) + other_leaf(x); /* => other_leaf 8, => * 1 */
}
