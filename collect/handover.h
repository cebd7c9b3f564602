/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Takes arenas from threads that may be writing to them: three steps, in this order, after the pool's epoch has changed. wire/layout.h says
 * why that is enough, tests/unit/test-handover.c what happens without one of them.
 *
 *     rps_handover_revoke    each arena: hooks begin no change of it any more ...
 *     rps_handover_fence     ... once every running thread of the application has had a barrier
 *     rps_handover_wait      each arena: until no hook is in the middle of one
 */
#ifndef RPS_COLLECT_HANDOVER_H
#define RPS_COLLECT_HANDOVER_H

#include "wire/layout.h"

#include <stdint.h>

void rps_handover_revoke(struct rps_arena_header *arena);
void rps_handover_fence(void);
/* Until CLOCK_MONOTONIC says `deadline_ms`, or `is_alive` says 0: then what a dead or stopped thread was doing stays half done,
 * and the copy says so (rps_arena_copy.is_busy). */
void rps_handover_wait(const struct rps_arena_header *arena, uint64_t deadline_ms, int (*is_alive)(const void *cls), const void *cls);

#endif
