/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See speedscope_read.h. Called by format.c for tools, tests and the fuzzer, on their thread. */
#include "profile/speedscope_read.h"

#include "profile/pprof_units.h"
#include "profile/speedscope_json.h"
#include "profile/stacks.h"
#include "profile/why.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CALLS RPS_NONE

/* What one of the file's profiles counts. */
struct meaning {
	uint32_t event; /* or CALLS */
	uint64_t scale; /* to the event's unit */
};

struct reader {
	struct rps_why why;
	struct rps_speedscope_file file;
	struct rps_profile *profile;
	struct rps_stacks *stacks;
	uint32_t *functions; /* of each frame */
	struct meaning *meanings;
	struct rps_event events[RPS_EVENTS_MAX];
	uint32_t n_events;
	bool is_ours;
};

static int stacks_failed(struct reader *reader, int error)
{
	return rps_why_fail(&reader->why, error, "%s", rps_stacks_why(error));
}

/* ---- Events ------------------------------------------------------------------------------------- */

static int find_event(struct reader *reader, const char *name, const char *long_name, uint32_t *event)
{
	for (*event = 0; *event < reader->n_events; ++*event)
		if (strcmp(reader->events[*event].name, name) == 0)
			return 0;
	if (reader->n_events == RPS_EVENTS_MAX)
		return rps_why_fail(&reader->why, -EBADMSG, "more than %u events", RPS_EVENTS_MAX);
	reader->events[reader->n_events].name = rps_profile_text(reader->profile, name);
	reader->events[reader->n_events].long_name = long_name;
	return reader->events[reader->n_events++].name != NULL
		   ? 0
		   : rps_why_fail(&reader->why, -ENOMEM, "out of memory");
}

static int find_meaning(struct reader *reader, uint32_t i)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} times[] = {
	    {"nanoseconds", 1}, {"microseconds", 1000}, {"milliseconds", 1000000}, {"seconds", 1000000000}};
	const struct rps_speedscope_profile *from = &reader->file.profiles[i];
	struct meaning *meaning = &reader->meanings[i];
	const char *unit = from->unit != NULL ? from->unit : "none";
	char name[200];

	*meaning = (struct meaning){0, 1};
	if (reader->is_ours) {
		if (from->name != NULL && strcmp(from->name, "calls") == 0) {
			meaning->event = CALLS;
			return 0;
		}
		rps_pprof_event_of_unit(from->name != NULL ? from->name : "", "", name, sizeof(name));
		return find_event(reader, name, strcmp(name, "Wall_ns") == 0 ? "Wall time (ns)" : "",
				  &meaning->event);
	}
	for (size_t time = 0; time < sizeof(times) / sizeof(times[0]); time++)
		if (strcmp(unit, times[time].unit) == 0) {
			meaning->scale = times[time].ns;
			return find_event(reader, "Wall_ns", "Wall time (ns)", &meaning->event);
		}
	return strcmp(unit, "bytes") == 0 ? find_event(reader, "Bytes", "", &meaning->event)
					  : find_event(reader, "Samples", "", &meaning->event);
}

static int define_events(struct reader *reader)
{
	int error = 0;

	reader->is_ours =
	    reader->file.exporter != NULL && strncmp(reader->file.exporter, "RunProfileServer ", 17) == 0;
	reader->meanings = calloc((size_t)reader->file.n_profiles + 1, sizeof(*reader->meanings));
	if (reader->meanings == NULL)
		return rps_why_fail(&reader->why, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < reader->file.n_profiles && error == 0; i++)
		error = find_meaning(reader, i);
	if (error != 0)
		return error;
	if (reader->n_events == 0)
		return rps_why_fail(&reader->why, -EBADMSG, "there are no profiles in it");
	return rps_profile_set_events(reader->profile, reader->events, reader->n_events) == 0
		   ? 0
		   : rps_why_fail(&reader->why, -ENOMEM, "out of memory");
}

static int define_functions(struct reader *reader)
{
	const struct rps_speedscope_file *file = &reader->file;

	reader->functions = malloc(((size_t)file->n_frames + 1) * sizeof(*reader->functions));
	if (reader->functions == NULL)
		return rps_why_fail(&reader->why, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < file->n_frames; i++) {
		const struct rps_function function = {
		    .name = file->frames[i].name, .file = file->frames[i].file, .line = file->frames[i].line};

		if (function.name == NULL)
			return rps_why_fail(&reader->why, -EBADMSG, "frame %" PRIu32 " has no name", i);
		reader->functions[i] = rps_profile_function(reader->profile, &function);
		if (reader->functions[i] == RPS_NONE)
			return rps_why_fail(&reader->why, -ENOMEM, "out of memory");
	}
	if (reader->is_ours && file->is_rooted && file->n_frames > 0)
		reader->profile->nodes[0].function = reader->functions[0];
	return 0;
}

/* ---- Stacks ------------------------------------------------------------------------------------- */

static int scaled(struct reader *reader, const struct meaning *meaning, const struct rps_json_number *number,
		  uint64_t *value)
{
	if (__builtin_mul_overflow(number->integer, meaning->scale, value) ||
	    __builtin_add_overflow(*value, (uint64_t)llround(number->fraction * (double)meaning->scale),
				   value))
		return rps_why_fail(&reader->why, -EBADMSG, "a number beyond 64 bits");
	return 0;
}

static int enter(struct reader *reader, uint32_t frame)
{
	int error;

	if (frame >= reader->file.n_frames)
		return rps_why_fail(&reader->why, -EBADMSG,
				    "a stack refers to frame %" PRIu32 ", which is not there", frame);
	error = rps_stacks_enter(reader->stacks, reader->functions[frame], "", 0);
	return error == 0 ? 0 : stacks_failed(reader, error);
}

/* In files of ours the first frame of each stack is the root, which is frame 0. */
static int take_root(struct reader *reader, uint32_t first, uint32_t end)
{
	return first < end && reader->file.stacks[first] == 0 && reader->file.n_frames > 0
		   ? 0
		   : rps_why_fail(&reader->why, -EBADMSG, "a stack that does not begin with the root");
}

static int take_sampled(struct reader *reader, const struct rps_speedscope_profile *from,
			const struct meaning *meaning)
{
	const struct rps_speedscope_file *file = &reader->file;
	uint32_t at = from->first_stack == 0 ? 0 : file->ends[from->first_stack - 1];
	const bool is_rooted = reader->is_ours && file->is_rooted;

	if (from->n_stacks != from->n_weights)
		return rps_why_fail(&reader->why, -EBADMSG, "%" PRIu32 " samples, but %" PRIu32 " weights",
				    from->n_stacks, from->n_weights);
	for (uint32_t i = 0; i < from->n_stacks; i++) {
		const uint32_t stack_end = file->ends[from->first_stack + i];
		uint64_t costs[RPS_EVENTS_MAX] = {0}, value;
		int error = scaled(reader, meaning, &file->numbers[from->first_weight + i], &value);

		rps_stacks_begin(reader->stacks);
		if (error == 0 && is_rooted)
			error = take_root(reader, at++, stack_end);
		for (; at < stack_end && error == 0; at++)
			error = enter(reader, file->stacks[at]);
		if (error != 0)
			return error;
		if (meaning->event != CALLS)
			costs[meaning->event] = value;
		error = rps_stacks_charge(reader->stacks, meaning->event == CALLS ? value : 0, costs);
		if (error != 0)
			return stacks_failed(reader, error);
	}
	return 0;
}

static int take_event(struct reader *reader, const struct rps_speedscope_event *event)
{
	static const uint64_t nothing[RPS_EVENTS_MAX];
	const struct rps_profile *profile = reader->profile;
	int error;

	if (event->type == 'O') {
		error = enter(reader, event->frame);
		if (error != 0)
			return error;
		error = rps_stacks_charge_self(reader->stacks, 1, nothing);
		return error == 0 ? 0 : stacks_failed(reader, error);
	}
	if (event->type != 'C')
		return rps_why_fail(&reader->why, -EBADMSG, "an event that neither opens nor closes a frame");
	if (event->frame >= reader->file.n_frames || rps_stacks_depth(reader->stacks) == 0 ||
	    profile->nodes[rps_stacks_node(reader->stacks)].function != reader->functions[event->frame])
		return rps_why_fail(&reader->why, -EBADMSG,
				    "an event closes frame %" PRIu32 ", which is not the innermost one",
				    event->frame);
	rps_stacks_leave(reader->stacks);
	return 0;
}

static int take_evented(struct reader *reader, const struct rps_speedscope_profile *from,
			const struct meaning *meaning)
{
	uint64_t last = 0;
	int error = 0;

	rps_stacks_begin(reader->stacks);
	for (uint32_t i = 0; i < from->n_events; i++) {
		const struct rps_speedscope_event *event = &reader->file.events[from->first_event + i];
		uint64_t costs[RPS_EVENTS_MAX] = {0}, now;

		error = scaled(reader, meaning, &event->at, &now);
		if (error != 0)
			return error;
		if (i > 0 && now < last)
			return rps_why_fail(&reader->why, -EBADMSG,
					    "the events are not in the order of time");
		if (meaning->event != CALLS)
			costs[meaning->event] = i > 0 ? now - last : 0;
		last = now;
		/* Between two trees nothing was running. */
		if (rps_stacks_depth(reader->stacks) > 0)
			error = rps_stacks_charge(reader->stacks, 0, costs);
		if (error != 0)
			return stacks_failed(reader, error);
		error = take_event(reader, event);
		if (error != 0)
			return error;
	}
	if (rps_stacks_depth(reader->stacks) > 0)
		return rps_why_fail(&reader->why, -EBADMSG,
				    "the file is cut off: frames that were opened are never closed");
	return 0;
}

/* ---- Life --------------------------------------------------------------------------------------- */

static int read_all(struct reader *reader, struct rps_input *input, char *why, size_t why_size)
{
	int error = rps_speedscope_json_read(input, &reader->file, why, why_size);
	char problem[200], count[16];

	if (error == 0)
		error = define_events(reader);
	if (error == 0)
		error = define_functions(reader);
	if (error == 0) {
		reader->stacks = rps_stacks_create(reader->profile);
		error = reader->stacks != NULL ? 0 : rps_why_fail(&reader->why, -ENOMEM, "out of memory");
	}
	for (uint32_t i = 0; i < reader->file.n_profiles && error == 0; i++)
		error = reader->file.profiles[i].is_evented
			    ? take_evented(reader, &reader->file.profiles[i], &reader->meanings[i])
			    : take_sampled(reader, &reader->file.profiles[i], &reader->meanings[i]);
	snprintf(count, sizeof(count), "%" PRIu32, reader->file.n_profiles);
	if (error == 0 && !reader->is_ours && reader->file.name != NULL &&
	    rps_profile_add_meta(reader->profile, "Name", reader->file.name) != 0)
		error = rps_why_fail(&reader->why, -ENOMEM, "out of memory");
	if (error == 0 && !reader->is_ours && reader->file.n_profiles > 1 &&
	    rps_profile_add_meta(reader->profile, "Profiles added up", count) != 0)
		error = rps_why_fail(&reader->why, -ENOMEM, "out of memory");
	if (error == 0 && rps_profile_check(reader->profile, problem, sizeof(problem)) != 0)
		error = rps_why_fail(&reader->why, -EBADMSG, "%s", problem);
	return error;
}

int rps_speedscope_read(struct rps_input *input, struct rps_profile **profile, char *why, size_t why_size)
{
	struct reader reader = {.why = {why, why_size, input, RPS_WHY_FILE, 0, 0}};
	int error;

	reader.profile = reader.file.profile = rps_profile_create("(profile)");
	error = reader.profile != NULL ? read_all(&reader, input, why, why_size)
				       : rps_why_fail(&reader.why, -ENOMEM, "out of memory");
	rps_stacks_destroy(reader.stacks);
	rps_speedscope_json_clear(&reader.file);
	free(reader.functions);
	free(reader.meanings);
	if (error == 0)
		*profile = reader.profile;
	else
		rps_profile_destroy(reader.profile);
	return error;
}
