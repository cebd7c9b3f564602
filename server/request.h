/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One HTTP request, from its first line to its profile's file. All on the
 * client connection's thread. */
#ifndef RPS_SERVER_REQUEST_H
#define RPS_SERVER_REQUEST_H

#include "server/server.h"

#include <microhttpd.h>

struct rps_request;

/* The request line was read; `target` is in it as the client sent it. NULL when out of memory. */
struct rps_request *rps_request_create(struct rps_server *server, struct MHD_Connection *connection,
				       const char *target);

/* libmicrohttpd's access handler: called for the head, for each piece of the
 * body, and for its end. */
enum MHD_Result rps_request_handle(struct rps_request *request, const char *method, const char *version,
				   const char *upload_data, size_t *upload_data_size);

/* "127.0.0.1" into `name`; returns the port, 0 if there is none. */
uint16_t rps_request_name_client(struct MHD_Connection *connection, char *name, size_t size);

/* The last byte was sent, or never will be: writes the profile and the log
 * line, and frees the request. */
void rps_request_finish(struct rps_request *request, enum MHD_RequestTerminationCode how);

#endif
