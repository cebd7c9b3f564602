/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One HTTP connection to the application, driven by libcurl from the thread
 * that needs it: bytes go in and come out in pieces, in constant memory. And
 * the pool of those that are idle. A handle belongs to one thread at a time;
 * the pool may be used by any. */
#ifndef RPS_SERVER_UPSTREAM_H
#define RPS_SERVER_UPSTREAM_H

#include "server/http_head.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct curl_slist;
struct rps_upstream;
struct rps_upstream_pool;

struct rps_upstream_request {
	const char *base_url; /* "http://127.0.0.1:4711/" */
	const char *method;
	const char *target;
	struct curl_slist *headers; /* owned by the caller, until the transfer has ended */
	int has_body;
	int64_t body_bytes; /* -1: sent in chunks */
	int client_fd;
	int alone; /* own connection, a large receive buffer, closed by rps_upstream_put only */
	int fresh; /* no connection that was used before */
};

/* How a transfer ended. */
enum rps_upstream_result {
	RPS_UPSTREAM_OK = 0,
	RPS_UPSTREAM_NOT_CONNECTED,
	RPS_UPSTREAM_STALE,     /* a connection used again was dead */
	RPS_UPSTREAM_NO_ANSWER, /* closed before or within the head of the answer */
	RPS_UPSTREAM_GARBAGE,   /* not HTTP, or against its rules */
	RPS_UPSTREAM_CUT_SHORT, /* closed in the middle of the answer's body */
	RPS_UPSTREAM_CANCELLED,
	RPS_UPSTREAM_FAILED, /* of our own: memory, disk */
};

/* `stopping` is read while waiting: nonzero ends every wait. NULL when out of memory. */
struct rps_upstream_pool *rps_upstream_pool_create(const atomic_int *stopping);
void rps_upstream_pool_destroy(struct rps_upstream_pool *pool);

/* An idle handle, or a new one. NULL when out of memory. */
struct rps_upstream *rps_upstream_get(struct rps_upstream_pool *pool);
/* Gives it back, for the next request, if its transfer ended well; closes what was held open. */
void rps_upstream_put(struct rps_upstream *upstream);

/* Starts a transfer. 0, -ENOMEM. `request` is not needed afterwards. */
int rps_upstream_begin(struct rps_upstream *upstream, const struct rps_upstream_request *request);
/* Returns when the data has been taken, or the transfer has ended. */
void rps_upstream_send(struct rps_upstream *upstream, const void *data, size_t size);
/* The body is complete; waits for the head. On RPS_UPSTREAM_OK `status`, and
 * `headers` (all, as received) are valid until rps_upstream_put. */
enum rps_upstream_result rps_upstream_wait_head(struct rps_upstream *upstream, uint32_t *status,
						const struct rps_header_list **headers);
/* Declared size of the body, -1 unknown. */
int64_t rps_upstream_body_bytes(const struct rps_upstream *upstream);
/* Waits for a piece of the body: bytes, 0 at the end, -errno. */
ssize_t rps_upstream_read(struct rps_upstream *upstream, void *buffer, size_t size);
/* The transfer has ended well; what is left to read is in memory. */
int rps_upstream_is_complete(const struct rps_upstream *upstream);
/* Breaks the transfer off and closes the connection at once. */
void rps_upstream_abort(struct rps_upstream *upstream);
/* libcurl's words for what went wrong. */
const char *rps_upstream_error(const struct rps_upstream *upstream);

#endif
