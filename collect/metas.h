/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the application has said of a request, in its arena: read as distrustfully as all of it. */
#ifndef RPS_COLLECT_METAS_H
#define RPS_COLLECT_METAS_H

#include "collect/pool.h"

#include <stddef.h>

/* An empty key: the request's name. Printable, and a key without a colon. */
struct rps_arena_meta {
	char *key, *value;
};

/* Those of arena `index`, the newest first; how many, at most RPS_METAS_MAX. */
size_t rps_arena_metas(const struct rps_pool *pool, uint32_t index, struct rps_arena_meta **metas);
void rps_arena_metas_free(struct rps_arena_meta *metas, size_t n);

/* The request's name, malloc'ed; NULL if it has none. */
char *rps_arena_name(const struct rps_pool *pool, uint32_t index);

#endif
