/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See access_log.h. Called by request.c at the end of each request, on the
 * connection's thread. */
#include "server/access_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
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

/* `escape` writes what is no plain character. */
static void put_plain(struct line *line, const char *text, size_t size,
		      const char *(*escape)(unsigned char c, char *out))
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];
		char escaped[8];

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
			put(line, text + i, 1);
		else
			put_string(line, escape(c, escaped));
	}
}

static const char *escape_hex(unsigned char c, char *out)
{
	snprintf(out, 5, "\\x%02x", c);
	return out;
}

/* The log may be read in a terminal that takes bytes above 0x7e for control
 * characters, so they are escaped too. */
static void put_escaped(struct line *line, const char *text, size_t max)
{
	size_t size = strnlen(text, max + 1);

	put_plain(line, text, size > max ? max : size, escape_hex);
	if (size > max)
		put_string(line, "...");
}

static void put_number(struct line *line, uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	put_string(line, text);
}

/* "GET / HTTP/1.1" 200 41107 */
static void put_request(struct line *line, const struct rps_access_entry *entry)
{
	put_string(line, "\"");
	put_escaped(line, entry->method, 32);
	put_string(line, " ");
	put_escaped(line, entry->target, TARGET_MAX);
	put_string(line, " ");
	put_escaped(line, entry->version, 32);
	put_string(line, "\" ");
	if (entry->status)
		put_number(line, entry->status);
	else
		put_string(line, "-");
	put_string(line, " ");
	put_number(line, entry->body_bytes);
}

static void put_django(struct line *line, int is_verbose, const struct rps_access_entry *entry)
{
	struct tm tm;
	char text[64];

	localtime_r(&entry->time_s, &tm);
	/* strftime's %b speaks the user's language, a log does not. */
	snprintf(text, sizeof(text), "[%02d/%s/%04d %02d:%02d:%02d] ", tm.tm_mday, month_names[tm.tm_mon],
		 tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	put_string(line, text);
	put_request(line, entry);
	if (!is_verbose || !entry->profile)
		return;
	put_string(line, " ");
	put_escaped(line, entry->profile, 1000);
	snprintf(text, sizeof(text), " %016" PRIx64, entry->id);
	put_string(line, text);
}

static void put_combined(struct line *line, const struct rps_access_entry *entry)
{
	struct tm tm;
	char text[64];
	long zone_min;

	localtime_r(&entry->time_s, &tm);
	zone_min = tm.tm_gmtoff / 60;
	snprintf(text, sizeof(text), " - - [%02d/%s/%04d:%02d:%02d:%02d %c%02ld%02ld] ", tm.tm_mday,
		 month_names[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 zone_min < 0 ? '-' : '+', labs(zone_min) / 60, labs(zone_min) % 60);
	put_escaped(line, entry->client, 64);
	put_string(line, text);
	put_request(line, entry);
	put_string(line, " \"");
	put_escaped(line, entry->referer ? entry->referer : "-", TARGET_MAX);
	put_string(line, "\" \"");
	put_escaped(line, entry->agent ? entry->agent : "-", TARGET_MAX);
	put_string(line, "\"");
}

/* JSON knows no bytes: what is not ASCII is written as the character of that number (Latin-1). */
static const char *escape_json(unsigned char c, char *out)
{
	snprintf(out, 7, "\\u%04x", c);
	return out;
}

static void put_json_text(struct line *line, const char *key, const char *text)
{
	put_string(line, ", \"");
	put_string(line, key);
	put_string(line, "\": \"");
	put_plain(line, text, strnlen(text, TARGET_MAX), escape_json);
	put_string(line, "\"");
}

static void put_json(struct line *line, const struct rps_access_entry *entry)
{
	struct tm tm;
	char text[64];

	gmtime_r(&entry->time_s, &tm);
	strftime(text, sizeof(text), "{\"time\": \"%Y-%m-%dT%H:%M:%SZ\"", &tm);
	put_string(line, text);
	put_json_text(line, "client", entry->client);
	put_json_text(line, "method", entry->method);
	put_json_text(line, "target", entry->target);
	put_json_text(line, "version", entry->version);
	put_string(line, ", \"status\": ");
	put_number(line, entry->status);
	put_string(line, ", \"bytes\": ");
	put_number(line, entry->body_bytes);
	put_string(line, ", \"duration_us\": ");
	put_number(line, entry->duration_us);
	if (entry->referer)
		put_json_text(line, "referer", entry->referer);
	if (entry->agent)
		put_json_text(line, "agent", entry->agent);
	if (entry->profile) {
		put_json_text(line, "profile", entry->profile);
		snprintf(text, sizeof(text), "%016" PRIx64, entry->id);
		put_json_text(line, "id", text);
	}
	put_string(line, "}");
}

size_t rps_access_log_format(enum rps_log_format format, int is_verbose, const struct rps_access_entry *entry,
			     char *text, size_t size)
{
	struct line line = {.text = text, .size = size};

	if (size < 2)
		return 0;
	switch (format) {
	case RPS_LOG_DJANGO:
		put_django(&line, is_verbose, entry);
		break;
	case RPS_LOG_COMBINED:
		put_combined(&line, entry);
		break;
	case RPS_LOG_JSON:
		put_json(&line, entry);
		break;
	}
	line.text[line.used++] = '\n';
	line.text[line.used] = 0;
	return line.used;
}

/* Django's colours. */
static const char *colour_of(uint32_t status)
{
	if (status >= 500)
		return "\033[35;1m";
	if (status == 404)
		return "\033[33m";
	if (status >= 400)
		return "\033[31;1m";
	if (status == 304)
		return "\033[36m";
	return status >= 300 ? "\033[32m" : "";
}

void rps_access_log_write(enum rps_log_format format, int is_verbose, const struct rps_access_entry *entry)
{
	static const char reset[] = "\033[0m";
	int fd = format == RPS_LOG_DJANGO ? STDERR_FILENO : STDOUT_FILENO;
	const char *colour =
	    format == RPS_LOG_DJANGO && isatty(fd) && !getenv("NO_COLOR") ? colour_of(entry->status) : "";
	size_t start = strlen(colour), size;
	char *line = malloc(RPS_ACCESS_LOG_LINE_MAX + 32);

	if (!line)
		return;
	memcpy(line, colour, start);
	size =
	    start + rps_access_log_format(format, is_verbose, entry, line + start, RPS_ACCESS_LOG_LINE_MAX);
	if (start) {
		memcpy(line + size - 1, reset, sizeof(reset) - 1);
		size += sizeof(reset) - 1;
		line[size - 1] = '\n';
	}
	/* A log that can't be written is no reason to fail the request. */
	if (write(fd, line, size) < 0)
		start = 0;
	free(line);
}
