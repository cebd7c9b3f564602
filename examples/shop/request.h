/* SPDX-License-Identifier: MIT */
/* One HTTP request, from its head to its answer: what libmicrohttpd gives in
 * pieces, put together for the handlers. Used by one thread at a time, that of
 * the connection. */
#ifndef SHOP_REQUEST_H
#define SHOP_REQUEST_H

#include "buffer.h"
#include "cart.h"
#include "json.h"
#include "store.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARGUMENT_SIZE 64

struct request {
	struct store *store;
	struct carts *carts;
	struct MHD_Connection *connection;
	const char *method;
	const char *path;
	uint64_t session;             /* 0: none */
	char argument[ARGUMENT_SIZE]; /* the part of the path that a route leaves open */

	struct MHD_PostProcessor *form_parser; /* while a form is being received */
	struct json_value *form;               /* its fields */
	struct buffer body;                    /* any other body */
	size_t body_size;
	bool is_too_large;
};

struct reply {
	unsigned int status;
	const char *content_type;
	const char *allow;      /* methods, for 405 */
	uint64_t new_session;   /* 0: none; else sent as cookie */
	struct buffer location; /* to redirect to, if any */
	struct buffer body;
};

struct request *request_create(struct store *store, struct carts *carts, struct MHD_Connection *connection,
			       const char *method);
void request_destroy(struct request *request);

/* Takes the next piece of the body, and the end of it. */
void request_add_body(struct request *request, const char *data, size_t size);
void request_end_body(struct request *request);

/* "" if there is none. */
const char *request_query(const struct request *request, const char *name);
const char *request_form(const struct request *request, const char *name);
bool request_has_json(const struct request *request);

/* `text` as a number from `minimum` to `maximum`, else -1. */
int64_t parse_number(const char *text, int64_t minimum, int64_t maximum);

/* Hands the reply to libmicrohttpd and empties it. */
enum MHD_Result reply_send(struct reply *reply, struct MHD_Connection *connection);

#endif
