/* SPDX-License-Identifier: MIT */
/* Leaves functions by longjmp, also functions that were inlined into the one
 * that called setjmp, so that no frame address changes. What is called after the jump is called by main:
 * that is what the resync hook is for. Prints nothing; the test looks at the callers of after(). */
#include <setjmp.h>
#include <sys/wait.h>
#include <unistd.h>

static jmp_buf env;
static volatile int sink;

static void after(void)
{
	sink++;
}

static inline __attribute__((always_inline)) void inner(int n)
{
	sink += n;
	longjmp(env, 1);
}

static inline __attribute__((always_inline)) void outer(int n)
{
	inner(n);
}

__attribute__((noinline)) static void deep(int n)
{
	if (n == 0)
		longjmp(env, 2);
	deep(n - 1);
	sink++;
}

int main(void)
{
	for (volatile int i = 0; i < 10; i++) {
		if (setjmp(env) == 0)
			outer(i);
		after(); /* 10 calls, from main */
	}
	for (volatile int i = 0; i < 10; i++) {
		if (setjmp(env) == 0)
			deep(i);
		after(); /* 10 calls, from main */
	}
	if (vfork() == 0)
		_exit(0);
	wait(NULL);
	after(); /* 1 call, from main */
	return sink == 0;
}
