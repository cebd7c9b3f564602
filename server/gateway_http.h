/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exchanges by HTTP, for every gateway whose application ends up behind a
 * port: see gateway.h for what they promise. */
#ifndef RPS_SERVER_GATEWAY_HTTP_H
#define RPS_SERVER_GATEWAY_HTTP_H

#include "server/gateway.h"

extern const struct rps_exchange_operations rps_exchange_http;

/* For requests that ask for another protocol: a connection of its own, that becomes a tunnel when the
 * answer's status is 101. */
extern const struct rps_exchange_operations rps_exchange_tunnel;
/* Then: the connection to the application, and what came behind the head. The exchange keeps both. */
int rps_exchange_tunnel_socket(struct rps_exchange *exchange, const char **data, size_t *size);

#endif
