/* SPDX-License-Identifier: GPL-3.0-or-later */
/* W2, call-dense code: a recursive-descent JSON parser in the style people write them in, with a small static
 * function for each small thing. About 20 million calls for 5 MB, most of which inlining removes from an
 * uninstrumented build.
 *
 *     json --generate FILE     writes the input
 *     json FILE [TIMES]        parses it, prints what it found
 */
#include "report.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_BYTES 5000000
#define DEPTH_MAX 100

enum kind { KIND_NULL, KIND_FALSE, KIND_TRUE, KIND_NUMBER, KIND_STRING, KIND_ARRAY, KIND_OBJECT };

struct value {
	enum kind kind;
	uint32_t size; /* of a string: bytes; of an array or object: values */
	union {
		double number;
		char *string;
		struct value *first; /* array, object */
	};
	struct value *next;
	char *key;
	uint32_t hash, key_hash; /* of a string, of the key: for comparing fast */
};

struct parser {
	const char *at;
	uint32_t line, column;
	uint64_t checksum; /* of all that was read */
	const char *error;
	char *text; /* the string or number being read */
	size_t text_size, text_room;
	int depth;
};

/* ---- Characters ------------------------------------------------------------------------------ */

static bool at_end(const struct parser *parser)
{
	return *parser->at == '\0';
}

static char peek(const struct parser *parser)
{
	return *parser->at;
}

static char next(struct parser *parser)
{
	char c = *parser->at++;

	if (c == '\n') {
		parser->line++;
		parser->column = 1;
	} else {
		parser->column++;
	}
	parser->checksum = (parser->checksum ^ (unsigned char)c) * 0x100000001b3;
	return c;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_in_number(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void skip_space(struct parser *parser)
{
	while (is_space(*parser->at))
		next(parser);
}

static bool fail(struct parser *parser, const char *what)
{
	if (parser->error == NULL)
		parser->error = what;
	return false;
}

static bool accept(struct parser *parser, char c)
{
	if (*parser->at != c)
		return false;
	next(parser);
	return true;
}

static bool expect(struct parser *parser, char c)
{
	return accept(parser, c) || fail(parser, "another character was expected");
}

/* ---- Values ----------------------------------------------------------------------------------------- */

static void *allocate(size_t size)
{
	void *memory = malloc(size);

	if (memory == NULL)
		abort();
	return memory;
}

static struct value *new_value(enum kind kind)
{
	struct value *value = allocate(sizeof(*value));

	*value = (struct value){.kind = kind};
	return value;
}

static void destroy(struct value *value)
{
	if (value->kind == KIND_STRING)
		free(value->string);
	if (value->kind == KIND_ARRAY || value->kind == KIND_OBJECT)
		while (value->first != NULL) {
			struct value *item = value->first;

			value->first = item->next;
			destroy(item);
		}
	free(value->key);
	free(value);
}

/* ---- Strings ----------------------------------------------------------------------------------------- */

static void append(struct parser *parser, char c)
{
	if (parser->text_size == parser->text_room) {
		parser->text_room = parser->text_room == 0 ? 64 : parser->text_room * 2;
		parser->text = realloc(parser->text, parser->text_room);
		if (parser->text == NULL)
			abort();
	}
	parser->text[parser->text_size++] = c;
}

static void append_utf8(struct parser *parser, unsigned int code)
{
	if (code < 0x80) {
		append(parser, (char)code);
	} else if (code < 0x800) {
		append(parser, (char)(0xc0 | code >> 6));
		append(parser, (char)(0x80 | (code & 0x3f)));
	} else {
		append(parser, (char)(0xe0 | code >> 12));
		append(parser, (char)(0x80 | (code >> 6 & 0x3f)));
		append(parser, (char)(0x80 | (code & 0x3f)));
	}
}

static bool parse_unicode(struct parser *parser)
{
	unsigned int code = 0;

	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(next(parser));

		if (digit < 0)
			return fail(parser, "a hexadecimal digit was expected");
		code = code << 4 | (unsigned int)digit;
	}
	append_utf8(parser, code);
	return true;
}

static bool parse_escape(struct parser *parser)
{
	char c = next(parser);

	switch (c) {
	case 'u':
		return parse_unicode(parser);
	case 'n':
		append(parser, '\n');
		return true;
	case 't':
		append(parser, '\t');
		return true;
	case '"':
	case '\\':
	case '/':
		append(parser, c);
		return true;
	default:
		return fail(parser, "unknown escape");
	}
}

static bool is_utf8(const char *text, size_t size)
{
	size_t n_left = 0;

	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (n_left > 0 ? (c & 0xc0) != 0x80 : c >= 0x80 && (c < 0xc2 || c > 0xf4))
			return false;
		n_left = n_left > 0 ? n_left - 1 : c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	}
	return n_left == 0;
}

static char *keep_text(struct parser *parser)
{
	char *copy = allocate(parser->text_size + 1);

	if (!is_utf8(parser->text, parser->text_size))
		fail(parser, "a string is not UTF-8");

	memcpy(copy, parser->text, parser->text_size);
	copy[parser->text_size] = '\0';
	return copy;
}

static char *parse_text(struct parser *parser)
{
	parser->text_size = 0;
	if (!expect(parser, '"'))
		return NULL;
	for (char c = next(parser); c != '"'; c = next(parser)) {
		if (c == '\0')
			fail(parser, "a string has no end");
		if (c == '\0' || (c == '\\' && !parse_escape(parser)))
			return NULL;
		if (c != '\\')
			append(parser, c);
	}
	return keep_text(parser);
}

static uint32_t hash_of(const char *text)
{
	uint32_t hash = 2166136261;

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619;
	return hash;
}

static struct value *parse_string(struct parser *parser)
{
	char *text = parse_text(parser);
	struct value *value;

	if (text == NULL)
		return NULL;
	value = new_value(KIND_STRING);
	value->string = text;
	value->size = (uint32_t)parser->text_size;
	value->hash = hash_of(text);
	return value;
}

/* ---- Numbers and words ------------------------------------------------------------------------------------
 */

static struct value *parse_number(struct parser *parser)
{
	struct value *value;
	char *end;

	parser->text_size = 0;
	while (is_in_number(*parser->at))
		append(parser, next(parser));
	append(parser, '\0');
	value = new_value(KIND_NUMBER);
	value->number = strtod(parser->text, &end);
	if (end == parser->text || *end != '\0')
		fail(parser, "a number was expected");
	return value;
}

static struct value *parse_word(struct parser *parser, const char *word, enum kind kind)
{
	for (; *word != '\0'; word++)
		if (!expect(parser, *word))
			return NULL;
	return new_value(kind);
}

/* ---- Structure
 * ------------------------------------------------------------------------------------------------ */

static struct value *parse_value(struct parser *parser);

static void add(struct value *list, struct value **last, struct value *item)
{
	if (*last == NULL)
		list->first = item;
	else
		(*last)->next = item;
	*last = item;
	list->size++;
}

static struct value *parse_array(struct parser *parser)
{
	struct value *list = new_value(KIND_ARRAY), *last = NULL;

	expect(parser, '[');
	skip_space(parser);
	if (accept(parser, ']'))
		return list;
	do {
		struct value *item = parse_value(parser);

		if (item == NULL)
			return NULL;
		add(list, &last, item);
		skip_space(parser);
	} while (accept(parser, ','));
	return expect(parser, ']') ? list : NULL;
}

static bool has_key(const struct value *object, const char *key, uint32_t hash)
{
	for (const struct value *member = object->first; member != NULL; member = member->next)
		if (member->key_hash == hash && strcmp(member->key, key) == 0)
			return true;
	return false;
}

static struct value *parse_member(struct parser *parser, const struct value *object)
{
	struct value *value;
	char *key;
	uint32_t hash;

	skip_space(parser);
	key = parse_text(parser);
	skip_space(parser);
	if (key == NULL || !expect(parser, ':'))
		return NULL;
	hash = hash_of(key);
	if (has_key(object, key, hash))
		fail(parser, "a key stands twice");
	value = parse_value(parser);
	if (value == NULL)
		return NULL;
	value->key = key;
	value->key_hash = hash;
	return value;
}

static struct value *parse_object(struct parser *parser)
{
	struct value *list = new_value(KIND_OBJECT), *last = NULL;

	expect(parser, '{');
	skip_space(parser);
	if (accept(parser, '}'))
		return list;
	do {
		struct value *member = parse_member(parser, list);

		if (member == NULL)
			return NULL;
		add(list, &last, member);
		skip_space(parser);
	} while (accept(parser, ','));
	return expect(parser, '}') ? list : NULL;
}

static struct value *parse_any(struct parser *parser)
{
	switch (peek(parser)) {
	case '{':
		return parse_object(parser);
	case '[':
		return parse_array(parser);
	case '"':
		return parse_string(parser);
	case 't':
		return parse_word(parser, "true", KIND_TRUE);
	case 'f':
		return parse_word(parser, "false", KIND_FALSE);
	case 'n':
		return parse_word(parser, "null", KIND_NULL);
	default:
		return parse_number(parser);
	}
}

static struct value *parse_value(struct parser *parser)
{
	struct value *value;

	if (parser->depth == DEPTH_MAX) {
		fail(parser, "nested too deeply");
		return NULL;
	}
	parser->depth++;
	skip_space(parser);
	value = parse_any(parser);
	parser->depth--;
	return value;
}

static struct value *parse_document(struct parser *parser)
{
	struct value *value = parse_value(parser);

	skip_space(parser);
	if (value != NULL && !at_end(parser))
		fail(parser, "there is something after the value");
	return parser->error == NULL ? value : NULL;
}

/* ---- The program
 * ------------------------------------------------------------------------------------------------- */

static double sum_of(const struct value *value)
{
	double sum = 0;

	switch (value->kind) {
	case KIND_NUMBER:
		return value->number;
	case KIND_STRING:
		return value->size;
	case KIND_ARRAY:
	case KIND_OBJECT:
		for (const struct value *item = value->first; item != NULL; item = item->next)
			sum += sum_of(item);
		return sum;
	default:
		return value->kind;
	}
}

static const struct value *find_member(const struct value *object, uint32_t hash, const char *key)
{
	for (const struct value *member = object->first; member != NULL; member = member->next)
		if (member->key_hash == hash && strcmp(member->key, key) == 0)
			return member;
	return NULL;
}

static int compare_prices(const void *a, const void *b)
{
	const struct value *left = *(const struct value *const *)a, *right = *(const struct value *const *)b;

	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	return 0;
}

/* What programs do with what they have read. */
static double median_price(const struct value *list)
{
	const struct value **prices = allocate((list->size + 1) * sizeof(struct value *));
	const uint32_t hash = hash_of("price");
	size_t n_prices = 0;
	double median = 0;

	for (const struct value *item = list->first; item != NULL; item = item->next) {
		prices[n_prices] = find_member(item, hash, "price");
		n_prices += prices[n_prices] != NULL;
	}
	qsort(prices, n_prices, sizeof(*prices), compare_prices);
	if (n_prices > 0)
		median = prices[n_prices / 2]->number;
	free(prices);
	return median;
}

static NOT_PROFILED uint32_t random_number(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static NOT_PROFILED int generate(const char *path)
{
	static const char *const words[] = {
	    "coffee",      "grinder",     "lamp \\\"desk\\\"",
	    "na\\u00efve", "two\\nlines", "a longer text, as descriptions are, with some sixty characters"};
	FILE *file = fopen(path, "w");
	uint32_t state = 1;

	if (file == NULL)
		return 1;
	fputs("[", file);
	for (int i = 0; ftell(file) < INPUT_BYTES; i++) {
		fprintf(file,
			"%s\n{\"id\":%d,\"name\":\"%s\",\"price\":%u.%02u,\"weight\":-%u.5e-%u,\"tags\":[",
			i > 0 ? "," : "", i, words[random_number(&state) % 6], random_number(&state) % 1000,
			random_number(&state) % 100, random_number(&state) % 10, random_number(&state) % 4);
		for (uint32_t tags = random_number(&state) % 5; tags > 0; tags--)
			fprintf(file, "\"%s\"%s", words[random_number(&state) % 4], tags > 1 ? ", " : "");
		fputs("],\"place\":[", file);
		for (int i = 0; i < 3; i++)
			fprintf(file, "%s%u.%06u", i > 0 ? "," : "", random_number(&state) % 180,
				random_number(&state) % 1000000);
		fprintf(file, "], \"stock\": {\"count\": %u, \"ordered\": %s, \"supplier\": null}}",
			random_number(&state) % 50, random_number(&state) % 2 ? "true" : "false");
	}
	fputs("\n]\n", file);
	return fclose(file) != 0;
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *bytes = malloc(2 * INPUT_BYTES);
	size_t size;

	if (file == NULL || bytes == NULL)
		return NULL;
	size = fread(bytes, 1, 2 * INPUT_BYTES - 1, file);
	bytes[size] = '\0';
	fclose(file);
	return bytes;
}

int main(int argc, char **argv)
{
	double sum = 0;
	char *input;

	if (argc < 2)
		return 2;
	if (argc > 2 && strcmp(argv[1], "--generate") == 0)
		return generate(argv[2]);
	input = read_file(argv[1]);
	if (input == NULL)
		return 1;
	for (int times = argc > 2 ? atoi(argv[2]) : 1; times > 0; times--) {
		struct parser parser = {.at = input, .line = 1, .column = 1};
		struct value *document = parse_document(&parser);

		if (document == NULL) {
			fprintf(stderr, "json: line %u, column %u: %s\n", parser.line, parser.column,
				parser.error);
			return 1;
		}
		sum = sum_of(document) + median_price(document) + (double)(parser.checksum >> 40);
		destroy(document);
		free(parser.text);
	}
	free(input);
	report("sum", sum);
	report_cpu();
	return 0;
}
