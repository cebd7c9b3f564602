/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See why.h. */
#include "profile/why.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static int put_place(const struct rps_why *why)
{
	const char *name = rps_input_name(why->input);

	switch (why->place) {
	case RPS_WHY_LINE:
		return snprintf(why->text, why->size_bytes, "%s:%" PRIu64 ": ", name,
				why->line != 0 ? why->line : rps_input_line_number(why->input));
	case RPS_WHY_BYTE:
		return snprintf(why->text, why->size_bytes, "%s: byte %" PRIu64 ": ", name, why->byte);
	case RPS_WHY_FILE:
		break;
	}
	return snprintf(why->text, why->size_bytes, "%s: ", name);
}

int rps_why_fail(const struct rps_why *why, int error, const char *format, ...)
{
	const int n = put_place(why);
	va_list arguments;

	if (n < 0 || (size_t)n >= why->size_bytes)
		return error;
	va_start(arguments, format);
	vsnprintf(why->text + n, why->size_bytes - (size_t)n, format, arguments);
	va_end(arguments);
	return error;
}
