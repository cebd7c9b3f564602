/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scgi gateway (https://python.ca/scgi/protocol.txt): the application
 * listens by itself, told its port as an HTTP server would be, or where --scgi
 * says; or it takes the listening socket it gets as descriptor 0. Each request
 * is a connection: the variables as a netstring, the body; the answer in CGI's
 * manner until it closes.
 *
 * `prepare` runs on the main thread, the exchange on the client connection's. */
#include "server/cgi_variables.h"
#include "server/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fits(const struct rps_app_elf *elf, const char **why)
{
	return 0; /* nothing in a file tells */
}

static int prepare(struct rps_app_command *command, const struct rps_options *options,
		   const struct rps_app_elf *elf, char *error, size_t error_size)
{
	int rc = rps_gateway_check_program(command, elf, 0, error, error_size);

	return rc ? rc : rps_gateway_prepare_socket(command, options, 1, error, error_size);
}

static void put_pair(FILE *out, const char *item)
{
	const char *value = strchr(item, '=') + 1;

	fwrite(item, 1, (size_t)(value - item) - 1, out);
	fputc(0, out);
	fwrite(value, 1, strlen(value) + 1, out);
}

/* CONTENT_LENGTH comes first, and has a number even without a body; SCGI follows. */
static int put_netstring(struct rps_exchange *exchange, struct rps_cgi_variables *variables,
			 int64_t body_bytes)
{
	char *text = NULL, length[48];
	size_t size;
	FILE *out;
	int rc;

	snprintf(length, sizeof(length), "CONTENT_LENGTH=%lld", (long long)(body_bytes > 0 ? body_bytes : 0));
	out = open_memstream(&text, &size);
	if (!out)
		return -ENOMEM;
	put_pair(out, length);
	put_pair(out, "SCGI=1");
	for (size_t i = 0; i < variables->n; i++)
		if (strncmp(variables->items[i], "CONTENT_LENGTH=", 15))
			put_pair(out, variables->items[i]);
	if (fclose(out)) {
		free(text);
		return -ENOMEM;
	}
	snprintf(length, sizeof(length), "%zu:", size);
	rc = rps_stream_put(exchange, length, strlen(length));
	if (!rc)
		rc = rps_stream_put(exchange, text, size);
	free(text);
	return rc ? rc : rps_stream_put(exchange, ",", 1);
}

static int open_connection(struct rps_exchange *exchange, int64_t body_bytes)
{
	struct rps_cgi_variables variables = {0};
	int rc = rps_gateway_fill_variables(exchange->context, exchange->request, body_bytes, &variables);

	if (!rc)
		rc = rps_stream_connect(exchange);
	if (!rc)
		rc = put_netstring(exchange, &variables, body_bytes);
	rps_cgi_variables_clear(&variables);
	return rc;
}

static const struct rps_stream_protocol protocol = {.open = open_connection};

static struct rps_exchange *begin(const struct rps_gateway_context *context,
				  const struct rps_exchange_request *request)
{
	return rps_stream_begin(context, request, &protocol, 0);
}

static const struct rps_exchange_operations exchange = RPS_STREAM_OPERATIONS(begin);

const struct rps_gateway rps_gateway_scgi = {
    .name = "scgi",
    .fits = fits,
    .prepare = prepare,
    .exchange = &exchange,
};
