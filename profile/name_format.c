/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Format specifications of file-name templates (name_format.h). Called by
 * name_template.c: parsed once at the start, applied for each request on the thread
 * that ends it. */
#include "profile/name_format.h"

#include "profile/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- Reading ------------------------------------------------------------------------------------ */

struct cursor {
	const char *at, *end;
};

static bool is_align(char byte)
{
	return byte == '<' || byte == '>' || byte == '=' || byte == '^';
}

static bool take(struct cursor *cursor, char byte)
{
	if (cursor->at == cursor->end || *cursor->at != byte)
		return false;
	cursor->at++;
	return true;
}

/* Digits, if there are any; a number too large for anything stays too large. */
static bool take_number(struct cursor *cursor, uint32_t *number)
{
	const char *start = cursor->at;
	uint32_t value = 0;

	for (; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; cursor->at++)
		value = value > 100000 ? value : value * 10 + (uint32_t)(*cursor->at - '0');
	if (cursor->at != start)
		*number = value;
	return cursor->at != start;
}

static void take_fill_and_align(struct cursor *cursor, struct rps_name_format *format)
{
	uint32_t code_point;
	size_t size = cursor->at < cursor->end
			  ? rps_utf8_decode(cursor->at, (size_t)(cursor->end - cursor->at), &code_point)
			  : 0;

	if (size != 0 && cursor->at + size < cursor->end && is_align(cursor->at[size])) {
		memcpy(format->fill, cursor->at, size);
		format->fill_size = (uint8_t)size;
		format->align = cursor->at[size];
		cursor->at += size + 1;
	} else if (size == 1 && is_align(*cursor->at)) {
		format->align = *cursor->at++;
	}
}

static bool is_fraction(const struct rps_name_format *format)
{
	return strchr("eEfFgG%", format->type) != NULL;
}

/* What a text or a number can't have, as a sentence, or NULL. */
static const char *contradiction(const struct rps_name_format *format, enum rps_name_kind kind)
{
	if (format->width > RPS_NAME_WIDTH_MAX)
		return "the width is above 200";
	if (kind == RPS_NAME_TEXT) {
		if (format->type != 's')
			return "the type of a text is s";
		if (format->sign != '\0' || format->has_z)
			return "a text has no sign";
		if (format->alternate)
			return "a text has no alternate form (#)";
		if (format->grouping != '\0')
			return "a text has no thousands";
		if (format->align == '=')
			return "a text can't be aligned by =";
		return NULL;
	}
	if (is_fraction(format))
		return format->precision != UINT32_MAX && format->precision > RPS_NAME_PRECISION_MAX
			   ? "the precision is above 100"
			   : NULL;
	if (strchr("dnxXob", format->type) == NULL)
		return "the type of a number is d, n, x, X, o, b, e, E, f, F, g, G or %";
	if (format->has_z)
		return "a whole number has no negative zero (z)";
	if (format->precision != UINT32_MAX)
		return "a whole number has no precision";
	if (format->grouping != '\0' && format->type == 'n')
		return "n can't be grouped";
	if (format->grouping == ',' && format->type != 'd')
		return "only decimal numbers are grouped by a comma";
	return NULL;
}

int rps_name_format_parse(struct rps_name_format *format, enum rps_name_kind kind, const char *spec,
			  size_t size, char *error, size_t error_size)
{
	struct cursor cursor = {spec, spec + size};
	const char *wrong = NULL;

	*format =
	    (struct rps_name_format){.precision = UINT32_MAX, .type = kind == RPS_NAME_TEXT ? 's' : 'd'};
	take_fill_and_align(&cursor, format);
	if (take(&cursor, '+'))
		format->sign = '+';
	else if (take(&cursor, '-'))
		format->sign = '-';
	else if (take(&cursor, ' '))
		format->sign = ' ';
	format->has_z = take(&cursor, 'z');
	format->alternate = take(&cursor, '#');
	/* Behind a fill of its own a zero is the width's first digit. */
	if (format->fill_size == 0 && take(&cursor, '0')) {
		format->fill[0] = '0';
		format->fill_size = 1;
		if (format->align == '\0' && kind == RPS_NAME_NUMBER)
			format->align = '=';
	}
	take_number(&cursor, &format->width);
	if (take(&cursor, ','))
		format->grouping = ',';
	if (take(&cursor, '_')) {
		if (format->grouping != '\0' || take(&cursor, ','))
			wrong = "both , and _";
		format->grouping = '_';
	}
	if (take(&cursor, '.') && !take_number(&cursor, &format->precision))
		wrong = "no precision after the dot";
	if (cursor.end - cursor.at == 1)
		format->type = *cursor.at++;
	if (wrong == NULL && cursor.at != cursor.end)
		wrong = "[[fill]align][sign][z][#][0][width][grouping][.precision][type] is expected";
	if (wrong == NULL)
		wrong = contradiction(format, kind);
	if (wrong != NULL) {
		snprintf(error, error_size, "bad format \"%.*s\": %s", (int)size, spec, wrong);
		return -EINVAL;
	}
	if (format->fill_size == 0) {
		format->fill[0] = ' ';
		format->fill_size = 1;
	}
	if (format->align == '\0')
		format->align = kind == RPS_NAME_TEXT ? '<' : '>';
	return 0;
}

/* ---- Writing ------------------------------------------------------------------------------------ */

static char *put_fill(const struct rps_name_format *format, uint32_t n_characters, char *out)
{
	for (; n_characters > 0; n_characters--) {
		memcpy(out, format->fill, format->fill_size);
		out += format->fill_size;
	}
	return out;
}

/* As much as any number takes: 2^64 in binary, or in percent with all its decimals; grouped, or with leading
 * zeros. */
#define DIGITS_SIZE (RPS_NAME_WIDTH_MAX + RPS_NAME_PRECISION_MAX + 100)

/* The digits before a point or an exponent; *n of them. Returns what stands behind. */
static const char *fraction_digits(const struct rps_name_format *format, uint64_t number,
				   char text[DIGITS_SIZE], uint32_t *n)
{
#define PRINT(type)                                                                                          \
	snprintf(text, DIGITS_SIZE, format->alternate ? "%#.*" type : "%.*" type, precision, (double)number)
	const int precision = format->precision != UINT32_MAX ? (int)format->precision : 6;

	switch (format->type) {
	case 'e':
		PRINT("e");
		break;
	case 'E':
		PRINT("E");
		break;
	case 'g':
		PRINT("g");
		break;
	case 'G':
		PRINT("G");
		break;
	case '%':
		snprintf(text, DIGITS_SIZE, format->alternate ? "%#.*f%%" : "%.*f%%", precision,
			 (double)number * 100);
		break;
	default:
		PRINT("f");
	}
#undef PRINT
	*n = (uint32_t)strspn(text, "0123456789");
	return text + *n;
}

static uint32_t whole_digits(const struct rps_name_format *format, uint64_t number, char text[DIGITS_SIZE])
{
	static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
	const uint32_t base = format->type == 'x' || format->type == 'X' ? 16
			      : format->type == 'o'                      ? 8
			      : format->type == 'b'                      ? 2
									 : 10;
	char backwards[64];
	uint32_t n = 0;

	do {
		backwards[n++] = (format->type == 'X' ? upper : lower)[number % base];
		number /= base;
	} while (number != 0);
	for (uint32_t i = 0; i < n; i++)
		text[i] = backwards[n - 1 - i];
	return n;
}

/* The `n` digits grouped, with leading zeros up to `width_min` characters. As in Python a leading zero takes part
 * in the grouping, and the result is a character longer rather than begin with a separator. */
static uint32_t put_grouped(const struct rps_name_format *format, const char *digits, uint32_t n,
			    uint32_t width_min, char out[DIGITS_SIZE])
{
	const bool by_four = strchr("xXob", format->type) != NULL;
	const uint32_t group = format->grouping == '\0' ? UINT32_MAX : by_four ? 4 : 3;
	uint32_t n_written = 0, n_in_group = 0;

	/* Backwards, then turned round. */
	do {
		if (n_in_group == group) {
			out[n_written++] = format->grouping;
			n_in_group = 0;
		}
		out[n_written++] = '0';
		if (n > 0)
			out[n_written - 1] = digits[--n];
		n_in_group++;
	} while (n > 0 || n_written < width_min);
	for (uint32_t i = 0, j = n_written - 1; i < j; i++, j--) {
		char byte = out[i];

		out[i] = out[j];
		out[j] = byte;
	}
	return n_written;
}

size_t rps_name_format_number(const struct rps_name_format *format, uint64_t number,
			      char out[RPS_NAME_FORMATTED_SIZE])
{
	const bool zeros = format->align == '=' && format->fill_size == 1 && format->fill[0] == '0';
	char head[3], plain[DIGITS_SIZE], digits[DIGITS_SIZE], *at = out;
	uint32_t n_head = 0, n_plain, n_digits, n_tail, n_missing;
	const char *tail = "";

	if (format->sign == '+' || format->sign == ' ')
		head[n_head++] = format->sign;
	if (format->alternate &&
	    (format->type == 'x' || format->type == 'X' || format->type == 'o' || format->type == 'b')) {
		head[n_head++] = '0';
		head[n_head++] = format->type;
	}
	if (is_fraction(format))
		tail = fraction_digits(format, number, plain, &n_plain);
	else
		n_plain = whole_digits(format, number, plain);
	n_tail = (uint32_t)strlen(tail);
	n_digits = put_grouped(format, plain, n_plain,
			       zeros && format->width > n_head + n_tail ? format->width - n_head - n_tail : 0,
			       digits);
	memcpy(digits + n_digits, tail, n_tail);
	n_digits += n_tail;
	n_missing = format->width > n_head + n_digits ? format->width - n_head - n_digits : 0;
	if (format->align == '>')
		at = put_fill(format, n_missing, at);
	else if (format->align == '^')
		at = put_fill(format, n_missing / 2, at);
	memcpy(at, head, n_head);
	at += n_head;
	if (format->align == '=')
		at = put_fill(format, n_missing, at);
	memcpy(at, digits, n_digits);
	at += n_digits;
	if (format->align == '<')
		at = put_fill(format, n_missing, at);
	else if (format->align == '^')
		at = put_fill(format, n_missing - n_missing / 2, at);
	return (size_t)(at - out);
}

size_t rps_name_format_text(const struct rps_name_format *format, const char *text, size_t size,
			    char out[RPS_NAME_FORMATTED_SIZE])
{
	uint32_t n_characters = 0, n_missing, code_point;
	size_t used = 0;
	char *at = out;

	while (used < size && n_characters < format->precision) {
		used += rps_utf8_decode(text + used, size - used, &code_point);
		n_characters++;
	}
	n_missing = format->width > n_characters ? format->width - n_characters : 0;
	if (format->align == '>')
		at = put_fill(format, n_missing, at);
	else if (format->align == '^')
		at = put_fill(format, n_missing / 2, at);
	memcpy(at, text, used);
	at += used;
	if (format->align == '<')
		at = put_fill(format, n_missing, at);
	else if (format->align == '^')
		at = put_fill(format, n_missing - n_missing / 2, at);
	return (size_t)(at - out);
}
