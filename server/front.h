/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The front: the socket clients connect to, and the threads that serve their
 * connections (one each, libmicrohttpd's). Main thread. */
#ifndef RPS_SERVER_FRONT_H
#define RPS_SERVER_FRONT_H

#include "server/server.h"

#include <stddef.h>
#include <stdint.h>

struct rps_front;

/* Binds and listens where the options say, or takes the socket systemd has handed over; reads certificate and
 * key; nothing is accepted yet. Stores the front's own "host:port" in `server`. NULL with a line in `error`.
 */
struct rps_front *rps_front_listen(struct rps_server *server, char *error, size_t error_size);
/* Starts serving. 0, or -errno with a line in `error`. */
int rps_front_start(struct rps_front *front, char *error, size_t error_size);
/* Accepts no more connections. */
void rps_front_quiesce(struct rps_front *front);
/* Closes what is open, waits for the threads, frees. */
void rps_front_destroy(struct rps_front *front);

#endif
