/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names by number (callgrind_ids.h). */
#include "profile/callgrind_ids.h"

#include <errno.h>
#include <stdlib.h>

#define LOW_MAX (1u << 16)

static bool id_equal(const void *owner, uint32_t at, const void *key)
{
	return ((const struct rps_callgrind_ids *)owner)->high[at].id == *(const uint64_t *)key;
}

static uint32_t hash_id(uint64_t id)
{
	return (uint32_t)(rps_hash_mix(0, id) >> 32);
}

const char *rps_callgrind_ids_find(const struct rps_callgrind_ids *ids, uint64_t id)
{
	uint32_t at;

	if (id < LOW_MAX)
		return id < ids->n_low ? ids->low[id] : NULL;
	at = rps_id_table_find(&ids->table, hash_id(id), id_equal, ids, &id);
	return at != UINT32_MAX ? ids->high[at].text : NULL;
}

static int put_low(struct rps_callgrind_ids *ids, uint32_t id, const char *text)
{
	if (id >= ids->n_low) {
		uint32_t n = id < 32 ? 64 : id * 2;
		const char **grown = realloc(ids->low, n * sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		for (uint32_t i = ids->n_low; i < n; i++)
			grown[i] = NULL;
		ids->low = grown;
		ids->n_low = n;
	}
	ids->low[id] = text;
	return 0;
}

int rps_callgrind_ids_put(struct rps_callgrind_ids *ids, uint64_t id, const char *text)
{
	uint32_t at;

	if (id < LOW_MAX)
		return put_low(ids, (uint32_t)id, text);
	at = rps_id_table_find(&ids->table, hash_id(id), id_equal, ids, &id);
	if (at != UINT32_MAX) {
		ids->high[at].text = text;
		return 0;
	}
	if (ids->n_high == ids->high_room) {
		uint32_t room = ids->high_room == 0 ? 64 : ids->high_room * 2;
		struct rps_callgrind_id *grown = realloc(ids->high, room * sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		ids->high = grown;
		ids->high_room = room;
	}
	if (rps_id_table_reserve(&ids->table) != 0)
		return -ENOMEM;
	ids->high[ids->n_high] = (struct rps_callgrind_id){id, text};
	rps_id_table_put(&ids->table, hash_id(id), ids->n_high++);
	return 0;
}

void rps_callgrind_ids_clear(struct rps_callgrind_ids *ids)
{
	free(ids->low);
	free(ids->high);
	rps_id_table_clear(&ids->table);
	*ids = (struct rps_callgrind_ids){0};
}

uint64_t rps_callgrind_ids_size(const struct rps_callgrind_ids *ids)
{
	return ids->text_size + ids->n_low * sizeof(*ids->low) + ids->high_room * sizeof(*ids->high) +
	       ids->table.n_places * sizeof(*ids->table.places);
}
