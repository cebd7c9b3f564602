/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The names of a callgrind file and the numbers they are given, as callgrind_rules.c wants them: each number given
 * once, dense, and no two functions one to KCacheGrind. One owner at a time. */
#ifndef RPS_PROFILE_CALLGRIND_RULES_NAMES_H
#define RPS_PROFILE_CALLGRIND_RULES_NAMES_H

#include "profile/id_table.h"
#include "profile/why.h"

#include <stdbool.h>
#include <stdint.h>

struct rps_rules_name {
	uint64_t number;
	char *text;
	uint64_t line; /* that gives it */
	/* Of a function: */
	bool has_place, has_body;
	uint32_t file, object;
};

/* All zero is empty. */
struct rps_rules_names {
	const char *what; /* "functions" */
	struct rps_rules_name *names;
	uint32_t n_names, room;
	uint64_t highest;
	struct rps_id_table table;
};

/* "(7) cart_total" the first time, "(7)" from then on: its index in `names`. 0; -EBADMSG, -ENOMEM. */
int rps_rules_names_read(struct rps_rules_names *names, const struct rps_why *why, const char *text,
			 uint32_t *index);

/* A function keeps the file and object that it was first seen with. 0 or -EBADMSG. */
int rps_rules_names_place(struct rps_rules_names *functions, const struct rps_why *why, uint32_t function,
			  uint32_t file, uint32_t object);

/* At the end. 0 or -EBADMSG; of functions also -ENOMEM. */
int rps_rules_names_check_dense(const struct rps_rules_names *names, const struct rps_why *why);
int rps_rules_names_check_functions(const struct rps_rules_names *functions,
				    const struct rps_rules_names *files,
				    const struct rps_rules_names *objects, struct rps_why *why);

void rps_rules_names_clear(struct rps_rules_names *names);

#endif
