/* SPDX-License-Identifier: MIT */
/* An HTTP server that takes nothing but what RFC 9112 says, and writes down what it gets: so that a request
 * that the front lets through in a form that could be read otherwise is found out.
 *
 *     strict-server JOURNAL        (listens at the PORT of the environment)
 *
 * A line of the journal is "METHOD TARGET BODY-BYTES FIELDS", or "violation: what"; the answer is "ok". */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_BYTES (1 << 20)

struct client {
	FILE *in;
	int fd;
	char *line;
};

static int journal;

static void note(const char *text)
{
	if (write(journal, text, strlen(text)) < 0)
		abort();
}

static int violation(const char *what, const char *line)
{
	char text[300];

	snprintf(text, sizeof(text), "violation: %s: %.200s\n", what, line);
	note(text);
	return -1;
}

/* A line without its CR LF. Its size, -1: none, or a violation. */
static long read_line(struct client *client)
{
	long size = 0;
	int c;

	while ((c = getc(client->in)) != EOF && size < LINE_MAX_BYTES - 1) {
		client->line[size] = 0;
		if (c == 0)
			return violation("NUL", client->line);
		if (c == '\n')
			return violation("a line feed alone", client->line);
		if (c == '\r') {
			if (getc(client->in) != '\n')
				return violation("a carriage return alone", client->line);
			return size;
		}
		client->line[size++] = (char)c;
	}
	return -1;
}

static int skip(struct client *client, uint64_t n)
{
	char piece[65536];

	while (n) {
		size_t got = fread(piece, 1, n < sizeof(piece) ? (size_t)n : sizeof(piece), client->in);

		if (!got)
			return -1;
		n -= got;
	}
	return 0;
}

static long long read_chunks(struct client *client)
{
	long long all = 0;

	for (;;) {
		char *end;
		long long size;

		if (read_line(client) <= 0)
			return -1;
		size = strtoll(client->line, &end, 16);
		if (*end || size < 0 ||
		    strspn(client->line, "0123456789abcdefABCDEF") != strlen(client->line))
			return violation("a chunk's size", client->line);
		if (!size)
			return read_line(client) == 0 ? all : violation("a trailer", client->line);
		all += size;
		if (skip(client, (uint64_t)size) || read_line(client) != 0)
			return violation("a chunk", "");
	}
}

/* The fields. Bytes of the body, -1 for what it does not take. */
static long long read_fields(struct client *client, unsigned *n_fields)
{
	static const char token[] =
	    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	unsigned n_hosts = 0, n_lengths = 0, n_codings = 0;
	long long length = 0;
	long size;

	for (*n_fields = 0; (size = read_line(client)) > 0; ++*n_fields) {
		const char *colon = strchr(client->line, ':'), *value;

		if (!colon || colon == client->line ||
		    strspn(client->line, token) != (size_t)(colon - client->line))
			return violation("a field's name", client->line);
		value = colon + 1 + strspn(colon + 1, " \t");
		n_hosts += !strncasecmp(client->line, "Host:", 5);
		if (!strncasecmp(client->line, "Content-Length:", 15)) {
			n_lengths++;
			if (!*value || strspn(value, "0123456789") != strlen(value))
				return violation("a length", client->line);
			length = atoll(value);
		}
		if (!strncasecmp(client->line, "Transfer-Encoding:", 18)) {
			n_codings++;
			if (strcmp(value, "chunked") != 0)
				return violation("a coding", client->line);
		}
	}
	if (size < 0)
		return -1;
	if (n_hosts != 1 || n_lengths > 1 || n_codings > 1 || (n_lengths && n_codings))
		return violation("Host or lengths", "");
	if (n_codings)
		return read_chunks(client);
	return skip(client, (uint64_t)length) ? -1 : length;
}

static __attribute__((noinline)) int serve(struct client *client)
{
	char method[32], target[4096], version[16], rest[2], text[5000];
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
	unsigned n_fields;
	long long body;

	if (read_line(client) < 0)
		return -1;
	if (sscanf(client->line, "%31[A-Z] %4095[!-~] %15[!-~]%1c", method, target, version, rest) != 3 ||
	    strcmp(version, "HTTP/1.1") != 0)
		return violation("a first line", client->line);
	body = read_fields(client, &n_fields);
	if (body < 0)
		return -1;
	snprintf(text, sizeof(text), "%s %s %lld %u\n", method, target, body, n_fields);
	note(text);
	return write(client->fd, answer, sizeof(answer) - 1) < 0 ? -1 : 0;
}

static void *run(void *cls)
{
	struct client client = {.fd = (int)(intptr_t)cls};

	client.in = fdopen(client.fd, "r");
	client.line = malloc(LINE_MAX_BYTES);
	while (client.in && client.line && !serve(&client))
		;
	fclose(client.in);
	free(client.line);
	return NULL;
}

int main(int argc, char **argv)
{
	const char *port = getenv("PORT");
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)atoi(port ? port : "8080"))};
	int listen_fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	journal = open(argc > 1 ? argv[1] : "/dev/stdout", O_WRONLY | O_CREAT | O_APPEND, 0600);
	signal(SIGPIPE, SIG_IGN);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (journal < 0 || bind(listen_fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listen_fd, 64)) {
		perror("strict-server");
		return 1;
	}
	for (;;) {
		int fd = accept(listen_fd, NULL, NULL);
		pthread_t thread;

		if (fd >= 0 && !pthread_create(&thread, NULL, run, (void *)(intptr_t)fd))
			pthread_detach(thread);
	}
}
