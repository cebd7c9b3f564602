/* SPDX-License-Identifier: MIT */
/* Brings its own malloc, compiled with profcc as all of it: whatever the runtime does within a hook must not come back to it. Prints how
 * often malloc was called by anyone. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char heap[16 << 20] __attribute__((aligned(16)));
static size_t used;
static unsigned int n_mallocs;

static size_t round_up(size_t size)
{
	return (size + 31) & ~(size_t)15;
}

static void *take(size_t size)
{
	char *at = heap + used;

	used += round_up(size);
	if (used > sizeof(heap))
		abort();
	*(size_t *)(void *)at = size;
	return at + 16;
}

void *malloc(size_t size)
{
	n_mallocs++;
	return take(size);
}

void free(void *memory)
{
	(void)memory;
}

void *calloc(size_t n, size_t size)
{
	n_mallocs++;
	return take(n * size); /* never used before, so zero */
}

void *realloc(void *old, size_t size)
{
	void *memory = malloc(size);
	size_t old_size = old != NULL ? ((size_t *)old)[-2] : 0;

	if (old != NULL)
		memcpy(memory, old, old_size < size ? old_size : size);
	return memory;
}

static __attribute__((noinline)) void leaf(void **at)
{
	*at = realloc(malloc(16), 32);
	free(*at);
}

int main(void)
{
	char text[32];
	void *memory;
	int n;

	for (int i = 0; i < 1000; i++)
		leaf(&memory);
	n = snprintf(text, sizeof(text), "%u\n", n_mallocs);
	return write(STDOUT_FILENO, text, (size_t)n) != n;
}
