/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which nodes of an arena's graph can reach each other: its strongly connected components. A call tree with recursion
 * folded is not a tree any more; its components are, so to speak, and costs are passed on along them.
 */
#ifndef RPS_COLLECT_COMPONENTS_H
#define RPS_COLLECT_COMPONENTS_H

#include "collect/arena.h"

#include <stdint.h>

struct rps_components {
	uint32_t *of;     /* [n_nodes] the component of a node; callees' components come before callers' */
	uint32_t n;
	uint32_t *nodes;  /* all nodes, component by component */
	uint32_t *first;  /* [n + 1] where each begins in `nodes` */
	uint32_t *into;   /* indices of edges, by the component they lead to: [first_into[c] .. first_into[c + 1]) */
	uint32_t *first_into; /* [n + 1] */
	uint32_t *out_of; /* indices of edges, by the component they come from, likewise */
	uint32_t *first_out_of;
	uint8_t *is_entered; /* [n] 1: an edge from another component leads there */
};

/* Edges that count no call are not looked at. 0 or -ENOMEM. */
int rps_components_find(const struct rps_arena_copy *copy, struct rps_components *components);
void rps_components_free(struct rps_components *components);

#endif
