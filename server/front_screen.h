/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between a client's socket and libmicrohttpd: what it reads is screened (head_screen.h), and a head that
 * takes too long is broken off. The connection's own thread. */
#ifndef RPS_SERVER_FRONT_SCREEN_H
#define RPS_SERVER_FRONT_SCREEN_H

#include <microhttpd.h>
#include <stdint.h>

struct rps_front_screen;

/* Before the first connection: are they TLS, and how long may a head take? */
void rps_front_screen_configure(int is_tls, uint32_t head_timeout_ms);

/* A connection begins (NULL when out of memory or of descriptor numbers), and ends: with a line, if there was
 * a request on it that libmicrohttpd has told nobody of. */
struct rps_front_screen *rps_front_screen_open(int fd);
void rps_front_screen_close(struct rps_front_screen *screen, const char *client);

/* The next request on this connection: its number. */
unsigned rps_front_screen_next(struct MHD_Connection *connection);
/* Its head is complete. 0, or the status it is refused with, and *why. */
int rps_front_screen_refuses(struct MHD_Connection *connection, unsigned number, const char **why);
/* Was it broken off because its head took too long? */
int rps_front_screen_is_late(struct MHD_Connection *connection);
/* What comes from now on is not HTTP. */
void rps_front_screen_stop(struct MHD_Connection *connection);

#endif
