/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of pprof files: texts, mappings, functions, locations (pprof_writer.h). */
#include "profile/pprof_writer.h"

#include "profile/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Numbers for them --------------------------------------------------------------------------- */

static bool text_equal(const void *owner, uint32_t id, const void *key)
{
	return strcmp(((const struct rps_pprof_writer *)owner)->texts[id], key) == 0;
}

int64_t rps_pprof_writer_text(struct rps_pprof_writer *writer, const char *from)
{
	char *escaped = rps_utf8_escape(from, RPS_UTF8_INVALID), **texts;
	uint32_t hash, id;

	if (escaped == NULL)
		return rps_pprof_writer_fail(writer, -ENOMEM);
	hash = (uint32_t)(rps_hash_bytes(escaped, strlen(escaped)) >> 32);
	id = rps_id_table_find(&writer->text_table, hash, text_equal, writer, escaped);
	if (id != RPS_NONE) {
		free(escaped);
		return id;
	}
	texts = rps_pprof_writer_grow(writer, writer->texts, &writer->texts_room, writer->n_texts,
				      sizeof(*texts));
	if (texts != NULL)
		writer->texts = texts;
	if (texts == NULL || rps_id_table_reserve(&writer->text_table) != 0) {
		free(escaped);
		return rps_pprof_writer_fail(writer, -ENOMEM);
	}
	writer->texts[writer->n_texts] = escaped;
	rps_id_table_put(&writer->text_table, hash, writer->n_texts);
	return writer->n_texts++;
}

uint64_t rps_pprof_writer_function(struct rps_pprof_writer *writer, uint32_t function)
{
	if (writer->function_ids[function] == 0) {
		writer->functions[writer->n_functions++] = function;
		writer->function_ids[function] = writer->n_functions;
	}
	return writer->function_ids[function];
}

static bool location_equal(const void *owner, uint32_t id, const void *key)
{
	const struct rps_pprof_place *have = &((const struct rps_pprof_writer *)owner)->locations[id],
				     *wanted = key;

	return have->function == wanted->function && have->line == wanted->line && have->file == wanted->file;
}

uint64_t rps_pprof_writer_location(struct rps_pprof_writer *writer, uint32_t function, const char *file,
				   uint32_t line)
{
	const struct rps_pprof_place key = {function, line, file};
	uint64_t hash = rps_hash_mix(rps_hash_mix(function, line), (uintptr_t)file);
	uint32_t id =
	    rps_id_table_find(&writer->location_table, (uint32_t)(hash >> 32), location_equal, writer, &key);
	struct rps_pprof_place *locations;

	if (id != RPS_NONE)
		return (uint64_t)id + 1;
	locations = rps_pprof_writer_grow(writer, writer->locations, &writer->locations_room,
					  writer->n_locations, sizeof(*locations));
	if (locations == NULL)
		return 0;
	writer->locations = locations;
	if (rps_id_table_reserve(&writer->location_table) != 0)
		return rps_pprof_writer_fail(writer, -ENOMEM);
	locations[writer->n_locations] = key;
	rps_id_table_put(&writer->location_table, (uint32_t)(hash >> 32), writer->n_locations);
	return ++writer->n_locations;
}

/* ---- Writing ------------------------------------------------------------------------------------ */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Objects, sorted, each once. The count; *objects is to be freed. */
static uint32_t collect_objects(struct rps_pprof_writer *writer, const char ***objects)
{
	const struct rps_profile *profile = writer->profile;
	const char **found = malloc(((size_t)writer->n_functions + 1) * sizeof(*found));
	uint32_t n_found = 0, n_kept = 0;

	*objects = found;
	if (found == NULL)
		return rps_pprof_writer_fail(writer, -ENOMEM);
	for (uint32_t i = 0; i < writer->n_functions; i++)
		if (profile->functions[writer->functions[i]].object[0] != '\0')
			found[n_found++] = profile->functions[writer->functions[i]].object;
	qsort(found, n_found, sizeof(*found), compare_texts);
	for (uint32_t i = 0; i < n_found; i++)
		if (n_kept == 0 || strcmp(found[n_kept - 1], found[i]) != 0)
			found[n_kept++] = found[i];
	return n_kept;
}

static void put_mappings(struct rps_pprof_writer *writer, const char **objects, uint32_t n_objects)
{
	for (uint32_t i = 0; i < n_objects && writer->error == 0; i++) {
		Rps__Pprof__Profile piece = RPS__PPROF__PROFILE__INIT;
		Rps__Pprof__Mapping mapping = RPS__PPROF__MAPPING__INIT, *mappings = &mapping;

		mapping.id = (uint64_t)i + 1;
		mapping.filename = rps_pprof_writer_text(writer, objects[i]);
		/* All there is is here: pprof need not look for symbols. */
		mapping.has_functions = mapping.has_filenames = mapping.has_line_numbers =
		    mapping.has_inline_frames = 1;
		piece.n_mapping = 1;
		piece.mapping = &mappings;
		rps_pprof_writer_emit(writer, &piece);
	}
}

static void put_location(struct rps_pprof_writer *writer, uint32_t id, uint64_t mapping)
{
	const struct rps_pprof_place *from = &writer->locations[id - 1];
	const struct rps_function *function = &writer->profile->functions[from->function];
	Rps__Pprof__Profile piece = RPS__PPROF__PROFILE__INIT;
	Rps__Pprof__Location to = RPS__PPROF__LOCATION__INIT, *locations = &to;
	Rps__Pprof__Line line = RPS__PPROF__LINE__INIT, *lines = &line;
	Rps__Pprof__Place elsewhere = RPS__PPROF__PLACE__INIT;

	line.function_id = rps_pprof_writer_function(writer, from->function);
	line.line = from->line;
	if (from->file != function->file) {
		elsewhere.file = rps_pprof_writer_text(writer, from->file);
		elsewhere.line = from->line;
		line.elsewhere = &elsewhere;
		line.line = 0; /* others would look for it in the wrong file */
	}
	to.id = id;
	to.mapping_id = mapping;
	to.n_line = 1;
	to.line = &lines;
	piece.n_location = 1;
	piece.location = &locations;
	rps_pprof_writer_emit(writer, &piece);
}

static void put_locations(struct rps_pprof_writer *writer, const char **objects, uint32_t n_objects)
{
	for (uint32_t i = 0; i < writer->n_locations && writer->error == 0; i++) {
		const char *object = writer->profile->functions[writer->locations[i].function].object;
		const char **found = bsearch(&object, objects, n_objects, sizeof(*objects), compare_texts);

		put_location(writer, i + 1, found != NULL ? (uint64_t)(found - objects) + 1 : 0);
	}
}

static void put_functions(struct rps_pprof_writer *writer)
{
	for (uint32_t i = 0; i < writer->n_functions && writer->error == 0; i++) {
		const struct rps_function *function = &writer->profile->functions[writer->functions[i]];
		Rps__Pprof__Profile piece = RPS__PPROF__PROFILE__INIT;
		Rps__Pprof__Function to = RPS__PPROF__FUNCTION__INIT, *functions = &to;

		to.id = (uint64_t)i + 1;
		to.name = rps_pprof_writer_text(writer, function->name);
		to.system_name = rps_pprof_writer_text(writer, function->symbol);
		to.filename = rps_pprof_writer_text(writer, function->file);
		to.start_line = function->line;
		piece.n_function = 1;
		piece.function = &functions;
		rps_pprof_writer_emit(writer, &piece);
	}
}

void rps_pprof_writer_put_texts(struct rps_pprof_writer *writer)
{
	for (uint32_t i = 0; i < writer->n_texts && writer->error == 0; i++) {
		Rps__Pprof__Profile piece = RPS__PPROF__PROFILE__INIT;
		ProtobufCBinaryData bytes = {strlen(writer->texts[i]), (uint8_t *)writer->texts[i]};

		piece.n_string_table = 1;
		piece.string_table = &bytes;
		rps_pprof_writer_emit(writer, &piece);
	}
}

/* Last of all: a file that has it is whole. */

void rps_pprof_writer_put_tables(struct rps_pprof_writer *writer)
{
	const struct rps_profile *profile = writer->profile;
	const char **objects;
	uint32_t n_objects;

	/* Those that locations and the end name are in the table, too. */
	for (uint32_t i = 0; i < writer->n_locations; i++)
		rps_pprof_writer_function(writer, writer->locations[i].function);
	rps_pprof_writer_function(writer, profile->nodes[0].function);
	if (profile->overflow != RPS_NONE)
		rps_pprof_writer_function(writer, profile->nodes[profile->overflow].function);
	n_objects = collect_objects(writer, &objects);
	put_mappings(writer, objects, n_objects);
	put_locations(writer, objects, n_objects);
	put_functions(writer);
	free(objects);
}
