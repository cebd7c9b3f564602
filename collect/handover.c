/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See handover.h. */
#include "collect/handover.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_NS 50000

void rps_handover_revoke(struct rps_arena_header *arena)
{
	atomic_store_explicit(&arena->token, 0, memory_order_relaxed);
}

void rps_handover_fence(void)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

void rps_handover_wait(const struct rps_arena_header *arena, uint64_t deadline_ms, int (*is_alive)(const void *cls), const void *cls)
{
	const struct timespec pause = {0, PAUSE_NS};

	while (atomic_load_explicit(&arena->busy, memory_order_acquire) != 0 && now_ms() < deadline_ms && is_alive(cls))
		nanosleep(&pause, NULL);
}
