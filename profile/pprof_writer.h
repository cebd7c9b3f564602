/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files that write pprof share: what has been written, and which texts, functions and places have numbers.
 * Private to pprof_write.c (what a profile says about itself), pprof_write_samples.c (stacks) and pprof_write_tables.c
 * (what they refer to). One owner at a time. After an error nothing more is written; the first one counts. */
#ifndef RPS_PROFILE_PPROF_WRITER_H
#define RPS_PROFILE_PPROF_WRITER_H

#include "profile/id_table.h"
#include "profile/model.h"
#include "profile/pprof.pb-c.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define RPS_PPROF_LABELS_MAX 3

struct rps_pprof_place {
	uint32_t function;
	uint32_t line;
	const char *file; /* of the profile's texts: the function's, or one that is included or inlined */
};

struct rps_pprof_writer {
	const struct rps_profile *profile; /* with contexts */
	const struct rps_profile *flat;    /* what it was made of, NULL: nothing */
	uint32_t *flat_edge;
	FILE *out;
	int error; /* 0 or -errno: the first */
	char **texts;
	uint32_t n_texts, texts_room;
	uint32_t *function_ids; /* of each of the profile's; 0: not used so far */
	uint32_t *functions;    /* those used, by id - 1 */
	uint32_t n_functions;
	struct rps_pprof_place *locations; /* ids are indices + 1 */
	uint32_t n_locations, locations_room;
	struct rps_id_table text_table, location_table;
	uint32_t *edges_to, *first_edge_to; /* edges by target */
	uint32_t *main_edge;                /* of each node: the one that cost most, RPS_NONE */
	uint32_t *order;                    /* nodes, as they are written */
	uint32_t *place;                    /* of each node in that order */
	bool root_is_title;
	Rps__Pprof__Label labels[RPS_PPROF_LABELS_MAX], *label_pointers[RPS_PPROF_LABELS_MAX];
	size_t n_labels;
	uint64_t *stack; /* locations of the sample in work */
	size_t n_stack, stack_room;
	bool *flat_edge_done;
	uint8_t *bytes;
	size_t bytes_room;
};

/* Notes the error; 0, for those who have to return a number. */
uint32_t rps_pprof_writer_fail(struct rps_pprof_writer *writer, int error);

/* Room for element n; NULL, after an error, when out of memory. */
void *rps_pprof_writer_grow(struct rps_pprof_writer *writer, void *array, uint32_t *room, uint32_t n,
			    size_t size);

void rps_pprof_writer_emit(struct rps_pprof_writer *writer, const Rps__Pprof__Profile *piece);

/* A number as the format has it, which ends at 63 bits. */
int64_t rps_pprof_writer_positive(struct rps_pprof_writer *writer, uint64_t number);

static inline bool rps_pprof_any_cost(const uint64_t *costs, uint32_t n_events)
{
	for (uint32_t event = 0; event < n_events; event++)
		if (costs[event] != 0)
			return true;
	return false;
}

/* ---- pprof_write_tables.c ----------------------------------------------------------------------- */

/* Its index in the string table. What is not UTF-8 is escaped: strings of protobuf have to be. */
int64_t rps_pprof_writer_text(struct rps_pprof_writer *writer, const char *from);

uint64_t rps_pprof_writer_function(struct rps_pprof_writer *writer, uint32_t function);

/* The id of a place in a function. */
uint64_t rps_pprof_writer_location(struct rps_pprof_writer *writer, uint32_t function, const char *file,
				   uint32_t line);

/* All that has got a number so far, but texts; which come last, since all have some. */
void rps_pprof_writer_put_tables(struct rps_pprof_writer *writer);
void rps_pprof_writer_put_texts(struct rps_pprof_writer *writer);

/* ---- pprof_write_samples.c ---------------------------------------------------------------------- */

/* 0 or -ENOMEM. */
int rps_pprof_writer_sort(struct rps_pprof_writer *writer);

/* The samples of a node. */
void rps_pprof_writer_put_node(struct rps_pprof_writer *writer, uint32_t node);

#endif
