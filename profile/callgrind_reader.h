/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files that read callgrind share: where in the file the reader is, and what it has read. Private to
 * callgrind_read.c (lines), callgrind_header.c ("key: value", and whether a part is whole), callgrind_body.c
 * (functions, calls, costs) and callgrind_numbers.c. One owner at a time.
 *
 * All functions return 0 or -errno, after rps_why_fail. Texts are changed in place: a line is its reader's. */
#ifndef RPS_PROFILE_CALLGRIND_READER_H
#define RPS_PROFILE_CALLGRIND_READER_H

#include "profile/callgrind_graph.h"
#include "profile/callgrind_ids.h"
#include "profile/model.h"
#include "profile/why.h"

#include <stdbool.h>
#include <stdint.h>

#define RPS_CALLGRIND_POSITIONS_MAX 2
#define RPS_CALLGRIND_LONG_NAMES_MAX 64u

enum rps_callgrind_creator { RPS_CREATOR_OTHER, RPS_CREATOR_OWN, RPS_CREATOR_VALGRIND, RPS_CREATOR_XDEBUG };

/* What the next line must be. */
enum rps_callgrind_expected { RPS_EXPECT_ANY, RPS_EXPECT_CALL_COST, RPS_EXPECT_JUMP_PLACE };

/* Of one part of the file. */
struct rps_callgrind_part {
	bool has_events, has_costs, has_summary, has_totals, costs_since_totals;
	uint32_t n_columns;
	uint32_t event_of[RPS_EVENTS_MAX]; /* of each column */
	uint64_t sum[RPS_EVENTS_MAX], summary[RPS_EVENTS_MAX], totals[RPS_EVENTS_MAX];
	uint32_t n_positions, line_position; /* line_position RPS_NONE: there are no lines */
	uint64_t position[RPS_CALLGRIND_POSITIONS_MAX];
};

struct rps_callgrind_reader {
	struct rps_why why;
	struct rps_callgrind_graph graph;
	struct rps_callgrind_ids functions, files, objects;
	struct rps_callgrind_part part;
	uint32_t n_events;
	struct rps_event events[RPS_EVENTS_MAX];
	/* Of "event:", which does not say the order of events. */
	struct rps_event long_names[RPS_CALLGRIND_LONG_NAMES_MAX];
	uint32_t n_long_names;
	enum rps_callgrind_creator creator;
	bool is_verified, last_line_is_empty;
	const char *empty; /* the profile's "" */
	const char *object, *own_file, *file;
	uint32_t function; /* RPS_NONE: none yet */
	const char *called_name, *called_object, *called_file;
	uint64_t n_calls; /* of the calls= line above */
	uint32_t callee;
	enum rps_callgrind_expected expected;
};

int rps_callgrind_out_of_memory(struct rps_callgrind_reader *reader);

/* ---- callgrind_numbers.c ------------------------------------------------------------------------ */

static inline char *rps_callgrind_skip_spaces(char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

/* Decimal or 0x...; moves *at behind it. */
int rps_callgrind_read_number(struct rps_callgrind_reader *reader, char **at, uint64_t *number);

/* Behind a number must be a space, or nothing. */
int rps_callgrind_end_of_number(struct rps_callgrind_reader *reader, const char *at);

/* As many as "positions:" names; relative ones to what `positions` holds. Moves *at behind them. */
int rps_callgrind_read_positions(struct rps_callgrind_reader *reader, char **at, uint64_t *positions);

/* To the end of the line, by column; what is left out is 0. */
int rps_callgrind_read_costs(struct rps_callgrind_reader *reader, char *at, uint64_t *costs);

/* 0 if the file has no lines. */
int rps_callgrind_line_of(struct rps_callgrind_reader *reader, const uint64_t *positions, uint32_t *line);

/* ---- callgrind_header.c ------------------------------------------------------------------------- */

/* "key: value" */
int rps_callgrind_read_header(struct rps_callgrind_reader *reader, char *line);

/* At the end of a part: whether all of it is there. */
int rps_callgrind_check_part(struct rps_callgrind_reader *reader);

/* ---- callgrind_body.c --------------------------------------------------------------------------- */

/* "41 1200", "+3 1200", "0x8048 * 7" */
int rps_callgrind_read_cost_line(struct rps_callgrind_reader *reader, char *at);

/* "key=value" */
int rps_callgrind_read_body(struct rps_callgrind_reader *reader, char *line, char *value);

#endif
