/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an event is called in pprof (a type and a unit), and the other way round:
 *
 *     Wall_ns            wall, nanoseconds
 *     cpu_ns             cpu, nanoseconds
 *     inuse_space_bytes  inuse_space, bytes
 *     Ir                 Ir, count
 */
#ifndef RPS_PROFILE_PPROF_UNITS_H
#define RPS_PROFILE_PPROF_UNITS_H

#include <stddef.h>

/* The unit, a literal; `type` gets the type, cut off if it does not fit. */
const char *rps_pprof_unit_of_event(const char *event, char *type, size_t type_size);

/* The event's name, cut off if it does not fit. */
void rps_pprof_event_of_unit(const char *type, const char *unit, char *event, size_t event_size);

#endif
