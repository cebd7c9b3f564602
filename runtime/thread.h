/* SPDX-License-Identifier: MIT */
/* What the runtime knows of the calling thread, and the two globals every hook
 * reads. Small, and in the initial-exec TLS model: a hook reaches it with one
 * instruction, and a library opened at run time still fits in the static TLS
 * reserve.
 */
#ifndef RPS_RUNTIME_THREAD_H
#define RPS_RUNTIME_THREAD_H

#include "wire/layout.h"

#include <stdint.h>

#define RPS_HIDDEN __attribute__((visibility("hidden")))
#define RPS_EXPORT __attribute__((visibility("default")))
#define rps_likely(x) __builtin_expect(!!(x), 1)
#define rps_unlikely(x) __builtin_expect(!!(x), 0)

#define RPS_N_SPARES 2

struct rps_thread {
	/* The arena this thread records into; NULL: none. Owned by the thread. A signal handler may see
	 * it between any two instructions, so it is set last and cleared first. */
	struct rps_arena_header *arena;
	/* The pool's epoch for which `arena` was decided on. */
	uint64_t epoch;
	/* What signal handlers record into that have interrupted a hook: the first while `arena` is being changed, the
	 * second while the first is, too. NULL until needed. */
	struct rps_arena_header *spare[RPS_N_SPARES];
	/* Depth of calls from adapters into libraries they wrap: the library's calls to itself pass through. */
	uint32_t nested;
	/* Depth of application callbacks run by an adapter. */
	uint32_t in_callback;
};

extern RPS_HIDDEN __thread struct rps_thread rps_thread __attribute__((tls_model("initial-exec")));

/* The mapped pool; NULL as long as no collector is attached. Set once, before main, never unmapped. */
extern RPS_HIDDEN struct rps_pool_header *rps_pool;
/* This process' slot in the pool's process table. Changes in a forked child only. */
extern RPS_HIDDEN uint32_t rps_process_index;

#endif
