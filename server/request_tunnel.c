/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Upgraded connections: once the application has agreed, bytes go both ways
 * between it and the client until one of them has had enough or the server
 * ends. Called by request_app.c on the client connection's thread; each tunnel
 * has a thread of its own, since libmicrohttpd needs the former to carry a TLS
 * connection's bytes. */
#include "server/front_screen.h"
#include "server/gateway_http.h"
#include "server/request_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)32 * 1024)
#define WAIT_MS 250

/* One direction. */
struct way {
	int from, to;
	char data[PIECE_BYTES];
	size_t start, size;
	uint64_t total_bytes;
	int has_ended; /* `from` sends no more */
	int is_shut;   /* ... and `to` has been told */
};

struct tunnel {
	struct rps_request *request;
	struct MHD_UpgradeResponseHandle *handle;
	struct way up, down;
};

int rps_request_is_upgrade(const struct rps_request *request)
{
	const char *protocol = rps_header_list_find(&request->headers, "Upgrade");

	if (!protocol || !*protocol || request->server->gateway->exchange != &rps_exchange_http ||
	    strcmp(request->version, "HTTP/1.1") || rps_request_declared_body_bytes(request))
		return 0;
	/* HTTP/2 would carry any number of requests past us. */
	if (rps_header_has_token(protocol, "h2c"))
		return 0;
	for (size_t i = 0; i < request->headers.n; i++)
		if (!strcasecmp(request->headers.items[i].name, "Connection") &&
		    rps_header_has_token(request->headers.items[i].value, "upgrade"))
			return 1;
	return 0;
}

/* ---- Carrying ------------------------------------------------------------------------------- */

/* Moves what can be moved. -1 when it is broken. */
static int carry(struct way *way, int may_read, int may_write)
{
	ssize_t n;

	if (may_read && !way->size) {
		n = recv(way->from, way->data, sizeof(way->data), MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -1;
		way->has_ended = n == 0;
		if (n > 0) {
			way->start = 0;
			way->size = (size_t)n;
			may_write = 1;
		}
	}
	if (may_write && way->size) {
		n = send(way->to, way->data + way->start, way->size, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -1;
		if (n > 0) {
			way->start += (size_t)n;
			way->size -= (size_t)n;
			way->total_bytes += (uint64_t)n;
		}
	}
	if (way->has_ended && !way->size && !way->is_shut) {
		shutdown(way->to, SHUT_WR);
		way->is_shut = 1;
	}
	return 0;
}

static short events_of(const struct way *in, const struct way *out)
{
	return (short)((!in->size && !in->has_ended ? POLLIN : 0) | (out->size ? POLLOUT : 0));
}

static void relay(struct tunnel *tunnel)
{
	struct way *up = &tunnel->up, *down = &tunnel->down;
	const struct rps_server *server = tunnel->request->server;

	while (!(up->is_shut && down->is_shut) && !atomic_load(&server->closing)) {
		struct pollfd fds[2] = {{.fd = up->from, .events = events_of(up, down)},
					{.fd = down->from, .events = events_of(down, up)}};
		int n = poll(fds, 2, WAIT_MS);

		if (n < 0 && errno != EINTR)
			return;
		if (n <= 0)
			continue;
		if (((fds[0].revents | fds[1].revents) & (POLLERR | POLLNVAL)) ||
		    carry(up, fds[0].revents & (POLLIN | POLLHUP), fds[1].revents & POLLOUT) ||
		    carry(down, fds[1].revents & (POLLIN | POLLHUP), fds[0].revents & POLLOUT))
			return;
	}
}

static void *run(void *cls)
{
	struct tunnel *tunnel = cls;
	struct rps_request *request = tunnel->request;

	relay(tunnel);
	request->body_bytes = tunnel->down.total_bytes;
	MHD_upgrade_action(tunnel->handle, MHD_UPGRADE_ACTION_CLOSE);
	free(tunnel);
	rps_request_end_tunnel(request);
	return NULL;
}

/* What was read too far stands before the rest. */
static void put_early(struct way *way, const char *data, size_t size)
{
	if (size > sizeof(way->data))
		size = sizeof(way->data);
	if (size)
		memcpy(way->data, data, size);
	way->size = size;
}

static void on_upgrade(void *cls, struct MHD_Connection *connection, void *con_cls, const char *extra,
		       size_t extra_size, MHD_socket client_fd, struct MHD_UpgradeResponseHandle *handle)
{
	struct rps_request *request = cls;
	struct tunnel *tunnel = calloc(1, sizeof(*tunnel));
	pthread_attr_t attributes;
	const char *early;
	size_t early_size;
	pthread_t thread;
	int app_fd = rps_exchange_tunnel_socket(request->exchange, &early, &early_size), rc = ENOMEM;

	rps_front_screen_stop(connection);
	if (tunnel && early_size <= PIECE_BYTES && extra_size <= PIECE_BYTES) {
		tunnel->request = request;
		tunnel->handle = handle;
		tunnel->up.from = tunnel->down.to = client_fd;
		tunnel->up.to = tunnel->down.from = app_fd;
		put_early(&tunnel->up, extra, extra_size);
		put_early(&tunnel->down, early, early_size);
		request->is_tunnel = 1;
		pthread_attr_init(&attributes);
		pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
		rc = pthread_create(&thread, &attributes, run, tunnel);
		pthread_attr_destroy(&attributes);
	}
	if (!rc)
		return;
	request->is_tunnel = 0;
	free(tunnel);
	MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

struct MHD_Response *rps_request_tunnel_response(struct rps_request *request)
{
	return MHD_create_response_for_upgrade(on_upgrade, request);
}
