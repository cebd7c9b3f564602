/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests that the application marks itself (runprofile.h, --request): nobody waits for their end, so a thread of
 * the collector's takes each when its main arena has ended, or its process has died, and hands the profile over.
 */
#include "collect/collection.h"
#include "collect/gather.h"
#include "collect/metas.h"

#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t duration_us(const struct rps_arena_slot *slot, const struct rps_gathering *gathering)
{
	uint64_t end = slot->ended_ticks != 0 ? slot->ended_ticks : gathering->end_ticks;

	return end > slot->claimed_ticks ? (uint64_t)((double)(end - slot->claimed_ticks) * gathering->build.ns_per_tick / 1000) : 0;
}

/* Takes the request whose main arena is `index`, and frees its arenas. */
static void take_own(struct rps_collector *collector, uint32_t index)
{
	enum rps_clock clock = (enum rps_clock)collector->pool.header->clock;
	struct rps_arena_slot *slot = rps_pool_slot(&collector->pool, index);
	struct rps_collection collection = {
	    .collector = collector,
	    .id = slot->request_id,
	    .lost_arenas = atomic_load_explicit(&collector->pool.header->lost_arenas, memory_order_relaxed),
	};
	struct rps_gathering gathering = {.end_ticks = rps_clock_ticks(clock)};
	struct rps_own_request request = {.id = collection.id};
	struct rps_collect_info info;
	struct rps_profile *profile;
	uint32_t n = rps_pool_n_slots(&collector->pool);
	char *name, root[512];

	rps_collection_set_build(collector, &gathering.build);
	request.duration_us = duration_us(slot, &gathering);
	name = rps_arena_name(&collector->pool, index);
	request.name = name != NULL && name[0] != '\0' ? name : "request";
	snprintf(root, sizeof(root), "CALL %s", request.name);
	if (rps_gather_profile(&collection, 0, root, 1, &gathering, &profile, &info) == 0)
		collector->take_own(collector->take_own_cls, profile, &info, &request);
	else
		atomic_fetch_add(&collector->n_own_lost, 1);
	free(name);
	for (uint32_t i = 0; i < n; i++)
		if (rps_slot_state(collector, i) >= RPS_ARENA_LIVE && rps_collection_belongs(&collection, rps_pool_slot(&collector->pool, i)))
			rps_pool_free_arena(&collector->pool, i);
}

static void take_all_own(struct rps_collector *collector)
{
	uint32_t n = rps_pool_n_slots(&collector->pool);

	for (uint32_t i = 0; i < n; i++) {
		struct rps_arena_slot *slot = rps_pool_slot(&collector->pool, i);
		uint32_t state = rps_slot_state(collector, i);

		if (slot->own == RPS_OWN_MAIN &&
		    (state == RPS_ARENA_ENDED || (state == RPS_ARENA_LIVE && !rps_owner_is_alive(collector, slot))))
			take_own(collector, i);
	}
}

static void *run_own_thread(void *arg)
{
	struct rps_collector *collector = arg;
	_Atomic uint32_t *word = &collector->pool.header->ended;

	while (!atomic_load(&collector->is_ending)) {
		uint32_t seen = atomic_load_explicit(word, memory_order_acquire);
		struct timespec patience = {0, 50000000}; /* then look who has died */

		take_all_own(collector);
		syscall(SYS_futex, word, FUTEX_WAIT, seen, &patience, NULL, 0);
	}
	take_all_own(collector);
	return NULL;
}

int rps_own_start(struct rps_collector *collector)
{
	sigset_t all, old;
	int error;

	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	error = -pthread_create(&collector->own_thread, NULL, run_own_thread, collector);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return error;
}

void rps_own_stop(struct rps_collector *collector)
{
	atomic_store(&collector->is_ending, 1);
	atomic_fetch_add(&collector->pool.header->ended, 1);
	syscall(SYS_futex, &collector->pool.header->ended, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	pthread_join(collector->own_thread, NULL);
}
