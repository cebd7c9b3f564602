/* SPDX-License-Identifier: MIT */
/* A SCGI application, one process, one request at a time: as many calls of leaf() as the query's n= says, and an answer
 * with its variables and body.
 *
 *     scgi-app port N     listens on 127.0.0.1:N
 *     scgi-app stdin      takes connections from the socket that is its standard input
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile unsigned long sink;

static __attribute__((noinline)) void leaf(unsigned long i)
{
	sink += i;
}

static void serve(FILE *in, FILE *out)
{
	unsigned long size, body = 0, n = 0;
	char *variables, *value;

	if (fscanf(in, "%lu:", &size) != 1)
		return;
	variables = calloc(size + 1, 1);
	if (fread(variables, 1, size, in) != size || getc(in) != ',')
		return;
	fputs("Content-Type: text/plain\r\nX-One: 1\r\n\r\n", out);
	for (char *name = variables; name < variables + size; name = value + strlen(value) + 1) {
		value = name + strlen(name) + 1;
		fprintf(out, "%s=%s\n", name, value);
		if (!strcmp(name, "CONTENT_LENGTH"))
			body = strtoul(value, NULL, 10);
		if (!strcmp(name, "QUERY_STRING") && !strncmp(value, "n=", 2))
			n = strtoul(value + 2, NULL, 10);
	}
	for (unsigned long i = 0; i < n; i++)
		leaf(i);
	for (; body > 0; body--)
		putc(getc(in), out);
	free(variables);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argc > 2 ? argv[2] : "0"))};
	int fd = 0, on = 1;

	if (argc > 2) {
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 64))
			return 1;
	}
	for (;;) {
		int client = accept(fd, NULL, NULL);
		FILE *in, *out;

		if (client < 0)
			return 1;
		in = fdopen(client, "r");
		out = fdopen(dup(client), "w");
		serve(in, out);
		fclose(out);
		fclose(in);
	}
}
