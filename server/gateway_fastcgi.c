/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fastcgi gateway: the application gets a listening socket as descriptor 0
 * (or listens where --fastcgi says), and each request is a connection to it.
 *
 * A connection is not used again: an application of libfcgi serves a kept connection until it is closed and
 * looks at no other meanwhile, so kept ones would keep each other waiting; and connecting to a
 * Unix socket costs some ten microseconds. Requests that run at the same time have connections of their own,
 * which the application takes as its threads or processes allow.
 *
 * `prepare` runs on the main thread, the exchange on the client connection's. */
#include "server/fastcgi_record.h"
#include "server/app_log.h"
#include "server/cgi_variables.h"
#include "server/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_ID 1
#define ROLE_RESPONDER 1

struct fastcgi {
	struct rps_fastcgi_reader reader;
	struct rps_app_log log; /* of its stderr */
};

/* ---- Starting the application ----------------------------------------------------------- */

static int fits(const struct rps_app_elf *elf, const char **why)
{
	*why = "a program that uses libfcgi";
	return elf->kind == RPS_APP_PROGRAM && elf->needs_fcgi;
}

static int prepare(struct rps_app_command *command, const struct rps_options *options,
		   const struct rps_app_elf *elf, char *error, size_t error_size)
{
	int rc = rps_gateway_check_program(command, elf, 0, error, error_size);

	return rc ? rc : rps_gateway_prepare_socket(command, options, 0, error, error_size);
}

/* ---- Records ---------------------------------------------------------------------------------- */

static int put_record(struct rps_exchange *exchange, enum rps_fastcgi_type type, const void *data,
		      size_t size)
{
	uint8_t header[RPS_FASTCGI_HEADER];
	int rc;

	rps_fastcgi_put_header(header, type, REQUEST_ID, size);
	rc = rps_stream_put(exchange, header, sizeof(header));
	return rc || !size ? rc : rps_stream_put(exchange, data, size);
}

/* A stream's bytes, in as many records as they need. */
static int put_stream(struct rps_exchange *exchange, enum rps_fastcgi_type type, const char *data,
		      size_t size)
{
	int rc = 0;

	while (!rc && size) {
		size_t n = size < RPS_FASTCGI_CONTENT_MAX ? size : RPS_FASTCGI_CONTENT_MAX;

		rc = put_record(exchange, type, data, n);
		data += n;
		size -= n;
	}
	return rc;
}

static int put_parameters(struct rps_exchange *exchange, const struct rps_cgi_variables *variables)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int rc;

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < variables->n; i++) {
		const char *item = variables->items[i], *value = strchr(item, '=') + 1;
		size_t name_size = (size_t)(value - item) - 1;
		uint8_t sizes[8] = {0};
		size_t n = rps_fastcgi_put_sizes(sizes, name_size, strlen(value));

		fwrite(sizes, 1, n, out);
		fwrite(item, 1, name_size, out);
		fputs(value, out);
	}
	if (fclose(out)) {
		free(text);
		return -ENOMEM;
	}
	rc = put_stream(exchange, RPS_FASTCGI_PARAMS, text, size);
	free(text);
	return rc ? rc : put_record(exchange, RPS_FASTCGI_PARAMS, NULL, 0);
}

/* ---- The exchange ------------------------------------------------------------------------------- */

static int open_connection(struct rps_exchange *exchange, int64_t body_bytes)
{
	static const uint8_t begin[8] = {0, ROLE_RESPONDER, 0 /* the application closes */};
	struct rps_cgi_variables variables = {0};
	int rc = rps_gateway_fill_variables(exchange->context, exchange->request, body_bytes, &variables);

	if (!rc)
		rc = rps_stream_connect(exchange);
	if (!rc)
		rc = put_record(exchange, RPS_FASTCGI_BEGIN, begin, sizeof(begin));
	if (!rc)
		rc = put_parameters(exchange, &variables);
	rps_cgi_variables_clear(&variables);
	return rc;
}

static int wrap(struct rps_exchange *exchange, const void *data, size_t size)
{
	return put_stream(exchange, RPS_FASTCGI_STDIN, data, size);
}

static int end_body(struct rps_exchange *exchange)
{
	return put_record(exchange, RPS_FASTCGI_STDIN, NULL, 0);
}

static int on_end(struct rps_exchange *exchange)
{
	static const char *const words[] = {
	    "ended", "can't take more than one request on a connection (FCGI_CANT_MPX_CONN)",
	    "is overloaded (FCGI_OVERLOADED)", "does not take the role of a responder (FCGI_UNKNOWN_ROLE)"};
	const struct fastcgi *fastcgi = exchange->own;
	unsigned status = rps_fastcgi_protocol_status(&fastcgi->reader);

	if (status)
		return rps_stream_break(exchange, "%s", status < 4 ? words[status] : "refused the request");
	if (!exchange->head.is_complete)
		snprintf(exchange->error, sizeof(exchange->error),
			 "ended the request with status %" PRIu32 " and without an answer",
			 rps_fastcgi_app_status(&fastcgi->reader));
	exchange->end = RPS_STREAM_COMPLETE;
	/* libfcgi waits for it, up to two seconds, before the request ends there. In application scope that belongs
	 * between two requests. */
	if (!exchange->request->alone)
		rps_stream_hang_up(exchange);
	return 0;
}

static int take(struct rps_exchange *exchange, const char *data, size_t size)
{
	struct fastcgi *fastcgi = exchange->own;
	int rc = 0;

	while (size && !rc && exchange->end == RPS_STREAM_RUNS) {
		struct rps_fastcgi_piece piece;
		long used = rps_fastcgi_read(&fastcgi->reader, data, size, &piece);

		if (used < 0)
			return rps_stream_break(exchange, "gave an answer that is not FastCGI");
		data += used;
		size -= (size_t)used;
		if (piece.type == RPS_FASTCGI_STDOUT)
			rc = rps_stream_output(exchange, piece.data, piece.size);
		else if (piece.type == RPS_FASTCGI_STDERR)
			rps_app_log_put(&fastcgi->log, piece.data, piece.size);
		if (fastcgi->reader.has_ended)
			rc = on_end(exchange);
	}
	return rc;
}

/* Without the end record it was cut short, whatever has come. */
static int may_end(const struct rps_exchange *exchange)
{
	return 0;
}

static void close_connection(struct rps_exchange *exchange)
{
	struct fastcgi *fastcgi = exchange->own;

	rps_app_log_end(&fastcgi->log);
}

static const struct rps_stream_protocol protocol = {
    .open = open_connection,
    .wrap = wrap,
    .end_body = end_body,
    .take = take,
    .may_end = may_end,
    .close = close_connection,
};

static struct rps_exchange *begin(const struct rps_gateway_context *context,
				  const struct rps_exchange_request *request)
{
	struct rps_exchange *exchange = rps_stream_begin(context, request, &protocol, sizeof(struct fastcgi));
	struct fastcgi *fastcgi = exchange ? exchange->own : NULL;

	if (fastcgi)
		rps_app_log_begin(&fastcgi->log, context->shown);
	return exchange;
}

static const struct rps_exchange_operations exchange = RPS_STREAM_OPERATIONS(begin);

const struct rps_gateway rps_gateway_fastcgi = {
    .name = "fastcgi",
    .adapter = "libfcgi",
    .fits = fits,
    .prepare = prepare,
    .exchange = &exchange,
};
