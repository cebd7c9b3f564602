/* SPDX-License-Identifier: MIT */
/* Parsing JSON (RFC 8259), by recursive descent. The text comes from
 * clients: every step looks at the end, and nesting is bounded. */
#include "json.h"
#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32

struct parser {
	const char *at, *end;
	int depth;
	const char *error; /* the first that happened */
};

static struct json_value *parse_value(struct parser *parser);

static void *fail(struct parser *parser, const char *error)
{
	if (!parser->error)
		parser->error = error;
	return NULL;
}

/* The next character, or '\0' at the end (no token begins with a NUL). */
static char peek(const struct parser *parser)
{
	return parser->at < parser->end ? *parser->at : '\0';
}

static bool skip(struct parser *parser, char c)
{
	if (peek(parser) != c || parser->at == parser->end)
		return false;
	parser->at++;
	return true;
}

static void skip_space(struct parser *parser)
{
	while (parser->at < parser->end && strchr(" \t\r\n", *parser->at) && *parser->at)
		parser->at++;
}

static bool skip_digits(struct parser *parser)
{
	const char *start = parser->at;

	while (peek(parser) >= '0' && peek(parser) <= '9')
		parser->at++;
	return parser->at > start;
}

static struct json_value *parse_number(struct parser *parser)
{
	const char *start = parser->at;
	struct json_value *value;
	char digits[64];
	size_t size;

	skip(parser, '-');
	if (!skip(parser, '0') && !skip_digits(parser))
		return fail(parser, "a value is missing");
	if (skip(parser, '.') && !skip_digits(parser))
		return fail(parser, "a digit is missing after the point");
	if (skip(parser, 'e') || skip(parser, 'E')) {
		if (!skip(parser, '+'))
			skip(parser, '-');
		if (!skip_digits(parser))
			return fail(parser, "a digit is missing in the exponent");
	}

	size = (size_t)(parser->at - start);
	if (size >= sizeof(digits))
		return fail(parser, "a number is too long");
	memcpy(digits, start, size);
	digits[size] = '\0';

	value = json_create(JSON_NUMBER);
	value->number = strtod(digits, NULL);
	if (!isfinite(value->number)) {
		json_free(value);
		return fail(parser, "a number is too large");
	}
	return value;
}

/* Four hexadecimal digits, or -1. */
static int parse_hex4(struct parser *parser)
{
	int code = 0;

	for (int i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdef";
		const char *found;
		char c = peek(parser);

		if (c >= 'A' && c <= 'F')
			c = (char)(c - 'A' + 'a');
		found = c ? strchr(digits, c) : NULL;
		if (!found)
			return -1;
		code = code * 16 + (int)(found - digits);
		parser->at++;
	}
	return code;
}

static void append_utf8(struct buffer *out, unsigned int code)
{
	char bytes[4];
	size_t size;

	if (code < 0x80) {
		bytes[0] = (char)code;
		size = 1;
	} else if (code < 0x800) {
		bytes[0] = (char)(0xc0 | code >> 6);
		bytes[1] = (char)(0x80 | (code & 0x3f));
		size = 2;
	} else if (code < 0x10000) {
		bytes[0] = (char)(0xe0 | code >> 12);
		bytes[1] = (char)(0x80 | (code >> 6 & 0x3f));
		bytes[2] = (char)(0x80 | (code & 0x3f));
		size = 3;
	} else {
		bytes[0] = (char)(0xf0 | code >> 18);
		bytes[1] = (char)(0x80 | (code >> 12 & 0x3f));
		bytes[2] = (char)(0x80 | (code >> 6 & 0x3f));
		bytes[3] = (char)(0x80 | (code & 0x3f));
		size = 4;
	}
	buffer_append(out, bytes, size);
}

static bool parse_unicode_escape(struct parser *parser, struct buffer *out)
{
	int code = parse_hex4(parser);

	if (code >= 0xd800 && code < 0xdc00) {
		int low = skip(parser, '\\') && skip(parser, 'u') ? parse_hex4(parser) : -1;

		if (low < 0xdc00 || low > 0xdfff)
			return false;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	} else if (code <= 0 || (code >= 0xdc00 && code <= 0xdfff)) {
		return false; /* \u0000 would end a C string early */
	}
	append_utf8(out, (unsigned int)code);
	return true;
}

static bool parse_escape(struct parser *parser, struct buffer *out)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	char c = peek(parser);
	const char *found = c ? strchr(letters, c) : NULL;

	if (skip(parser, 'u'))
		return parse_unicode_escape(parser, out);
	if (!found)
		return false;
	parser->at++;
	buffer_append(out, &meanings[found - letters], 1);
	return true;
}

static char *parse_string(struct parser *parser)
{
	struct buffer out = {0};

	if (!skip(parser, '"'))
		return fail(parser, "a string is missing");
	while (!skip(parser, '"')) {
		if ((unsigned char)peek(parser) < 0x20) {
			buffer_free(&out);
			return fail(parser, "a string does not end");
		}
		if (!skip(parser, '\\')) {
			buffer_append(&out, parser->at++, 1);
		} else if (!parse_escape(parser, &out)) {
			buffer_free(&out);
			return fail(parser, "a bad escape in a string");
		}
	}
	return buffer_take(&out);
}

/* Members of an array or object, up to and with the closing bracket. */
static bool parse_members(struct parser *parser, struct json_value *parent, char closing)
{
	skip_space(parser);
	if (skip(parser, closing))
		return true;
	do {
		struct json_value *child;
		char *key = NULL;

		skip_space(parser);
		if (parent->type == JSON_OBJECT) {
			key = parse_string(parser);
			if (!key)
				return false;
			skip_space(parser);
			if (!skip(parser, ':')) {
				free(key);
				fail(parser, "a colon is missing");
				return false;
			}
		}
		child = parse_value(parser);
		if (!child) {
			free(key);
			return false;
		}
		child->key = key;
		json_add(parent, child);
		skip_space(parser);
	} while (skip(parser, ','));

	if (!skip(parser, closing)) {
		fail(parser, "a comma or a closing bracket is missing");
		return false;
	}
	return true;
}

static struct json_value *parse_container(struct parser *parser, enum json_type type, char closing)
{
	struct json_value *value;

	if (parser->depth == DEPTH_MAX)
		return fail(parser, "nested too deeply");
	parser->depth++;
	value = json_create(type);
	if (!parse_members(parser, value, closing)) {
		json_free(value);
		return NULL;
	}
	parser->depth--;
	return value;
}

static bool skip_word(struct parser *parser, const char *word)
{
	size_t size = strlen(word);

	if ((size_t)(parser->end - parser->at) < size || memcmp(parser->at, word, size) != 0)
		return false;
	parser->at += size;
	return true;
}

static struct json_value *parse_value(struct parser *parser)
{
	struct json_value *value;

	skip_space(parser);
	if (skip(parser, '{'))
		return parse_container(parser, JSON_OBJECT, '}');
	if (skip(parser, '['))
		return parse_container(parser, JSON_ARRAY, ']');
	if (peek(parser) == '"') {
		char *string = parse_string(parser);

		if (!string)
			return NULL;
		value = json_create(JSON_STRING);
		value->string = string;
		return value;
	}
	if (skip_word(parser, "null"))
		return json_create(JSON_NULL);
	if (skip_word(parser, "false"))
		return json_create(JSON_BOOL);
	if (skip_word(parser, "true")) {
		value = json_create(JSON_BOOL);
		value->number = 1;
		return value;
	}
	return parse_number(parser);
}

struct json_value *json_parse(const char *text, size_t size, const char **error)
{
	struct parser parser = {.at = text, .end = text + size};
	struct json_value *value = parse_value(&parser);

	skip_space(&parser);
	if (value && parser.at < parser.end) {
		json_free(value);
		value = fail(&parser, "something follows the value");
	}
	*error = parser.error;
	return value;
}
