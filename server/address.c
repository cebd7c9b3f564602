/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See address.h. Called by options.c, app.c, front.c and the gateways. */
#include "server/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 511

static int parse_unix(struct rps_address *address, const char *path)
{
	struct sockaddr_un *name = (struct sockaddr_un *)&address->socket;
	size_t size = strlen(path);

	if (!size || size >= sizeof(name->sun_path))
		return -EINVAL;
	name->sun_family = AF_UNIX;
	memcpy(name->sun_path, path, size + 1);
	address->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + 1);
	return 0;
}

int rps_address_parse(struct rps_address *address, const char *text)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
	char host[256] = "127.0.0.1", *end;
	struct addrinfo *list;
	unsigned long number;

	memset(address, 0, sizeof(*address));
	if (!strncmp(text, "unix:", 5))
		return parse_unix(address, text + 5);
	if (*text == '/')
		return parse_unix(address, text);
	if (colon) {
		const char *start = text, *stop = colon;

		if (*start == '[' && stop > start && stop[-1] == ']') {
			start++;
			stop--;
		} else if (memchr(start, ':', (size_t)(stop - start))) {
			return -EINVAL; /* IPv6 without brackets */
		}
		if (stop <= start || (size_t)(stop - start) >= sizeof(host))
			return -EINVAL;
		memcpy(host, start, (size_t)(stop - start));
		host[stop - start] = 0;
	}
	number = strtoul(port, &end, 10);
	if (*port < '0' || *port > '9' || *end || number > 65535)
		return -EINVAL;
	if (getaddrinfo(host, port, &hints, &list))
		return -ENOENT;
	memcpy(&address->socket, list->ai_addr, list->ai_addrlen);
	address->size = list->ai_addrlen;
	freeaddrinfo(list);
	return 0;
}

void rps_address_format(const struct rps_address *address, char *text, size_t size)
{
	const struct sockaddr_un *name = (const struct sockaddr_un *)&address->socket;
	const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address->socket;
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address->socket;
	size_t path_size = address->size - offsetof(struct sockaddr_un, sun_path);
	char host[INET6_ADDRSTRLEN];

	*text = 0;
	if (!address->size)
		return;
	switch (address->socket.ss_family) {
	case AF_UNIX:
		if (*name->sun_path)
			snprintf(text, size, "unix:%.*s", (int)path_size, name->sun_path);
		else
			snprintf(text, size, "unix:@%.*s", (int)path_size - 1, name->sun_path + 1);
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &ipv6->sin6_addr, host, sizeof(host));
		snprintf(text, size, "[%s]:%u", host, ntohs(ipv6->sin6_port));
		break;
	default:
		inet_ntop(AF_INET, &ipv4->sin_addr, host, sizeof(host));
		snprintf(text, size, "%s:%u", host, ntohs(ipv4->sin_port));
		break;
	}
}

int rps_address_connect(const struct rps_address *address)
{
	int fd, rc;

	if (!address->size)
		return -EDESTADDRREQ;
	fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)&address->socket, address->size))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int rps_address_listen_anywhere(struct rps_address *address)
{
	const sa_family_t family = AF_UNIX;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	memset(address, 0, sizeof(*address));
	if (fd < 0)
		return -errno;
	address->size = sizeof(address->socket);
	/* The family alone: the kernel makes up an abstract name. */
	if (!bind(fd, (const struct sockaddr *)&family, sizeof(family)) && !listen(fd, BACKLOG) &&
	    !getsockname(fd, (struct sockaddr *)&address->socket, &address->size))
		return fd;
	rc = -errno;
	close(fd);
	address->size = 0;
	return rc;
}
