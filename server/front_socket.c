/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See front_socket.h. Called by front.c. */
#include "server/front_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 511
#define ACTIVATION_FD 3 /* the first that systemd hands over */

static int open_tcp(const struct addrinfo *info)
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

static void name_tcp(struct rps_front_socket *front, const char *address, const struct rps_options *options)
{
	snprintf(front->host, sizeof(front->host), strchr(address, ':') ? "[%.250s]:%u" : "%.250s:%u",
		 address, port_of(front->fd));
	snprintf(front->shown, sizeof(front->shown), "%s://%s/", options->cert ? "https" : "http",
		 front->host);
}

static int listen_tcp(struct rps_front_socket *front, const struct rps_options *options, char *error,
		      size_t error_size)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	const char *address = options->address;
	const char *left = strchr(address, ':') ? "[" : "", *right = strchr(address, ':') ? "]" : "";
	struct addrinfo *list;
	char service[8], why[128];
	int rc;

	snprintf(service, sizeof(service), "%u", options->port);
	rc = getaddrinfo(address, service, &hints, &list);
	if (rc) {
		snprintf(error, error_size, "cannot listen on %s%s%s:%s: %s (see --addrport)", left, address,
			 right, service, gai_strerror(rc));
		return -EADDRNOTAVAIL;
	}
	front->fd = -EADDRNOTAVAIL;
	for (const struct addrinfo *info = list; info && front->fd < 0; info = info->ai_next)
		front->fd = open_tcp(info);
	freeaddrinfo(list);
	if (front->fd < 0) {
		snprintf(error, error_size, "cannot listen on %s%s%s:%s: %s", left, address, right, service,
			 advice(-front->fd, options->port, why, sizeof(why)));
		return front->fd;
	}
	name_tcp(front, address, options);
	return 0;
}

/* A socket file that nobody listens at any more is one that was left behind. */
static int remove_stale(const struct sockaddr_un *name, socklen_t size)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), is_stale;
	struct stat st;

	if (fd < 0 || lstat(name->sun_path, &st) || !S_ISSOCK(st.st_mode) || st.st_uid != geteuid()) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	is_stale = connect(fd, (const struct sockaddr *)name, size) && errno == ECONNREFUSED;
	close(fd);
	return is_stale && !unlink(name->sun_path);
}

static int listen_unix(struct rps_front_socket *front, const char *path, char *error, size_t error_size)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(name);
	mode_t mask;
	int rc = 0;

	if (strlen(path) >= sizeof(name.sun_path)) {
		snprintf(error, error_size,
			 "cannot listen on unix:%s: the name is too long (%zu bytes are possible)", path,
			 sizeof(name.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	strcpy(name.sun_path, path);
	front->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Profiles are their owner's; so is the way to make them. */
	mask = umask(0077);
	if (front->fd < 0 || (bind(front->fd, (struct sockaddr *)&name, size) &&
			      (errno != EADDRINUSE || !remove_stale(&name, size) ||
			       bind(front->fd, (struct sockaddr *)&name, size))))
		rc = errno ? -errno : -EADDRINUSE;
	umask(mask);
	if (!rc && listen(front->fd, BACKLOG))
		rc = -errno;
	if (rc) {
		snprintf(error, error_size, "cannot listen on unix:%s: %s", path,
			 rc == -EADDRINUSE ? "it exists (is another server running?)" : strerror(-rc));
		if (front->fd >= 0)
			close(front->fd);
		return rc;
	}
	snprintf(front->path, sizeof(front->path), "%s", path);
	snprintf(front->host, sizeof(front->host), "localhost");
	snprintf(front->shown, sizeof(front->shown), "unix:%s", path);
	return 0;
}

/* Was a socket handed over? The variables are not passed on. */
static int has_activation(void)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	int has = pid && n && atol(pid) == getpid() && atoi(n) >= 1;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return has;
}

static int take_activation(struct rps_front_socket *front, const struct rps_options *options, char *error,
			   size_t error_size)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	int listens = 0;
	socklen_t listens_size = sizeof(listens);
	char host[256] = "";

	if (getsockopt(ACTIVATION_FD, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_size) || !listens ||
	    getsockname(ACTIVATION_FD, (struct sockaddr *)&address, &size)) {
		snprintf(error, error_size,
			 "descriptor %d, handed over by LISTEN_FDS, is no listening socket", ACTIVATION_FD);
		return -ENOTSOCK;
	}
	front->fd = fcntl(ACTIVATION_FD, F_DUPFD_CLOEXEC, 4);
	close(ACTIVATION_FD);
	if (front->fd < 0) {
		snprintf(error, error_size, "cannot use the socket of LISTEN_FDS: %s", strerror(errno));
		return -EIO;
	}
	if (address.ss_family == AF_UNIX) {
		snprintf(front->host, sizeof(front->host), "localhost");
		snprintf(front->shown, sizeof(front->shown), "the socket of LISTEN_FDS");
		return 0;
	}
	getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), NULL, 0, NI_NUMERICHOST);
	name_tcp(front, host, options);
	return 0;
}

int rps_front_socket_open(struct rps_front_socket *front, const struct rps_options *options, char *error,
			  size_t error_size)
{
	memset(front, 0, sizeof(*front));
	if (has_activation())
		return take_activation(front, options, error, error_size);
	if (!strncmp(options->address, "unix:", 5))
		return listen_unix(front, options->address + 5, error, error_size);
	return listen_tcp(front, options, error, error_size);
}

void rps_front_socket_remove(const struct rps_front_socket *front)
{
	if (*front->path)
		unlink(front->path);
}
