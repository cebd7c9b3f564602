/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a part of a file's name: safe, and as short as it must be. */
#ifndef RPS_PROFILE_NAME_TEXT_H
#define RPS_PROFILE_NAME_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rps_name_strictness {
	RPS_NAME_OWN_TEXT, /* of the template, or made from it: any visible character but "*?[]\" */
	RPS_NAME_VALUE,    /* from outside: letters, digits, "-_.~+,=@%", visible characters beyond ASCII */
};

/* Controls, and what shows nothing or turns the direction of the text around. */
bool rps_name_is_invisible(uint32_t code_point);
bool rps_name_is_safe(uint32_t code_point, enum rps_name_strictness strictness);

/* Writes what fits of `text` to `out` (no NUL) and returns its bytes: valid
 * UTF-8 without '/', which becomes '.', and with '_' for what is not safe. *whole: all of it fitted. */
size_t rps_name_make_safe(const char *text, size_t size, enum rps_name_strictness strictness, char *out,
			  size_t out_size, bool *whole);

/* A hash that is part of names, and so stays what it is: 64-bit FNV-1a. */
#define RPS_NAME_HASH_START 0xcbf29ce484222325u
uint64_t rps_name_hash(uint64_t hash, const char *bytes, size_t size);

/* Shortens `text`, valid UTF-8 in a buffer of at least `limit` bytes, to at most
 * `limit` bytes that end in '~' and the hash in 16 digits; returns its bytes. */
#define RPS_NAME_CUT_MIN 17
size_t rps_name_cut(char *text, size_t size, size_t limit, uint64_t hash);

#endif
