/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers, positions and costs of callgrind files (callgrind_reader.h). */
#include "profile/callgrind_reader.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

int rps_callgrind_read_number(struct rps_callgrind_reader *reader, char **at, uint64_t *number)
{
	const char *digits = *at;
	uint64_t value = 0;

	if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') &&
	    isxdigit((unsigned char)digits[2])) {
		char *end;

		errno = 0;
		value = strtoull(digits, &end, 16);
		if (errno != 0)
			return rps_why_fail(&reader->why, -EBADMSG, "a number beyond 64 bits");
		*at = end;
		*number = value;
		return 0;
	}
	if (*digits < '0' || *digits > '9')
		return rps_why_fail(&reader->why, -EBADMSG, "a number is expected, not \"%.40s\"", *at);
	for (; *digits >= '0' && *digits <= '9'; digits++)
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*digits - '0'), &value))
			return rps_why_fail(&reader->why, -EBADMSG, "a number beyond 64 bits");
	*at += digits - *at;
	*number = value;
	return 0;
}

int rps_callgrind_end_of_number(struct rps_callgrind_reader *reader, const char *at)
{
	if (*at != '\0' && *at != ' ' && *at != '\t')
		return rps_why_fail(&reader->why, -EBADMSG,
				    "a number is expected, not one that ends in \"%.40s\"", at);
	return 0;
}

/* "+3", "-3", "*" (the same again) or a number. */
static int read_position(struct rps_callgrind_reader *reader, char **at, uint64_t *position)
{
	const char sign = **at;
	uint64_t number;
	int error;

	if (sign == '*') {
		++*at;
		return rps_callgrind_end_of_number(reader, *at);
	}
	if (sign == '+' || sign == '-')
		++*at;
	error = rps_callgrind_read_number(reader, at, &number);
	if (error == 0)
		error = rps_callgrind_end_of_number(reader, *at);
	if (error != 0)
		return error;
	if (sign == '+' && __builtin_add_overflow(*position, number, &number))
		return rps_why_fail(&reader->why, -EBADMSG, "a position beyond 64 bits");
	if (sign == '-' && __builtin_sub_overflow(*position, number, &number))
		return rps_why_fail(&reader->why, -EBADMSG, "a position below 0");
	*position = number;
	return 0;
}

int rps_callgrind_read_positions(struct rps_callgrind_reader *reader, char **at, uint64_t *positions)
{
	for (uint32_t i = 0; i < reader->part.n_positions; i++) {
		int error;

		*at = rps_callgrind_skip_spaces(*at);
		error = read_position(reader, at, &positions[i]);
		if (error != 0)
			return error;
	}
	return 0;
}

int rps_callgrind_read_costs(struct rps_callgrind_reader *reader, char *at, uint64_t *costs)
{
	for (uint32_t column = 0; column < RPS_EVENTS_MAX; column++)
		costs[column] = 0;
	for (uint32_t column = 0;; column++) {
		uint64_t ignored;
		bool is_negative;
		int error;

		at = rps_callgrind_skip_spaces(at);
		if (*at == '\0')
			return 0;
		if (column == reader->part.n_columns)
			return rps_why_fail(&reader->why, -EBADMSG,
					    "more than the %u costs that \"events:\" names",
					    reader->part.n_columns);
		/* Memory that PHP gave back. KCacheGrind makes 0 of it, too. */
		is_negative = *at == '-' && reader->creator == RPS_CREATOR_XDEBUG;
		at += is_negative;
		error = rps_callgrind_read_number(reader, &at, is_negative ? &ignored : &costs[column]);
		if (error == 0)
			error = rps_callgrind_end_of_number(reader, at);
		if (error != 0)
			return error;
	}
}

int rps_callgrind_line_of(struct rps_callgrind_reader *reader, const uint64_t *positions, uint32_t *line)
{
	*line = 0;
	if (reader->part.line_position == RPS_NONE)
		return 0;
	if (positions[reader->part.line_position] >= RPS_NONE)
		return rps_why_fail(&reader->why, -EBADMSG, "a line number beyond 32 bits");
	*line = (uint32_t)positions[reader->part.line_position];
	return 0;
}
