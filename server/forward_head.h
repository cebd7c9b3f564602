/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The head of a request as a proxy passes it on: without what ends at this hop,
 * with X-Forwarded-* and the profile's id. Pure data; one thread at a time. */
#ifndef RPS_SERVER_FORWARD_HEAD_H
#define RPS_SERVER_FORWARD_HEAD_H

#include "server/gateway.h"

/* Appends the fields to `out`; those about the body and the connection are the caller's. 0 or -ENOMEM. */
int rps_forward_head(const struct rps_exchange_request *request, struct rps_header_list *out);

#endif
