/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See pprof_units.h. Called by readers and writers of pprof and speedscope files. */
#include "profile/pprof_units.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *suffix, *unit;
} units[] = {
    {"_ns", "nanoseconds"}, {"_us", "microseconds"}, {"_ms", "milliseconds"},
    {"_s", "seconds"},      {"_bytes", "bytes"},     {"_kb", "kilobytes"},
};
#define N_UNITS (sizeof(units) / sizeof(units[0]))

const char *rps_pprof_unit_of_event(const char *event, char *type, size_t type_size)
{
	const size_t size = strlen(event);

	if (strcmp(event, "Wall_ns") == 0) {
		snprintf(type, type_size, "wall");
		return "nanoseconds";
	}
	/* That one's name would come back with a capital. */
	for (size_t i = 0; i < N_UNITS && strcmp(event, "wall_ns") != 0; i++) {
		const size_t suffix_size = strlen(units[i].suffix);

		if (size <= suffix_size || strcmp(event + size - suffix_size, units[i].suffix) != 0)
			continue;
		snprintf(type, type_size, "%.*s", (int)(size - suffix_size), event);
		return units[i].unit;
	}
	snprintf(type, type_size, "%s", event);
	return "count";
}

void rps_pprof_event_of_unit(const char *type, const char *unit, char *event, size_t event_size)
{
	const char *suffix = "";

	if (strcmp(type, "wall") == 0 && strcmp(unit, "nanoseconds") == 0) {
		snprintf(event, event_size, "Wall_ns");
		return;
	}
	for (size_t i = 0; i < N_UNITS; i++)
		if (strcmp(unit, units[i].unit) == 0)
			suffix = units[i].suffix;
	snprintf(event, event_size, "%s%s%s", isdigit((unsigned char)type[0]) || type[0] == '\0' ? "_" : "",
		 type, suffix);
	for (char *at = event; *at != '\0'; at++)
		if (!isalnum((unsigned char)*at) && *at != '_')
			*at = '_';
}
