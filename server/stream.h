/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An exchange over a pair of descriptors that answers in CGI's manner: what
 * cgi, scgi and fastcgi have in common. The protocol says what goes before and around the
 * bytes; this moves them, both ways at once and in constant memory, and
 * gives up when the client has gone, the server stops, or nothing moves for
 * too long. On the client connection's thread.
 *
 * A body that comes in chunks is kept in a file until its size is known, since
 * these protocols tell it first: the application is asked then.
 */
#ifndef RPS_SERVER_STREAM_H
#define RPS_SERVER_STREAM_H

#include "server/app_log.h"
#include "server/body_buffer.h"
#include "server/cgi_answer.h"
#include "server/gateway.h"

#include <stdint.h>

struct rps_stream_protocol {
	/* Connects or starts, sets read_fd and write_fd, and puts what precedes the body into `out`. 0, or
	 * -errno with a line in exchange->error. */
	int (*open)(struct rps_exchange *exchange, int64_t body_bytes);
	/* Wraps a piece of the body. NULL: goes as it is. */
	int (*wrap)(struct rps_exchange *exchange, const void *data, size_t size);
	/* The body is complete. NULL: closes write_fd, if it is one of its own. */
	int (*end_body)(struct rps_exchange *exchange);
	/* Bytes have come: hands what is the answer's to rps_stream_output. NULL: all is. 0 or -errno. */
	int (*take)(struct rps_exchange *exchange, const char *data, size_t size);
	/* Did the end of the stream come where it may? NULL: it may anywhere. */
	int (*may_end)(const struct rps_exchange *exchange);
	/* Waits for what the application does after its answer. NULL: nothing. */
	void (*settle)(struct rps_exchange *exchange);
	/* Breaks off. The descriptors are closed afterwards. NULL: nothing more to do. */
	void (*abort)(struct rps_exchange *exchange);
	/* Frees what `own` points to. NULL: nothing. */
	void (*close)(struct rps_exchange *exchange);
};

enum rps_stream_end {
	RPS_STREAM_RUNS = 0,
	RPS_STREAM_COMPLETE,
	RPS_STREAM_CUT_SHORT,
	RPS_STREAM_CANCELLED,
	RPS_STREAM_TIMED_OUT,
	RPS_STREAM_BROKEN, /* `error` says how */
};

struct rps_exchange {
	const struct rps_stream_protocol *protocol;
	const struct rps_gateway_context *context;
	const struct rps_exchange_request *request;
	void *own; /* the protocol's */

	int read_fd, write_fd; /* may be the same; -1: not open (any more) */
	int log_fd;            /* what it says besides, into `log`; -1: nothing */
	struct rps_app_log *log;
	int is_open;
	int body_ended;
	char *out; /* to be written */
	size_t out_start, out_size, out_allocated;
	struct rps_body_buffer spool; /* of the request's body */
	int64_t spooled_bytes;
	int is_spooled;

	struct rps_cgi_answer head;
	struct rps_body_buffer body; /* of the answer */
	enum rps_stream_end end;
	int never_reached; /* it failed before the application could see anything */
	int not_found;     /* ... since there is no such program */
	uint64_t moved_ms; /* when something moved last */
	char error[400];
};

/* With zeroed memory for the protocol; `close` frees what it points to. NULL when out of memory. */
struct rps_exchange *rps_stream_begin(const struct rps_gateway_context *context,
				      const struct rps_exchange_request *request,
				      const struct rps_stream_protocol *protocol, size_t own_bytes);
/* For a protocol's `open`: a connection to the application. 0 or -errno, with a line. */
int rps_stream_connect(struct rps_exchange *exchange);

/* Appends to what is to be written. 0 or -ENOMEM. */
int rps_stream_put(struct rps_exchange *exchange, const void *data, size_t size);
/* A piece of the answer: head and body. 0 or -errno. */
int rps_stream_output(struct rps_exchange *exchange, const char *data, size_t size);
/* Closes both descriptors: nothing more is to come, or to go. */
void rps_stream_hang_up(struct rps_exchange *exchange);
/* Passes on what has come on log_fd. Does not wait. */
void rps_stream_read_log(struct rps_exchange *exchange);
/* Ends it as broken; the text goes on from "The application ./app ". Returns -EPROTO. */
int rps_stream_break(struct rps_exchange *exchange, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The operations but for `begin`: RPS_STREAM_OPERATIONS(my_begin). */
/* Sends the rest, and waits until exchange->head is complete: for protocols with a head of another kind. */
enum rps_exchange_outcome rps_stream_wait_head(struct rps_exchange *exchange, char *error, size_t error_size);
void rps_stream_send(struct rps_exchange *exchange, const void *data, size_t size);
enum rps_exchange_outcome rps_stream_answer(struct rps_exchange *exchange, struct rps_answer *answer,
					    char *error, size_t error_size);
ssize_t rps_stream_read(struct rps_exchange *exchange, void *buffer, size_t size);
int rps_stream_is_complete(const struct rps_exchange *exchange);
void rps_stream_settle(struct rps_exchange *exchange);
void rps_stream_abort(struct rps_exchange *exchange);
void rps_stream_end(struct rps_exchange *exchange);

#define RPS_STREAM_OPERATIONS(begin_function)                                                                \
	{                                                                                                    \
		.begin = (begin_function), .send = rps_stream_send, .answer = rps_stream_answer,             \
		.read = rps_stream_read, .is_complete = rps_stream_is_complete, .settle = rps_stream_settle, \
		.abort = rps_stream_abort, .end = rps_stream_end,                                            \
	}

#endif
