/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An exchange for a request that asks for another protocol (WebSocket): a
 * connection of its own, spoken to without libcurl, which can't hand a
 * connection over with what it has read from it already. When the application does not
 * agree, its answer is passed on like any other. On the client connection's
 * thread.
 *
 * It stands on stream.c: what comes is a head, then a body, as in CGI but for the status line. */
#include "server/forward_head.h"
#include "server/gateway_http.h"
#include "server/http_chunks.h"
#include "server/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct tunnel {
	struct rps_cgi_answer head;
	struct rps_answer answer;
	struct rps_http_chunks chunks;
	int is_parsed;
	int is_tunnel; /* the answer was 101 */
	int is_chunked;
	int64_t left; /* of a body of declared size; -1: until the connection ends */
	char *early;  /* came behind the head of a 101 */
	size_t early_size;
};

/* ---- The request -------------------------------------------------------------------------------- */

static int put_text(struct rps_exchange *exchange, const char *name, const char *between, const char *value)
{
	int rc = rps_stream_put(exchange, name, strlen(name));

	if (!rc)
		rc = rps_stream_put(exchange, between, strlen(between));
	if (!rc)
		rc = rps_stream_put(exchange, value, strlen(value));
	return rc ? rc : rps_stream_put(exchange, "\r\n", 2);
}

static int put_head(struct rps_exchange *exchange)
{
	const struct rps_exchange_request *request = exchange->request;
	const char *protocol = rps_header_list_find(request->headers, "Upgrade");
	struct rps_header_list head = {0};
	char *target = NULL;
	int rc = rps_forward_head(request, &head);

	if (!rc && asprintf(&target, "%s HTTP/1.1", request->target) < 0)
		rc = -ENOMEM;
	if (!rc)
		rc = put_text(exchange, request->method, " ", target);
	for (size_t i = 0; !rc && i < head.n; i++)
		rc = put_text(exchange, head.items[i].name, ": ", head.items[i].value);
	if (!rc)
		rc = put_text(exchange, "Connection", ": ", "Upgrade");
	if (!rc)
		rc = put_text(exchange, "Upgrade", ": ", protocol);
	if (!rc)
		rc = rps_stream_put(exchange, "\r\n", 2);
	rps_header_list_clear(&head);
	free(target);
	return rc;
}

static int open_connection(struct rps_exchange *exchange, int64_t body_bytes)
{
	int rc = rps_stream_connect(exchange);

	return rc ? rc : put_head(exchange);
}

static int end_body(struct rps_exchange *exchange)
{
	return 0; /* there is none, and the connection stays open */
}

/* ---- The answer ------------------------------------------------------------------------------------ */

static int64_t declared_bytes(const struct tunnel *tunnel)
{
	return tunnel->is_chunked ? -1 : tunnel->answer.body_bytes;
}

static int parse(struct rps_exchange *exchange)
{
	struct tunnel *tunnel = exchange->own;
	const char *why, *coding, *text = tunnel->head.text;
	int rc;

	if (!strncmp(text, "HTTP/1.1 101", 12)) {
		tunnel->is_tunnel = 1;
		/* CGI has no such status. */
		memcpy(tunnel->head.text + 9, "200", 3);
	} else if (strncmp(text, "HTTP/1.", 7)) {
		return rps_stream_break(exchange, "gave an answer that is not HTTP");
	}
	rc = rps_cgi_answer_parse(&tunnel->head, &tunnel->answer, &why);
	if (rc == -ENOMEM)
		return rc;
	if (rc)
		return rps_stream_break(exchange, "gave an answer that is not HTTP: %s", why);
	coding = rps_header_list_find(&tunnel->answer.headers, "Transfer-Encoding");
	tunnel->is_chunked = coding && rps_header_has_token(coding, "chunked");
	tunnel->left = declared_bytes(tunnel);
	if (tunnel->is_tunnel)
		tunnel->answer.status = 101;
	tunnel->is_parsed = 1;
	return 0;
}

static int take_body(struct rps_exchange *exchange, const char *data, size_t size)
{
	struct tunnel *tunnel = exchange->own;
	int is_complete = 0, rc;
	char *copy;
	long n = (long)size;

	if (tunnel->is_tunnel) {
		copy = realloc(tunnel->early, tunnel->early_size + size);
		if (!copy)
			return -ENOMEM;
		memcpy(copy + tunnel->early_size, data, size);
		tunnel->early = copy;
		tunnel->early_size += size;
		return 0;
	}
	copy = malloc(size + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, size);
	if (tunnel->is_chunked)
		n = rps_http_chunks_decode(&tunnel->chunks, copy, size, &is_complete);
	else if (tunnel->left >= 0 && n > tunnel->left)
		n = (long)tunnel->left;
	rc = n < 0 ? rps_stream_break(exchange, "sent a chunk that is none")
		   : rps_body_buffer_put(&exchange->body, copy, (size_t)n, 1);
	free(copy);
	if (tunnel->left >= 0)
		tunnel->left -= n;
	if (!rc && (is_complete || !tunnel->left))
		exchange->end = RPS_STREAM_COMPLETE;
	return rc;
}

static int has_no_body(const struct tunnel *tunnel)
{
	return tunnel->answer.status == 204 || tunnel->answer.status == 304 || tunnel->left == 0;
}

static int take(struct rps_exchange *exchange, const char *data, size_t size)
{
	struct tunnel *tunnel = exchange->own;
	size_t used = 0;
	int rc = 0;

	if (!tunnel->is_parsed) {
		rc = rps_cgi_answer_take(&tunnel->head, data, size, &used);
		if (rc == -EMSGSIZE)
			return rps_stream_break(exchange, "gave an answer whose head does not end");
		if (rc || !tunnel->head.is_complete)
			return rc;
		rc = parse(exchange);
		if (rc)
			return rc;
		exchange->head.is_complete = 1;
		if (!tunnel->is_tunnel && has_no_body(tunnel))
			exchange->end = RPS_STREAM_COMPLETE;
	}
	return used < size && exchange->end == RPS_STREAM_RUNS ? take_body(exchange, data + used, size - used)
							       : rc;
}

static int may_end(const struct rps_exchange *exchange)
{
	const struct tunnel *tunnel = exchange->own;

	return tunnel->is_parsed && !tunnel->is_chunked && tunnel->left < 0;
}

static void close_connection(struct rps_exchange *exchange)
{
	struct tunnel *tunnel = exchange->own;

	rps_cgi_answer_clear(&tunnel->head);
	rps_header_list_clear(&tunnel->answer.headers);
	free(tunnel->early);
}

static const struct rps_stream_protocol protocol = {
    .open = open_connection,
    .end_body = end_body,
    .take = take,
    .may_end = may_end,
    .close = close_connection,
};

/* ---- Operations -------------------------------------------------------------------------------------- */

static struct rps_exchange *begin(const struct rps_gateway_context *context,
				  const struct rps_exchange_request *request)
{
	return rps_stream_begin(context, request, &protocol, sizeof(struct tunnel));
}

static enum rps_exchange_outcome answer(struct rps_exchange *exchange, struct rps_answer *answer, char *error,
					size_t error_size)
{
	struct tunnel *tunnel = exchange->own;
	enum rps_exchange_outcome outcome = rps_stream_wait_head(exchange, error, error_size);

	if (outcome != RPS_EXCHANGE_OK)
		return outcome;
	answer->status = tunnel->answer.status;
	answer->body_bytes = declared_bytes(tunnel);
	if (rps_header_list_pass_on(&answer->headers, &tunnel->answer.headers,
				    tunnel->is_tunnel ? "Upgrade" : "")) {
		snprintf(error, error_size, "The server is out of memory.");
		return RPS_EXCHANGE_FAILED;
	}
	return RPS_EXCHANGE_OK;
}

int rps_exchange_tunnel_socket(struct rps_exchange *exchange, const char **data, size_t *size)
{
	const struct tunnel *tunnel = exchange->own;

	*data = tunnel->early;
	*size = tunnel->early_size;
	return exchange->read_fd;
}

const struct rps_exchange_operations rps_exchange_tunnel = {
    .begin = begin,
    .send = rps_stream_send,
    .answer = answer,
    .read = rps_stream_read,
    .is_complete = rps_stream_is_complete,
    .abort = rps_stream_abort,
    .end = rps_stream_end,
};
