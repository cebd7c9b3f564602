/* SPDX-License-Identifier: MIT */
/* A server that is busy between its requests: GET /work?n=N lets a thread make N calls of leaf() after the answer; GET /state says
 * how many it has made so far, and how many KiB of memory the process has that are not shared with files. */
#include <microhttpd.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile unsigned long n_made, n_wanted;
static sem_t wanted;

static __attribute__((noinline)) void leaf(void)
{
	n_made++;
}

static __attribute__((noinline)) void work(unsigned long n)
{
	while (n-- > 0)
		leaf();
}

static void *idle_work(void *arg)
{
	for (;;) {
		sem_wait(&wanted);
		work(n_wanted);
	}
	return arg;
}

static unsigned long resident_kib(void)
{
	unsigned long kib = 0;
	char line[256];
	FILE *file = fopen("/proc/self/status", "r");

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "RssAnon:", 8) == 0)
			kib = strtoul(line + 8, NULL, 10);
	if (file != NULL)
		fclose(file);
	return kib;
}

static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *upload_data, size_t *upload_data_size, void **con_cls)
{
	const char *n = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "n");
	struct MHD_Response *response;
	enum MHD_Result result;
	char text[128];
	int size;

	if (strcmp(url, "/work") == 0 && n != NULL) {
		n_wanted = strtoul(n, NULL, 10);
		sem_post(&wanted);
	}
	size = snprintf(text, sizeof(text), "%lu %lu\n", n_made, resident_kib());
	response = MHD_create_response_from_buffer((size_t)size, text, MHD_RESPMEM_MUST_COPY);
	result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	sem_init(&wanted, 0, 0);
	if (pthread_create(&thread, NULL, idle_work, NULL) != 0 ||
	    MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, (unsigned short)atoi(argc > 1 ? argv[1] : "8080"), NULL, NULL,
			     answer, NULL, MHD_OPTION_END) == NULL)
		return 1;
	for (;;)
		pause();
}
