/* SPDX-License-Identifier: MIT */
/* What plugin-externals.c and .cc call: plugin-outside.c is compiled by plain GCC, plugin-other.c by profcc. */
#include <setjmp.h>
#ifdef __cplusplus
extern "C" {
#endif
int outside_leaf(int x);
int outside_pure(int x) __attribute__((pure));
int outside_calls(int (*f)(int), int times);
void outside_jumps(jmp_buf env);
__attribute__((noreturn)) void outside_leaves(int status);
struct outside_big {
	int a[40];
};
struct outside_big outside_big(struct outside_big b);
double outside_mixed(int a, double b, long c, float d, const char *e, int f, int g, long double h, int i);
int (*outside_pointer(void))(int);
int other_leaf(int x);
int other_calls_back(int (*f)(int), int x);
#ifdef __cplusplus
}
#endif
