/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See stream.h. Called by request_app.c through the gateways' operations. */
#include "server/stream.h"

#include "server/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 250 /* how soon a stop is noticed */
#define PIECE_BYTES ((size_t)64 * 1024)

struct rps_exchange *rps_stream_begin(const struct rps_gateway_context *context,
				      const struct rps_exchange_request *request,
				      const struct rps_stream_protocol *protocol, size_t own_bytes)
{
	struct rps_exchange *exchange = calloc(1, sizeof(*exchange));
	void *own = calloc(1, own_bytes ? own_bytes : 1);

	if (!exchange || !own) {
		free(exchange);
		free(own);
		return NULL;
	}
	exchange->protocol = protocol;
	exchange->context = context;
	exchange->request = request;
	exchange->own = own;
	exchange->read_fd = exchange->write_fd = exchange->log_fd = -1;
	exchange->is_spooled = request->has_body && request->body_bytes < 0;
	rps_body_buffer_init(&exchange->spool);
	rps_body_buffer_init(&exchange->body);
	return exchange;
}

void rps_stream_hang_up(struct rps_exchange *exchange)
{
	if (exchange->read_fd >= 0)
		close(exchange->read_fd);
	if (exchange->write_fd >= 0 && exchange->write_fd != exchange->read_fd)
		close(exchange->write_fd);
	exchange->read_fd = exchange->write_fd = -1;
}

static void close_write(struct rps_exchange *exchange)
{
	if (exchange->write_fd >= 0 && exchange->write_fd != exchange->read_fd)
		close(exchange->write_fd);
	exchange->write_fd = -1;
}

int rps_stream_break(struct rps_exchange *exchange, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(exchange->error, sizeof(exchange->error), format, arguments);
	va_end(arguments);
	exchange->end = RPS_STREAM_BROKEN;
	return -EPROTO;
}

int rps_stream_connect(struct rps_exchange *exchange)
{
	struct rps_app *app = exchange->context->app;
	char address[RPS_ADDRESS_TEXT_MAX];
	int fd = rps_app_connect(app);

	if (fd < 0)
		return rps_stream_break(exchange, "can't be connected to at %s: %s", rps_app_address(app, address),
					strerror(-fd));
	exchange->read_fd = exchange->write_fd = fd;
	return 0;
}

/* ---- Bytes in and out ------------------------------------------------------------------ */

int rps_stream_put(struct rps_exchange *exchange, const void *data, size_t size)
{
	if (exchange->out_start) {
		memmove(exchange->out, exchange->out + exchange->out_start, exchange->out_size);
		exchange->out_start = 0;
	}
	if (exchange->out_size + size > exchange->out_allocated) {
		size_t allocated = 2 * (exchange->out_size + size);
		char *out = realloc(exchange->out, allocated);

		if (!out)
			return -ENOMEM;
		exchange->out = out;
		exchange->out_allocated = allocated;
	}
	memcpy(exchange->out + exchange->out_size, data, size);
	exchange->out_size += size;
	return 0;
}

int rps_stream_output(struct rps_exchange *exchange, const char *data, size_t size)
{
	size_t used;
	int rc = rps_cgi_answer_take(&exchange->head, data, size, &used);

	if (rc == -EMSGSIZE)
		return rps_stream_break(exchange, "the head of its answer does not end");
	if (rc || used == size)
		return rc;
	return rps_body_buffer_put(&exchange->body, data + used, size - used, 1);
}

static void fail(struct rps_exchange *exchange, int error)
{
	if (exchange->end == RPS_STREAM_RUNS)
		rps_stream_break(exchange, "could not be spoken to: %s", strerror(-error));
}

static void write_some(struct rps_exchange *exchange)
{
	ssize_t n = write(exchange->write_fd, exchange->out + exchange->out_start, exchange->out_size);

	if (n > 0) {
		exchange->out_start += (size_t)n;
		exchange->out_size -= (size_t)n;
		exchange->moved_ms = rps_clock_now_ms();
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		/* It reads no more; it may answer all the same. */
		exchange->out_size = 0;
		close_write(exchange);
	}
}

static void read_some(struct rps_exchange *exchange)
{
	char data[PIECE_BYTES];
	ssize_t n = read(exchange->read_fd, data, sizeof(data));
	int rc = 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		exchange->moved_ms = rps_clock_now_ms();
		rc = exchange->protocol->take ? exchange->protocol->take(exchange, data, (size_t)n)
					      : rps_stream_output(exchange, data, (size_t)n);
		if (rc)
			fail(exchange, rc);
		return;
	}
	/* A reset is no end. */
	if (n == 0 && (!exchange->protocol->may_end || exchange->protocol->may_end(exchange)))
		exchange->end = RPS_STREAM_COMPLETE;
	else
		exchange->end = RPS_STREAM_CUT_SHORT;
}

void rps_stream_read_log(struct rps_exchange *exchange)
{
	char data[4096];

	while (exchange->log_fd >= 0) {
		ssize_t n = read(exchange->log_fd, data, sizeof(data));

		if (n > 0) {
			rps_app_log_put(exchange->log, data, (size_t)n);
			continue;
		}
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		close(exchange->log_fd);
		exchange->log_fd = -1;
	}
}

/* Has the client reset its connection? One that has only ended its own direction still waits for the answer.
 */
static int client_is_gone(const struct rps_exchange *exchange)
{
	struct pollfd client = {.fd = exchange->request->client_fd};

	return client.fd >= 0 && poll(&client, 1, 0) > 0 && (client.revents & (POLLHUP | POLLERR | POLLNVAL));
}

static int may_read(const struct rps_exchange *exchange)
{
	/* While there is something to send, what comes is kept in a file if need be; later the application
	 * waits. */
	return exchange->read_fd >= 0 &&
	       (!exchange->body_ended || rps_body_buffer_room(&exchange->body) >= PIECE_BYTES);
}

static void give_up_waiting(struct rps_exchange *exchange)
{
	if (atomic_load(exchange->context->stopping) || client_is_gone(exchange))
		exchange->end = RPS_STREAM_CANCELLED;
	else if (rps_clock_now_ms() - exchange->moved_ms > exchange->context->options->request_timeout_ms &&
		 exchange->context->times_out)
		exchange->end = RPS_STREAM_TIMED_OUT;
}

/* Waits until something can be moved, and moves it. */
static void pump(struct rps_exchange *exchange)
{
	struct pollfd fds[4] = {
	    {.fd = may_read(exchange) ? exchange->read_fd : -1, .events = POLLIN},
	    {.fd = exchange->out_size ? exchange->write_fd : -1, .events = POLLOUT},
	    {.fd = exchange->request->client_fd},
	    {.fd = exchange->log_fd, .events = POLLIN},
	};
	int n = poll(fds, 4, WAIT_MS);

	if (n < 0 && errno != EINTR) {
		fail(exchange, -errno);
		return;
	}
	if (n > 0 && fds[1].revents)
		write_some(exchange);
	if (n > 0 && fds[0].revents)
		read_some(exchange);
	if (n > 0 && fds[3].revents)
		rps_stream_read_log(exchange);
	if (exchange->end == RPS_STREAM_RUNS && (n <= 0 || fds[2].revents))
		give_up_waiting(exchange);
}

static void flush(struct rps_exchange *exchange)
{
	while (exchange->end == RPS_STREAM_RUNS && exchange->out_size && exchange->write_fd >= 0)
		pump(exchange);
	if (exchange->write_fd < 0)
		exchange->out_size = 0;
}

/* ---- The request ------------------------------------------------------------------------- */

static void set_nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void open_stream(struct rps_exchange *exchange, int64_t body_bytes)
{
	int rc;

	exchange->is_open = 1;
	exchange->moved_ms = rps_clock_now_ms();
	rc = exchange->protocol->open(exchange, body_bytes);
	if (rc) {
		exchange->never_reached = 1;
		exchange->end = RPS_STREAM_BROKEN;
		if (!*exchange->error)
			snprintf(exchange->error, sizeof(exchange->error), "could not be reached: %s",
				 strerror(-rc));
		return;
	}
	set_nonblocking(exchange->read_fd);
	if (exchange->log_fd >= 0)
		set_nonblocking(exchange->log_fd);
	if (exchange->write_fd != exchange->read_fd)
		set_nonblocking(exchange->write_fd);
	flush(exchange);
}

static void pass_body(struct rps_exchange *exchange, const void *data, size_t size)
{
	int rc;

	if (exchange->end != RPS_STREAM_RUNS || exchange->write_fd < 0)
		return;
	rc = exchange->protocol->wrap ? exchange->protocol->wrap(exchange, data, size)
				      : rps_stream_put(exchange, data, size);
	if (rc)
		fail(exchange, rc);
	flush(exchange);
}

void rps_stream_send(struct rps_exchange *exchange, const void *data, size_t size)
{
	int rc;

	if (exchange->is_spooled) {
		rc = rps_body_buffer_put(&exchange->spool, data, size, 1);
		exchange->spooled_bytes += (int64_t)size;
		if (rc)
			fail(exchange, rc);
		return;
	}
	if (!exchange->is_open)
		open_stream(exchange, exchange->request->body_bytes);
	pass_body(exchange, data, size);
}

static void pass_spool(struct rps_exchange *exchange)
{
	char piece[PIECE_BYTES / 4];
	ssize_t n;

	while ((n = rps_body_buffer_take(&exchange->spool, piece, sizeof(piece))) > 0)
		pass_body(exchange, piece, (size_t)n);
	rps_body_buffer_clear(&exchange->spool);
}

static void end_body(struct rps_exchange *exchange)
{
	int rc = 0;

	if (exchange->end == RPS_STREAM_RUNS && !exchange->is_open)
		open_stream(exchange,
			    exchange->is_spooled ? exchange->spooled_bytes : exchange->request->body_bytes);
	if (exchange->is_spooled)
		pass_spool(exchange);
	if (exchange->end != RPS_STREAM_RUNS)
		return;
	if (exchange->protocol->end_body)
		rc = exchange->protocol->end_body(exchange);
	if (rc)
		fail(exchange, rc);
	flush(exchange);
	/* Only now may the application be made to wait: before, it would read no more of the body. */
	exchange->body_ended = 1;
	if (!exchange->protocol->end_body && exchange->write_fd != exchange->read_fd)
		close_write(exchange);
}

/* ---- The answer ----------------------------------------------------------------------------- */

static enum rps_exchange_outcome explain(const struct rps_exchange *exchange, char *error, size_t error_size)
{
	const struct rps_gateway_context *context = exchange->context;
	const char *shown = context->shown;
	char how[128];

	switch (exchange->end) {
	case RPS_STREAM_CANCELLED:
		return RPS_EXCHANGE_CANCELLED;
	case RPS_STREAM_TIMED_OUT:
		snprintf(error, error_size, "The application %s did not answer within %u s.", shown,
			 context->options->request_timeout_ms / 1000);
		return RPS_EXCHANGE_TIMED_OUT;
	case RPS_STREAM_BROKEN:
		snprintf(error, error_size, "The application %s %s.", shown, exchange->error);
		if (exchange->not_found)
			return RPS_EXCHANGE_NOT_FOUND;
		return exchange->never_reached ? RPS_EXCHANGE_UNREACHED : RPS_EXCHANGE_FAILED;
	case RPS_STREAM_RUNS:
	case RPS_STREAM_COMPLETE:
	case RPS_STREAM_CUT_SHORT:
		break;
	}
	if (*exchange->error)
		snprintf(error, error_size, "The application %s %s.", shown, exchange->error);
	else if (context->app && rps_app_has_ended(context->app, 100, how, sizeof(how)))
		snprintf(error, error_size, "The application %s %s.", shown, how);
	else
		snprintf(error, error_size,
			 "The application %s ended its answer before the head was complete.", shown);
	return RPS_EXCHANGE_FAILED;
}

enum rps_exchange_outcome rps_stream_wait_head(struct rps_exchange *exchange, char *error, size_t error_size)
{
	end_body(exchange);
	while (!exchange->head.is_complete && exchange->end == RPS_STREAM_RUNS)
		pump(exchange);
	if (exchange->head.is_complete && exchange->end != RPS_STREAM_BROKEN)
		return RPS_EXCHANGE_OK;
	/* What it has to say about itself may come with its end. */
	if (exchange->end != RPS_STREAM_CANCELLED)
		rps_stream_settle(exchange);
	return explain(exchange, error, error_size);
}

enum rps_exchange_outcome rps_stream_answer(struct rps_exchange *exchange, struct rps_answer *answer,
					    char *error, size_t error_size)
{
	enum rps_exchange_outcome outcome = rps_stream_wait_head(exchange, error, error_size);
	const char *why;
	int rc;

	if (outcome != RPS_EXCHANGE_OK)
		return outcome;
	rc = rps_cgi_answer_parse(&exchange->head, answer, &why);
	/* What ends at this hop is the front's to say. */
	for (size_t i = 0; !rc && i < answer->headers.n;) {
		if (rps_header_is_hop_by_hop(&answer->headers, answer->headers.items[i].name))
			rps_header_list_remove(&answer->headers, i);
		else
			i++;
	}
	if (!rc)
		return RPS_EXCHANGE_OK;
	if (rc == -ENOMEM)
		snprintf(error, error_size, "The server is out of memory.");
	else
		snprintf(error, error_size, "The application %s gave an answer that can't be read: %s.",
			 exchange->context->shown, why);
	return RPS_EXCHANGE_FAILED;
}

ssize_t rps_stream_read(struct rps_exchange *exchange, void *buffer, size_t size)
{
	for (;;) {
		ssize_t n = rps_body_buffer_take(&exchange->body, buffer, size);

		if (n)
			return n;
		if (exchange->end != RPS_STREAM_RUNS)
			return exchange->end == RPS_STREAM_COMPLETE ? 0 : -EPIPE;
		pump(exchange);
	}
}

int rps_stream_is_complete(const struct rps_exchange *exchange)
{
	return exchange->end == RPS_STREAM_COMPLETE && exchange->body.spill_fd < 0;
}

void rps_stream_settle(struct rps_exchange *exchange)
{
	if (exchange->is_open && exchange->protocol->settle)
		exchange->protocol->settle(exchange);
}

void rps_stream_abort(struct rps_exchange *exchange)
{
	if (exchange->end == RPS_STREAM_RUNS)
		exchange->end = RPS_STREAM_CANCELLED;
	if (exchange->protocol->abort)
		exchange->protocol->abort(exchange);
	rps_stream_hang_up(exchange);
}

void rps_stream_end(struct rps_exchange *exchange)
{
	rps_stream_hang_up(exchange);
	if (exchange->protocol->close)
		exchange->protocol->close(exchange);
	if (exchange->log_fd >= 0)
		close(exchange->log_fd);
	rps_cgi_answer_clear(&exchange->head);
	rps_body_buffer_free(&exchange->spool);
	rps_body_buffer_free(&exchange->body);
	free(exchange->own);
	free(exchange->out);
	free(exchange);
}
