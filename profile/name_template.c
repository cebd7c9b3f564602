/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of profile files (name_template.h). The server parses the template at
 * its start and renders a name for each request, on the thread that ends it; a parsed template
 * is never changed, so threads share it.
 *
 * What a name must not do:
 *
 * - Leave the directory, hide, or surprise a shell: values come from the URL. What is not
 *   a letter, a digit, one of "-_.~+,=@%" or a visible character beyond ASCII becomes '_'.
 * - Begin another name. KCacheGrind opens all files whose names begin with the one it was given,
 *   whatever the case of letters. Every name ends in ".prof". If a name were the beginning
 *   of a longer one, its ".prof" would stand inside that one, before its end; so it is enough
 *   that ".prof" stands nowhere else: any other becomes "_prof". (None can arise across
 *   the seam to the suffix, since a '.' stands only at its start.)
 * - Be a pattern. KCacheGrind reads what it was given as one: no "*?[]\" in the template.
 * - Be too long. The longest text values are cut first, each to a beginning, '~' and a hash of the
 *   whole value, so that the template's numbers are kept; if that is not enough, the
 *   component is cut in the same way.
 */
#include "profile/name_template.h"

#include "profile/name_format.h"
#include "profile/name_text.h"
#include "profile/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* name, kind: in the order in which messages list them. */
#define FIELDS(X)                                                                                            \
	X(path, RPS_NAME_TEXT)                                                                               \
	X(duration, RPS_NAME_NUMBER)                                                                         \
	X(duration_us, RPS_NAME_NUMBER)                                                                      \
	X(time, RPS_NAME_NUMBER)                                                                             \
	X(method, RPS_NAME_TEXT)                                                                             \
	X(status, RPS_NAME_NUMBER)                                                                           \
	X(pid, RPS_NAME_NUMBER)                                                                              \
	X(seq, RPS_NAME_NUMBER)                                                                              \
	X(query, RPS_NAME_TEXT)

enum field {
#define FIELD_CONSTANT(name, kind) FIELD_##name,
	FIELDS(FIELD_CONSTANT)
#undef FIELD_CONSTANT
	    N_FIELDS
};

static const struct {
	const char *name;
	enum rps_name_kind kind;
} fields[N_FIELDS] = {
#define FIELD_ROW(name, kind) {#name, kind},
    FIELDS(FIELD_ROW)
#undef FIELD_ROW
};

#define PIECES_MAX 64
#define TEMPLATE_SIZE_MAX 1000
#define VALUE_CUT_MIN 24u /* no value is cut to less than this */
/* What the suffix and a collision number take of the last component. */
#define SUFFIX_SIZE_MAX (sizeof(RPS_NAME_SUFFIX) - 1 + sizeof(".4294967295") - 1)

enum piece_kind { PIECE_LITERAL, PIECE_SLASH, PIECE_FIELD, PIECE_TIME };

struct piece {
	enum piece_kind kind;
	enum field field;
	struct rps_name_format format; /* PIECE_FIELD */
	char *text;                    /* PIECE_LITERAL: itself; PIECE_TIME: for strftime */
};

struct rps_name_template {
	struct piece pieces[PIECES_MAX];
	size_t n_pieces;
};

const char *rps_name_template_fields(void)
{
#define FIELD_LIST(name, kind) ", " #name
	return &FIELDS(FIELD_LIST)[2];
#undef FIELD_LIST
}

/* ---- Parsing ------------------------------------------------------------------------------------ */

struct parser {
	struct rps_name_template *into;
	const char *at;
	char *error;
	size_t error_size;
};

static int __attribute__((format(printf, 2, 3))) fail(struct parser *parser, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(parser->error, parser->error_size, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static struct piece *add_piece(struct parser *parser, enum piece_kind kind)
{
	struct piece *piece = &parser->into->pieces[parser->into->n_pieces];

	if (parser->into->n_pieces == PIECES_MAX) {
		fail(parser, "the template has more than %d parts", PIECES_MAX);
		return NULL;
	}
	parser->into->n_pieces++;
	piece->kind = kind;
	return piece;
}

static int out_of_memory(struct parser *parser)
{
	fail(parser, "out of memory");
	return -ENOMEM;
}

static int parse_literal(struct parser *parser)
{
	struct piece *piece = add_piece(parser, PIECE_LITERAL);
	size_t size = 0;

	if (piece == NULL)
		return -EINVAL;
	piece->text = calloc(1, strlen(parser->at) + 1);
	if (piece->text == NULL)
		return out_of_memory(parser);
	while (*parser->at != '\0' && *parser->at != '/') {
		if (*parser->at == '{' || *parser->at == '}') {
			if (parser->at[1] != parser->at[0]) {
				if (*parser->at == '{')
					break;
				return fail(parser, "single } (a brace itself is written }})");
			}
			parser->at++;
		}
		piece->text[size++] = *parser->at++;
	}
	return 0;
}

/* strftime does not say what it could not do, so only what it certainly can is let through. */
static int parse_time(struct parser *parser, const char *spec, size_t size)
{
	struct piece *piece = add_piece(parser, PIECE_TIME);

	if (piece == NULL)
		return -EINVAL;
	for (size_t i = 0; i < size; i++) {
		if (spec[i] != '%')
			continue;
		i++;
		if (i == size || strchr("aAbBcCdDeFgGhHIjmMpPrRsSTuUVwWxXyYzZ%", spec[i]) == NULL)
			return fail(parser, "bad time format \"%.*s\": %%%.*s is unknown", (int)size, spec,
				    i < size ? 1 : 0, spec + i);
	}
	piece->text = strndup(spec, size);
	return piece->text != NULL ? 0 : out_of_memory(parser);
}

static int parse_field(struct parser *parser)
{
	const char *name = parser->at + 1, *spec = "";
	size_t name_size = strcspn(name, ":!{}"), spec_size = 0;
	const char *end = name + name_size;
	struct piece *piece;
	enum field field;
	char trouble[200];

	if (*end == ':') {
		spec = end + 1;
		spec_size = strcspn(spec, "{}");
		end = spec + spec_size;
	}
	if (*end == '\0')
		return fail(parser, "{ without } (a brace itself is written {{)");
	for (field = 0; field < N_FIELDS; field++)
		if (strlen(fields[field].name) == name_size &&
		    memcmp(fields[field].name, name, name_size) == 0)
			break;
	if (field == N_FIELDS)
		return fail(parser, "unknown field {%.*s} (known: %s)", (int)name_size, name,
			    rps_name_template_fields());
	if (*end == '!')
		return fail(parser, "{%s%.2s}: conversions (!r, !s, !a) are not supported",
			    fields[field].name, end);
	if (*end == '{')
		return fail(parser, "{%s...}: fields inside of fields are not supported", fields[field].name);
	parser->at = end + 1;
	if (field == FIELD_time && memchr(spec, '%', spec_size) != NULL)
		return parse_time(parser, spec, spec_size);
	piece = add_piece(parser, PIECE_FIELD);
	if (piece == NULL)
		return -EINVAL;
	piece->field = field;
	if (memchr(spec, '/', spec_size) != NULL)
		return fail(parser, "{%s}: no / in a format", fields[field].name);
	if (rps_name_format_parse(&piece->format, fields[field].kind, spec, spec_size, trouble,
				  sizeof(trouble)) != 0)
		return fail(parser, "{%s}: %s", fields[field].name, trouble);
	return 0;
}

static int check_text(struct parser *parser, const char *text)
{
	size_t left = strlen(text), length;
	uint32_t code_point;

	if (left == 0)
		return fail(parser, "the template is empty");
	if (left > TEMPLATE_SIZE_MAX)
		return fail(parser, "the template is longer than %d bytes", TEMPLATE_SIZE_MAX);
	for (; left > 0; text += length, left -= length) {
		length = rps_utf8_decode(text, left, &code_point);
		if (length == 0)
			return fail(parser, "the template is not UTF-8");
		if (rps_name_is_invisible(code_point))
			return fail(parser, "the template holds the invisible character U+%04X", code_point);
		if (!rps_name_is_safe(code_point, RPS_NAME_OWN_TEXT))
			return fail(parser, "the template holds %c, which KCacheGrind takes for a pattern",
				    text[0]);
	}
	return 0;
}

/* Each component is something, and none leads up. */
static int check_components(struct parser *parser)
{
	const struct rps_name_template *into = parser->into;
	size_t n_in_component = 0;

	for (size_t i = 0; i < into->n_pieces; i++) {
		const struct piece *piece = &into->pieces[i];
		const bool is_last = i + 1 == into->n_pieces;

		if (piece->kind == PIECE_SLASH) {
			if (i == 0)
				return fail(parser,
					    "the template begins with /: names are below --prof-path");
			if (n_in_component == 0 || is_last)
				return fail(parser, "the template has an empty part before or behind a /");
			n_in_component = 0;
			continue;
		}
		n_in_component++;
		if (n_in_component == 1 && (is_last || into->pieces[i + 1].kind == PIECE_SLASH) &&
		    piece->kind == PIECE_LITERAL &&
		    (strcmp(piece->text, ".") == 0 || strcmp(piece->text, "..") == 0))
			return fail(parser, "the template has the directory \"%s\" in it", piece->text);
	}
	return 0;
}

struct rps_name_template *rps_name_template_parse(const char *text, char *error, size_t error_size)
{
	struct parser parser = {calloc(1, sizeof(struct rps_name_template)), text, error, error_size};
	int failed;

	if (parser.into == NULL) {
		out_of_memory(&parser);
		return NULL;
	}
	failed = check_text(&parser, text);
	while (failed == 0 && *parser.at != '\0') {
		if (*parser.at == '/') {
			parser.at++;
			failed = add_piece(&parser, PIECE_SLASH) == NULL;
		} else if (parser.at[0] == '{' && parser.at[1] != '{') {
			failed = parse_field(&parser);
		} else {
			failed = parse_literal(&parser);
		}
	}
	if (failed == 0)
		failed = check_components(&parser);
	if (failed == 0)
		return parser.into;
	rps_name_template_destroy(parser.into);
	return NULL;
}

void rps_name_template_destroy(struct rps_name_template *name_template)
{
	if (name_template == NULL)
		return;
	for (size_t i = 0; i < name_template->n_pieces; i++)
		free(name_template->pieces[i].text);
	free(name_template);
}

/* ---- Rendering ---------------------------------------------------------------------------------- */

/* The raw bytes of a text field. */
static const char *text_value(const struct rps_name_values *values, enum field field, size_t *size)
{
	const char *start = values->path, *end = values->path + values->path_size;

	if (field == FIELD_path) {
		while (start < end && *start == '/')
			start++;
		while (start < end && end[-1] == '/')
			end--;
		*size = start < end ? (size_t)(end - start) : strlen("root");
		return start < end ? start : "root";
	}
	start = field == FIELD_method ? values->method : values->query;
	*size = strlen(start);
	return start;
}

static uint64_t number_value(const struct rps_name_values *values, enum field field)
{
	switch (field) {
	case FIELD_duration:
		return values->duration_us / 1000;
	case FIELD_duration_us:
		return values->duration_us;
	case FIELD_time:
		return values->time_s;
	case FIELD_status:
		return values->status;
	case FIELD_pid:
		return values->pid;
	default:
		return values->seq;
	}
}

static size_t render_time(const char *format, uint64_t time_s, char *out)
{
	/* The longest conversions make some forty bytes of two. */
	char text[TEMPLATE_SIZE_MAX * 32];
	const time_t seconds = (time_t)time_s;
	struct tm local;
	size_t size;
	bool whole;

	if (localtime_r(&seconds, &local) == NULL)
		return 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* parse_time has looked at it */
	size = strftime(text, sizeof(text), format, &local);
#pragma GCC diagnostic pop
	return rps_name_make_safe(text, size, RPS_NAME_OWN_TEXT, out, RPS_NAME_TEXT_MAX, &whole);
}

/* A piece, made safe but not cut; its bytes. *whole: nothing had to be left away. */
static size_t render_piece(const struct piece *piece, const struct rps_name_values *values,
			   char out[RPS_NAME_FORMATTED_SIZE], bool *whole)
{
	char safe[RPS_NAME_TEXT_MAX];
	const char *text;
	size_t size;

	*whole = true;
	switch (piece->kind) {
	case PIECE_LITERAL:
		size = strlen(piece->text);
		memcpy(out, piece->text, size);
		return size;
	case PIECE_TIME:
		return render_time(piece->text, values->time_s, out);
	default:
		break;
	}
	if (fields[piece->field].kind == RPS_NAME_NUMBER)
		return rps_name_format_number(&piece->format, number_value(values, piece->field), out);
	text = text_value(values, piece->field, &size);
	size = rps_name_make_safe(text, size, RPS_NAME_VALUE, safe, sizeof(safe), whole);
	/* What the precision leaves away anyhow is not missed. */
	if (piece->format.precision <= sizeof(safe) / 4)
		*whole = true;
	return rps_name_format_text(&piece->format, safe, size, out);
}

static bool can_be_cut(const struct piece *piece)
{
	return piece->kind == PIECE_FIELD && fields[piece->field].kind == RPS_NAME_TEXT;
}

/* Finds how many bytes each piece may have so that together they have `limit`,
 * taking from the longest texts; it may still be too much. */
static void allot(const struct piece *pieces, size_t n_pieces, const struct rps_name_values *values,
		  size_t limit, size_t *sizes)
{
	char text[RPS_NAME_FORMATTED_SIZE];
	size_t total = 0;
	bool whole;

	for (size_t i = 0; i < n_pieces; i++) {
		sizes[i] = render_piece(&pieces[i], values, text, &whole);
		total += sizes[i];
	}
	while (total > limit) {
		size_t longest = n_pieces, allotted;

		for (size_t i = 0; i < n_pieces; i++)
			if (can_be_cut(&pieces[i]) && sizes[i] > VALUE_CUT_MIN &&
			    (longest == n_pieces || sizes[i] > sizes[longest]))
				longest = i;
		if (longest == n_pieces)
			return;
		allotted = sizes[longest] - (total - limit);
		if (allotted > sizes[longest] || allotted < VALUE_CUT_MIN)
			allotted = VALUE_CUT_MIN;
		total -= sizes[longest] - allotted;
		sizes[longest] = allotted;
	}
}

/* One component without suffix, at most `limit` bytes, into `out` (limit + 1). */
static size_t render_component(const struct piece *pieces, size_t n_pieces,
			       const struct rps_name_values *values, size_t limit, char *out)
{
	char text[RPS_NAME_FORMATTED_SIZE];
	size_t sizes[PIECES_MAX], used = 0, whole_size = 0;
	uint64_t whole_hash = RPS_NAME_HASH_START;
	bool whole;

	allot(pieces, n_pieces, values, limit, sizes);
	for (size_t i = 0; i < n_pieces; i++) {
		size_t size = render_piece(&pieces[i], values, text, &whole), raw_size, room = limit - used;

		if (size > sizes[i] || !whole) {
			const char *raw = text_value(values, pieces[i].field, &raw_size);

			size = rps_name_cut(text, size, sizes[i],
					    rps_name_hash(RPS_NAME_HASH_START, raw, raw_size));
		}
		whole_hash = rps_name_hash(whole_hash, text, size);
		whole_size += size;
		memcpy(out + used, text, size < room ? size : room);
		used += size < room ? size : room;
	}
	out[used] = '\0';
	if (whole_size > limit)
		used = rps_name_cut(out, used, limit, whole_hash);
	if (used == 0)
		out[used++] = '_';
	out[used] = '\0';
	/* Hidden, a home directory, an option. */
	if (strchr(".~-", out[0]) != NULL)
		out[0] = '_';
	for (char *at = out; *at != '\0'; at++)
		if (strncasecmp(at, RPS_NAME_SUFFIX, strlen(RPS_NAME_SUFFIX)) == 0)
			*at = '_';
	return used;
}

int rps_name_template_render(const struct rps_name_template *name_template,
			     const struct rps_name_values *values, uint32_t attempt, char *out,
			     size_t out_size)
{
	char component[RPS_NAME_COMPONENT_MAX + 1], suffix[SUFFIX_SIZE_MAX + 1] = RPS_NAME_SUFFIX;
	size_t used = 0, first = 0, size;

	if (attempt > 0)
		snprintf(suffix, sizeof(suffix), ".%u" RPS_NAME_SUFFIX, attempt);
	for (size_t end = 0; end <= name_template->n_pieces; end++) {
		const bool is_last = end == name_template->n_pieces;

		if (!is_last && name_template->pieces[end].kind != PIECE_SLASH)
			continue;
		size = render_component(
		    &name_template->pieces[first], end - first, values,
		    is_last ? RPS_NAME_COMPONENT_MAX - SUFFIX_SIZE_MAX : RPS_NAME_COMPONENT_MAX, component);
		if (used + size + sizeof(suffix) + 1 > out_size)
			return -ENAMETOOLONG;
		memcpy(out + used, component, size);
		used += size;
		if (!is_last)
			out[used++] = '/';
		first = end + 1;
	}
	strcpy(out + used, suffix);
	return 0;
}
