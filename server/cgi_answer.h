/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The answer of a CGI, SCGI or FastCGI application: header fields, an empty
 * line, the body. Comes in pieces of any size. One thread at a time. */
#ifndef RPS_SERVER_CGI_ANSWER_H
#define RPS_SERVER_CGI_ANSWER_H

#include "server/gateway.h"

#include <stddef.h>

#define RPS_CGI_HEAD_MAX ((size_t)256 * 1024)

struct rps_cgi_answer {
	char *text; /* what has come of the head */
	size_t size, allocated;
	int is_complete; /* the empty line was there */
};

void rps_cgi_answer_clear(struct rps_cgi_answer *answer);

/* Takes in what belongs to the head: *used bytes of `data`. What follows is the body's.
 * 0; -EMSGSIZE if the head does not end; -ENOMEM. */
int rps_cgi_answer_take(struct rps_cgi_answer *answer, const char *data, size_t size, size_t *used);

/* The head is complete: its fields into `out`, with the status that "Status:" or "Location:" tells. 0;
 * -EINVAL, with a few words in `*why`, if it is none; -ENOMEM. */
int rps_cgi_answer_parse(const struct rps_cgi_answer *answer, struct rps_answer *out, const char **why);

#endif
