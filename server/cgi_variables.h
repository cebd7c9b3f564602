/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A request as RFC 3875's variables: what cgi, scgi and fastcgi hand to the
 * application. One thread at a time. */
#ifndef RPS_SERVER_CGI_VARIABLES_H
#define RPS_SERVER_CGI_VARIABLES_H

#include "server/gateway.h"

#include <stddef.h>
#include <stdint.h>

/* "NAME=VALUE" strings. */
struct rps_cgi_variables {
	char **items; /* NULL-terminated once there is any */
	size_t n, n_allocated;
};

void rps_cgi_variables_clear(struct rps_cgi_variables *variables);

/* Adds one; it takes the place of one of the same name. 0 or -ENOMEM. */
int rps_cgi_variables_set(struct rps_cgi_variables *variables, const char *name, const char *value);

/* Which part of the decoded path is the application's name, which is its business. */
struct rps_cgi_script {
	const char *name; /* "" or "/cgi-bin/hello" */
	const char *path_info;
};

/* All of them. The variables of header fields are those that can't be mistaken for another's: fields with an
 * underscore in their name, and Proxy (which programs take for their own setting), are left out.
 * `body_bytes` is known: what came in chunks was counted before. 0 or -ENOMEM. */
int rps_cgi_variables_fill(struct rps_cgi_variables *variables, const struct rps_exchange_request *request,
			   const struct rps_options *options, const struct rps_cgi_script *script,
			   int64_t body_bytes);

#endif
