/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the ids and addresses in an arena mean: functions and call sites, taken from
 * the pool's dictionary and, where that has addresses only, from symbols. Remembers every answer: a
 * dictionary entry never changes. Thread-safe.
 */
#ifndef RPS_COLLECT_FUNCTIONS_H
#define RPS_COLLECT_FUNCTIONS_H

#include "collect/pool.h"
#include "collect/symbols.h"
#include "profile/model.h"

#include <stdint.h>

struct rps_functions;

struct rps_functions *rps_functions_create(const struct rps_pool *pool);
void rps_functions_destroy(struct rps_functions *functions);

/* The function `id`. Its strings live as long as `functions`. An id that means nothing gives a function
 * called "[unknown function]". */
const struct rps_function *rps_functions_get(struct rps_functions *functions, uint32_t id);

/* Where the call was made. */
struct rps_line rps_functions_site(struct rps_functions *functions, const struct rps_wire_edge *edge);

#endif
