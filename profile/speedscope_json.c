/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See speedscope_json.h. The parser (yajl) calls back for each value; where in the file it stands is known by
 * the keys and arrays around it:
 *
 *     0 { shared: 1 { frames: 2 [ 3 { name: ...
 *         profiles: 1 [ 2 { samples: 3 [ 4 [ 5 number
 *                           weights: 3 [ 4 number
 *                           events:  3 [ 4 { type:, frame:, at:
 */
#include "profile/speedscope_json.h"

#include "profile/speedscope_write.h"
#include "profile/why.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#define DEPTH_MAX 512u
#define LEVELS 6u
#define MEMORY_MAX (160u << 20)
#define PROFILES_MAX 100000u

#define KEYS(KEY)                                                                                            \
	KEY(schema, "$schema")                                                                               \
	KEY(name, "name")                                                                                    \
	KEY(exporter, "exporter")                                                                            \
	KEY(rooted, "rooted")                                                                                \
	KEY(shared, "shared")                                                                                \
	KEY(frames, "frames")                                                                                \
	KEY(file, "file")                                                                                    \
	KEY(line, "line")                                                                                    \
	KEY(profiles, "profiles")                                                                            \
	KEY(type, "type")                                                                                    \
	KEY(unit, "unit")                                                                                    \
	KEY(samples, "samples")                                                                              \
	KEY(weights, "weights")                                                                              \
	KEY(events, "events")                                                                                \
	KEY(frame, "frame")                                                                                  \
	KEY(at, "at")

#define KEY_ID(id, text) KEY_##id,
enum key { KEY_none, KEYS(KEY_ID) KEY_array };

struct parser {
	struct rps_input *input;
	struct rps_speedscope_file *file;
	struct rps_why why; /* byte: of the chunk */
	uint32_t depth;
	enum key keys[LEVELS]; /* by depth: the member, or that it is an element of an array */
	bool is_array[DEPTH_MAX];
	int error;
};

/* The first failure counts: yajl is told to stop (0), and what follows from that says nothing. */
#define FAIL(parser, code, ...)                                                                              \
	((parser)->error == 0 ? (parser)->error = rps_why_fail(&(parser)->why, code, __VA_ARGS__), 0 : 0)

/* ---- Arrays ------------------------------------------------------------------------------------- */

static uint64_t memory(const struct rps_speedscope_file *file)
{
	return (uint64_t)file->frames_room * sizeof(*file->frames) +
	       (uint64_t)file->profiles_room * sizeof(*file->profiles) +
	       (uint64_t)file->events_room * sizeof(*file->events) +
	       (uint64_t)file->numbers_room * sizeof(*file->numbers) +
	       (uint64_t)file->stacks_room * sizeof(*file->stacks) +
	       (uint64_t)file->ends_room * sizeof(*file->ends) + file->text_size;
}

/* The array with room for one more than n, NULL after fail. */
static void *grow(struct parser *parser, void *array, uint32_t *room, uint32_t n, size_t size)
{
	uint32_t wanted = *room == 0 ? 64 : *room + *room / 2;
	void *grown;

	if (n < *room)
		return array;
	if (memory(parser->file) + (uint64_t)(wanted - *room) * size > MEMORY_MAX) {
		FAIL(parser, -E2BIG, "more than can be held (%u MiB)", MEMORY_MAX >> 20);
		return NULL;
	}
	grown = realloc(array, wanted * size);
	if (grown == NULL)
		FAIL(parser, -ENOMEM, "out of memory");
	else
		*room = wanted;
	return grown;
}

/* The next element of one of the file's arrays, zeroed, or NULL after fail. */
#define ADD(parser, what)                                                                                    \
	({                                                                                                   \
		struct rps_speedscope_file *add_to = (parser)->file;                                         \
		void *array = grow(parser, add_to->what, &add_to->what##_room, add_to->n_##what,             \
				   sizeof(*add_to->what));                                                   \
		if (array != NULL) {                                                                         \
			add_to->what = array;                                                                \
			memset(&add_to->what[add_to->n_##what], 0, sizeof(*add_to->what));                   \
			array = &add_to->what[add_to->n_##what++];                                           \
		}                                                                                            \
		array;                                                                                       \
	})

/* ---- Where we are ------------------------------------------------------------------------------- */

static bool is_at(const struct parser *parser, uint32_t depth, enum key outer, enum key inner)
{
	return parser->depth == depth && parser->keys[1] == outer && parser->keys[depth] == inner;
}

static bool in_profile(const struct parser *parser)
{
	return parser->depth >= 3 && parser->keys[1] == KEY_profiles && parser->keys[2] == KEY_array;
}

static struct rps_speedscope_profile *last_profile(const struct parser *parser)
{
	return &parser->file->profiles[parser->file->n_profiles - 1];
}

static bool in_frame(const struct parser *parser)
{
	return parser->depth == 4 && parser->keys[1] == KEY_shared && parser->keys[2] == KEY_frames &&
	       parser->keys[3] == KEY_array;
}

static bool in_event(const struct parser *parser)
{
	return in_profile(parser) && parser->depth == 5 && parser->keys[3] == KEY_events &&
	       parser->keys[4] == KEY_array;
}

static bool in_stack(const struct parser *parser)
{
	return in_profile(parser) && parser->depth == 5 && parser->keys[3] == KEY_samples &&
	       parser->keys[4] == KEY_array && parser->keys[5] == KEY_array;
}

static bool in_weights(const struct parser *parser)
{
	return in_profile(parser) && parser->depth == 4 && parser->keys[3] == KEY_weights &&
	       parser->keys[4] == KEY_array;
}

/* ---- Values ------------------------------------------------------------------------------------- */

static const char *keep_text(struct parser *parser, const unsigned char *bytes, size_t size)
{
	const char *kept;
	char *text;

	if (memchr(bytes, '\0', size) != NULL) {
		FAIL(parser, -EBADMSG, "there is a NUL character in a text");
		return NULL;
	}
	text = strndup((const char *)bytes, size);
	kept = text != NULL ? rps_profile_text(parser->file->profile, text) : NULL;
	free(text);
	parser->file->text_size += size + 16;
	if (kept == NULL)
		FAIL(parser, -ENOMEM, "out of memory");
	else if (memory(parser->file) > MEMORY_MAX)
		FAIL(parser, -E2BIG, "more than can be held (%u MiB)", MEMORY_MAX >> 20);
	return parser->error == 0 ? kept : NULL;
}

static int take_string(void *cls, const unsigned char *bytes, size_t size)
{
	struct parser *parser = cls;
	struct rps_speedscope_file *file = parser->file;
	const char **place = NULL;

	if (parser->depth >= LEVELS)
		return 1;
	if (parser->depth == 1) {
		if (parser->keys[1] == KEY_schema)
			file->has_schema = size == strlen(RPS_SPEEDSCOPE_SCHEMA) &&
					   memcmp(bytes, RPS_SPEEDSCOPE_SCHEMA, size) == 0;
		else if (parser->keys[1] == KEY_name)
			place = &file->name;
		else if (parser->keys[1] == KEY_exporter)
			place = &file->exporter;
	} else if (in_frame(parser) && file->n_frames > 0) {
		if (parser->keys[4] == KEY_name)
			place = &file->frames[file->n_frames - 1].name;
		else if (parser->keys[4] == KEY_file)
			place = &file->frames[file->n_frames - 1].file;
	} else if (in_profile(parser) && parser->depth == 3) {
		if (parser->keys[3] == KEY_name)
			place = &last_profile(parser)->name;
		else if (parser->keys[3] == KEY_unit)
			place = &last_profile(parser)->unit;
		else if (parser->keys[3] == KEY_type)
			last_profile(parser)->is_evented = size == 7 && memcmp(bytes, "evented", 7) == 0;
	} else if (in_event(parser) && parser->keys[5] == KEY_type) {
		file->events[file->n_events - 1].type = size == 1 ? (char)bytes[0] : '\0';
	} else if (in_stack(parser) || in_weights(parser)) {
		return FAIL(parser, -EBADMSG, "a number is expected, not a text");
	}
	if (place != NULL)
		*place = keep_text(parser, bytes, size);
	return parser->error == 0;
}

static int read_number(struct parser *parser, const char *text, size_t size, struct rps_json_number *number)
{
	char copy[64], *end;
	double value;

	*number = (struct rps_json_number){0};
	if (size == 0 || size >= sizeof(copy))
		return FAIL(parser, -EBADMSG, "a number with too many digits");
	memcpy(copy, text, size);
	copy[size] = '\0';
	if (copy[0] == '-') {
		value = strtod(copy, NULL);
		return value == 0 ? 1 : FAIL(parser, -EBADMSG, "a number below 0");
	}
	if (strpbrk(copy, "eE") != NULL) {
		value = strtod(copy, NULL);
		if (!(value < 0x1p64))
			return FAIL(parser, -EBADMSG, "a number beyond 64 bits");
		number->integer = (uint64_t)value;
		number->fraction = value - floor(value);
		return 1;
	}
	errno = 0;
	number->integer = strtoull(copy, &end, 10);
	if (errno != 0)
		return FAIL(parser, -EBADMSG, "a number beyond 64 bits");
	if (*end == '.')
		number->fraction = strtod(end, NULL);
	if (number->fraction >= 1)
		number->fraction = 0;
	return 1;
}

static int read_index(struct parser *parser, const char *text, size_t size, uint32_t *index)
{
	struct rps_json_number number;

	if (!read_number(parser, text, size, &number))
		return 0;
	if (number.integer >= RPS_NONE || number.fraction != 0)
		return FAIL(parser, -EBADMSG, "\"%.*s\" is no index or line", (int)(size < 40 ? size : 40),
			    text);
	*index = (uint32_t)number.integer;
	return 1;
}

static int take_number(void *cls, const char *text, size_t size)
{
	struct parser *parser = cls;
	struct rps_speedscope_file *file = parser->file;

	if (parser->depth >= LEVELS)
		return 1;
	if (in_stack(parser)) {
		uint32_t *frame = ADD(parser, stacks);

		return frame != NULL && read_index(parser, text, size, frame);
	}
	if (in_weights(parser)) {
		struct rps_json_number *number = ADD(parser, numbers);

		last_profile(parser)->n_weights++;
		return number != NULL && read_number(parser, text, size, number);
	}
	if (in_event(parser) && parser->keys[5] == KEY_frame)
		return read_index(parser, text, size, &file->events[file->n_events - 1].frame);
	if (in_event(parser) && parser->keys[5] == KEY_at)
		return read_number(parser, text, size, &file->events[file->n_events - 1].at);
	if (in_frame(parser) && parser->keys[4] == KEY_line)
		return read_index(parser, text, size, &file->frames[file->n_frames - 1].line);
	return 1;
}

static int take_boolean(void *cls, int value)
{
	struct parser *parser = cls;

	if (parser->depth == 1 && parser->keys[1] == KEY_rooted)
		parser->file->is_rooted = value;
	if (parser->depth < LEVELS && (in_stack(parser) || in_weights(parser)))
		return FAIL(parser, -EBADMSG, "a number is expected");
	return 1;
}

static int take_null(void *cls)
{
	struct parser *parser = cls;

	if (parser->depth < LEVELS && (in_stack(parser) || in_weights(parser)))
		return FAIL(parser, -EBADMSG, "a number is expected, not null");
	return 1;
}

static int take_key(void *cls, const unsigned char *bytes, size_t size)
{
#define KEY_TEXT(id, text) [KEY_##id] = text,
	static const char *const texts[] = {KEYS(KEY_TEXT)};
	struct parser *parser = cls;
	enum key key = KEY_none;

	if (parser->depth >= LEVELS)
		return 1;
	for (uint32_t i = 1; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strlen(texts[i]) == size && memcmp(texts[i], bytes, size) == 0)
			key = i;
	parser->keys[parser->depth] = key;
	return 1;
}

/* ---- Containers --------------------------------------------------------------------------------- */

static int begin(struct parser *parser, bool is_array)
{
	if (++parser->depth == DEPTH_MAX)
		return FAIL(parser, -EBADMSG, "it is nested too deep");
	parser->is_array[parser->depth] = is_array;
	if (parser->depth < LEVELS)
		parser->keys[parser->depth] = is_array ? KEY_array : KEY_none;
	return 1;
}

static int begin_profile(struct parser *parser)
{
	struct rps_speedscope_file *file = parser->file;
	struct rps_speedscope_profile *profile;

	if (file->n_profiles == PROFILES_MAX)
		return FAIL(parser, -E2BIG, "more than %u profiles", PROFILES_MAX);
	profile = ADD(parser, profiles);
	if (profile == NULL)
		return 0;
	profile->first_stack = file->n_ends;
	profile->first_weight = file->n_numbers;
	profile->first_event = file->n_events;
	return 1;
}

static int begin_map(void *cls)
{
	struct parser *parser = cls;

	if (parser->depth < LEVELS && (in_stack(parser) || in_weights(parser)))
		return FAIL(parser, -EBADMSG, "a number is expected");
	if (!begin(parser, false))
		return 0;
	if (is_at(parser, 2, KEY_shared, KEY_none))
		parser->file->has_shared = true;
	if (parser->depth == 3 && parser->keys[1] == KEY_profiles && parser->keys[2] == KEY_array)
		return begin_profile(parser);
	if (in_frame(parser))
		return ADD(parser, frames) != NULL;
	if (parser->depth == 5 && in_profile(parser) && parser->keys[3] == KEY_events &&
	    parser->keys[4] == KEY_array) {
		last_profile(parser)->n_events++;
		return ADD(parser, events) != NULL;
	}
	return 1;
}

static int begin_array(void *cls)
{
	struct parser *parser = cls;

	if (parser->depth < LEVELS && (in_stack(parser) || in_weights(parser)))
		return FAIL(parser, -EBADMSG, "a number is expected");
	if (!begin(parser, true))
		return 0;
	/* One list of each kind: two would mix. */
	if (in_profile(parser) && parser->depth == 4) {
		const struct rps_speedscope_profile *profile = last_profile(parser);

		if ((parser->keys[3] == KEY_samples && profile->n_stacks > 0) ||
		    (parser->keys[3] == KEY_weights && profile->n_weights > 0) ||
		    (parser->keys[3] == KEY_events && profile->n_events > 0))
			return FAIL(parser, -EBADMSG, "a list that is there twice");
	}
	return 1;
}

static int end(void *cls)
{
	struct parser *parser = cls;

	if (in_stack(parser)) {
		uint32_t *place = ADD(parser, ends);

		if (place == NULL)
			return 0;
		*place = parser->file->n_stacks;
		last_profile(parser)->n_stacks++;
	}
	parser->depth--;
	return 1;
}

/* ---- The whole ---------------------------------------------------------------------------------- */

static void parse_failed(struct parser *parser, yajl_handle handle, const char *bytes, size_t size)
{
	unsigned char *message;

	parser->why.byte += yajl_get_bytes_consumed(handle);
	message = yajl_get_error(handle, 0, (const unsigned char *)bytes, size);
	if (message != NULL)
		message[strcspn((char *)message, "\n")] = '\0';
	FAIL(parser, -EBADMSG, "this is no JSON, or it is cut off (%s)",
	     message != NULL ? (const char *)message : "out of memory");
	if (message != NULL)
		yajl_free_error(handle, message);
}

static void parse(struct parser *parser, yajl_handle handle)
{
	const char *bytes = "";
	size_t size = 0;
	int result;

	while ((result = rps_input_chunk(parser->input, &bytes, &size)) == 1) {
		yajl_status status = yajl_parse(handle, (const unsigned char *)bytes, size);

		if (status != yajl_status_ok) {
			parse_failed(parser, handle, bytes, size);
			return;
		}
		parser->why.byte += size;
	}
	if (result < 0)
		FAIL(parser, result, "%s", rps_input_why(parser->input));
	else if (yajl_complete_parse(handle) != yajl_status_ok || parser->depth != 0)
		FAIL(parser, -EBADMSG, "the file is cut off");
}

int rps_speedscope_json_read(struct rps_input *input, struct rps_speedscope_file *file, char *why,
			     size_t why_size)
{
	static const yajl_callbacks callbacks = {
	    .yajl_null = take_null,
	    .yajl_boolean = take_boolean,
	    .yajl_number = take_number,
	    .yajl_string = take_string,
	    .yajl_start_map = begin_map,
	    .yajl_map_key = take_key,
	    .yajl_end_map = end,
	    .yajl_start_array = begin_array,
	    .yajl_end_array = end,
	};
	struct parser parser = {.input = input, .file = file, .why = {why, why_size, input, RPS_WHY_BYTE, 0, 0}};
	yajl_handle handle = yajl_alloc(&callbacks, NULL, &parser);

	if (handle == NULL)
		FAIL(&parser, -ENOMEM, "out of memory");
	else
		parse(&parser, handle);
	if (parser.error == 0 && (!file->has_schema || !file->has_shared))
		FAIL(&parser, -EBADMSG,
		     "this JSON is no speedscope file (its $schema, or its frames, are missing)");
	if (handle != NULL)
		yajl_free(handle);
	return parser.error;
}

void rps_speedscope_json_clear(struct rps_speedscope_file *file)
{
	free(file->frames);
	free(file->profiles);
	free(file->events);
	free(file->numbers);
	free(file->stacks);
	free(file->ends);
}
