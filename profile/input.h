/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bytes of a profile file, whether it is gzip'd or not: what every reader
 * reads from. It never hands out part of a broken or cut-off gzip stream as if it were the whole, and gives
 * up on what only a decompression bomb would do. Borrows the stream; one owner at a time. */
#ifndef RPS_PROFILE_INPUT_H
#define RPS_PROFILE_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define RPS_INPUT_LINE_MAX (1u << 20) /* bytes: the longest C++ names are a tenth of that */

struct rps_input;

/* `name` is for messages. NULL when out of memory. */
struct rps_input *rps_input_create(FILE *stream, const char *name);
void rps_input_destroy(struct rps_input *input);

#define RPS_INPUT_PEEK_MAX 4096u

/* The next bytes without taking them, at most RPS_INPUT_PEEK_MAX; fewer at the end or on an error (which the
 * next read reports). Valid until then. */
const char *rps_input_peek(struct rps_input *input, size_t *size);

/* The next line, NUL in place of its newline, valid until the next call. 1; 0 at the end of the
 * input; -errno with a sentence in rps_input_why: -EBADMSG (a NUL byte, too long, no newline at its end,
 * broken compression), or the stream's error. */
int rps_input_line(struct rps_input *input, char **line, size_t *size);

/* The bytes that come next, as many as there happen to be, valid until the next call. 1; 0 at the end of the
 * input; -errno as above. */
int rps_input_chunk(struct rps_input *input, const char **bytes, size_t *size);

/* All that is left, malloc'ed, at most `size_max` bytes (-EFBIG). 0 or -errno. */
int rps_input_all(struct rps_input *input, size_t size_max, unsigned char **bytes, size_t *size);

const char *rps_input_why(const struct rps_input *input);
const char *rps_input_name(const struct rps_input *input);
uint64_t rps_input_line_number(const struct rps_input *input); /* of the last line; from 1 */

#endif
