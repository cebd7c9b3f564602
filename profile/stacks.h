/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Builds a profile from call stacks, as formats without edges hold them. Recursion folds: a frame whose
 * function is on the node's path already leads back to that node. Called by the readers of such formats; one
 * owner at a time.
 *
 *     rps_stacks_begin(stacks);                        at the root
 *     rps_stacks_enter(stacks, function, site...);     once a frame, from the outermost on
 *     rps_stacks_charge(stacks, calls, costs);         the innermost one's self; all others' inclusive
 */
#ifndef RPS_PROFILE_STACKS_H
#define RPS_PROFILE_STACKS_H

#include "profile/model.h"

#include <stdint.h>

/* Beyond this much memory a file's stacks are refused. */
#define RPS_STACKS_MEMORY_MAX (160u << 20)

struct rps_stacks;

/* `profile` has a root, its events, and gets its functions first: all before the first stack. NULL when out
 * of memory. */
struct rps_stacks *rps_stacks_create(struct rps_profile *profile);
void rps_stacks_destroy(struct rps_stacks *stacks);

void rps_stacks_begin(struct rps_stacks *stacks);

/* 0, -ENOMEM, or -E2BIG. "" and 0 where the call site is unknown. */
int rps_stacks_enter(struct rps_stacks *stacks, uint32_t function, const char *site_file, uint32_t site_line);

/* Back to the caller; the stack must not be empty. */
void rps_stacks_leave(struct rps_stacks *stacks);

/* 0, or -EOVERFLOW: a sum is beyond 64 bits. */
int rps_stacks_charge(struct rps_stacks *stacks, uint64_t calls, const uint64_t *costs);

/* As charge, but only the self costs: for files that say themselves what calls cost. */
int rps_stacks_charge_self(struct rps_stacks *stacks, uint64_t calls, const uint64_t *costs);

/* Where the stack ends; RPS_NONE is the edge of an empty one. */
uint32_t rps_stacks_node(const struct rps_stacks *stacks);
uint32_t rps_stacks_edge(const struct rps_stacks *stacks);
uint32_t rps_stacks_depth(const struct rps_stacks *stacks);

/* A sentence for what one of these returned. */
const char *rps_stacks_why(int error);

#endif
