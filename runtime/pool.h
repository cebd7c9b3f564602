/* SPDX-License-Identifier: MIT */
/* The pool as the application's processes see it: attaching in a constructor,
 * the process slot, claiming and ending arenas.
 */
#ifndef RPS_RUNTIME_POOL_H
#define RPS_RUNTIME_POOL_H

#include "runtime/thread.h"

#include <stdint.h>

#define RPS_NO_SLOT UINT32_MAX

/* Claims a free arena for the calling thread, with an empty tree, and marks it LIVE. Returns its
 * slot's index and the arena in *arena, or RPS_NO_SLOT (counted in the pool). Async-signal-safe; keeps errno. */
RPS_HIDDEN uint32_t rps_pool_claim(uint64_t request_id, uint64_t epoch, struct rps_arena_header **arena);

/* Makes the thread's `n`-th spare arena, for the request it works for. NULL: none is free. Async-signal-safe. */
RPS_HIDDEN struct rps_arena_header *rps_pool_claim_spare(struct rps_thread *thread, int n);
/* Hands the thread's spare arenas over, at the end of its work for the request in `arena`. */
RPS_HIDDEN void rps_pool_end_spares(struct rps_thread *thread, const struct rps_arena_header *arena);

/* Claims one more arena for the same request as `arena`, and hands it over. The former's like rps_pool_claim. */
RPS_HIDDEN uint32_t rps_pool_claim_beside(const struct rps_arena_header *arena, uint64_t epoch, struct rps_arena_header **claimed);
RPS_HIDDEN void rps_pool_end_beside(struct rps_arena_header *claimed, const struct rps_arena_header *arena);
RPS_HIDDEN struct rps_arena_header *rps_pool_arena_at(uint32_t slot);
RPS_HIDDEN uint32_t rps_pool_slot_of(const struct rps_arena_header *arena);

/* Gives the arena to the collector (ENDED), or back to the free ones if nobody is to read it. */
RPS_HIDDEN void rps_pool_end(uint32_t slot);
RPS_HIDDEN void rps_pool_release(uint32_t slot);

/* Raises and wakes the futex the collector waits on. */
RPS_HIDDEN void rps_pool_notify(void);

/* In a forked child. The libc calls it where it knows of the fork; else who does (libc_preload.c). */
RPS_HIDDEN void rps_pool_after_fork(void);

/* What the mapping takes of the address space, 0 when not attached. */
RPS_HIDDEN uint64_t rps_pool_mapped_bytes(void);
/* Takes access to free arenas away, until they are claimed: mlockall does not populate them then. */
RPS_HIDDEN void rps_pool_close_free_arenas(void);

RPS_HIDDEN void rps_pool_set_request(uint32_t slot, uint64_t request_id);

static inline struct rps_arena_slot *rps_pool_slot(uint32_t slot)
{
	return (struct rps_arena_slot *)((char *)rps_pool + RPS_SLOTS_OFFSET) + slot;
}

static inline struct rps_process_slot *rps_pool_process(uint32_t index)
{
	return (struct rps_process_slot *)((char *)rps_pool + RPS_PROCESSES_OFFSET) + index;
}

/* One line on stderr, "runprofile: ...", without stdio. */
RPS_HIDDEN void rps_complain(const char *what, const char *detail);

#endif
