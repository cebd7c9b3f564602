/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UTF-8 (utf8.h). Called by all who write files or names of files, on any thread. */
#include "profile/utf8.h"

#include <stdlib.h>
#include <string.h>

size_t rps_utf8_decode(const char *text, size_t size_bytes, uint32_t *code_point)
{
	static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *at = (const unsigned char *)text;
	size_t length = at[0] < 0x80   ? 1
			: at[0] < 0xc0 ? 0
			: at[0] < 0xe0 ? 2
			: at[0] < 0xf0 ? 3
			: at[0] < 0xf8 ? 4
				       : 0;
	uint32_t value = length < 2 ? at[0] : at[0] & (0x7fu >> length);

	if (length > size_bytes)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (at[i] & 0x3f);
	}
	if (length != 0 &&
	    (value < smallest[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)))
		return 0;
	*code_point = value;
	return length;
}

char *rps_utf8_escape(const char *text, enum rps_utf8_escaped what)
{
	static const char digits[] = "0123456789abcdef";
	size_t left = strlen(text), length;
	char *escaped = malloc(left * 4 + 1), *out = escaped;
	uint32_t code_point;

	if (escaped == NULL)
		return NULL;
	for (; left > 0; text += length, left -= length) {
		length = rps_utf8_decode(text, left, &code_point);
		if (length != 0 && (what == RPS_UTF8_INVALID ||
				    (code_point >= 0x20 && (code_point < 0x7f || code_point > 0x9f)))) {
			memcpy(out, text, length);
			out += length;
			continue;
		}
		length = length == 0 ? 1 : length;
		if (text[0] == '\n' || text[0] == '\t') {
			*out++ = '\\';
			*out++ = text[0] == '\n' ? 'n' : 't';
			continue;
		}
		for (size_t i = 0; i < length; i++) {
			*out++ = '\\';
			*out++ = 'x';
			*out++ = digits[(unsigned char)text[i] >> 4];
			*out++ = digits[text[i] & 15];
		}
	}
	*out = '\0';
	return escaped;
}
