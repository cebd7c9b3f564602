/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What of a file is sent: RFC 9110's conditions and ranges. Pure functions; any
 * thread. */
#ifndef RPS_SERVER_STATIC_CONDITIONS_H
#define RPS_SERVER_STATIC_CONDITIONS_H

#include "server/http_head.h"

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
#define RPS_HTTP_DATE_MAX 64
void rps_http_date_format(time_t time_s, char *text, size_t size);
/* 0, or -EINVAL for what is no such date. */
int rps_http_date_parse(const char *text, time_t *time_s);

struct rps_static_part {
	unsigned status; /* 200, 206, 304, 412 or 416 */
	uint64_t start, size;
};

/* For a file of `size_bytes` bytes, changed at `modified_s`, with the strong entity tag `etag` (quotes
 * included). Several ranges in one request are answered by the whole file, as the RFC allows. */
struct rps_static_part rps_static_decide(const struct rps_header_list *headers, int is_get,
					 uint64_t size_bytes, time_t modified_s, const char *etag);

#endif
