/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Four threads of fib(32) at once: 4 * 7,049,155 = 28,196,620 calls of fib. Counters that threads share lose
 * some. */
#include "report.h"

#include <pthread.h>
#include <stdint.h>

#define N_THREADS 4

static __attribute__((noinline)) unsigned int fib(unsigned int n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static void *work(void *cls)
{
	return (void *)(uintptr_t)fib((unsigned int)(uintptr_t)cls);
}

int main(void)
{
	pthread_t threads[N_THREADS];
	int status = 0;

	for (int i = 0; i < N_THREADS; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)32) != 0)
			return 1;
	for (int i = 0; i < N_THREADS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		status |= (uintptr_t)result != 2178309;
	}
	report_cpu();
	return status;
}
