/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See events.h. */
#include "profile/events.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

_Static_assert(RPS_N_EVENTS <= RPS_EVENTS_MAX, "a profile can have them all");

const struct rps_event_kind rps_event_kinds[RPS_N_EVENTS] = {
#define RPS_EVENT(id, name, long_name, unit, where) [RPS_EVENT_##id] = {{name, long_name}, unit, where},
#include "profile/events.def"
#undef RPS_EVENT
};

#define RPS_EVENT(id, name, long_name, unit, where) "," name
static const char names_after_commas[] =
#include "profile/events.def"
    ;
#undef RPS_EVENT
const char *rps_event_names(void)
{
	return names_after_commas + 1;
}

static int find(const char *name, size_t size)
{
	for (int i = 0; i < RPS_N_EVENTS; i++)
		if (strlen(rps_event_kinds[i].event.name) == size && strncmp(rps_event_kinds[i].event.name, name, size) == 0)
			return i;
	return -1;
}

int rps_events_parse(const char *list, unsigned int *events, char *why, size_t why_size)
{
	const char *at = list;

	*events = 0;
	for (;;) {
		size_t size = strcspn(at, ",");
		int event = find(at, size);

		if (event < 0) {
			snprintf(why, why_size, "there is no event '%.*s' (there are %s)", size < 100 ? (int)size : 100, at, rps_event_names());
			return -EINVAL;
		}
		if (*events & 1u << event) {
			snprintf(why, why_size, "%.*s stands there twice", (int)size, at);
			return -EINVAL;
		}
		*events |= 1u << event;
		if (at[size] == '\0')
			return 0;
		at += size + 1;
	}
}
