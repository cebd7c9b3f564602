/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands in a speedscope file, in arrays: members come in any order, so all is read before any of it is
 * understood. Called by speedscope_read.c; one owner at a time. */
#ifndef RPS_PROFILE_SPEEDSCOPE_JSON_H
#define RPS_PROFILE_SPEEDSCOPE_JSON_H

#include "profile/input.h"
#include "profile/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number as it stands there; 0.25 and more than 53 bits are not lost. */
struct rps_json_number {
	uint64_t integer;
	double fraction; /* from 0 to 1, without 1 */
};

struct rps_speedscope_frame {
	const char *name, *file; /* texts of the profile; NULL: none */
	uint32_t line;
};

struct rps_speedscope_profile {
	const char *name, *unit; /* texts of the profile; NULL: none */
	bool is_evented;
	uint32_t first_stack, n_stacks;   /* of `ends` */
	uint32_t first_weight, n_weights; /* of `numbers` */
	uint32_t first_event, n_events;   /* of `events` */
};

struct rps_speedscope_event {
	struct rps_json_number at;
	uint32_t frame;
	char type; /* 'O' opens, 'C' closes; 0: none was given */
};

struct rps_speedscope_file {
	struct rps_profile *profile; /* whose texts these are */
	const char *name, *exporter;
	bool has_schema, has_shared, is_rooted;
	struct rps_speedscope_frame *frames;
	struct rps_speedscope_profile *profiles;
	struct rps_speedscope_event *events;
	struct rps_json_number *numbers; /* weights */
	uint32_t *stacks, *ends;         /* frames of all stacks; where each ends */
	uint32_t n_frames, n_profiles, n_events, n_numbers, n_stacks, n_ends;
	uint32_t frames_room, profiles_room, events_room, numbers_room, stacks_room, ends_room;
	uint64_t text_size;
};

/* Reads all of the input. 0; or an error as rps_speedscope_read has it. */
int rps_speedscope_json_read(struct rps_input *input, struct rps_speedscope_file *file, char *why,
			     size_t why_size);
void rps_speedscope_json_clear(struct rps_speedscope_file *file);

#endif
