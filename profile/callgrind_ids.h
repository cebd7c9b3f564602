/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers that a callgrind file gives to names: "(7) cart_total", later "(7)". They may be any 64 bits, so a
 * small array holds the low ones and a table the rest. Used by callgrind_read.c; one owner at a time. */
#ifndef RPS_PROFILE_CALLGRIND_IDS_H
#define RPS_PROFILE_CALLGRIND_IDS_H

#include "profile/id_table.h"

#include <stdint.h>

struct rps_callgrind_id {
	uint64_t id;
	const char *text;
};

/* All zero is empty. */
struct rps_callgrind_ids {
	const char **low; /* NULL: not given */
	uint32_t n_low;
	struct rps_callgrind_id *high;
	uint32_t n_high, high_room;
	struct rps_id_table table;
	uint64_t text_size; /* of the names, kept by the caller */
};

/* NULL: there is none. */
const char *rps_callgrind_ids_find(const struct rps_callgrind_ids *ids, uint64_t id);
/* Also gives a number another name. 0 or -ENOMEM. */
int rps_callgrind_ids_put(struct rps_callgrind_ids *ids, uint64_t id, const char *text);
void rps_callgrind_ids_clear(struct rps_callgrind_ids *ids);

/* Memory, the names' included. */
uint64_t rps_callgrind_ids_size(const struct rps_callgrind_ids *ids);

#endif
