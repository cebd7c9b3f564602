/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files that read pprof share: what has been read of the file. Private to pprof_read.c (all but samples)
 * and pprof_samples.c. One owner at a time. Functions return 0 or -errno, after rps_why_fail. */
#ifndef RPS_PROFILE_PPROF_READER_H
#define RPS_PROFILE_PPROF_READER_H

#include "profile/model.h"
#include "profile/pprof_sample.h"
#include "profile/pprof_tables.h"
#include "profile/stacks.h"
#include "profile/why.h"

#include <stdbool.h>
#include <stdint.h>

#define RPS_PPROF_LABEL_KEYS_MAX 16u

/* What a column of the samples' values is. */
#define RPS_PPROF_IGNORED (RPS_NONE - 1)
#define RPS_PPROF_CALLS RPS_NONE

struct rps_pprof_column {
	int64_t type, unit, long_name;
	uint32_t event; /* or RPS_PPROF_CALLS */
};

/* A frame of the last stack, the root's first. */
struct rps_pprof_step {
	uint32_t function, node;
};

struct rps_pprof_reader {
	struct rps_why why;
	struct rps_pprof_tables tables;
	struct rps_profile *profile;
	struct rps_pprof_column columns[RPS_EVENTS_MAX + 1];
	uint32_t n_columns;
	struct rps_wire_list comments;
	int64_t label_keys[RPS_PPROF_LABEL_KEYS_MAX]; /* of the first so many */
	uint32_t n_label_keys;
	int64_t time_ns, duration_ns, period, period_type, period_unit;
	struct rps_pprof_sample sample; /* in work */
	uint64_t totals[RPS_EVENTS_MAX];
	/* Of files of ours. */
	bool is_exact, root_is_title;
	uint64_t root_id, overflow_id;
	uint32_t overflow_function;
	uint32_t *active_node, *active_in; /* of each function, valid in the stack with this number */
	uint32_t n_stacks;
	struct rps_pprof_step *steps;
	size_t n_steps, steps_room;
	struct rps_stacks *stacks; /* of others' */
};

int rps_pprof_out_of_memory(struct rps_pprof_reader *reader);
int rps_pprof_damaged(struct rps_pprof_reader *reader);

static inline const char *rps_pprof_text(const struct rps_pprof_reader *reader, int64_t at)
{
	return rps_pprof_tables_text(&reader->tables, at);
}

/* ---- pprof_samples.c ---------------------------------------------------------------------------- */

/* After all tables: what samples need. */
int rps_pprof_samples_begin(struct rps_pprof_reader *reader);

/* A field of the Profile that is a sample. */
int rps_pprof_samples_take(struct rps_pprof_reader *reader, const struct rps_wire_field *field);

void rps_pprof_samples_end(struct rps_pprof_reader *reader);

#endif
