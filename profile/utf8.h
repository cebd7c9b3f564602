/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One character of text that may be anything. Used wherever text from outside
 * becomes part of a file or a file's name. */
#ifndef RPS_PROFILE_UTF8_H
#define RPS_PROFILE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at `text` (1 to 4) and its code point, or 0 where
 * there is none: a byte that starts no valid, shortest, complete UTF-8 sequence of
 * a Unicode scalar value. `size_bytes` is at least 1. */
size_t rps_utf8_decode(const char *text, size_t size_bytes, uint32_t *code_point);

enum rps_utf8_escaped {
	RPS_UTF8_INVALID,  /* bytes that are no part of valid UTF-8: \xHH */
	RPS_UTF8_CONTROLS, /* these, and whatever would end or garble a line: \n, \t, \xHH */
};

/* A copy of `text` in which that is written so. malloc'ed; NULL when out of memory. */
char *rps_utf8_escape(const char *text, enum rps_utf8_escaped what);

#endif
