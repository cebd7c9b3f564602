/* SPDX-License-Identifier: MIT */
/* What the runtime knows of the calling thread, and the global every hook
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

/* What belongs to this process and not to those it forks. On pages of its own, which the kernel empties in a forked child
 * (MADV_WIPEONFORK), also in one the libc does not know of: that must not write to its parent's arenas. */
struct rps_process {
	struct rps_pool_header *pool; /* mapped; NULL as long as no collector is attached. Never unmapped */
	uint32_t pid;
	uint32_t index; /* of its slot in the pool's process table */
};
#ifdef __x86_64__
#define RPS_PROCESS_PAGE 4096
#else
#define RPS_PROCESS_PAGE 65536 /* the largest there is */
#endif
union rps_process_page {
	struct rps_process here;
	char page[RPS_PROCESS_PAGE];
};
extern RPS_HIDDEN union rps_process_page rps_process __attribute__((aligned(RPS_PROCESS_PAGE)));
#define rps_pool (rps_process.here.pool)
#define rps_process_index (rps_process.here.index)

#endif
