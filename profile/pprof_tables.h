/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the samples of a pprof file refer to, by numbers that may be any: texts, mappings, functions,
 * locations. Called by pprof_read.c; one owner at a time. */
#ifndef RPS_PROFILE_PPROF_TABLES_H
#define RPS_PROFILE_PPROF_TABLES_H

#include "profile/model.h"
#include "profile/pprof_wire.h"

#include <stdint.h>

struct rps_pprof_mapping {
	uint64_t id, start, offset;
	int64_t file;
};

struct rps_pprof_function {
	uint64_t id;
	int64_t name, symbol, file, line;
};

/* One frame: a location has several if code was inlined there. */
struct rps_pprof_frame {
	uint64_t function_id;
	int64_t line_number, file_text; /* file_text -1: the function's */
	/* After rps_pprof_tables_resolve: */
	uint32_t function; /* of the profile */
	uint32_t line;
	const char *file;
};

struct rps_pprof_location {
	uint64_t id, mapping, address;
	uint32_t first_frame, n_frames; /* the innermost first */
};

struct rps_pprof_tables {
	struct rps_profile *profile; /* whose texts these are */
	const char **texts;
	struct rps_pprof_mapping *mappings;
	struct rps_pprof_function *functions;
	struct rps_pprof_location *locations;
	struct rps_pprof_frame *frames;
	uint32_t n_texts, n_mappings, n_functions, n_locations, n_frames;
	uint32_t texts_room, mappings_room, functions_room, locations_room, frames_room;
	uint64_t text_bytes;
	char why[160]; /* after an error */
};

/* Adds a field of a Profile: 3 mapping, 4 location, 5 function, 6 text; others are skipped. 0, -ENOMEM, -E2BIG
 * or -EBADMSG. */
int rps_pprof_tables_add(struct rps_pprof_tables *tables, const struct rps_wire_field *field);

/* After the last one: all references are looked up. `keep_symbols`: also those that are nothing but the name.
 * Same errors. */
int rps_pprof_tables_resolve(struct rps_pprof_tables *tables, int keep_symbols);

const struct rps_pprof_location *rps_pprof_tables_search_location(const struct rps_pprof_tables *tables,
								  uint64_t id);

/* NULL: there is none. Asked for each frame of each stack; ids are usually 1, 2, 3 ... */
static inline const struct rps_pprof_location *
rps_pprof_tables_location(const struct rps_pprof_tables *tables, uint64_t id)
{
	return id - 1 < tables->n_locations && tables->locations[id - 1].id == id
		   ? &tables->locations[id - 1]
		   : rps_pprof_tables_search_location(tables, id);
}

/* NULL: there is none. */
const struct rps_pprof_function *rps_pprof_tables_function(const struct rps_pprof_tables *tables,
							   uint64_t id);
const char *rps_pprof_tables_text(const struct rps_pprof_tables *tables, int64_t at);

/* The profile's function for one of the tables, as code of `mapping` (0: none); RPS_NONE: a reference is
 * broken
 * (`why`), or out of memory (`why` is empty). */
uint32_t rps_pprof_tables_model_function(struct rps_pprof_tables *tables, uint64_t id, uint64_t mapping,
					 int keep_symbols);

void rps_pprof_tables_clear(struct rps_pprof_tables *tables);

#endif
