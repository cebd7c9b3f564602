/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See front.h. Everything about a single request is in request.c; here is what
 * libmicrohttpd needs to know to call it. */
#include "server/front.h"

#include "server/message.h"
#include "server/request.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 511
#define CONNECTION_MEMORY ((size_t)512 * 1024) /* bounds a request's head, and a piece of its body */
#define CONNECTION_MEMORY_STEP ((size_t)32 * 1024)
#define CONNECTIONS_MAX 4096u
#define DESCRIPTORS_PER_CONNECTION 6u /* client, upstream, libcurl's own, the profile's file */

struct rps_front {
	struct rps_server *server;
	struct MHD_Daemon *daemon;
	int fd;
};

/* ---- Listening ----------------------------------------------------------------------------- */

static int open_socket(const struct addrinfo *info)
{
	int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC, info->ai_protocol), on = 1, rc;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind(fd, info->ai_addr, info->ai_addrlen) && !listen(fd, BACKLOG))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

static const char *advice(int error, uint16_t port, char *text, size_t size)
{
	if (error == EADDRINUSE)
		snprintf(text, size, "address in use (try --addrport=%d)",
			 port < 65535 ? port + 1 : port - 1);
	else if (error == EACCES)
		snprintf(text, size, "permission denied (ports below 1024 are root's: try --addrport=8000)");
	else
		snprintf(text, size, "%s (see --addrport)", strerror(error));
	return text;
}

/* The port may have been 0: any. */
static uint16_t port_of(int fd)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &size))
		return 0;
	if (address.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
	return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

struct rps_front *rps_front_listen(struct rps_server *server, const char *address, uint16_t port, char *error,
				   size_t error_size)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	const char *format = strchr(address, ':') ? "[%s]:%u" : "%s:%u";
	struct rps_front *front = calloc(1, sizeof(*front));
	char service[8], shown[280], why[128];
	struct addrinfo *list;
	int rc;

	if (!front) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	front->server = server;
	snprintf(service, sizeof(service), "%u", port);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(shown, sizeof(shown), format, address, port);
#pragma GCC diagnostic pop
	rc = getaddrinfo(address, service, &hints, &list);
	if (rc) {
		snprintf(error, error_size, "cannot listen on %s: %s (see --addrport)", shown,
			 gai_strerror(rc));
		free(front);
		return NULL;
	}
	front->fd = -EADDRNOTAVAIL;
	for (const struct addrinfo *info = list; info && front->fd < 0; info = info->ai_next)
		front->fd = open_socket(info);
	freeaddrinfo(list);
	if (front->fd < 0) {
		snprintf(error, error_size, "cannot listen on %s: %s", shown,
			 advice(-front->fd, port, why, sizeof(why)));
		free(front);
		return NULL;
	}
	snprintf(server->front_host, sizeof(server->front_host), "%.*s:%u",
		 (int)(strrchr(shown, ':') - shown), shown, port_of(front->fd));
	return front;
}

/* ---- What libmicrohttpd calls ------------------------------------------------------------------ */

static void *on_request_line(void *cls, const char *target, struct MHD_Connection *connection)
{
	return rps_request_create(cls, connection, target);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload_data,
				  size_t *upload_data_size, void **request)
{
	if (!*request)
		return MHD_NO;
	return rps_request_handle(*request, method, version, upload_data, upload_data_size);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **request,
			 enum MHD_RequestTerminationCode how)
{
	if (*request)
		rps_request_finish(*request, how);
	*request = NULL;
}

static void on_error(void *cls, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));

/* libmicrohttpd's own complaints; they end in a newline. What they say of a
 * single connection shows in the log line already. */
static void on_error(void *cls, const char *format, va_list arguments)
{
	const struct rps_server *server = cls;
	char text[512];

	vsnprintf(text, sizeof(text), format, arguments);
	text[strcspn(text, "\n")] = 0;
	if (server->options->verbose)
		rps_message_complain("%s", text);
}

/* ---- Serving ----------------------------------------------------------------------------------- */

static unsigned connections_max(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == RLIM_INFINITY ||
	    limit.rlim_cur / DESCRIPTORS_PER_CONNECTION > CONNECTIONS_MAX)
		return CONNECTIONS_MAX;
	return limit.rlim_cur > 64 ? (unsigned)(limit.rlim_cur / DESCRIPTORS_PER_CONNECTION) : 8;
}

int rps_front_start(struct rps_front *front, char *error, size_t error_size)
{
	front->daemon = MHD_start_daemon(
	    MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0,
	    NULL, NULL, on_request, NULL, MHD_OPTION_EXTERNAL_LOGGER, on_error, front->server,
	    MHD_OPTION_LISTEN_SOCKET, front->fd, MHD_OPTION_URI_LOG_CALLBACK, on_request_line, front->server,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    CONNECTION_MEMORY, MHD_OPTION_CONNECTION_MEMORY_INCREMENT, CONNECTION_MEMORY_STEP,
	    MHD_OPTION_CONNECTION_LIMIT, connections_max(), MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
	    MHD_OPTION_END);
	if (front->daemon)
		return 0;
	snprintf(error, error_size, "cannot start serving: %s", strerror(errno));
	return -EIO;
}

void rps_front_quiesce(struct rps_front *front)
{
	MHD_socket fd;

	if (!front->daemon)
		return;
	fd = MHD_quiesce_daemon(front->daemon);
	if (fd >= 0) {
		close(fd);
		front->fd = -1;
	}
}

void rps_front_destroy(struct rps_front *front)
{
	if (!front)
		return;
	if (front->daemon)
		MHD_stop_daemon(front->daemon); /* closes the socket, unless it was quiesced */
	else if (front->fd >= 0)
		close(front->fd);
	free(front);
}
