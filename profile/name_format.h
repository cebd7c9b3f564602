/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Python's format specification mini-language for integers and strings,
 *
 *     [[fill]align][sign][z][#][0][width][grouping][.precision][type]
 *
 * as str.format() of Python 3.11 has it, bounded to what a file name can hold. */
#ifndef RPS_PROFILE_NAME_FORMAT_H
#define RPS_PROFILE_NAME_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rps_name_kind { RPS_NAME_TEXT, RPS_NAME_NUMBER };

/* Room for anything the two functions below write: RPS_NAME_WIDTH_MAX
 * characters of four bytes, or a text of RPS_NAME_TEXT_MAX bytes. */
#define RPS_NAME_FORMATTED_SIZE 1024
#define RPS_NAME_WIDTH_MAX 200
#define RPS_NAME_PRECISION_MAX 100
#define RPS_NAME_TEXT_MAX 1000

struct rps_name_format {
	char fill[4];
	uint8_t fill_size; /* bytes */
	char align;        /* < > = ^ */
	char sign;         /* + - or space */
	bool alternate;    /* # */
	uint32_t width;
	char grouping;      /* , _ or 0 */
	uint32_t precision; /* characters of a text, or as of printf's e, f, g; UINT32_MAX: all, or 6 */
	bool has_z;         /* no negative zero: numbers here never are */
	char type;          /* s; d x X o b (n is d: numbers are not grouped by locale); e E f F g G % */
};

/* Reads a specification of `size` bytes of valid UTF-8, without the colon;
 * an empty one gives the defaults. 0, or -EINVAL with what is wrong in `error`. */
int rps_name_format_parse(struct rps_name_format *format, enum rps_name_kind kind, const char *spec,
			  size_t size, char *error, size_t error_size);

/* Each writes to `out` (no NUL) and returns the bytes. `text` is valid UTF-8. */
size_t rps_name_format_number(const struct rps_name_format *format, uint64_t number,
			      char out[RPS_NAME_FORMATTED_SIZE]);
size_t rps_name_format_text(const struct rps_name_format *format, const char *text, size_t size,
			    char out[RPS_NAME_FORMATTED_SIZE]);

#endif
