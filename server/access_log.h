/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The access log: one line a request, as Django's development server prints
 * it. Any thread. */
#ifndef RPS_SERVER_ACCESS_LOG_H
#define RPS_SERVER_ACCESS_LOG_H

#include "server/options.h"

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct rps_access_entry {
	time_t time_s;
	uint64_t duration_us;
	const char *client; /* "127.0.0.1" */
	const char *method;
	const char *target;          /* as the client sent it: any bytes */
	const char *version;         /* "HTTP/1.1" */
	uint32_t status;             /* 0: none was sent; printed as "-" */
	uint64_t body_bytes;         /* of the answer */
	const char *referer, *agent; /* NULL: not told */
	const char *profile;         /* file name, NULL: there is none */
	uint64_t id;                 /* of the profile, 0: none */
};

/* django     [13/Nov/2008 06:29:38] "GET / HTTP/1.1" 200 41107
 *            with the profile's name and id behind it if `is_verbose`
 * combined   127.0.0.1 - - [13/Nov/2008:06:29:38 +0100] "GET / HTTP/1.1" 200 41107 "-" "curl/7.88"
 * json       an object, with the profile and the id
 *
 * Whatever could move a cursor, break a line or end the quotes is escaped; a very long target is cut.
 * Writes at most `size` bytes, a newline and a NUL included; returns the length. */
#define RPS_ACCESS_LOG_LINE_MAX 32768
size_t rps_access_log_format(enum rps_log_format format, int is_verbose, const struct rps_access_entry *entry,
			     char *line, size_t size);

/* Formats and writes it in one piece: to stderr, what is for programs to stdout. On a terminal the status has
 * its colour. */
void rps_access_log_write(enum rps_log_format format, int is_verbose, const struct rps_access_entry *entry);

#endif
