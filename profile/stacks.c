/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See stacks.h. Called by pprof_read.c, folded_read.c, speedscope_read.c, gperftools_read.c on their thread.
 */
#include "profile/stacks.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define NOWHERE RPS_NONE

/* Where recursion has led back, the frames further in are not all above the current node: of A -> B -> A -> C
 * the node of C is below A, and so is B's, beside it. Whether a call folds depends on the node's own path, as
 * in the runtime, and not on what is active. */
struct frame {
	uint32_t function, node, edge;
	uint32_t depth;     /* of the node */
	uint32_t old_node;  /* what stood at this depth of the path */
	uint32_t old_depth; /* the function's, before */
	bool is_outermost;  /* activation of its function */
};

struct known_function {
	uint32_t depth; /* in the path, if its node stands there; NOWHERE */
	uint32_t n_active;
};

struct rps_stacks {
	struct rps_profile *profile;
	struct frame *frames;
	uint32_t n_frames, room;
	uint32_t *path; /* nodes by depth, from that below the root on; `room` of them */
	struct known_function *known;
	uint32_t n_known; /* functions there is room for */
	uint64_t totals[RPS_EVENTS_MAX];
};

struct rps_stacks *rps_stacks_create(struct rps_profile *profile)
{
	struct rps_stacks *stacks = calloc(1, sizeof(*stacks));

	if (stacks != NULL)
		stacks->profile = profile;
	return stacks;
}

void rps_stacks_destroy(struct rps_stacks *stacks)
{
	if (stacks == NULL)
		return;
	free(stacks->known);
	free(stacks->path);
	free(stacks->frames);
	free(stacks);
}

void rps_stacks_leave(struct rps_stacks *stacks)
{
	const struct frame *frame = &stacks->frames[--stacks->n_frames];

	stacks->known[frame->function].depth = frame->old_depth;
	stacks->known[frame->function].n_active--;
	stacks->path[frame->depth] = frame->old_node;
}

void rps_stacks_begin(struct rps_stacks *stacks)
{
	while (stacks->n_frames > 0)
		rps_stacks_leave(stacks);
}

uint32_t rps_stacks_node(const struct rps_stacks *stacks)
{
	return stacks->n_frames > 0 ? stacks->frames[stacks->n_frames - 1].node : 0;
}

uint32_t rps_stacks_edge(const struct rps_stacks *stacks)
{
	return stacks->n_frames > 0 ? stacks->frames[stacks->n_frames - 1].edge : RPS_NONE;
}

uint32_t rps_stacks_depth(const struct rps_stacks *stacks)
{
	return stacks->n_frames;
}

const char *rps_stacks_why(int error)
{
	switch (error) {
	case -E2BIG:
		return "more call paths than can be held";
	case -EOVERFLOW:
		return "a sum is beyond 64 bits";
	default:
		return "out of memory";
	}
}

static bool is_too_big(const struct rps_stacks *stacks)
{
	const struct rps_profile *profile = stacks->profile;

	return (uint64_t)profile->n_nodes * sizeof(*profile->nodes) +
		   (uint64_t)profile->n_edges * sizeof(*profile->edges) +
		   (uint64_t)profile->n_lines * sizeof(*profile->lines) +
		   (uint64_t)stacks->n_frames * (sizeof(*stacks->frames) + sizeof(*stacks->path)) >
	       RPS_STACKS_MEMORY_MAX;
}

/* Functions may be added to the profile while stacks are. */
static int make_room(struct rps_stacks *stacks)
{
	if (stacks->n_frames == stacks->room) {
		uint32_t room = stacks->room == 0 ? 64 : stacks->room * 2;
		struct frame *frames = realloc(stacks->frames, room * sizeof(*frames));
		uint32_t *path = frames != NULL ? realloc(stacks->path, room * sizeof(*path)) : NULL;

		if (frames != NULL)
			stacks->frames = frames;
		if (path == NULL)
			return -ENOMEM;
		stacks->path = path;
		while (stacks->room < room)
			path[stacks->room++] = RPS_NONE;
	}
	if (stacks->n_known < stacks->profile->n_functions) {
		uint32_t n = stacks->profile->n_functions + stacks->profile->n_functions / 2;
		struct known_function *known = realloc(stacks->known, n * sizeof(*known));

		if (known == NULL)
			return -ENOMEM;
		stacks->known = known;
		while (stacks->n_known < n)
			known[stacks->n_known++] = (struct known_function){NOWHERE, 0};
	}
	return 0;
}

/* Whether the function has a node on the path of a node with this depth. */
static bool is_on_path(const struct rps_stacks *stacks, uint32_t function, uint32_t n_above)
{
	const uint32_t depth = stacks->known[function].depth;

	return depth != NOWHERE && depth < n_above &&
	       stacks->profile->nodes[stacks->path[depth]].function == function;
}

int rps_stacks_enter(struct rps_stacks *stacks, uint32_t function, const char *site_file, uint32_t site_line)
{
	const uint32_t from = rps_stacks_node(stacks);
	/* Nodes on the path, the current one's included. */
	const uint32_t n_above = stacks->n_frames > 0 ? stacks->frames[stacks->n_frames - 1].depth + 1 : 0;
	struct frame frame = {.function = function};

	if (make_room(stacks) != 0)
		return -ENOMEM;
	if (is_on_path(stacks, function, n_above)) {
		frame.depth = stacks->known[function].depth;
		frame.node = stacks->path[frame.depth];
	} else {
		frame.depth = n_above;
		frame.node = rps_profile_node(stacks->profile, from, function);
	}
	if (frame.node == RPS_NONE)
		return -ENOMEM;
	frame.edge = rps_profile_edge(stacks->profile, from, frame.node, site_file, site_line);
	if (frame.edge == RPS_NONE)
		return -ENOMEM;
	frame.is_outermost = stacks->known[function].n_active++ == 0;
	frame.old_depth = stacks->known[function].depth;
	frame.old_node = stacks->path[frame.depth];
	stacks->known[function].depth = frame.depth;
	stacks->path[frame.depth] = frame.node;
	stacks->frames[stacks->n_frames++] = frame;
	return is_too_big(stacks) ? -E2BIG : 0;
}

static int add(uint64_t *sum, const uint64_t *costs, uint32_t n_events)
{
	for (uint32_t event = 0; event < n_events; event++)
		if (__builtin_add_overflow(sum[event], costs[event], &sum[event]))
			return -EOVERFLOW;
	return 0;
}

int rps_stacks_charge_self(struct rps_stacks *stacks, uint64_t calls, const uint64_t *costs)
{
	struct rps_profile *profile = stacks->profile;
	const uint32_t edge = rps_stacks_edge(stacks);

	if (edge != RPS_NONE &&
	    __builtin_add_overflow(profile->edges[edge].calls, calls, &profile->edges[edge].calls))
		return -EOVERFLOW;
	if (add(stacks->totals, costs, profile->n_events) != 0)
		return -EOVERFLOW;
	return add(profile->nodes[rps_stacks_node(stacks)].self, costs, profile->n_events);
}

int rps_stacks_charge(struct rps_stacks *stacks, uint64_t calls, const uint64_t *costs)
{
	struct rps_profile *profile = stacks->profile;
	int error = rps_stacks_charge_self(stacks, calls, costs);

	for (uint32_t i = 0; i < stacks->n_frames && error == 0; i++)
		if (stacks->frames[i].is_outermost)
			error =
			    add(profile->edges[stacks->frames[i].edge].inclusive, costs, profile->n_events);
	return error;
}
