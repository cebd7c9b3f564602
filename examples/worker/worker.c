/* SPDX-License-Identifier: MIT */
/* A worker that is no web application: it takes jobs from its standard input, one a line, and says itself that each is a
 * request. Two threads share the work.
 *
 *     profcc -O2 -g -o worker worker.c -lpthread
 *     seq 20 30 | runprofile record --kcachegrind --scope=request -o job.prof -- ./worker
 *     kcachegrind job.1.prof
 */
#include <pthread.h>
#include <runprofile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static unsigned int fibonacci(unsigned int n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static void run_job(const char *line)
{
	unsigned int n = (unsigned int)strtoul(line, NULL, 10);

	printf("fibonacci(%u) is %u\n", n, fibonacci(n));
}

/* The next line, without its end; 0: there is none. */
static int take_line(char *line, int size)
{
	char *found;

	pthread_mutex_lock(&lock);
	found = fgets(line, size, stdin);
	pthread_mutex_unlock(&lock);
	line[found ? strcspn(line, "\n") : 0] = '\0';
	return found != NULL;
}

static void *work(void *unused)
{
	char line[128];

	while (take_line(line, sizeof(line))) {
		struct runprofile_request *request = runprofile_begin("fibonacci");

		runprofile_set(request, "Job", line);
		run_job(line);
		runprofile_end(request);
	}
	return unused;
}

int main(void)
{
	pthread_t other;

	if (pthread_create(&other, NULL, work, NULL))
		return EXIT_FAILURE;
	work(NULL);
	pthread_join(other, NULL);
	return 0;
}
