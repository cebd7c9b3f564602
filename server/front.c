/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See front.h. Everything about a single request is in request.c; here is what
 * libmicrohttpd needs to know to call it. */
#include "server/front.h"

#include "server/front_screen.h"
#include "server/front_socket.h"
#include "server/message.h"
#include "server/request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define CONNECTION_MEMORY ((size_t)512 * 1024) /* bounds a request's head, and a piece of its body */
#define CONNECTION_MEMORY_STEP ((size_t)32 * 1024)
#define CONNECTIONS_MAX 4096u
#define DESCRIPTORS_PER_CONNECTION 6u /* client, upstream, libcurl's own, the profile's file */
#define PEM_MAX ((size_t)1024 * 1024)

struct rps_front {
	struct rps_server *server;
	struct MHD_Daemon *daemon;
	struct rps_front_socket socket;
	int fd;           /* the socket's, as long as it is ours */
	char *cert, *key; /* PEM; NULL: no TLS */
};

/* ---- Listening ----------------------------------------------------------------------------- */

static char *read_pem(const char *path, const char *option, char *error, size_t error_size)
{
	FILE *file = fopen(path, "re");
	char *text = malloc(PEM_MAX);
	size_t n = file && text ? fread(text, 1, PEM_MAX - 1, file) : 0;

	if (!n) {
		snprintf(error, error_size, "cannot read %s: %s (--%s takes a PEM file)", path,
			 file ? "it is empty" : strerror(errno), option);
		free(text);
		text = NULL;
	} else {
		text[n] = 0;
	}
	if (file)
		fclose(file);
	return text;
}

static int read_tls(struct rps_front *front, char *error, size_t error_size)
{
	const struct rps_options *options = front->server->options;

	if (!options->cert && !options->key)
		return 0;
	if (!options->cert || !options->key) {
		snprintf(error, error_size, "--cert and --key go together: %s is missing",
			 options->cert ? "--key=FILE" : "--cert=FILE");
		return -EINVAL;
	}
	if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES) {
		snprintf(error, error_size,
			 "this libmicrohttpd was built without TLS (leave --cert and --key out)");
		return -ENOTSUP;
	}
	front->cert = read_pem(options->cert, "cert", error, error_size);
	front->key = front->cert ? read_pem(options->key, "key", error, error_size) : NULL;
	return front->key ? 0 : -EINVAL;
}

struct rps_front *rps_front_listen(struct rps_server *server, char *error, size_t error_size)
{
	struct rps_front *front = calloc(1, sizeof(*front));

	if (!front) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	front->server = server;
	front->fd = -1;
	if (read_tls(front, error, error_size) ||
	    rps_front_socket_open(&front->socket, server->options, error, error_size)) {
		rps_front_destroy(front);
		return NULL;
	}
	front->fd = front->socket.fd;
	snprintf(server->front_host, sizeof(server->front_host), "%s", front->socket.host);
	snprintf(server->front_shown, sizeof(server->front_shown), "%s", front->socket.shown);
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

static void on_connection(void *cls, struct MHD_Connection *connection, void **screen,
			  enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *info;
	char client[INET6_ADDRSTRLEN];

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		*screen = info ? rps_front_screen_open(info->connect_fd) : NULL;
	} else if (*screen) {
		rps_request_name_client(connection, client, sizeof(client));
		rps_front_screen_close(*screen, client);
	}
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

static unsigned connections_max(const struct rps_options *options)
{
	struct rlimit limit;

	if (options->max_connections)
		return options->max_connections;
	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == RLIM_INFINITY ||
	    limit.rlim_cur / DESCRIPTORS_PER_CONNECTION > CONNECTIONS_MAX)
		return CONNECTIONS_MAX;
	return limit.rlim_cur > 64 ? (unsigned)(limit.rlim_cur / DESCRIPTORS_PER_CONNECTION) : 8;
}

int rps_front_start(struct rps_front *front, char *error, size_t error_size)
{
	const struct MHD_OptionItem tls[] = {
	    {MHD_OPTION_HTTPS_MEM_CERT, 0, front->cert},
	    {MHD_OPTION_HTTPS_MEM_KEY, 0, front->key},
	    {MHD_OPTION_END, 0, NULL},
	};
	const struct MHD_OptionItem none = {MHD_OPTION_END, 0, NULL};

	rps_front_screen_configure(front->cert != NULL, front->server->options->client_timeout_ms);
	front->daemon = MHD_start_daemon(
	    MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC | MHD_USE_ERROR_LOG |
		MHD_ALLOW_UPGRADE | (front->cert ? MHD_USE_TLS : 0u),
	    0, NULL, NULL, on_request, NULL, MHD_OPTION_EXTERNAL_LOGGER, on_error, front->server,
	    MHD_OPTION_LISTEN_SOCKET, front->fd, MHD_OPTION_URI_LOG_CALLBACK, on_request_line, front->server,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL,
	    MHD_OPTION_CONNECTION_TIMEOUT, front->server->options->client_timeout_ms / 1000, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    CONNECTION_MEMORY, MHD_OPTION_CONNECTION_MEMORY_INCREMENT, CONNECTION_MEMORY_STEP,
	    MHD_OPTION_CONNECTION_LIMIT, connections_max(front->server->options),
	    MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_ARRAY, front->cert ? tls : &none,
	    MHD_OPTION_END);
	if (front->daemon)
		return 0;
	snprintf(error, error_size, "cannot start serving%s",
		 front->cert ? " (do --cert and --key belong together?)" : "");
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
	rps_front_socket_remove(&front->socket);
	if (front->key)
		explicit_bzero(front->key, strlen(front->key));
	free(front->key);
	free(front->cert);
	free(front);
}
