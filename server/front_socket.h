/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The front's listening socket: TCP, Unix, or handed over by systemd
 * (LISTEN_FDS, sd_listen_fds(3)). Main thread, at the start. */
#ifndef RPS_SERVER_FRONT_SOCKET_H
#define RPS_SERVER_FRONT_SOCKET_H

#include "server/options.h"

#include <stddef.h>

struct rps_front_socket {
	int fd;
	char host[300];  /* "127.0.0.1:8000": what clients that don't name a host have meant */
	char shown[320]; /* the same with its scheme, or "unix:/run/shop.sock" */
	char path[120];  /* of a Unix socket of ours, to be removed at the end; "" */
};

/* 0, or -errno with a line in `error`. */
int rps_front_socket_open(struct rps_front_socket *socket, const struct rps_options *options, char *error,
			  size_t error_size);
/* Removes a Unix socket's file, if it is still ours. The descriptor is the caller's to close. */
void rps_front_socket_remove(const struct rps_front_socket *socket);

#endif
