/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where something listens: a TCP address or a Unix socket, as people write it
 * and as the kernel wants it. Pure functions; any thread. */
#ifndef RPS_SERVER_ADDRESS_H
#define RPS_SERVER_ADDRESS_H

#include <stddef.h>
#include <sys/socket.h>

struct rps_address {
	struct sockaddr_storage socket;
	socklen_t size; /* 0: none */
};

#define RPS_ADDRESS_TEXT_MAX 128

/* "127.0.0.1:9000", "localhost:9000", "[::1]:9000", "9000", "unix:/run/app.sock", "/run/app.sock".
 * 0; -EINVAL for what is none of these; -ENOENT for a name that means no address. */
int rps_address_parse(struct rps_address *address, const char *text);

/* The same way round; an abstract Unix socket as "unix:@name". */
void rps_address_format(const struct rps_address *address, char *text, size_t size);

/* A connection (blocking, close-on-exec), or -errno. */
int rps_address_connect(const struct rps_address *address);

/* A listening Unix socket with a name of the kernel's choice, which is stored in `address`. Its descriptor or
 * -errno. Like a port of the loopback interface it can be connected to by every local user. */
int rps_address_listen_anywhere(struct rps_address *address);

#endif
