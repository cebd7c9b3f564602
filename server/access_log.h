/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The access log: one line a request, as Django's development server prints
 * it. Any thread. */
#ifndef RPS_SERVER_ACCESS_LOG_H
#define RPS_SERVER_ACCESS_LOG_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct rps_access_entry {
	time_t time_s;
	const char *method;
	const char *target;  /* as the client sent it: any bytes */
	const char *version; /* "HTTP/1.1" */
	uint32_t status;     /* 0: none was sent; printed as "-" */
	uint64_t body_bytes; /* of the answer */
	const char *profile; /* file name, NULL: don't print it */
	uint64_t id;         /* printed with `profile` */
};

/* [13/Nov/2008 06:29:38] "GET / HTTP/1.1" 200 41107
 * with a profile followed by its name and id. Whatever could move a cursor,
 * break a line or end the quotes is printed as \xHH; a very long target is cut.
 * Writes at most `size` bytes, a newline and a NUL included; returns the length. */
#define RPS_ACCESS_LOG_LINE_MAX 12288
size_t rps_access_log_format(const struct rps_access_entry *entry, char *line, size_t size);

/* Formats and writes it to stderr in one piece. */
void rps_access_log_write(const struct rps_access_entry *entry);

#endif
