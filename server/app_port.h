/* SPDX-License-Identifier: GPL-3.0-or-later */
/* On which address the application listens: its processes' descriptors held
 * against the kernel's tables of TCP sockets. Main thread, while the
 * application starts. */
#ifndef RPS_SERVER_APP_PORT_H
#define RPS_SERVER_APP_PORT_H

#include "server/address.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct rps_listener {
	int is_ipv6;
	uint8_t address[16]; /* network order; IPv4 in the first four */
	uint16_t port;
	uint64_t inode;
};

/* Reads one line of /proc/net/tcp or tcp6. 1 if it is a listening socket (then
 * `listener` is filled in), 0 if it is anything else. */
int rps_listener_parse(const char *line, int is_ipv6, struct rps_listener *listener);

/* Where to connect to: "127.0.0.1:8080", "[::1]:8080"; a wildcard address
 * becomes the loopback one. */
void rps_listener_name(const struct rps_listener *listener, char *name, size_t size);

/* The same for connect. */
void rps_listener_address(const struct rps_listener *listener, struct rps_address *address);

/* Finds the socket on which a descendant of this process listens: the one with
 * port `wanted_port` if there is one, else (unless `only_wanted`) the one with
 * the lowest descriptor, most likely the first it opened.
 * With `only_wanted` it may belong to any process (one whose descriptors may
 * not be read). 1 found, 0 not (yet), or -errno. */
int rps_app_port_find(uint16_t wanted_port, int only_wanted, struct rps_listener *listener);

/* A port that nobody listens on now, 0 if there is none. */
uint16_t rps_app_port_pick(void);

/* All descendants of this process: pids, allocated, in *pids. Their number or -errno. */
ssize_t rps_app_descendants(pid_t **pids);

#endif
