/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random but valid profiles for property tests: a program that calls at random, recorded as the runtime
 * would, while the sums by function and by edge are kept in plain arrays, by code that shares nothing with
 * the library's. */
#ifndef RPS_TESTS_RANDOM_PROFILE_H
#define RPS_TESTS_RANDOM_PROFILE_H

#include "profile/model.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM_FUNCTIONS 14
#define RANDOM_SITES 3
#define RANDOM_DEPTH 24

struct random_sums {
	uint64_t self[RANDOM_FUNCTIONS + 1]; /* the last one: roots */
	uint64_t calls[RANDOM_FUNCTIONS + 1][RANDOM_FUNCTIONS][RANDOM_SITES];
	uint64_t inclusive[RANDOM_FUNCTIONS + 1][RANDOM_FUNCTIONS][RANDOM_SITES];
};

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((random_state >> 33) % limit);
}

/* Functions 12 and 13 share name and file: only their lines tell them apart. A build moves all lines. */
static uint32_t random_function(struct rps_profile *profile, uint32_t i, uint32_t build)
{
	char name[20], file[20];
	const struct rps_function function = {.name = name,
					      .file = file,
					      .object = i < 12 && i % 4 == 0 ? "/lib/l.so" : "/bin/app",
					      .line = 10 * (i + 1) + build};

	snprintf(name, sizeof(name), i < 12 ? "f%u" : "twin", i);
	snprintf(file, sizeof(file), "/src/%c.c", i < 12 ? 'a' + (int)(i % 3) : 'z');
	return rps_profile_function(profile, &function);
}

struct random_frame {
	uint32_t function, node, edge, caller, site;
	uint64_t start;
};

/* What `profile` did is added to `sums`. */
static struct rps_profile *random_profile(const char *root, uint32_t build, uint32_t n_steps,
					  struct random_sums *sums)
{
	struct rps_profile *profile = rps_profile_create(root);
	struct random_frame stack[RANDOM_DEPTH + 1] = {{.function = RANDOM_FUNCTIONS}};
	uint32_t n_active[RANDOM_FUNCTIONS] = {0}, depth = 0;
	uint64_t now = 0;

	for (uint32_t step = 0; step < n_steps || depth > 0; step++) {
		struct random_frame *top = &stack[depth];
		uint32_t passed = random_below(1000);

		now += passed;
		profile->nodes[top->node].self[0] += passed;
		sums->self[top->function] += passed;
		if (step < n_steps && depth < RANDOM_DEPTH && random_below(2) == 0) {
			struct random_frame *next = &stack[depth + 1];
			uint32_t function;

			next->function = random_below(RANDOM_FUNCTIONS);
			next->site = random_below(RANDOM_SITES);
			next->caller = top->function;
			next->start = now;
			function = random_function(profile, next->function, build);
			for (next->node = top->node; next->node != 0;
			     next->node = profile->nodes[next->node].parent)
				if (profile->nodes[next->node].function == function)
					break;
			if (next->node == 0)
				next->node = rps_profile_node(profile, top->node, function);
			next->edge =
			    rps_profile_edge(profile, top->node, next->node, depth == 0 ? "" : "/src/a.c",
					     depth == 0 ? 0 : 1000 + next->site);
			if (depth == 0)
				next->site = 0;
			profile->edges[next->edge].calls++;
			sums->calls[next->caller][next->function][next->site]++;
			n_active[next->function]++;
			depth++;
		} else if (depth > 0) {
			if (--n_active[top->function] == 0) {
				profile->edges[top->edge].inclusive[0] += now - top->start;
				sums->inclusive[top->caller][top->function][top->site] += now - top->start;
			}
			depth--;
		}
	}
	return profile;
}

#endif
