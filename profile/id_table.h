/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a hash to the id of something that lives in an array of the caller's:
 * open addressing, eight bytes a place, ids only. The caller compares the
 * things themselves, so the array may move while it grows. Nothing is ever
 * taken out. Used by model.c; one owner at a time. */
#ifndef RPS_PROFILE_ID_TABLE_H
#define RPS_PROFILE_ID_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rps_id_place {
	uint32_t hash;
	uint32_t id_plus_1; /* 0: empty */
};

/* All zero is an empty table. */
struct rps_id_table {
	struct rps_id_place *places;
	uint32_t n_places; /* a power of two, or 0 */
	uint32_t n_ids;
};

/* Whether the thing called `id` is the one that `key` describes. */
typedef bool rps_id_equal(const void *owner, uint32_t id, const void *key);

/* The id that was put in under `hash` and equals `key`, or UINT32_MAX. */
uint32_t rps_id_table_find(const struct rps_id_table *table, uint32_t hash, rps_id_equal *equal,
			   const void *owner, const void *key);

/* Makes room for one more. 0 or -ENOMEM. */
int rps_id_table_reserve(struct rps_id_table *table);

/* Puts in an id that is not there yet, after rps_id_table_reserve. */
void rps_id_table_put(struct rps_id_table *table, uint32_t hash, uint32_t id);

void rps_id_table_clear(struct rps_id_table *table);

/* Hashes of numbers (mixed in one after the other) and of bytes. */
uint64_t rps_hash_mix(uint64_t hash, uint64_t value);
uint64_t rps_hash_bytes(const void *bytes, size_t size);

#endif
