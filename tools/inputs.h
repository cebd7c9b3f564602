/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files that a tool is to read. */
#ifndef RPS_TOOLS_INPUTS_H
#define RPS_TOOLS_INPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct rps_input_file {
	char *path;
	bool is_named;   /* given itself, not found in a directory: then it may be an aggregate */
	uint32_t worker; /* the thread that read it */
	uint32_t group;  /* that it was added to; UINT32_MAX: to none */
};

struct rps_inputs {
	struct rps_input_file *inputs;
	size_t n_inputs, room;
	size_t n_unreadable; /* directories and names that could not be looked at, each with a message */
};

/* Adds a file, or what looks like profiles below a directory, sorted by name. 0 or -ENOMEM. */
int rps_inputs_add(struct rps_inputs *inputs, const char *path);
void rps_inputs_clear(struct rps_inputs *inputs);

/* The input that is the file at `path`, whatever it is called there; NULL: none is. */
const struct rps_input_file *rps_inputs_find(const struct rps_inputs *inputs, const char *path);

#endif
