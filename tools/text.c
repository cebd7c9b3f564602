/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes texts safe, measures and shortens them (text.h). Called by the commands that print tables. */
#include "tools/text.h"

#include "profile/name_text.h"
#include "profile/utf8.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define ELLIPSIS "\xe2\x80\xa6"

/* ---- Safe --------------------------------------------------------------------------------------- */

/* Writes the next character of `text` as it may be shown; returns the bytes taken. `out` has room for 16. */
static size_t make_safe(const char *text, size_t size, char *out)
{
	uint32_t code_point = 0;
	size_t length = rps_utf8_decode(text, size, &code_point), n_taken = length != 0 ? length : 1;

	if (length != 0 && !rps_name_is_invisible(code_point)) {
		memcpy(out, text, length);
		out[length] = '\0';
	} else if (text[0] == '\n' || text[0] == '\t') {
		strcpy(out, text[0] == '\n' ? "\\n" : "\\t");
	} else {
		for (size_t i = 0; i < n_taken; i++)
			snprintf(out + 4 * i, 5, "\\x%02x", (unsigned char)text[i]);
	}
	return n_taken;
}

char *rps_text_safe(const char *text)
{
	size_t size = strlen(text), used = 0, taken;
	/* A byte becomes four at most, and make_safe writes up to 17 before it is known how many. */
	char *safe = malloc(size * 4 + 20);

	if (safe == NULL)
		return NULL;
	safe[0] = '\0';
	for (; size > 0; text += taken, size -= taken) {
		taken = make_safe(text, size, safe + used);
		used += strlen(safe + used);
	}
	return safe;
}

void rps_text_put_safe(FILE *out, const char *text)
{
	size_t size = strlen(text), taken;

	for (; size > 0; text += taken, size -= taken) {
		char character[20];

		taken = make_safe(text, size, character);
		fputs(character, out);
	}
}

void rps_text_put_json(FILE *out, const char *text)
{
	size_t size = strlen(text), taken;

	fputc('"', out);
	for (; size > 0; text += taken, size -= taken) {
		uint32_t code_point;
		size_t length = rps_utf8_decode(text, size, &code_point);

		taken = length != 0 ? length : 1;
		if (length == 0)
			fputs("\\ufffd", out);
		else if (code_point == '"' || code_point == '\\')
			fprintf(out, "\\%c", (int)code_point);
		else if (code_point < 0x20 || (code_point < 0x10000 && rps_name_is_invisible(code_point)))
			fprintf(out, "\\u%04" PRIx32, code_point);
		else
			fwrite(text, 1, length, out);
	}
	fputc('"', out);
}

/* ---- Width -------------------------------------------------------------------------------------- */

static size_t width_of(uint32_t code_point)
{
	int width = wcwidth((wchar_t)code_point);

	return width >= 0 ? (size_t)width : 1;
}

size_t rps_text_width(const char *text)
{
	size_t size = strlen(text), width = 0, length;

	for (; size > 0; text += length, size -= length) {
		uint32_t code_point;

		length = rps_utf8_decode(text, size, &code_point);
		width += length != 0 ? width_of(code_point) : 1;
		length = length != 0 ? length : 1;
	}
	return width;
}

/* ---- Short -------------------------------------------------------------------------------------- */

static bool ends_in_operator(const char *text, const char *end)
{
	static const char word[] = "operator";

	return end - text >= (ptrdiff_t)strlen(word) && memcmp(end - strlen(word), word, strlen(word)) == 0;
}

/* Whether the bracket at `at` belongs to a name: of operator<<, operator->, operator() ... or is an arrow's.
 */
static bool is_of_operator(const char *text, const char *at)
{
	const char *before = at;

	if (at[0] == '(')
		return ends_in_operator(text, at) && at[1] == ')';
	if (at[0] == ')')
		return at > text && at[-1] == '(' && ends_in_operator(text, at - 1);
	while (before > text && at - before < 2 && strchr("<>=-", before[-1]) != NULL)
		before--;
	return ends_in_operator(text, before) || (at[0] == '>' && at > text && at[-1] == '-');
}

/* Puts "…" for what stands between the outermost brackets `open` and `close`. In place: it only gets shorter.
 */
static void empty_brackets(char *text, char open, char close)
{
	static const char keep[] = "(anonymous namespace)";
	const char *from = text;
	char *to = text, *start = NULL;
	size_t depth = 0;

	for (; *from != '\0'; from++) {
		bool is_bracket = !is_of_operator(text, from);

		if (depth == 0 && open == '(' && strncmp(from, keep, strlen(keep)) == 0) {
			memmove(to, from, strlen(keep));
			to += strlen(keep);
			from += strlen(keep) - 1;
			continue;
		}
		*to++ = *from;
		if (*from == open && is_bracket && depth++ == 0)
			start = to;
		if (*from == close && is_bracket && depth > 0 && --depth == 0 && to - start > 4) {
			memcpy(start, ELLIPSIS, strlen(ELLIPSIS));
			start[strlen(ELLIPSIS)] = close;
			to = start + strlen(ELLIPSIS) + 1;
		}
	}
	*to = '\0';
}

/* Bytes of as many characters at the beginning of `text` as fit in `columns`. */
static size_t head_size(const char *text, size_t columns)
{
	size_t size = strlen(text), at = 0, width = 0;

	while (at < size) {
		uint32_t code_point = ' ';
		size_t length = rps_utf8_decode(text + at, size - at, &code_point);

		width += width_of(code_point);
		if (width > columns)
			break;
		at += length != 0 ? length : 1;
	}
	return at;
}

/* Where the last `columns` columns of `text` begin. */
static const char *tail(const char *text, size_t columns)
{
	const size_t width = rps_text_width(text);
	const char *at = text + head_size(text, width > columns ? width - columns : 0);

	while (rps_text_width(at) > columns)
		at += head_size(at, 2);
	return at;
}

static char *cut_middle(const char *text, size_t columns)
{
	size_t left = (columns - 1) / 3;
	char *cut;

	if (asprintf(&cut, "%.*s" ELLIPSIS "%s", (int)head_size(text, left), text,
		     tail(text, columns - 1 - left)) < 0)
		return NULL;
	return cut;
}

char *rps_text_shorten(const char *text, size_t columns)
{
	char *copy = strdup(text), *cut;

	if (copy == NULL || rps_text_width(copy) <= columns)
		return copy;
	empty_brackets(copy, '(', ')');
	if (rps_text_width(copy) > columns)
		empty_brackets(copy, '<', '>');
	if (rps_text_width(copy) <= columns || columns < 3)
		return copy;
	cut = cut_middle(copy, columns);
	free(copy);
	return cut;
}

char *rps_text_cut(const char *text, size_t columns)
{
	char *cut;

	if (rps_text_width(text) <= columns || columns == 0)
		return strdup(text);
	if (asprintf(&cut, "%.*s" ELLIPSIS, (int)head_size(text, columns - 1), text) < 0)
		return NULL;
	return cut;
}

size_t rps_text_brief_width(const char *text)
{
	char *copy = strdup(text);
	size_t width;

	if (copy == NULL)
		return rps_text_width(text);
	empty_brackets(copy, '(', ')');
	empty_brackets(copy, '<', '>');
	width = rps_text_width(copy);
	free(copy);
	return width;
}

const char *rps_text_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/* ---- Numbers ------------------------------------------------------------------------------------ */

void rps_text_number(char text[RPS_TEXT_NUMBER_SIZE], uint64_t number)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, number);

	for (int i = 0; i < n; i++) {
		*text++ = digits[i];
		if ((n - i - 1) % 3 == 0 && i != n - 1)
			*text++ = ',';
	}
	*text = '\0';
}

void rps_text_ms(char text[RPS_TEXT_NUMBER_SIZE], uint64_t ns)
{
	rps_text_number(text, ns / 1000000);
	snprintf(text + strlen(text), 8, ".%06" PRIu64, ns % 1000000);
}
