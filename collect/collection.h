/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the collector share among them: its state, a request's, and whose an arena is. collector.c says
 * who owns what; gather.c makes the profile; own.c takes the requests that the application marks itself.
 */
#ifndef RPS_COLLECT_COLLECTION_H
#define RPS_COLLECT_COLLECTION_H

#include "collect/arena.h"
#include "collect/attach.h"
#include "collect/build.h"
#include "collect/clock.h"
#include "collect/collector.h"
#include "collect/functions.h"
#include "collect/pool.h"
#include "collect/processes.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

/* How long a request may keep others from their turn: an event stream, a long poll. */
#define RPS_TURN_MS 30000

struct rps_collection {
	struct rps_collector *collector;
	uint64_t id;
	uint64_t epoch; /* application scope; 0 in request scope */
	uint64_t begun_ms;
	uint64_t lost_arenas; /* the pool's count, when it began */
	struct rps_collection *prev, *next;
	enum { RUNNING, ENDING, BEING_CUT, CUT } state; /* `lock` */
	/* When it was cut short: what rps_collector_end will give. */
	int error;
	struct rps_profile *profile;
	struct rps_collect_info info;
};

struct rps_collector {
	enum rps_scope scope;
	uint32_t settle_ms;
	struct rps_pool pool;
	struct rps_attach attach;
	struct rps_functions *functions;
	struct rps_clock_anchor started;
	struct rps_collection *active;
	struct rps_collection *holder;
	pthread_mutex_t lock;
	pthread_cond_t turn_changed;
	enum rps_time time;
	unsigned int events; /* bits 1 << enum rps_event_id */
	_Atomic uint64_t epoch_number;
	char *environment[3];
	rps_collector_take_own *take_own;
	void *take_own_cls;
	pthread_t own_thread; /* where take_own is not NULL */
	_Atomic int is_ending;
	_Atomic uint64_t n_own_lost; /* for lack of memory */
};

/* ---- Whose arenas ---------------------------------------------------------------------------- */

static inline uint32_t rps_slot_state(const struct rps_collector *collector, uint32_t index)
{
	return atomic_load_explicit(&rps_pool_slot(&collector->pool, index)->state, memory_order_acquire);
}

static inline int rps_collection_belongs(const struct rps_collection *collection, const struct rps_arena_slot *slot)
{
	if (collection->epoch != 0)
		return slot->epoch == collection->epoch && slot->request_id == 0;
	return slot->request_id == collection->id;
}

static inline int rps_owner_is_alive(const struct rps_collector *collector, const struct rps_arena_slot *slot)
{
	return rps_process_is_alive(slot->pid, rps_pool_process(&collector->pool, slot->process)->pid == slot->pid
						   ? rps_pool_process(&collector->pool, slot->process)->start_time
						   : 0);
}

/* What is to be measured, and how long a tick is. */
void rps_collection_set_build(const struct rps_collector *collector, struct rps_build *build);
/* The thread that takes the application's own requests. 0 or -errno. */
int rps_own_start(struct rps_collector *collector);
void rps_own_stop(struct rps_collector *collector);

#endif
