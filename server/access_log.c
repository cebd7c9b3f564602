/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See access_log.h. Called by request.c at the end of each request, on the
 * connection's thread. */
#include "server/access_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TARGET_MAX 2000 /* bytes of a target that are shown; each may become four */

static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct line {
	char *text;
	size_t size, used;
};

/* Room for the newline and the NUL always stays. */
static void put(struct line *line, const char *text, size_t size)
{
	size_t left = line->size - line->used - 2;

	if (size > left)
		size = left;
	memcpy(line->text + line->used, text, size);
	line->used += size;
}

static void put_string(struct line *line, const char *text)
{
	put(line, text, strlen(text));
}

/* The log may be read in a terminal that takes bytes above 0x7e for control
 * characters, so they are escaped too. */
static void put_escaped(struct line *line, const char *text, size_t max)
{
	size_t size = strnlen(text, max + 1), shown = size > max ? max : size;

	for (size_t i = 0; i < shown; i++) {
		unsigned char c = (unsigned char)text[i];
		char escape[5];

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			put(line, text + i, 1);
			continue;
		}
		snprintf(escape, sizeof(escape), "\\x%02x", c);
		put(line, escape, 4);
	}
	if (shown < size)
		put_string(line, "...");
}

size_t rps_access_log_format(const struct rps_access_entry *entry, char *text, size_t size)
{
	struct line line = {.text = text, .size = size};
	struct tm tm;
	char number[64];

	if (size < 2)
		return 0;
	localtime_r(&entry->time_s, &tm);
	/* strftime's %b speaks the user's language, a log does not. */
	snprintf(number, sizeof(number), "[%02d/%s/%04d %02d:%02d:%02d] \"", tm.tm_mday,
		 month_names[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	put_string(&line, number);
	put_escaped(&line, entry->method, 32);
	put_string(&line, " ");
	put_escaped(&line, entry->target, TARGET_MAX);
	put_string(&line, " ");
	put_escaped(&line, entry->version, 32);
	put_string(&line, "\" ");
	if (entry->status)
		snprintf(number, sizeof(number), "%" PRIu32, entry->status);
	put_string(&line, entry->status ? number : "-");
	snprintf(number, sizeof(number), " %" PRIu64, entry->body_bytes);
	put_string(&line, number);
	if (entry->profile) {
		put_string(&line, " ");
		put_escaped(&line, entry->profile, 1000);
		snprintf(number, sizeof(number), " %016" PRIx64, entry->id);
		put_string(&line, number);
	}
	line.text[line.used++] = '\n';
	line.text[line.used] = 0;
	return line.used;
}

void rps_access_log_write(const struct rps_access_entry *entry)
{
	char line[RPS_ACCESS_LOG_LINE_MAX];
	size_t size = rps_access_log_format(entry, line, sizeof(line));

	/* A log that can't be written is no reason to fail the request. */
	if (write(STDERR_FILENO, line, size) < 0)
		return;
}
