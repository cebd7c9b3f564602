/* SPDX-License-Identifier: MIT */
/* Known call counts: /fib?n=25 makes 242,785 calls of fib, at every optimisation
 * level, though GCC turns most of them into loops and inlined copies.
 */
#include <microhttpd.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t is_ending;

static unsigned long fib(unsigned long n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *upload_data, size_t *upload_data_size, void **con_cls)
{
	const char *n = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "n");
	struct MHD_Response *response;
	enum MHD_Result result;
	char text[64];

	snprintf(text, sizeof(text), "%lu\n", fib(n != NULL ? strtoul(n, NULL, 10) : 0));
	response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_COPY);
	result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

static void end(int signal_number)
{
	is_ending = 1;
}

int main(int argc, char **argv)
{
	struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, (uint16_t)atoi(argv[argc - 1]), NULL,
						     NULL, handle, NULL, MHD_OPTION_END);

	if (daemon == NULL)
		return 1;
	signal(SIGTERM, end);
	while (!is_ending)
		pause();
	MHD_stop_daemon(daemon);
	return 0;
}
