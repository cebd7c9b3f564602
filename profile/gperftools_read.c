/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See gperftools_read.h. Called by format.c for tools, tests and the fuzzer, on their thread. Words, of the
 * machine that wrote them (here: 64 bits, little-endian):
 *
 *     0  3  0  period (us)  0        header
 *     count  n  pc ... pc            a stack, the leaf first; the others are return addresses
 *     0  1  0                        the end; the text of /proc/self/maps follows
 */
#include "profile/gperftools_read.h"

#include "profile/stacks.h"
#include "profile/why.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FILE_SIZE_MAX (160u << 20)
#define HEADER_WORDS 5u
#define DEPTH_MAX 65536u /* beyond it is no stack */

struct mapping {
	uint64_t start, end, offset;
	const char *object; /* a text of the profile */
};

struct reader {
	struct rps_why why;
	const unsigned char *bytes;
	size_t size, n_words;
	size_t at; /* word */
	struct rps_profile *profile;
	struct rps_stacks *stacks;
	struct mapping *mappings;
	uint32_t n_mappings, mappings_room;
	uint64_t n_samples;
};

static uint64_t word_at(const unsigned char *bytes, size_t at)
{
	uint64_t word = 0;

	for (unsigned int i = 8; i-- > 0;)
		word = word << 8 | bytes[at * 8 + i];
	return word;
}

/* ---- The memory map ----------------------------------------------------------------------------- */

/* "start-end perms offset device inode   path"; other lines are none of ours. */
static int read_mapping(struct reader *reader, const char *line)
{
	struct mapping mapping;
	char *grown_path;
	int path_at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*4s %" SCNx64 " %*s %*u %n", &mapping.start, &mapping.end,
		   &mapping.offset, &path_at) < 3 ||
	    path_at == 0 || line[path_at] == '\0')
		return 0;
	if (reader->n_mappings == reader->mappings_room) {
		uint32_t room = reader->mappings_room == 0 ? 64 : reader->mappings_room * 2;
		struct mapping *grown = realloc(reader->mappings, room * sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		reader->mappings = grown;
		reader->mappings_room = room;
	}
	grown_path = strdup(line + path_at);
	mapping.object = grown_path != NULL ? rps_profile_text(reader->profile, grown_path) : NULL;
	free(grown_path);
	if (mapping.object == NULL)
		return -ENOMEM;
	reader->mappings[reader->n_mappings++] = mapping;
	return 0;
}

static int read_map(struct reader *reader, size_t end_word)
{
	const char *at = (const char *)reader->bytes + end_word * 8;
	const char *end = (const char *)reader->bytes + reader->size;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		char line[4352];
		size_t size = (size_t)(newline != NULL ? newline - at : end - at);
		int error;

		if (newline == NULL)
			return rps_why_fail(&reader->why, -EBADMSG,
					    "the file is cut off in the middle of its memory map");
		if (size < sizeof(line) && memchr(at, '\0', size) == NULL) {
			memcpy(line, at, size);
			line[size] = '\0';
			error = read_mapping(reader, line);
			if (error != 0)
				return rps_why_fail(&reader->why, error, "out of memory");
		}
		at = newline + 1;
	}
	/* A program has a mapping for its own code, at least. */
	return reader->n_mappings > 0
		   ? 0
		   : rps_why_fail(&reader->why, -EBADMSG, "the file is cut off: its memory map is missing");
}

static uint32_t function_at(struct reader *reader, uint64_t address)
{
	struct rps_function function = {0};
	char name[320];

	snprintf(name, sizeof(name), "0x%" PRIx64, address);
	for (uint32_t i = 0; i < reader->n_mappings; i++) {
		const struct mapping *mapping = &reader->mappings[i];
		const char *base = strrchr(mapping->object, '/');

		if (address < mapping->start || address >= mapping->end)
			continue;
		snprintf(name, sizeof(name), "%.255s+0x%" PRIx64, base != NULL ? base + 1 : mapping->object,
			 address - mapping->start + mapping->offset);
		function.object = mapping->object;
		break;
	}
	function.name = name;
	return rps_profile_function(reader->profile, &function);
}

/* ---- Stacks ------------------------------------------------------------------------------------- */

/* The stack at reader->at: its words, the end's too. 0 or -EBADMSG. */
static int measure(struct reader *reader, uint64_t *count, uint64_t *depth)
{
	reader->why.byte = (uint64_t)reader->at * 8;
	if (reader->n_words - reader->at < 3)
		return rps_why_fail(&reader->why, -EBADMSG, "the file is cut off: its end is missing");
	*count = word_at(reader->bytes, reader->at);
	*depth = word_at(reader->bytes, reader->at + 1);
	if (*depth == 0 || *depth > DEPTH_MAX)
		return rps_why_fail(&reader->why, -EBADMSG, "a stack of %" PRIu64 " addresses", *depth);
	if (*depth > reader->n_words - reader->at - 2)
		return rps_why_fail(&reader->why, -EBADMSG, "the file is cut off in the middle of a stack");
	return 0;
}

static bool is_end(const struct reader *reader, uint64_t count, uint64_t depth)
{
	return count == 0 && depth == 1 && word_at(reader->bytes, reader->at + 2) == 0;
}

static int take_stack(struct reader *reader, uint64_t count, uint64_t depth, uint64_t period_us)
{
	uint64_t costs[RPS_EVENTS_MAX] = {count, 0};
	int error = 0;

	if (__builtin_mul_overflow(count, period_us, &costs[1]) ||
	    __builtin_mul_overflow(costs[1], 1000u, &costs[1]))
		return rps_why_fail(&reader->why, -EBADMSG, "a time beyond 64 bits");
	rps_stacks_begin(reader->stacks);
	for (uint64_t i = depth; i-- > 0 && error == 0;) {
		const uint64_t pc = word_at(reader->bytes, reader->at + 2 + i);
		/* The call stands before the place it returns to. */
		uint32_t function = function_at(reader, i > 0 && pc > 0 ? pc - 1 : pc);

		error = function != RPS_NONE ? rps_stacks_enter(reader->stacks, function, "", 0) : -ENOMEM;
	}
	if (error == 0)
		error = rps_stacks_charge(reader->stacks, 0, costs);
	return error == 0 ? 0 : rps_why_fail(&reader->why, error, "%s", rps_stacks_why(error));
}

static int read_all(struct reader *reader)
{
	static const struct rps_event events[] = {{"samples", ""}, {"cpu_ns", "CPU time (ns)"}};
	const uint64_t period_us = word_at(reader->bytes, 3);
	uint64_t count, depth;
	char problem[200];
	int error;

	reader->stacks = rps_stacks_create(reader->profile);
	if (reader->stacks == NULL || rps_profile_set_events(reader->profile, events, 2) != 0)
		return rps_why_fail(&reader->why, -ENOMEM, "out of memory");
	for (reader->at = HEADER_WORDS;; reader->at += 2 + depth) {
		error = measure(reader, &count, &depth);
		if (error != 0)
			return error;
		if (is_end(reader, count, depth))
			break;
	}
	error = read_map(reader, reader->at + 3);
	for (reader->at = HEADER_WORDS; error == 0; reader->at += 2 + depth) {
		error = measure(reader, &count, &depth);
		if (error != 0 || is_end(reader, count, depth))
			break;
		error = take_stack(reader, count, depth, period_us);
	}
	if (error == 0 && rps_profile_check(reader->profile, problem, sizeof(problem)) != 0)
		error = rps_why_fail(&reader->why, -EBADMSG, "%s", problem);
	return error;
}

/* ---- Life --------------------------------------------------------------------------------------- */

int rps_gperftools_read(struct rps_input *input, struct rps_profile **profile, char *why, size_t why_size)
{
	struct reader reader = {.why = {why, why_size, input, RPS_WHY_BYTE, 0, 0}};
	unsigned char *bytes;
	int error = rps_input_all(input, FILE_SIZE_MAX, &bytes, &reader.size);

	if (error != 0) {
		snprintf(why, why_size, "%s: %s", rps_input_name(input), rps_input_why(input));
		return error;
	}
	reader.bytes = bytes;
	reader.n_words = reader.size / 8;
	reader.profile = rps_profile_create("(profile)");
	if (reader.profile == NULL)
		error = rps_why_fail(&reader.why, -ENOMEM, "out of memory");
	else if (!rps_gperftools_is((const char *)bytes, reader.size))
		error = rps_why_fail(&reader.why, -EBADMSG, "this is no CPU profile of gperftools");
	else
		error = read_all(&reader);
	if (error == 0)
		*profile = reader.profile;
	else
		rps_profile_destroy(reader.profile);
	rps_stacks_destroy(reader.stacks);
	free(reader.mappings);
	free(bytes);
	return error;
}

bool rps_gperftools_is(const char *bytes, size_t size)
{
	const unsigned char *from = (const unsigned char *)bytes;

	return size >= (size_t)HEADER_WORDS * 8 && word_at(from, 0) == 0 && word_at(from, 1) == 3 &&
	       word_at(from, 2) == 0 && word_at(from, 4) == 0;
}
