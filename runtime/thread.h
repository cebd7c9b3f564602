/* SPDX-License-Identifier: MIT */
/* What the runtime knows of the calling thread, and the global every hook
 * reads. Small, and in the initial-exec TLS model: a hook reaches it with one
 * instruction, and a library opened at run time still fits in the static TLS
 * reserve.
 */
#ifndef RPS_RUNTIME_THREAD_H
#define RPS_RUNTIME_THREAD_H

#include "runtime/arch.h"
#include "wire/layout.h"

#include <stddef.h>
#include <stdint.h>

#define RPS_HIDDEN __attribute__((visibility("hidden")))
#define RPS_EXPORT __attribute__((visibility("default")))
#define rps_likely(x) __builtin_expect(!!(x), 1)
#define rps_unlikely(x) __builtin_expect(!!(x), 0)

/* One request, see scope.h. */
struct rps_scope {
	struct rps_arena_header *arena; /* NULL: this request is not recorded */
	uint32_t slot;
	struct rps_arena_header *outer_arena; /* what the thread recorded into before the resume */
	uint64_t outer_epoch;
};

#define RPS_N_SPARES 2

/* The inlined hooks know the first three by their offsets (hook_asm.h). */
struct rps_thread {
	/* The arena this thread records into, rps_idle_arena: none. Owned by the thread. A signal handler may see
	 * it between any two instructions. */
	struct rps_arena_header *arena;
	/* The token of its claim. Anything else, while a hook changes the arena out of line: handlers' hooks then go there, too. */
	uint64_t token;
	/* 1 while the topmost frame is that of a leaf function, which makes a frame only when it is timed. */
	uint32_t is_leaf_timed;
	/* Depth of calls from adapters into libraries they wrap: the library's calls to itself pass through. */
	uint32_t nested;
	/* Depth of application callbacks run by an adapter. */
	uint32_t in_callback;
	/* The token again, for when the hook is done. */
	uint64_t claim;
	/* The pool's epoch for which `arena` was decided on. */
	uint64_t epoch;
	/* What signal handlers record into that have interrupted a hook: the first while `arena` is being changed, the
	 * second while the first is, too. NULL until needed. */
	struct rps_arena_header *spare[RPS_N_SPARES];
	/* Of the thread's own stack; `arena` is another while it is on another stack (stacks.h). NULL: it works for no request. */
	struct rps_arena_header *home;
	/* --request: the call under way that is a request; its arena NULL: none. */
	struct rps_scope call_scope;
};
_Static_assert(offsetof(struct rps_thread, token) == 8 && offsetof(struct rps_thread, is_leaf_timed) == 16, "hook_asm.h");

/* Never a token of a claim, nor the idle arena's. */
#define RPS_TOKEN_NONE UINT64_MAX

/* The one name inlined hooks know; the rest of the runtime calls it by its short name. */
extern RPS_EXPORT __thread struct rps_thread __runprofile_thread_v2 __attribute__((tls_model("initial-exec")));
#define rps_this_thread __runprofile_thread_v2

/* What threads point to that have nothing to record into. Its token is 0, like that of a stopped arena. Never written. */
extern RPS_HIDDEN struct rps_arena_header rps_idle_arena;

/* From now on the thread records into the arena, which has its token already. */
static inline void rps_thread_join(struct rps_thread *thread, struct rps_arena_header *arena)
{
	thread->claim = atomic_load_explicit(&arena->token, memory_order_relaxed);
	thread->arena = arena;
	atomic_signal_fence(memory_order_release);
	thread->token = thread->claim;
}

static inline void rps_thread_leave(struct rps_thread *thread)
{
	thread->token = RPS_TOKEN_NONE;
	atomic_signal_fence(memory_order_release);
	thread->is_leaf_timed = 0;
	thread->arena = &rps_idle_arena;
}

/* What belongs to this process and not to those it forks. Inlined hooks look at the pool first, by the other name. On pages of its own, which the kernel empties in a forked child
 * (MADV_WIPEONFORK), also in one the libc does not know of: that must not write to its parent's arenas. */
struct rps_process {
	struct rps_pool_header *pool; /* mapped; NULL as long as no collector is attached. Never unmapped */
	uint32_t pid;
	uint32_t index; /* of its slot in the pool's process table */
};
union rps_process_page {
	struct rps_process here;
	char page[RPS_ARCH_PAGE];
};
extern RPS_EXPORT union rps_process_page __runprofile_process_v2;
extern RPS_HIDDEN union rps_process_page rps_process __attribute__((aligned(RPS_ARCH_PAGE)));
#define rps_pool (rps_process.here.pool)
#define rps_process_index (rps_process.here.index)

#endif
