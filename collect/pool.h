/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The collector's mapping of the shared pool: making it, and reading from it
 * what the application may have scribbled over. Nothing returned here points at
 * memory that is checked first and used later: entries are copied.
 */
#ifndef RPS_COLLECT_POOL_H
#define RPS_COLLECT_POOL_H

#include "wire/layout.h"

#include <stddef.h>
#include <stdint.h>

struct rps_pool {
	struct rps_pool_header *header; /* the mapping's start */
	int fd;
	uint32_t n_arenas;
};

/* Makes, seals and maps an empty pool whose ticks are of kind `clock`. 0 or -errno. */
int rps_pool_create(struct rps_pool *pool, uint32_t n_arenas, enum rps_clock clock);
/* Before the first process gets it: the ticks are of another kind, or how long they are is known now. */
void rps_pool_set_clock(const struct rps_pool *pool, enum rps_clock clock, double ns_per_tick);
void rps_pool_destroy(struct rps_pool *pool);

struct rps_process_slot *rps_pool_process(const struct rps_pool *pool, uint32_t index);
struct rps_arena_slot *rps_pool_slot(const struct rps_pool *pool, uint32_t index);
struct rps_arena_header *rps_pool_arena(const struct rps_pool *pool, uint32_t index);
/* Slots below this may be in use; at most the pool's number. */
uint32_t rps_pool_n_slots(const struct rps_pool *pool);
uint32_t rps_pool_n_processes(const struct rps_pool *pool);

/* Marks an arena free, and returns its memory to the system if it was large. */
void rps_pool_free_arena(const struct rps_pool *pool, uint32_t index);

/* Copies the dictionary entry `id` of kind `kind` into `out`; its size, or -EINVAL if there is no such
 * entry or it does not fit. */
int rps_pool_entry(const struct rps_pool *pool, uint32_t id, enum rps_entry_kind kind, void *out, size_t size);
/* A malloc'ed copy of string `id`; NULL: unknown, or out of memory. */
char *rps_pool_string(const struct rps_pool *pool, uint32_t id);

#endif
