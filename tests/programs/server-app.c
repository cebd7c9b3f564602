/* SPDX-License-Identifier: MIT */
/* An application that the front can be measured by: it says what reached it, and answers in every shape.
 * A module when linked with -shared, else a program that listens on the port in PORT, from the same
 * functions.
 *
 *     server-app[.so] [JOURNAL]
 *
 *   /echo           the request's body, as it came
 *   /bytes?n=N      N bytes by a content reader, with a Content-Length
 *   /chunked?n=N    the same without: chunked
 *   /endless        bytes until the client has had enough
 *   /head           method, target and header fields of the request, one a line
 *   /status?n=N     that status, without a body, with some header fields
 *   /sleep?n=MS     later
 *   /crash          SIGSEGV
 *   any other       work(), which calls leaf() ten times
 *
 * JOURNAL gets a line for each start, stop, upload that is broken off, and completed request ("completed
 * CODE").
 */
#include <runprofile.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct state {
	char *target;
	char *body;
	size_t size, allocated;
};

struct text {
	char *bytes;
	size_t size;
};

static volatile unsigned long sink;
static int journal = -1;
static int the_cls; /* its address is what the callbacks are to get */

static void note(const char *what, int number)
{
	char line[128];
	int size = snprintf(line, sizeof(line), "%s %d\n", what, number);

	if (journal >= 0 && write(journal, line, (size_t)size) != size)
		abort();
}

static __attribute__((noinline)) void leaf(unsigned long i)
{
	sink += i;
}

static __attribute__((noinline)) void work(void)
{
	for (unsigned long i = 0; i < 10; i++)
		leaf(i);
}

/* Byte k of a body is a function of k alone. */
static ssize_t read_bytes(void *cls, uint64_t position, char *buffer, size_t size)
{
	uint64_t n = *(uint64_t *)cls;

	if (position >= n)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (size > n - position)
		size = (size_t)(n - position);
	for (size_t i = 0; i < size; i++)
		buffer[i] = (char)(((position + i) * 2654435761u) >> 24);
	leaf(size);
	return (ssize_t)size;
}

static enum MHD_Result send_bytes(struct MHD_Connection *connection, uint64_t n, int is_declared)
{
	uint64_t *cls = malloc(sizeof(*cls));
	struct MHD_Response *response;
	enum MHD_Result result;

	*cls = n;
	response = MHD_create_response_from_callback(is_declared ? n : MHD_SIZE_UNKNOWN, 65536, read_bytes,
						     cls, free);
	result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result send_memory(struct MHD_Connection *connection, char *data, size_t size)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(size, data, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);

	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result send_status(struct MHD_Connection *connection, unsigned status)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	MHD_add_response_header(response, "X-Answer", "one");
	MHD_add_response_header(response, "X-Answer", "two");
	MHD_add_response_header(response, "X-Profile-Id", "forged");
	MHD_add_response_header(response, "ETag", "\"e\"");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result add_line(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct text *text = cls;
	size_t room = text->size + strlen(name) + strlen(value ? value : "") + 4;

	text->bytes = realloc(text->bytes, room);
	text->size += (size_t)snprintf(text->bytes + text->size, room - text->size, "%s: %s\n", name,
				       value ? value : "");
	return MHD_YES;
}

static enum MHD_Result send_head(struct MHD_Connection *connection, const char *method,
				 const struct state *state)
{
	struct text text = {0};

	add_line(&text, MHD_HEADER_KIND, method, state->target);
	MHD_get_connection_values(connection, MHD_HEADER_KIND, add_line, &text);
	return send_memory(connection, text.bytes, text.size);
}

static void sleep_ms(unsigned long ms)
{
	struct timespec pause = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

	nanosleep(&pause, NULL);
}

static void keep(struct state *state, const char *data, size_t size)
{
	if (state->size + size > state->allocated) {
		state->allocated = 2 * (state->size + size);
		state->body = realloc(state->body, state->allocated);
	}
	memcpy(state->body + state->size, data, size);
	state->size += size;
}

int runprofile_app_start(int argc, char **argv, void **cls)
{
	if (argc > 1)
		journal = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	note("start", argc);
	*cls = &the_cls;
	return 0;
}

void runprofile_app_stop(void *cls)
{
	note("stop", cls == &the_cls);
}

enum MHD_Result runprofile_app(void *cls, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *upload_data,
			       size_t *upload_data_size, void **con_cls)
{
	const char *number = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "n");
	unsigned long n = number ? strtoul(number, NULL, 10) : 0;
	struct state *state = *con_cls;

	if (!state) {
		*con_cls = state = calloc(1, sizeof(*state));
		state->target = strdup(url);
		return MHD_YES;
	}
	if (*upload_data_size) {
		keep(state, upload_data, *upload_data_size);
		*upload_data_size = 0;
		return MHD_YES;
	}
	work();
	if (!strcmp(url, "/echo")) {
		char *body = state->body ? state->body : calloc(1, 1);

		state->body = NULL;
		return send_memory(connection, body, state->size);
	}
	if (!strcmp(url, "/bytes") || !strcmp(url, "/chunked"))
		return send_bytes(connection, n, !strcmp(url, "/bytes"));
	if (!strcmp(url, "/endless"))
		return send_bytes(connection, UINT64_MAX - 1, 0);
	if (!strcmp(url, "/head"))
		return send_head(connection, method, state);
	if (!strcmp(url, "/status"))
		return send_status(connection, (unsigned)n);
	if (!strcmp(url, "/sleep"))
		sleep_ms(n);
	if (!strcmp(url, "/crash"))
		raise(SIGSEGV);
	return send_memory(connection, strdup("ok\n"), 3);
}

void runprofile_app_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
			      enum MHD_RequestTerminationCode code)
{
	struct state *state = *con_cls;

	if (cls != &the_cls)
		note("completed with another cls", code);
	if (state && code != MHD_REQUEST_TERMINATED_COMPLETED_OK && state->size)
		note("broken off after bytes", state->size > 0);
	note("completed", code);
	if (state) {
		free(state->target);
		free(state->body);
	}
	free(state);
	*con_cls = NULL;
}

int main(int argc, char **argv)
{
	const char *port = getenv("PORT");
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)atoi(port ? port : "8080"))};
	struct MHD_Daemon *daemon;
	sigset_t signals;
	void *cls;
	int number;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	runprofile_app_start(argc, argv, &cls);
	daemon = MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL,
				  runprofile_app, cls, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
				  MHD_OPTION_NOTIFY_COMPLETED, runprofile_app_completed, cls,
				  MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)256 * 1024, MHD_OPTION_END);
	if (!daemon)
		return 1;
	sigwait(&signals, &number);
	MHD_stop_daemon(daemon);
	runprofile_app_stop(cls);
	return 0;
}
