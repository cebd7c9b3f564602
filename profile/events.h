/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of events (events.def), and lists of their names as people write them. A set of events is a word of bits,
 * 1 << enum rps_event_id.
 */
#ifndef RPS_PROFILE_EVENTS_H
#define RPS_PROFILE_EVENTS_H

#include "profile/model.h"

#include <stddef.h>

enum rps_event_id {
#define RPS_EVENT(id, name, long_name, unit, where) RPS_EVENT_##id,
#include "profile/events.def"
#undef RPS_EVENT
	RPS_N_EVENTS
};

#define RPS_EVENT_BIT(id) (1u << RPS_EVENT_##id)

struct rps_event_kind {
	struct rps_event event;
	const char *unit;
	const char *where; /* it is measured */
};

extern const struct rps_event_kind rps_event_kinds[RPS_N_EVENTS];
/* All names, with commas: for help and messages. */
const char *rps_event_names(void);

/* "Wall_ns,Alloc_bytes", in any order. 0, or -EINVAL with what is wrong in `why`. */
int rps_events_parse(const char *list, unsigned int *events, char *why, size_t why_size);

#endif
