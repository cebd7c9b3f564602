/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an application says on a stream that comes to us (FastCGI's stderr, a CGI
 * program's, a build's), line by line to our own stderr, with a prefix that
 * says who speaks. One thread at a time. */
#ifndef RPS_SERVER_APP_LOG_H
#define RPS_SERVER_APP_LOG_H

#include <stddef.h>

#define RPS_APP_LOG_LINE_MAX 2048

struct rps_app_log {
	char prefix[128];
	char line[RPS_APP_LOG_LINE_MAX];
	size_t used;
};

void rps_app_log_begin(struct rps_app_log *log, const char *who);
void rps_app_log_put(struct rps_app_log *log, const char *data, size_t size);
/* Writes what is left of a line without its end. */
void rps_app_log_end(struct rps_app_log *log);

#endif
