/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See pprof_tables.h. */
#include "profile/pprof_tables.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_MAX (128u << 20)

static int __attribute__((format(printf, 2, 3)))
fail(struct rps_pprof_tables *tables, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(tables->why, sizeof(tables->why), format, arguments);
	va_end(arguments);
	return -EBADMSG;
}

static uint64_t memory(const struct rps_pprof_tables *tables)
{
	return (uint64_t)tables->texts_room * sizeof(*tables->texts) + tables->text_bytes +
	       (uint64_t)tables->mappings_room * sizeof(*tables->mappings) +
	       (uint64_t)tables->functions_room * (sizeof(*tables->functions) + sizeof(struct rps_function)) +
	       (uint64_t)tables->locations_room * sizeof(*tables->locations) +
	       (uint64_t)tables->frames_room * sizeof(*tables->frames);
}

/* Room for one more than n. 0, -ENOMEM or -E2BIG. */
static int grow(struct rps_pprof_tables *tables, void **array, uint32_t *room, uint32_t n, size_t size)
{
	uint32_t wanted = *room == 0 ? 64 : *room * 2;
	void *grown;

	if (n < *room)
		return 0;
	if (memory(tables) + (uint64_t)(wanted - *room) * size > MEMORY_MAX) {
		fail(tables, "more functions and texts than can be held (%u MiB)", MEMORY_MAX >> 20);
		return -E2BIG;
	}
	grown = realloc(*array, wanted * size);
	if (grown == NULL)
		return -ENOMEM;
	*array = grown;
	*room = wanted;
	return 0;
}

#define GROW(tables, what)                                                                                   \
	({                                                                                                   \
		void *array = (tables)->what;                                                                \
		int grow_error = grow(tables, &array, &(tables)->what##_room, (tables)->n_##what,            \
				      sizeof(*(tables)->what));                                              \
		(tables)->what = array;                                                                      \
		grow_error;                                                                                  \
	})

/* ---- While the file is read --------------------------------------------------------------------- */

static int damaged(struct rps_pprof_tables *tables)
{
	return fail(tables, "this is no pprof file, or it is damaged (the field makes no sense)");
}

static int add_text(struct rps_pprof_tables *tables, struct rps_wire from)
{
	const size_t size = (size_t)(from.end - from.at);
	int error = GROW(tables, texts);
	char *text;

	if (error != 0)
		return error;
	if (memchr(from.at, '\0', size) != NULL)
		return fail(tables, "there is a NUL byte in a text");
	text = strndup((const char *)from.at, size);
	if (text == NULL)
		return -ENOMEM;
	tables->texts[tables->n_texts] = rps_profile_text(tables->profile, text);
	free(text);
	tables->text_bytes += size + 16;
	return tables->texts[tables->n_texts++] != NULL ? 0 : -ENOMEM;
}

static int add_mapping(struct rps_pprof_tables *tables, struct rps_wire from)
{
	uint64_t numbers[11]; /* id, start, limit, offset, file name, build id; has_functions ... */
	int error = GROW(tables, mappings);

	if (error != 0)
		return error;
	if (rps_wire_read_numbers(from, numbers, 11) != 0)
		return damaged(tables);
	tables->mappings[tables->n_mappings++] =
	    (struct rps_pprof_mapping){numbers[1], numbers[2], numbers[4], (int64_t)numbers[5]};
	return 0;
}

static int add_function(struct rps_pprof_tables *tables, struct rps_wire from)
{
	uint64_t numbers[6]; /* id, name, system name, file name, start line */
	int error = GROW(tables, functions);

	if (error != 0)
		return error;
	if (rps_wire_read_numbers(from, numbers, 6) != 0)
		return damaged(tables);
	tables->functions[tables->n_functions++] = (struct rps_pprof_function){
	    numbers[1], (int64_t)numbers[2], (int64_t)numbers[3], (int64_t)numbers[4], (int64_t)numbers[5]};
	return 0;
}

/* A Line: function id, line; and, in files of ours, a Place. */
static int read_frame(struct rps_wire from, struct rps_pprof_frame *frame)
{
	uint64_t numbers[3], place[3]; /* function id, line; file, line */
	struct rps_wire_field field;
	const char *why;
	int result;

	if (rps_wire_read_numbers(from, numbers, 3) != 0)
		return -EBADMSG;
	frame->function_id = numbers[1];
	frame->line_number = (int64_t)numbers[2];
	while ((result = rps_wire_next(&from, &field, &why)) == 1) {
		if (field.number != 1001)
			continue;
		if (field.type != RPS_WIRE_BYTES || rps_wire_read_numbers(field.bytes, place, 3) != 0)
			return -EBADMSG;
		frame->file_text = (int64_t)place[1];
		frame->line_number = (int64_t)place[2];
	}
	return 0;
}

static int add_frame(struct rps_pprof_tables *tables, const struct rps_wire *from)
{
	int error = GROW(tables, frames);
	struct rps_pprof_frame *frame;

	if (error != 0)
		return error;
	frame = &tables->frames[tables->n_frames++];
	*frame = (struct rps_pprof_frame){.file_text = -1};
	return from == NULL || read_frame(*from, frame) == 0 ? 0 : damaged(tables);
}

static int add_location(struct rps_pprof_tables *tables, struct rps_wire from)
{
	struct rps_pprof_location location = {.first_frame = tables->n_frames};
	int error = GROW(tables, locations), result = 0;
	struct rps_wire_field field;
	const char *why;

	while (error == 0 && (result = rps_wire_next(&from, &field, &why)) == 1) {
		if (field.number == 0 || field.number > 5)
			continue;
		if (field.type != (field.number == 4 ? RPS_WIRE_BYTES : RPS_WIRE_NUMBER))
			return damaged(tables);
		if (field.number == 1)
			location.id = field.value;
		else if (field.number == 2)
			location.mapping = field.value;
		else if (field.number == 3)
			location.address = field.value;
		else if (field.number == 4)
			error = add_frame(tables, &field.bytes);
	}
	if (error == 0 && result < 0)
		return damaged(tables);
	/* An address without a name is a frame, too. */
	if (error == 0 && tables->n_frames == location.first_frame)
		error = add_frame(tables, NULL);
	location.n_frames = tables->n_frames - location.first_frame;
	if (error == 0)
		tables->locations[tables->n_locations++] = location;
	return error;
}

int rps_pprof_tables_add(struct rps_pprof_tables *tables, const struct rps_wire_field *field)
{
	if (field->type != RPS_WIRE_BYTES)
		return damaged(tables);
	switch (field->number) {
	case 3:
		return add_mapping(tables, field->bytes);
	case 4:
		return add_location(tables, field->bytes);
	case 5:
		return add_function(tables, field->bytes);
	case 6:
		return add_text(tables, field->bytes);
	default:
		return 0;
	}
}

/* ---- Look-ups ----------------------------------------------------------------------------------- */

/* All three kinds begin with their id. */
static int compare_ids(const void *a, const void *b)
{
	const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static int sort_ids(struct rps_pprof_tables *tables, void *array, uint32_t n, size_t size, const char *what)
{
	const char *at = array;

	if (n == 0)
		return 0;
	qsort(array, n, size, compare_ids);
	for (uint32_t i = 0; i < n; i++, at += size) {
		const uint64_t id = *(const uint64_t *)(const void *)at;

		if (id == 0 || (i > 0 && compare_ids(at, at - size) == 0))
			return fail(tables, "%s %" PRIu64 " %s", what, id,
				    id == 0 ? "has no number" : "is there twice");
	}
	return 0;
}

const struct rps_pprof_location *rps_pprof_tables_search_location(const struct rps_pprof_tables *tables,
								  uint64_t id)
{
	if (tables->n_locations == 0)
		return NULL;
	return bsearch(&id, tables->locations, tables->n_locations, sizeof(*tables->locations), compare_ids);
}

const struct rps_pprof_function *rps_pprof_tables_function(const struct rps_pprof_tables *tables, uint64_t id)
{
	if (tables->n_functions == 0)
		return NULL;
	return bsearch(&id, tables->functions, tables->n_functions, sizeof(*tables->functions), compare_ids);
}

static const struct rps_pprof_mapping *find_mapping(const struct rps_pprof_tables *tables, uint64_t id)
{
	if (tables->n_mappings == 0)
		return NULL;
	return bsearch(&id, tables->mappings, tables->n_mappings, sizeof(*tables->mappings), compare_ids);
}

const char *rps_pprof_tables_text(const struct rps_pprof_tables *tables, int64_t at)
{
	return at >= 0 && (uint64_t)at < tables->n_texts ? tables->texts[at] : NULL;
}

/* ---- At the end --------------------------------------------------------------------------------- */

static int object_of(struct rps_pprof_tables *tables, uint64_t mapping_id, const char **object)
{
	const struct rps_pprof_mapping *mapping = find_mapping(tables, mapping_id);

	*object = "";
	if (mapping_id == 0)
		return 0;
	if (mapping == NULL)
		return fail(tables, "mapping %" PRIu64 " is referred to, but not there", mapping_id);
	*object = rps_pprof_tables_text(tables, mapping->file);
	return *object != NULL
		   ? 0
		   : fail(tables, "text %" PRId64 " is referred to, but not there", mapping->file);
}

uint32_t rps_pprof_tables_model_function(struct rps_pprof_tables *tables, uint64_t id, uint64_t mapping,
					 int keep_symbols)
{
	const struct rps_pprof_function *from = rps_pprof_tables_function(tables, id);
	struct rps_function function = {0};

	tables->why[0] = '\0';
	if (from == NULL) {
		fail(tables, "function %" PRIu64 " is referred to, but not there", id);
		return RPS_NONE;
	}
	function.name = rps_pprof_tables_text(tables, from->name);
	function.symbol = rps_pprof_tables_text(tables, from->symbol);
	function.file = rps_pprof_tables_text(tables, from->file);
	if (function.name == NULL || function.symbol == NULL || function.file == NULL) {
		fail(tables, "function %" PRIu64 " refers to a text that is not there", id);
		return RPS_NONE;
	}
	if (from->line < 0 || from->line >= RPS_NONE) {
		fail(tables, "function %" PRIu64 " begins at line %" PRId64, id, from->line);
		return RPS_NONE;
	}
	function.line = (uint32_t)from->line;
	if (object_of(tables, mapping, &function.object) != 0)
		return RPS_NONE;
	if (!keep_symbols && strcmp(function.symbol, function.name) == 0)
		function.symbol = "";
	return rps_profile_function(tables->profile, &function);
}

/* Code without a name: "app+0x1c40". */
static uint32_t nameless_function(struct rps_pprof_tables *tables, const struct rps_pprof_location *location)
{
	const struct rps_pprof_mapping *mapping = find_mapping(tables, location->mapping);
	struct rps_function function = {0};
	uint64_t address = location->address;
	const char *base;
	uint32_t result;
	char *name;

	tables->why[0] = '\0';
	if (object_of(tables, location->mapping, &function.object) != 0)
		return RPS_NONE;
	if (mapping != NULL && address >= mapping->start)
		address = address - mapping->start + mapping->offset;
	base = strrchr(function.object, '/');
	base = base != NULL ? base + 1 : function.object;
	if (asprintf(&name, "%s%s0x%" PRIx64, base, base[0] != '\0' ? "+" : "", address) < 0)
		return RPS_NONE;
	function.name = name;
	result = rps_profile_function(tables->profile, &function);
	free(name);
	return result;
}

static int resolve_frame(struct rps_pprof_tables *tables, const struct rps_pprof_location *location,
			 struct rps_pprof_frame *frame, int keep_symbols)
{
	const struct rps_pprof_function *function;

	frame->file = "";
	if (frame->function_id == 0) {
		frame->function = nameless_function(tables, location);
	} else {
		frame->function = rps_pprof_tables_model_function(tables, frame->function_id,
								  location->mapping, keep_symbols);
		function = rps_pprof_tables_function(tables, frame->function_id);
		if (function != NULL)
			frame->file = rps_pprof_tables_text(tables, frame->file_text >= 0 ? frame->file_text
											  : function->file);
		if (frame->file == NULL)
			return fail(tables, "location %" PRIu64 " refers to a text that is not there",
				    location->id);
	}
	if (frame->function == RPS_NONE)
		return tables->why[0] != '\0' ? -EBADMSG : -ENOMEM;
	if (frame->line_number < 0 || frame->line_number >= RPS_NONE)
		return fail(tables, "location %" PRIu64 " is in line %" PRId64, location->id,
			    frame->line_number);
	frame->line = (uint32_t)frame->line_number;
	return 0;
}

int rps_pprof_tables_resolve(struct rps_pprof_tables *tables, int keep_symbols)
{
	int error =
	    sort_ids(tables, tables->mappings, tables->n_mappings, sizeof(*tables->mappings), "mapping");

	if (tables->n_texts == 0 || tables->texts[0][0] != '\0')
		return fail(tables, "the table of texts is missing, or does not begin with the empty one");
	if (error == 0)
		error = sort_ids(tables, tables->functions, tables->n_functions, sizeof(*tables->functions),
				 "function");
	if (error == 0)
		error = sort_ids(tables, tables->locations, tables->n_locations, sizeof(*tables->locations),
				 "location");
	for (uint32_t i = 0; i < tables->n_locations; i++)
		for (uint32_t frame = 0; frame < tables->locations[i].n_frames && error == 0; frame++)
			error = resolve_frame(tables, &tables->locations[i],
					      &tables->frames[tables->locations[i].first_frame + frame],
					      keep_symbols);
	return error;
}

void rps_pprof_tables_clear(struct rps_pprof_tables *tables)
{
	free(tables->texts);
	free(tables->mappings);
	free(tables->functions);
	free(tables->locations);
	free(tables->frames);
	*tables = (struct rps_pprof_tables){0};
}
