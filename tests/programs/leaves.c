/* SPDX-License-Identifier: MIT */
/* Calls of functions that are not instrumented, and of some that are, but elsewhere: in a shared
 * object that is linked (leaves-lib.c), and in one that is opened. Counts are written beside the calls.
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int other_linked(int x);
void call_back(void (*function)(int), int n);

static jmp_buf home;
static volatile int sink;

static __attribute__((noinline)) int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static __attribute__((noinline)) void called_back(int x)
{
	sink += x;
}

static int compare_and_leave(const void *a, const void *b)
{
	longjmp(home, 1);
}

int main(int argc, char **argv)
{
	int numbers[2] = {2, 1};
	int (*volatile by_pointer)(int) = other_linked;
	int (*opened)(int);
	void *object, *volatile memory;

	for (int i = 0; i < 4; i++)
		qsort(numbers, 2, sizeof(numbers[0]), compare); /* 4 qsort, 4 compare below it */
	for (int i = 0; i < 6; i++)
		sink += other_linked(i); /* 6, once each */
	for (int i = 0; i < 5; i++)
		sink += by_pointer(i); /* 5 more */
	call_back(called_back, 8);     /* 1, and 8 below it */
	object = dlopen(argv[1], RTLD_NOW);
	opened = object != NULL ? (int (*)(int))dlsym(object, "other_opened") : NULL;
	for (int i = 0; i < 3 && opened != NULL; i++)
		sink += opened(i); /* 3 */
	for (volatile int i = 0; i < 2; i++)
		if (setjmp(home) == 0)
			qsort(numbers, 2, sizeof(numbers[0]), compare_and_leave); /* 2, never returns */
	memory = malloc((size_t)argc); /* 1, and 1 free */
	free(memory);
	return 0;
}
