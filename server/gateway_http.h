/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exchanges by HTTP, for every gateway whose application ends up behind a
 * port: see gateway.h for what they promise. */
#ifndef RPS_SERVER_GATEWAY_HTTP_H
#define RPS_SERVER_GATEWAY_HTTP_H

#include "server/gateway.h"

extern const struct rps_exchange_operations rps_exchange_http;

#endif
