/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hash table behind the profile's interning functions (id_table.h says
 * who calls it). Linear probing, at most three quarters full, so that a
 * profile of hundreds of thousands of nodes is built in linear time. */
#include "profile/id_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_N_PLACES 64u

uint64_t rps_hash_mix(uint64_t hash, uint64_t value)
{
	/* Both halves of the product: in the lower one alone, the last letters of a word change only the
	 * highest bits, and names that are numbered would all collide. And not hash ^ value, which is nearly
	 * the same for all edges from a node to the next one. */
	const unsigned __int128 product =
	    (unsigned __int128)((hash * 0xd6e8feb86659fd93u + value) ^ 0xa0761d6478bd642fu) *
	    0x9e3779b97f4a7c15u;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t rps_hash_bytes(const void *bytes, size_t size)
{
	const unsigned char *at = bytes;
	uint64_t hash = size, word;

	for (; size >= sizeof(word); at += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		hash = rps_hash_mix(hash, word);
	}
	word = 0;
	memcpy(&word, at, size);
	return rps_hash_mix(hash, word);
}

uint32_t rps_id_table_find(const struct rps_id_table *table, uint32_t hash, rps_id_equal *equal,
			   const void *owner, const void *key)
{
	const uint32_t mask = table->n_places - 1;

	if (table->n_places == 0)
		return UINT32_MAX;
	for (uint32_t at = hash & mask; table->places[at].id_plus_1 != 0; at = (at + 1) & mask)
		if (table->places[at].hash == hash && equal(owner, table->places[at].id_plus_1 - 1, key))
			return table->places[at].id_plus_1 - 1;
	return UINT32_MAX;
}

void rps_id_table_put(struct rps_id_table *table, uint32_t hash, uint32_t id)
{
	const uint32_t mask = table->n_places - 1;
	uint32_t at = hash & mask;

	while (table->places[at].id_plus_1 != 0)
		at = (at + 1) & mask;
	table->places[at] = (struct rps_id_place){hash, id + 1};
	table->n_ids++;
}

int rps_id_table_reserve(struct rps_id_table *table)
{
	struct rps_id_table grown = {0};

	if (table->n_places != 0 && table->n_ids < table->n_places / 4 * 3)
		return 0;
	if (table->n_places > UINT32_MAX / 2)
		return -ENOMEM;
	grown.n_places = table->n_places != 0 ? table->n_places * 2 : FIRST_N_PLACES;
	grown.places = calloc(grown.n_places, sizeof(*grown.places));
	if (grown.places == NULL)
		return -ENOMEM;
	for (uint32_t at = 0; at < table->n_places; at++)
		if (table->places[at].id_plus_1 != 0)
			rps_id_table_put(&grown, table->places[at].hash, table->places[at].id_plus_1 - 1);
	free(table->places);
	*table = grown;
	return 0;
}

void rps_id_table_clear(struct rps_id_table *table)
{
	free(table->places);
	*table = (struct rps_id_table){0};
}
