/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text of names (name_text.h). Called by name_template.c, on any thread. */
#include "profile/name_text.h"

#include "profile/utf8.h"

#include <stdio.h>
#include <string.h>

bool rps_name_is_invisible(uint32_t code_point)
{
	return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0) || code_point == 0xad ||
	       (code_point >= 0x200b && code_point <= 0x200f) ||
	       (code_point >= 0x2028 && code_point <= 0x202e) ||
	       (code_point >= 0x2060 && code_point <= 0x206f) || code_point == 0xfeff;
}

bool rps_name_is_safe(uint32_t code_point, enum rps_name_strictness strictness)
{
	if (rps_name_is_invisible(code_point))
		return false;
	if (code_point >= 0x80)
		return true;
	if (strictness == RPS_NAME_OWN_TEXT)
		return strchr("*?[]\\", (int)code_point) == NULL;
	return (code_point >= '0' && code_point <= '9') || (code_point >= 'A' && code_point <= 'Z') ||
	       (code_point >= 'a' && code_point <= 'z') || strchr("-_.~+,=@%", (int)code_point) != NULL;
}

size_t rps_name_make_safe(const char *text, size_t size, enum rps_name_strictness strictness, char *out,
			  size_t out_size, bool *whole)
{
	size_t used = 0, length;
	uint32_t code_point;

	for (; size > 0; text += length, size -= length) {
		const char *put = text;
		size_t put_size;

		length = rps_utf8_decode(text, size, &code_point);
		if (length == 0 || !rps_name_is_safe(code_point, strictness))
			put = "_";
		if (text[0] == '/')
			put = ".";
		put_size = put == text ? length : 1;
		if (used + put_size > out_size)
			break;
		memcpy(out + used, put, put_size);
		used += put_size;
		length = length == 0 ? 1 : length;
	}
	*whole = size == 0;
	return used;
}

uint64_t rps_name_hash(uint64_t hash, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
	return hash;
}

size_t rps_name_cut(char *text, size_t size, size_t limit, uint64_t hash)
{
	char digits[RPS_NAME_CUT_MIN + 1];

	if (size > limit - RPS_NAME_CUT_MIN) {
		size = limit - RPS_NAME_CUT_MIN;
		/* Not in the middle of a character. */
		while (size > 0 && (text[size] & 0xc0) == 0x80)
			size--;
	}
	snprintf(digits, sizeof(digits), "~%016llx", (unsigned long long)hash);
	memcpy(text + size, digits, RPS_NAME_CUT_MIN);
	return size + RPS_NAME_CUT_MIN;
}
