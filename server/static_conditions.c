/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See static_conditions.h. Called by request_static.c. */
#include "server/static_conditions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* strftime speaks the user's language, HTTP does not. */
void rps_http_date_format(time_t time_s, char *text, size_t size)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	struct tm tm;

	gmtime_r(&time_s, &tm);
	snprintf(text, size, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday,
		 month_names[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

int rps_http_date_parse(const char *text, time_t *time_s)
{
	struct tm tm = {0};
	char month[4], zone[4];

	if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3[A-Z]", &tm.tm_mday, month,
		   &tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, zone) != 7 ||
	    strcmp(zone, "GMT"))
		return -EINVAL;
	for (tm.tm_mon = 0; tm.tm_mon < 12; tm.tm_mon++)
		if (!strcmp(month, month_names[tm.tm_mon]))
			break;
	tm.tm_year -= 1900;
	if (tm.tm_mon == 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 ||
	    tm.tm_sec > 60)
		return -EINVAL;
	*time_s = timegm(&tm);
	return 0;
}

/* Is `etag` in the list of If-Match or If-None-Match? Weak tags match where `weak_too`. */
static int lists_tag(const char *list, const char *etag, int weak_too)
{
	for (;;) {
		size_t size;
		int is_weak;

		list += strspn(list, " \t,");
		if (!*list)
			return 0;
		if (*list == '*')
			return 1;
		is_weak = !strncmp(list, "W/", 2);
		if (is_weak)
			list += 2;
		size = *list == '"' ? strcspn(list + 1, "\"") + 2 : strcspn(list, ",");
		if (size > strlen(list))
			size = strlen(list);
		if ((!is_weak || weak_too) && size == strlen(etag) && !strncmp(list, etag, size))
			return 1;
		list += size;
	}
}

static int is_unchanged_since(const struct rps_header_list *headers, const char *name, time_t modified_s,
			      int otherwise)
{
	const char *date = rps_header_list_find(headers, name);
	time_t since_s;

	if (!date || rps_http_date_parse(date, &since_s))
		return otherwise;
	return modified_s <= since_s;
}

static const char *digits(const char *text, uint64_t *number, int *has_digits)
{
	*number = 0;
	*has_digits = *text >= '0' && *text <= '9';
	for (; *text >= '0' && *text <= '9'; text++)
		*number =
		    *number > UINT64_MAX / 10 - 10 ? UINT64_MAX / 10 : *number * 10 + (uint64_t)(*text - '0');
	return text;
}

/* One range: 206, 416, or 200 for what is none that we answer. */
static unsigned choose_range(const char *text, uint64_t size_bytes, struct rps_static_part *part)
{
	uint64_t first, last;
	int has_first, has_last;

	if (strncasecmp(text, "bytes=", 6))
		return 200;
	text = digits(text + 6 + strspn(text + 6, " \t"), &first, &has_first);
	if (*text != '-')
		return 200;
	text = digits(text + 1, &last, &has_last);
	text += strspn(text, " \t");
	if (*text || (!has_first && !has_last) || (has_first && has_last && last < first))
		return 200;
	if (!has_first) {
		if (!last || !size_bytes)
			return 416;
		first = last < size_bytes ? size_bytes - last : 0;
		last = size_bytes - 1;
	} else if (first >= size_bytes) {
		return 416;
	} else if (!has_last || last >= size_bytes) {
		last = size_bytes - 1;
	}
	part->start = first;
	part->size = last - first + 1;
	return 206;
}

/* A range is of the file the client has a part of, or of none. */
static int range_counts(const struct rps_header_list *headers, time_t modified_s, const char *etag)
{
	const char *condition = rps_header_list_find(headers, "If-Range");
	time_t since_s;

	if (!condition)
		return 1;
	if (*condition == '"')
		return !strcmp(condition, etag);
	return !rps_http_date_parse(condition, &since_s) && since_s == modified_s;
}

struct rps_static_part rps_static_decide(const struct rps_header_list *headers, int is_get,
					 uint64_t size_bytes, time_t modified_s, const char *etag)
{
	struct rps_static_part part = {.status = 200, .size = size_bytes};
	const char *match = rps_header_list_find(headers, "If-Match");
	const char *none_match = rps_header_list_find(headers, "If-None-Match");
	const char *range = rps_header_list_find(headers, "Range");

	if (match ? !lists_tag(match, etag, 0)
		  : !is_unchanged_since(headers, "If-Unmodified-Since", modified_s, 1))
		part.status = 412;
	else if (none_match ? lists_tag(none_match, etag, 1)
			    : is_unchanged_since(headers, "If-Modified-Since", modified_s, 0))
		part.status = 304;
	else if (range && is_get && range_counts(headers, modified_s, etag))
		part.status = choose_range(range, size_bytes, &part);
	if (part.status == 304 || part.status == 412 || part.status == 416)
		part.size = 0;
	return part;
}
