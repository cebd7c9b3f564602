/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adds one profile to another: which event, function, node becomes which. The step that summing up, copying a
 * sum and flattening have in common; each decides for itself what becomes of functions and of the root. */
#ifndef RPS_PROFILE_TRANSFER_H
#define RPS_PROFILE_TRANSFER_H

#include "profile/model.h"
#include "profile/order.h"

#include <stdint.h>

struct rps_transfer {
	const struct rps_profile *from;
	struct rps_profile *to;
	const struct rps_order *order; /* in which nodes, edges and lines of `from` are added; NULL: theirs */
	uint32_t events[RPS_EVENTS_MAX];
	struct rps_event all_events[RPS_EVENTS_MAX]; /* of `to`, by and by */
	uint32_t n_all_events;
	uint32_t *functions, *nodes; /* of `from`, in `to` */
};

/* Finds events by name; `to` is not changed. 0, or -E2BIG: more than RPS_EVENTS_MAX in all. */
int rps_transfer_map_events(struct rps_transfer *transfer);

/* Adds those that are new to `to`. 0 or -ENOMEM. */
int rps_transfer_add_events(struct rps_transfer *transfer);

/* `costs` in the order of events of `from`, `sum` in that of `to`. */
void rps_transfer_add_costs(const struct rps_transfer *transfer, uint64_t *sum, const uint64_t *costs);

/* All nodes but the root, whose place the caller has set, as that of all functions. 0 or -ENOMEM. */
int rps_transfer_map_nodes(struct rps_transfer *transfer);

/* Costs, edges and lines of all nodes. 0 or -ENOMEM. */
int rps_transfer_add_all(struct rps_transfer *transfer);

#endif
