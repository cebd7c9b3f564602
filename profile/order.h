/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nodes by what they are called, not by when they were first seen: so equal profiles make equal files, and
 * threads are not the same twice. Used by the writers of formats of stacks, and for sums. */
#ifndef RPS_PROFILE_ORDER_H
#define RPS_PROFILE_ORDER_H

#include "profile/model.h"

/* All nodes, each before its children, siblings by name, file, line, object, symbol: n_nodes of them, to be
 * freed. NULL when out of memory. */
uint32_t *rps_profile_order(const struct rps_profile *profile);

/* All there is, in an order of that kind. */
struct rps_order {
	uint32_t *nodes; /* as above */
	uint32_t *edges; /* by where from, where to, site */
	uint32_t *lines; /* by node, file, line */
};

/* 0 or -ENOMEM; to be cleared either way. */
int rps_order_init(struct rps_order *order, const struct rps_profile *profile);
void rps_order_clear(struct rps_order *order);

#endif
