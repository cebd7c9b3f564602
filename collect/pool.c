/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See pool.h. */
#include "collect/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The dictionary's heap begins here, so that no id is 0. */
#define DICT_FIRST_ID 16u
/* Longest string taken over: no name of a function is, whatever a hostile application writes. */
#define STRING_MAX (64u << 10)
/* An arena that used more than this gives its pages back. */
#define ARENA_KEEP_BYTES (256u << 10)
/* Less is a short call (wire/layout.h). */
#define SHORT_NS 100.0

int rps_pool_create(struct rps_pool *pool, uint32_t n_arenas, enum rps_clock clock)
{
	uint64_t size = RPS_POOL_SIZE(n_arenas);
	int error;

	pool->header = MAP_FAILED;
	pool->n_arenas = n_arenas;
	pool->fd = memfd_create("runprofile", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (pool->fd < 0)
		return -errno;
	if (ftruncate(pool->fd, (off_t)size) != 0 ||
	    fcntl(pool->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		goto fail;
	pool->header = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, pool->fd, 0);
	if (pool->header == MAP_FAILED)
		goto fail;
	/* A core dump of the server need not hold the pool. */
	madvise(pool->header, size, MADV_DONTDUMP);
	pool->header->version = RPS_WIRE_VERSION;
	pool->header->n_arenas = n_arenas;
	pool->header->pool_size = size;
	rps_pool_set_clock(pool, clock, 1.0);
	pool->header->dict_used = DICT_FIRST_ID;
	pool->header->magic = RPS_WIRE_MAGIC;
	return 0;
fail:
	error = -errno;
	rps_pool_destroy(pool);
	return error;
}

void rps_pool_set_clock(const struct rps_pool *pool, enum rps_clock clock, double ns_per_tick)
{
	double short_ticks = SHORT_NS / ns_per_tick;

	pool->header->clock = (uint32_t)clock;
	pool->header->short_ticks = short_ticks > 1 ? (uint32_t)short_ticks : 1;
}

void rps_pool_destroy(struct rps_pool *pool)
{
	if (pool->header != MAP_FAILED)
		munmap(pool->header, RPS_POOL_SIZE(pool->n_arenas));
	close(pool->fd);
	pool->header = MAP_FAILED;
	pool->fd = -1;
}

struct rps_process_slot *rps_pool_process(const struct rps_pool *pool, uint32_t index)
{
	return (struct rps_process_slot *)((char *)pool->header + RPS_PROCESSES_OFFSET) + index % RPS_N_PROCESSES;
}

struct rps_arena_slot *rps_pool_slot(const struct rps_pool *pool, uint32_t index)
{
	return (struct rps_arena_slot *)((char *)pool->header + RPS_SLOTS_OFFSET) + index % pool->n_arenas;
}

struct rps_arena_header *rps_pool_arena(const struct rps_pool *pool, uint32_t index)
{
	return (struct rps_arena_header *)((char *)pool->header + RPS_ARENAS_OFFSET +
					   (uint64_t)(index % pool->n_arenas) * RPS_ARENA_SIZE);
}

uint32_t rps_pool_n_slots(const struct rps_pool *pool)
{
	uint32_t n = atomic_load_explicit(&pool->header->n_arenas_used, memory_order_acquire);

	return n < pool->n_arenas ? n : pool->n_arenas;
}

uint32_t rps_pool_n_processes(const struct rps_pool *pool)
{
	uint32_t n = atomic_load_explicit(&pool->header->n_processes, memory_order_acquire);

	return n < RPS_N_PROCESSES ? n : RPS_N_PROCESSES;
}

void rps_pool_free_arena(const struct rps_pool *pool, uint32_t index)
{
	struct rps_arena_header *arena = rps_pool_arena(pool, index);

	if (arena->used > ARENA_KEEP_BYTES || arena->top - arena->base > RPS_STACK_OFFSET + ARENA_KEEP_BYTES)
		madvise(arena, RPS_ARENA_SIZE, MADV_REMOVE);
	atomic_store_explicit(&rps_pool_slot(pool, index)->state, RPS_ARENA_FREE, memory_order_release);
}

/* Where the payload of entry `id` is, and its size; NULL if no entry can be there. */
static const char *find_entry(const struct rps_pool *pool, uint32_t id, enum rps_entry_kind kind, uint32_t *size)
{
	const struct rps_entry *entry;

	if (id == 0 || id % 8 != 0 || id > RPS_DICT_HEAP_SIZE - sizeof(*entry))
		return NULL;
	entry = (const struct rps_entry *)((const char *)pool->header + RPS_DICT_HEAP_OFFSET + id);
	*size = *(const volatile uint32_t *)&entry->size;
	if (entry->kind != (uint32_t)kind || *size > RPS_DICT_HEAP_SIZE - sizeof(*entry) - id)
		return NULL;
	return (const char *)(entry + 1);
}

int rps_pool_entry(const struct rps_pool *pool, uint32_t id, enum rps_entry_kind kind, void *out, size_t size)
{
	uint32_t entry_size;
	const char *payload = find_entry(pool, id, kind, &entry_size);

	if (payload == NULL || entry_size != size)
		return -EINVAL;
	memcpy(out, payload, size);
	return (int)size;
}

char *rps_pool_string(const struct rps_pool *pool, uint32_t id)
{
	uint32_t size;
	const char *payload = find_entry(pool, id, RPS_ENTRY_STRING, &size);

	if (payload == NULL || size > STRING_MAX)
		return NULL;
	return strndup(payload, size);
}
