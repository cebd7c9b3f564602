/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See url.h. Called by request.c and static_files.c on the connection's thread. */
#include "server/url.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

size_t rps_url_decode(const char *text, size_t size, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		int high = -1, low = -1;

		if (text[i] == '%' && i + 2 < size) {
			high = hex_value(text[i + 1]);
			low = hex_value(text[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			out[used++] = (char)(high << 4 | low);
			i += 2;
		} else {
			out[used++] = text[i];
		}
	}
	out[used] = 0;
	return used;
}

/* "http://host/path" -> "/path"; NULL if it is no absolute form. */
static char *origin_of_absolute(const char *target)
{
	static const char *const schemes[] = {"http://", "https://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t size = strlen(schemes[i]);
		const char *rest;
		char *origin;

		if (strncasecmp(target, schemes[i], size))
			continue;
		rest = target + size + strcspn(target + size, "/?#");
		if (*rest == '/')
			return strdup(rest);
		if (asprintf(&origin, "/%s", rest) < 0)
			return NULL;
		return origin;
	}
	errno = EINVAL;
	return NULL;
}

int rps_url_parse(struct rps_url *url, const char *target)
{
	const char *mark;

	memset(url, 0, sizeof(*url));
	if (target[strcspn(target, " \t\r\n\v\f")])
		return -EINVAL;
	errno = ENOMEM;
	url->target = *target == '/' || !strcmp(target, "*") ? strdup(target) : origin_of_absolute(target);
	if (!url->target)
		return -errno;
	mark = strchr(url->target, '?');
	url->path_size = mark ? (size_t)(mark - url->target) : strlen(url->target);
	url->query = mark ? mark + 1 : "";
	url->path = malloc(url->path_size + 1);
	if (!url->path) {
		rps_url_clear(url);
		return -ENOMEM;
	}
	url->decoded_size = rps_url_decode(url->target, url->path_size, url->path);
	return 0;
}

void rps_url_clear(struct rps_url *url)
{
	free(url->target);
	free(url->path);
	memset(url, 0, sizeof(*url));
}

/* Bytes of the valid UTF-8 character at `bytes`, 0 if there is none; control
 * characters (C0, DEL, C1) count as none. */
static size_t printable_size(const unsigned char *bytes, size_t left)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t value;
	size_t size;

	if (bytes[0] < 0x80)
		return bytes[0] >= 0x20 && bytes[0] != 0x7f;
	if (bytes[0] >= 0xc2 && bytes[0] <= 0xdf)
		size = 2;
	else if ((bytes[0] & 0xf0) == 0xe0)
		size = 3;
	else if (bytes[0] >= 0xf0 && bytes[0] <= 0xf4)
		size = 4;
	else
		return 0;
	if (size > left)
		return 0;
	value = bytes[0] & (0xffu >> (size + 1));
	for (size_t i = 1; i < size; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (bytes[i] & 0x3f);
	}
	if (value < smallest[size] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff) ||
	    value < 0xa0)
		return 0;
	/* Line and paragraph separator, and the marks that turn the direction of text around. */
	if ((value >= 0x2028 && value <= 0x202e) || (value >= 0x2066 && value <= 0x2069))
		return 0;
	return size;
}

void rps_url_printable(const char *bytes, size_t size, char *out, size_t out_size)
{
	static const char dots[] = "...";
	size_t used = 0, keep = 0; /* keep: where the dots would go */

	if (!out_size)
		return;
	for (size_t i = 0; i < size;) {
		size_t step = printable_size((const unsigned char *)bytes + i, size - i);
		size_t need = step ? step : 1;

		if (used + sizeof(dots) <= out_size)
			keep = used;
		if (used + need + 1 > out_size) {
			used = keep;
			if (used + sizeof(dots) <= out_size) {
				memcpy(out + used, dots, sizeof(dots) - 1);
				used += sizeof(dots) - 1;
			}
			break;
		}
		if (step)
			memcpy(out + used, bytes + i, step);
		else
			out[used] = '?';
		used += need;
		i += need;
	}
	out[used] = 0;
}
