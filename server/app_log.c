/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See app_log.h. Called by the gateways and build.c. */
#include "server/app_log.h"

#include "server/message.h"

#include <stdio.h>
#include <string.h>

void rps_app_log_begin(struct rps_app_log *log, const char *who)
{
	const char *slash = strrchr(who, '/');

	snprintf(log->prefix, sizeof(log->prefix), "[%s] ", slash ? slash + 1 : who);
	log->used = 0;
}

/* As a terminal would show it, but for what would move its cursor. */
static void write_line(struct rps_app_log *log)
{
	for (size_t i = 0; i < log->used; i++)
		if ((unsigned char)log->line[i] < 0x20 && log->line[i] != '\t' && log->line[i] != 0x1b)
			log->line[i] = '?';
	rps_message_say("%s%.*s", log->prefix, (int)log->used, log->line);
	log->used = 0;
}

void rps_app_log_put(struct rps_app_log *log, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n' || log->used == sizeof(log->line))
			write_line(log);
		if (data[i] != '\n' && !(data[i] == '\r' && i + 1 < size && data[i + 1] == '\n'))
			log->line[log->used++] = data[i];
	}
}

void rps_app_log_end(struct rps_app_log *log)
{
	if (log->used)
		write_line(log);
}
