/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See upstream.h. Called by gateway_http.c, on the client connection's thread.
 *
 * libcurl pushes; here it is made to be pulled. Its callbacks run within
 * curl_multi_perform only, which `pump` calls until what the caller waits for
 * is there:
 *
 *   send       the read callback hands out the caller's piece, then pauses the upload
 *   read       the write callback fills the body buffer, and pauses when it is full
 *
 * A connection that is used again may have been closed by the application just
 * now. libcurl would then send the request a second time by itself, and the
 * profile might count it twice; so opening a second connection is refused, and
 * the caller told (RPS_UPSTREAM_STALE).
 */
#include "server/upstream.h"

#include "server/body_buffer.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define IDLE_MAX 256 /* handles kept for use again */
#define WAIT_MS 250  /* how soon a stop is noticed */
#define CONNECT_TIMEOUT_MS 10000L
#define ALONE_RECEIVE_BUFFER (8 << 20)

struct rps_upstream {
	struct rps_upstream_pool *pool;
	struct rps_upstream *next_idle;
	CURL *easy;
	CURLM *multi;
	char error[CURL_ERROR_SIZE];

	int connection_fd; /* of the connection in libcurl's cache, -1 none */
	int held_fd;       /* closed by libcurl, not yet by us */
	int client_fd;

	unsigned running : 1; /* the easy handle is in the multi handle */
	unsigned done : 1;    /* the transfer has ended; `code` says how */
	unsigned alone : 1;
	unsigned reused : 1; /* over a connection that was used before */
	unsigned stale : 1;
	unsigned cancelled : 1;
	unsigned head_done : 1;
	unsigned upload_ended : 1;
	unsigned upload_paused : 1;
	unsigned download_paused : 1;
	CURLcode code;
	int buffer_error;

	const char *upload;
	size_t upload_left;
	uint32_t status;
	int64_t body_bytes;
	struct rps_header_list headers;
	struct rps_body_buffer body;
};

struct rps_upstream_pool {
	pthread_mutex_t lock;
	struct rps_upstream *idle;
	unsigned n_idle;
	const atomic_int *stopping;
};

/* ---- Callbacks ------------------------------------------------------------------ */

static curl_socket_t on_open(void *cls, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct rps_upstream *upstream = cls;
	int fd;

	if (upstream->reused) {
		upstream->stale = 1;
		return CURL_SOCKET_BAD;
	}
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	if (fd < 0)
		return CURL_SOCKET_BAD;
	if (upstream->alone) {
		/* So that the application never waits for us within its request. */
		int size = ALONE_RECEIVE_BUFFER;

		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	}
	upstream->connection_fd = fd;
	return fd;
}

static int on_close(void *cls, curl_socket_t fd)
{
	struct rps_upstream *upstream = cls;

	if (upstream->connection_fd == fd)
		upstream->connection_fd = -1;
	if (upstream->alone && upstream->held_fd < 0) {
		upstream->held_fd = fd;
		return 0;
	}
	return close(fd);
}

static size_t on_upload(char *buffer, size_t size, size_t n, void *cls)
{
	struct rps_upstream *upstream = cls;

	size *= n;
	if (size > upstream->upload_left)
		size = upstream->upload_left;
	if (!size && !upstream->upload_ended) {
		upstream->upload_paused = 1;
		return CURL_READFUNC_PAUSE;
	}
	if (!size)
		return 0;
	memcpy(buffer, upstream->upload, size);
	upstream->upload += size;
	upstream->upload_left -= size;
	return size;
}

static size_t on_body(char *data, size_t size, size_t n, void *cls)
{
	struct rps_upstream *upstream = cls;
	int rc;

	size *= n;
	rc = rps_body_buffer_put(&upstream->body, data, size, !upstream->upload_ended);
	if (rc == -EAGAIN) {
		upstream->download_paused = 1;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (rc) {
		upstream->buffer_error = rc;
		return 0;
	}
	return size;
}

static int64_t declared_size(const struct rps_header_list *headers)
{
	const char *text = rps_header_list_find(headers, "Content-Length");
	int64_t size = 0;

	/* libcurl has checked it; with a transfer coding it does not count. */
	if (!text || rps_header_list_find(headers, "Transfer-Encoding"))
		return -1;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (size > (INT64_MAX - 9) / 10)
			return -1;
		size = size * 10 + (*text - '0');
	}
	return size;
}

static uint32_t status_of(const char *line, size_t size)
{
	const char *space = memchr(line, ' ', size);
	uint32_t status = 0;

	if (!space)
		return 0;
	for (const char *p = space + 1; p < line + size && *p >= '0' && *p <= '9' && status < 1000; p++)
		status = status * 10 + (uint32_t)(*p - '0');
	return status;
}

static size_t on_head(char *line, size_t size, size_t n, void *cls)
{
	struct rps_upstream *upstream = cls;
	const char *colon;
	size_t all = size * n, value;
	int rc = 0;

	size = all;
	while (size && (line[size - 1] == '\r' || line[size - 1] == '\n'))
		size--;
	if (upstream->head_done)
		return all; /* a trailer */
	if (!size) {
		/* Interim answers are between us and the application. */
		if (upstream->status >= 200 || upstream->status == 101) {
			upstream->head_done = 1;
			upstream->body_bytes = declared_size(&upstream->headers);
		}
		return all;
	}
	if (size > 5 && !strncasecmp(line, "HTTP/", 5)) {
		rps_header_list_clear(&upstream->headers);
		upstream->status = status_of(line, size);
		return all;
	}
	if (*line == ' ' || *line == '\t') {
		rc = rps_header_list_fold(&upstream->headers, line + 1, size - 1);
		return rc == -ENOMEM ? 0 : all;
	}
	colon = memchr(line, ':', size);
	if (!colon)
		return all;
	value = (size_t)(colon - line) + 1;
	while (value < size && (line[value] == ' ' || line[value] == '\t'))
		value++;
	while (size > value && (line[size - 1] == ' ' || line[size - 1] == '\t'))
		size--;
	rc =
	    rps_header_list_add(&upstream->headers, line, (size_t)(colon - line), line + value, size - value);
	return rc ? 0 : all;
}

/* ---- Driving it -------------------------------------------------------------------- */

static void perform(struct rps_upstream *upstream)
{
	CURLMsg *message;
	int n;

	if (upstream->done)
		return;
	if (curl_multi_perform(upstream->multi, &n) != CURLM_OK) {
		upstream->done = 1;
		upstream->code = CURLE_OUT_OF_MEMORY;
		return;
	}
	while ((message = curl_multi_info_read(upstream->multi, &n))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		upstream->done = 1;
		upstream->code = message->data.result;
	}
}

/* Has the client reset its connection? One that has only ended its own
 * direction still waits for the answer. */
static int client_is_gone(const struct rps_upstream *upstream)
{
	struct pollfd client = {.fd = upstream->client_fd};

	return upstream->client_fd >= 0 && poll(&client, 1, 0) > 0 &&
	       (client.revents & (POLLHUP | POLLERR | POLLNVAL));
}

static void wait_for_events(struct rps_upstream *upstream)
{
	struct curl_waitfd client = {.fd = upstream->client_fd};

	curl_multi_poll(upstream->multi, &client, upstream->client_fd >= 0, WAIT_MS, NULL);
	if (*upstream->pool->stopping || client_is_gone(upstream)) {
		upstream->cancelled = 1;
		upstream->done = 1;
		upstream->code = CURLE_ABORTED_BY_CALLBACK;
	}
}

/* Lets libcurl go on where a callback had paused it; a direction not named
 * stays as it is. */
static void resume(struct rps_upstream *upstream, int upload, int download)
{
	int flags = CURLPAUSE_CONT;

	if (upload)
		upstream->upload_paused = 0;
	if (download)
		upstream->download_paused = 0;
	if (upstream->upload_paused)
		flags |= CURLPAUSE_SEND;
	if (upstream->download_paused)
		flags |= CURLPAUSE_RECV;
	/* Calls on_body with what was kept back, which may set the flag again. */
	if (curl_easy_pause(upstream->easy, flags) != CURLE_OK && !upstream->done) {
		upstream->done = 1;
		upstream->code = CURLE_WRITE_ERROR;
	}
}

void rps_upstream_send(struct rps_upstream *upstream, const void *data, size_t size)
{
	upstream->upload = data;
	upstream->upload_left = size;
	if (!upstream->done && upstream->upload_paused)
		resume(upstream, 1, 0);
	for (;;) {
		perform(upstream);
		if (upstream->done || !upstream->upload_left)
			break;
		wait_for_events(upstream);
	}
	/* An answer that came early needs no more of the body: the rest is dropped. */
	upstream->upload = NULL;
	upstream->upload_left = 0;
}

static enum rps_upstream_result result_of(const struct rps_upstream *upstream)
{
	if (upstream->cancelled)
		return RPS_UPSTREAM_CANCELLED;
	if (upstream->stale)
		return RPS_UPSTREAM_STALE;
	switch (upstream->code) {
	case CURLE_OK:
		return RPS_UPSTREAM_OK;
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_OPERATION_TIMEDOUT: /* only connecting has a limit */
		return RPS_UPSTREAM_NOT_CONNECTED;
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_SEND_FAIL_REWIND:
		return upstream->head_done ? RPS_UPSTREAM_CUT_SHORT : RPS_UPSTREAM_NO_ANSWER;
	case CURLE_PARTIAL_FILE:
		return RPS_UPSTREAM_CUT_SHORT;
	case CURLE_OUT_OF_MEMORY:
		return RPS_UPSTREAM_FAILED;
	case CURLE_WRITE_ERROR:
		return upstream->buffer_error ? RPS_UPSTREAM_FAILED : RPS_UPSTREAM_GARBAGE;
	default:
		return RPS_UPSTREAM_GARBAGE;
	}
}

enum rps_upstream_result rps_upstream_wait_head(struct rps_upstream *upstream, uint32_t *status,
						const struct rps_header_list **headers)
{
	upstream->upload_ended = 1;
	if (!upstream->done && upstream->upload_paused)
		resume(upstream, 1, 0);
	for (;;) {
		perform(upstream);
		if (upstream->done || upstream->head_done)
			break;
		wait_for_events(upstream);
	}
	*status = upstream->status;
	*headers = &upstream->headers;
	if (upstream->done && result_of(upstream) != RPS_UPSTREAM_OK)
		return result_of(upstream);
	/* A transfer can end well without a head only by a bug, but then there is nothing to pass on. */
	return upstream->head_done ? RPS_UPSTREAM_OK : RPS_UPSTREAM_GARBAGE;
}

int64_t rps_upstream_body_bytes(const struct rps_upstream *upstream)
{
	return upstream->body_bytes;
}

ssize_t rps_upstream_read(struct rps_upstream *upstream, void *buffer, size_t size)
{
	for (;;) {
		ssize_t n = rps_body_buffer_take(&upstream->body, buffer, size);

		if (n)
			return n;
		if (upstream->done)
			return result_of(upstream) == RPS_UPSTREAM_OK ? 0 : -EPIPE;
		if (upstream->download_paused) {
			resume(upstream, 0, 1);
			continue;
		}
		perform(upstream);
		if (upstream->done || !rps_body_buffer_is_empty(&upstream->body))
			continue;
		wait_for_events(upstream);
	}
}

int rps_upstream_is_complete(const struct rps_upstream *upstream)
{
	return upstream->done && upstream->code == CURLE_OK && upstream->body.spill_fd < 0;
}

const char *rps_upstream_error(const struct rps_upstream *upstream)
{
	return *upstream->error ? upstream->error : curl_easy_strerror(upstream->code);
}

/* ---- Beginning and ending ---------------------------------------------------------- */

/* Is there a connection that the application has not closed meanwhile? */
static int connection_is_alive(const struct rps_upstream *upstream)
{
	char byte;

	return upstream->connection_fd >= 0 &&
	       recv(upstream->connection_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	       (errno == EAGAIN || errno == EWOULDBLOCK);
}

static void set_options(struct rps_upstream *upstream, const struct rps_upstream_request *request)
{
	CURL *easy = upstream->easy;

	curl_easy_reset(easy);
	*upstream->error = 0;
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, upstream->error);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 64L * 1024);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, upstream);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, upstream);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
	curl_easy_setopt(easy, CURLOPT_READDATA, upstream);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, upstream);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, upstream);

	curl_easy_setopt(easy, CURLOPT_URL, request->base_url);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, request->target);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers);
	if (!strcmp(request->method, "HEAD")) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	} else if (request->has_body) {
		curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_bytes);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	if (!upstream->reused)
		curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	if (request->alone)
		curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
}

int rps_upstream_begin(struct rps_upstream *upstream, const struct rps_upstream_request *request)
{
	upstream->client_fd = request->client_fd;
	upstream->alone = request->alone != 0;
	/* A body can't be sent twice, so it gets a connection that can't be stale. */
	upstream->reused =
	    !request->alone && !request->fresh && !request->has_body && connection_is_alive(upstream);
	upstream->done = upstream->stale = upstream->cancelled = 0;
	upstream->head_done = upstream->upload_paused = upstream->download_paused = 0;
	upstream->upload_ended = !request->has_body || !strcmp(request->method, "HEAD");
	upstream->code = CURLE_OK;
	upstream->buffer_error = 0;
	upstream->upload = NULL;
	upstream->upload_left = 0;
	upstream->status = 0;
	upstream->body_bytes = -1;
	set_options(upstream, request);
	if (curl_multi_add_handle(upstream->multi, upstream->easy) != CURLM_OK)
		return -ENOMEM;
	upstream->running = 1;
	return 0;
}

static void end_transfer(struct rps_upstream *upstream)
{
	if (upstream->running)
		curl_multi_remove_handle(upstream->multi, upstream->easy);
	upstream->running = 0;
}

static void close_held(struct rps_upstream *upstream)
{
	if (upstream->held_fd >= 0)
		close(upstream->held_fd);
	upstream->held_fd = -1;
}

void rps_upstream_abort(struct rps_upstream *upstream)
{
	upstream->alone = 0; /* nothing is to be held open any more */
	if (!upstream->done) {
		upstream->done = upstream->cancelled = 1;
		upstream->code = CURLE_ABORTED_BY_CALLBACK;
	}
	end_transfer(upstream);
	close_held(upstream);
}

static void destroy(struct rps_upstream *upstream)
{
	upstream->alone = 0;
	end_transfer(upstream);
	if (upstream->easy)
		curl_easy_cleanup(upstream->easy);
	if (upstream->multi)
		curl_multi_cleanup(upstream->multi);
	close_held(upstream);
	rps_header_list_clear(&upstream->headers);
	rps_body_buffer_free(&upstream->body);
	free(upstream);
}

static struct rps_upstream *create(struct rps_upstream_pool *pool)
{
	struct rps_upstream *upstream = calloc(1, sizeof(*upstream));

	if (!upstream)
		return NULL;
	upstream->pool = pool;
	upstream->connection_fd = upstream->held_fd = upstream->client_fd = -1;
	rps_body_buffer_init(&upstream->body);
	upstream->easy = curl_easy_init();
	upstream->multi = curl_multi_init();
	if (!upstream->easy || !upstream->multi) {
		destroy(upstream);
		return NULL;
	}
	curl_multi_setopt(upstream->multi, CURLMOPT_MAXCONNECTS, 1L);
	return upstream;
}

struct rps_upstream *rps_upstream_get(struct rps_upstream_pool *pool)
{
	struct rps_upstream *upstream;

	pthread_mutex_lock(&pool->lock);
	upstream = pool->idle;
	if (upstream) {
		pool->idle = upstream->next_idle;
		pool->n_idle--;
	}
	pthread_mutex_unlock(&pool->lock);
	return upstream ? upstream : create(pool);
}

void rps_upstream_put(struct rps_upstream *upstream)
{
	struct rps_upstream_pool *pool = upstream->pool;
	int good = upstream->done && result_of(upstream) == RPS_UPSTREAM_OK;

	end_transfer(upstream);
	close_held(upstream);
	rps_header_list_clear(&upstream->headers);
	rps_body_buffer_clear(&upstream->body);
	if (good) {
		pthread_mutex_lock(&pool->lock);
		good = pool->n_idle < IDLE_MAX;
		if (good) {
			upstream->next_idle = pool->idle;
			pool->idle = upstream;
			pool->n_idle++;
		}
		pthread_mutex_unlock(&pool->lock);
	}
	if (!good)
		destroy(upstream);
}

struct rps_upstream_pool *rps_upstream_pool_create(const atomic_int *stopping)
{
	struct rps_upstream_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pthread_mutex_init(&pool->lock, NULL);
	pool->stopping = stopping;
	return pool;
}

void rps_upstream_pool_destroy(struct rps_upstream_pool *pool)
{
	if (!pool)
		return;
	while (pool->idle) {
		struct rps_upstream *upstream = pool->idle;

		pool->idle = upstream->next_idle;
		destroy(upstream);
	}
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
