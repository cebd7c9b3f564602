/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The application's side of test-handover.c: the runtime's own hooks, driven by a walk that a seed determines. Apart from the
 * collector's side, since the two call different things by the same names.
 */
#ifndef RPS_TESTS_HANDOVER_WRITER_H
#define RPS_TESTS_HANDOVER_WRITER_H

#include "wire/layout.h"

#include <stdint.h>

/* From now on hooks of this process record into `arena` of the pool, as a claim with this token, while the pool has this epoch. */
void writer_join(struct rps_pool_header *pool, struct rps_arena_header *arena, uint64_t token, uint64_t epoch);
/* Before the pool is unmapped. */
void writer_leave(void);
/* Functions and lines in the pool's dictionary, in the same order in every process. */
void writer_fill_dictionary(void);

struct writer {
	uint64_t random;
	uint32_t depth;
	uint64_t n_calls;
};

void writer_begin(struct writer *writer, uint64_t seed);
/* The walk's next event, a call or a return, through the hooks. 1: it was a call. */
int writer_step(struct writer *writer);

#endif
