/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See collector.h. State and who owns it:
 *
 *   pool, attach, functions   shared, each safe by itself
 *   active                    the requests under way; `lock`
 *   holder                    application scope: the request whose turn it is, from begin to end (the pool has one epoch), or until
 *                             another has waited too long and cuts it short; `lock`
 *   epoch                     written by the holder (application scope) or by create (request scope)
 */
#include "collect/collector.h"

#include "collect/build.h"
#include "collect/clock.h"
#include "collect/collection.h"
#include "collect/functions.h"
#include "collect/gather.h"
#include "collect/handover.h"
#include "collect/pool.h"
#include "collect/processes.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

_Static_assert(RPS_REQUEST_FUNCTION_MAX == RPS_REQUEST_FUNCTION_SIZE, "what is accepted fits");

#define SETTLE_MS 1000
#define BEGIN_QUIET_MS 100
/* How long a request's handler may go on after its answer was complete, or its client gone. */
#define HANDLER_MS 5000
/* How long a hook may take that the collector has caught in the middle. */
#define HOOK_MS 100
/* No thread stays in the middle of a hook so long: then its arena can be given on, though the application was never quiet. */
#define HOOK_IS_OVER_MS 10000
/* Below so many, slots of dead processes may stay. */
#define N_PROCESSES_KEPT 64

/* ---- Life ------------------------------------------------------------------------------- */

/* What counts allocations lies beside the runtime. 0, -ENOMEM, or -ENOENT. */
static int make_preload(const char *runtime_path, unsigned int events, char **preload)
{
	const char *rest = getenv("LD_PRELOAD"), *slash = strrchr(runtime_path, '/');
	int has_rest = rest != NULL && rest[0] != '\0';
	char *alloc = NULL;

	if (events & (RPS_EVENT_BIT(ALLOC_COUNT) | RPS_EVENT_BIT(ALLOC_BYTES))) {
		if (asprintf(&alloc, "%.*s/librunprofile_alloc.so", slash != NULL ? (int)(slash - runtime_path) : 1,
			     slash != NULL ? runtime_path : ".") < 0)
			return -ENOMEM;
		if (access(alloc, R_OK) != 0) {
			free(alloc);
			return -ENOENT;
		}
	}
	if (asprintf(preload, "LD_PRELOAD=%s%s%s%s%s", runtime_path, alloc != NULL ? ":" : "", alloc != NULL ? alloc : "",
		     has_rest ? ":" : "", has_rest ? rest : "") < 0)
		*preload = NULL;
	free(alloc);
	return *preload != NULL ? 0 : -ENOMEM;
}

static int make_environment(struct rps_collector *collector, const char *runtime_path)
{
	if (asprintf(&collector->environment[0], "%s=%s:%s", RPS_ATTACH_VARIABLE, collector->attach.name,
		     collector->attach.token) < 0)
		return -ENOMEM;
	return runtime_path != NULL ? make_preload(runtime_path, collector->events, &collector->environment[1]) : 0;
}

const char *rps_collector_conflict(enum rps_time time, unsigned int events)
{
	if (time == RPS_TIME_NEVER && (events & RPS_EVENT_BIT(WALL_NS)))
		return "--no-time and Wall_ns in --events exclude each other";
	if (time == RPS_TIME_EACH_CALL && events != 0 && (events & RPS_EVENT_BIT(WALL_NS)) == 0)
		return "--exact-time needs Wall_ns in --events";
	return NULL;
}

/* Counters need a look at each entry and exit: then the clock is read there, too. */
static void choose_events(struct rps_collector *collector, const struct rps_collector_options *options)
{
	collector->time = options->time;
	collector->events = options->events;
	if (collector->events == 0)
		collector->events = options->time == RPS_TIME_NEVER ? RPS_EVENT_BIT(CALLS) : RPS_EVENT_BIT(WALL_NS);
	else if ((collector->events & RPS_EVENT_BIT(WALL_NS)) == 0)
		collector->time = RPS_TIME_NEVER;
	else if (collector->events >> RPS_EVENT_ALLOC_COUNT != 0)
		collector->time = RPS_TIME_EACH_CALL;
}

static void set_epoch(struct rps_collector *collector, enum rps_mode mode)
{
	uint64_t number = atomic_fetch_add(&collector->epoch_number, 1) + 1;

	atomic_store_explicit(&collector->pool.header->epoch, number << 2 | mode, memory_order_release);
}

struct rps_collector *rps_collector_create(const struct rps_collector_options *options, char *error, size_t error_size)
{
	struct rps_collector *collector = calloc(1, sizeof(*collector));
	enum rps_clock clock = rps_clock_choose();
	pthread_condattr_t monotonic;
	int result;

	_Static_assert((int)RPS_TIME_SAMPLED == RPS_TIME_ADAPTIVE && (int)RPS_TIME_EACH_CALL == RPS_TIME_EXACT &&
			   (int)RPS_TIME_NEVER == RPS_TIME_NONE,
		       "the same three");
	if (collector == NULL) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	collector->scope = options->scope;
	choose_events(collector, options);
	collector->settle_ms = options->settle_ms != 0 ? options->settle_ms : SETTLE_MS;
	pthread_mutex_init(&collector->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&collector->turn_changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	collector->started = rps_clock_take_anchor(clock);
	result = rps_pool_create(&collector->pool, RPS_N_ARENAS, clock);
	if (result != 0) {
		snprintf(error, error_size, "cannot make the shared memory: %s", strerror(-result));
		goto fail;
	}
	collector->pool.header->defer_accept = options->defer_accept != 0;
	collector->pool.header->time_mode = collector->time;
	collector->pool.header->counters = collector->events >> RPS_EVENT_ALLOC_COUNT;
	rps_pool_set_clock(&collector->pool, clock, rps_clock_ns_per_tick(clock, &collector->started));
	result = rps_attach_start(&collector->attach, &collector->pool);
	if (result != 0) {
		snprintf(error, error_size, "cannot listen for the application's runtime: %s", strerror(-result));
		rps_pool_destroy(&collector->pool);
		goto fail;
	}
	collector->functions = rps_functions_create(&collector->pool);
	result = collector->functions != NULL ? make_environment(collector, options->runtime_path) : -ENOMEM;
	if (result != 0) {
		snprintf(error, error_size, "%s", result == -ENOENT ? "cannot find librunprofile_alloc.so, which counts allocations, beside the runtime" : "out of memory");
		rps_collector_destroy(collector);
		return NULL;
	}
	if (options->request_function != NULL)
		snprintf(collector->pool.header->request_function, RPS_REQUEST_FUNCTION_SIZE, "%s", options->request_function);
	collector->take_own = options->take_own;
	collector->take_own_cls = options->take_own_cls;
	if (collector->take_own != NULL && rps_own_start(collector) != 0) {
		collector->take_own = NULL;
		snprintf(error, error_size, "cannot start a thread");
		rps_collector_destroy(collector);
		return NULL;
	}
	/* Threads can't be in a request before an adapter puts them there; without an adapter this mode records nothing. */
	if (collector->scope != RPS_SCOPE_APPLICATION)
		set_epoch(collector, RPS_MODE_REQUEST);
	return collector;
fail:
	free(collector);
	return NULL;
}

void rps_collector_destroy(struct rps_collector *collector)
{
	if (collector == NULL)
		return;
	set_epoch(collector, RPS_MODE_OFF);
	if (collector->take_own != NULL)
		rps_own_stop(collector);
	rps_attach_stop(&collector->attach);
	rps_functions_destroy(collector->functions);
	rps_pool_destroy(&collector->pool);
	for (int i = 0; i < 2; i++)
		free(collector->environment[i]);
	pthread_mutex_destroy(&collector->lock);
	pthread_cond_destroy(&collector->turn_changed);
	free(collector);
}

const char *const *rps_collector_environ(const struct rps_collector *collector)
{
	return (const char *const *)collector->environment;
}

enum rps_scope rps_collector_scope(const struct rps_collector *collector)
{
	if (collector->scope != RPS_SCOPE_AUTO)
		return collector->scope;
	if (atomic_load_explicit(&collector->pool.header->n_adapters, memory_order_acquire) > 0)
		return RPS_SCOPE_REQUEST;
	return RPS_SCOPE_APPLICATION;
}

void rps_collector_get_stats(const struct rps_collector *collector, struct rps_collector_stats *stats)
{
	const struct rps_pool_header *header = collector->pool.header;

	stats->n_processes = atomic_load_explicit(&collector->attach.n_attached, memory_order_relaxed);
	stats->n_adapters = atomic_load_explicit(&header->n_adapters, memory_order_relaxed);
	stats->foreign_requests = atomic_load_explicit(&header->foreign_requests, memory_order_relaxed);
	stats->lost_arenas = atomic_load_explicit(&header->lost_arenas, memory_order_relaxed);
	stats->own_lost = atomic_load_explicit(&collector->n_own_lost, memory_order_relaxed);
	stats->hooks_seen = atomic_load_explicit(&header->hooks_seen, memory_order_relaxed) != 0;
}

int rps_collector_has_live_processes(const struct rps_collector *collector)
{
	uint32_t n = rps_pool_n_processes(&collector->pool);

	for (uint32_t i = 0; i < n; i++) {
		struct rps_process_slot *slot = rps_pool_process(&collector->pool, i);

		if (atomic_load_explicit(&slot->state, memory_order_acquire) == RPS_PROCESS_LIVE &&
		    rps_process_is_alive(slot->pid, slot->start_time))
			return 1;
	}
	return 0;
}

/* ---- Whose arenas ---------------------------------------------------------------------------- */

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* Request scope: waits until the runtime has ended every arena of this request, its process has died, or time is up. */
static void wait_ended(struct rps_collection *collection)
{
	struct rps_collector *collector = collection->collector;
	_Atomic uint32_t *word = &collector->pool.header->ended;
	uint64_t deadline = now_ms() + HANDLER_MS;

	for (;;) {
		uint32_t seen = atomic_load_explicit(word, memory_order_acquire);
		struct timespec patience = {0, 50000000}; /* then look whether the process still lives */
		uint32_t n = rps_pool_n_slots(&collector->pool);
		int is_waiting = 0;

		for (uint32_t i = 0; i < n && !is_waiting; i++) {
			struct rps_arena_slot *slot = rps_pool_slot(&collector->pool, i);

			is_waiting = rps_slot_state(collector, i) == RPS_ARENA_LIVE && rps_collection_belongs(collection, slot) &&
				     rps_owner_is_alive(collector, slot);
		}
		if (!is_waiting || now_ms() > deadline)
			return;
		syscall(SYS_futex, word, FUTEX_WAIT, seen, &patience, NULL, 0);
	}
}

struct owner {
	const struct rps_collector *collector;
	const struct rps_arena_slot *slot;
};

static int is_owner_alive(const void *cls)
{
	const struct owner *owner = cls;

	return rps_owner_is_alive(owner->collector, owner->slot);
}

/* Application scope: stops recording, and waits until no hook is in the middle of an arena. */
static void stop_recording(struct rps_collection *collection)
{
	struct rps_collector *collector = collection->collector;
	uint64_t deadline = now_ms() + HOOK_MS;
	uint32_t n;

	/* Back to where adapters' threads may work, unless that was ruled out. */
	set_epoch(collector, collector->scope == RPS_SCOPE_APPLICATION ? RPS_MODE_OFF : RPS_MODE_REQUEST);
	n = rps_pool_n_slots(&collector->pool);
	for (uint32_t i = 0; i < n; i++)
		if (rps_collection_belongs(collection, rps_pool_slot(&collector->pool, i)))
			rps_handover_revoke(rps_pool_arena(&collector->pool, i));
	rps_handover_fence();
	for (uint32_t i = 0; i < n; i++) {
		const struct owner owner = {collector, rps_pool_slot(&collector->pool, i)};

		if (rps_slot_state(collector, i) == RPS_ARENA_LIVE && rps_collection_belongs(collection, owner.slot))
			rps_handover_wait(rps_pool_arena(&collector->pool, i), deadline, is_owner_alive, &owner);
	}
}

/* Is a request under way that this arena belongs to? Called with `lock` held. */
static int is_wanted(const struct rps_collector *collector, const struct rps_arena_slot *slot)
{
	const struct rps_collection *collection;

	for (collection = collector->active; collection != NULL; collection = collection->next)
		if (rps_collection_belongs(collection, slot))
			return 1;
	return 0;
}

/* Was it claimed so long ago that no hook that began before its request's end can still be under way? */
static int is_old(const struct rps_collector *collector, const struct rps_arena_slot *slot)
{
	enum rps_clock clock = (enum rps_clock)collector->pool.header->clock;
	uint64_t now = rps_clock_ticks(clock);
	double ns_per_tick = rps_clock_ns_per_tick(clock, &collector->started);

	return now > slot->claimed_ticks && (double)(now - slot->claimed_ticks) * ns_per_tick > HOOK_IS_OVER_MS * 1e6;
}

/* Gives back what no request under way is waiting for: arenas of requests that were given up, of handlers that
 * went on after their request had ended, of dead processes; and in application scope, where `is_quiet` says that no
 * thread can be about to write, those of earlier requests; else those of long ago. */
static void sweep(struct rps_collector *collector, int is_quiet)
{
	uint32_t n = rps_pool_n_slots(&collector->pool);

	pthread_mutex_lock(&collector->lock);
	for (uint32_t i = 0; i < n; i++) {
		struct rps_arena_slot *slot = rps_pool_slot(&collector->pool, i);
		uint32_t state = rps_slot_state(collector, i);

		if ((state != RPS_ARENA_LIVE && state != RPS_ARENA_ENDED) || is_wanted(collector, slot) ||
		    (slot->own != RPS_OWN_NOT && collector->take_own != NULL))
			continue;
		if (state == RPS_ARENA_ENDED || ((is_quiet || is_old(collector, slot)) && (slot->epoch & RPS_MODE_MASK) == RPS_MODE_APPLICATION) ||
		    !rps_owner_is_alive(collector, slot))
			rps_pool_free_arena(&collector->pool, i);
	}
	pthread_mutex_unlock(&collector->lock);
}

/* Gives the slots of dead processes back, when there are many: an application that forks for each request. */
static void sweep_processes(struct rps_collector *collector)
{
	uint32_t n = rps_pool_n_processes(&collector->pool);

	for (uint32_t i = 0; i < n && n > N_PROCESSES_KEPT; i++) {
		struct rps_process_slot *slot = rps_pool_process(&collector->pool, i);

		if (atomic_load_explicit(&slot->state, memory_order_acquire) == RPS_PROCESS_LIVE &&
		    !rps_process_is_alive(slot->pid, slot->start_time))
			atomic_store_explicit(&slot->state, RPS_PROCESS_FREE, memory_order_release);
	}
}

/* ---- End ------------------------------------------------------------------------------------------ */

/* Nobody asks for its arenas any more. */
static void retire(struct rps_collection *collection, int is_quiet)
{
	struct rps_collector *collector = collection->collector;

	pthread_mutex_lock(&collector->lock);
	DL_DELETE(collector->active, collection);
	pthread_mutex_unlock(&collector->lock);
	sweep(collector, is_quiet);
	sweep_processes(collector);
}

static void give_turn(struct rps_collection *collection)
{
	struct rps_collector *collector = collection->collector;

	pthread_mutex_lock(&collector->lock);
	if (collector->holder == collection)
		collector->holder = NULL;
	if (collection->state == BEING_CUT)
		collection->state = CUT;
	pthread_cond_broadcast(&collector->turn_changed);
	pthread_mutex_unlock(&collector->lock);
}

void rps_collection_set_build(const struct rps_collector *collector, struct rps_build *build)
{
	build->ns_per_tick = rps_clock_ns_per_tick((enum rps_clock)collector->pool.header->clock, &collector->started);
	build->events = collector->events;
}

/* Waits until nothing more comes, and stops the recording. 1: the application is quiet. */
static int finish(struct rps_collection *collection, struct rps_gathering *gathering)
{
	struct rps_collector *collector = collection->collector;
	enum rps_clock clock = (enum rps_clock)collector->pool.header->clock;
	int is_quiet = 0;

	gathering->end_ticks = rps_clock_ticks(clock);
	if (collection->epoch != 0) {
		is_quiet = rps_processes_wait_quiet(&collector->pool, collector->settle_ms, gathering->busy,
						   sizeof(gathering->busy));
		if (!is_quiet)
			gathering->end_ticks = rps_clock_ticks(clock);
		stop_recording(collection);
	} else {
		wait_ended(collection);
	}
	rps_collection_set_build(collector, &gathering->build);
	return is_quiet;
}

/* A request that has kept another waiting is over for us; what rps_collector_end will be asked for is made now. */
static void cut_short(struct rps_collection *collection)
{
	struct rps_gathering finished = {0};
	int is_quiet = finish(collection, &finished);

	finished.is_cut_short = 1;
	collection->error = rps_gather_profile(collection, 0, "request", is_quiet, &finished, &collection->profile, &collection->info);
	retire(collection, is_quiet);
	give_turn(collection);
}

/* Waits until no other request is recorded. */
static void take_turn(struct rps_collection *collection)
{
	struct rps_collector *collector = collection->collector;

	pthread_mutex_lock(&collector->lock);
	while (collector->holder != NULL) {
		struct rps_collection *holder = collector->holder;
		uint64_t deadline_ms = holder->begun_ms + RPS_TURN_MS;
		struct timespec deadline = {(time_t)(deadline_ms / 1000), (long)(deadline_ms % 1000) * 1000000};

		if (holder->state != RUNNING) {
			pthread_cond_wait(&collector->turn_changed, &collector->lock);
		} else if (now_ms() >= deadline_ms) {
			holder->state = BEING_CUT;
			pthread_mutex_unlock(&collector->lock);
			cut_short(holder);
			pthread_mutex_lock(&collector->lock);
		} else {
			pthread_cond_timedwait(&collector->turn_changed, &collector->lock, &deadline);
		}
	}
	collector->holder = collection;
	collection->begun_ms = now_ms();
	pthread_mutex_unlock(&collector->lock);
}

/* ---- Begin and end ----------------------------------------------------------------------------- */

struct rps_collection *rps_collector_begin(struct rps_collector *collector, uint64_t id)
{
	struct rps_collection *collection = calloc(1, sizeof(*collection));

	if (collection == NULL)
		return NULL;
	collection->collector = collector;
	collection->id = id;
	collection->lost_arenas = atomic_load_explicit(&collector->pool.header->lost_arenas, memory_order_relaxed);
	if (rps_collector_scope(collector) == RPS_SCOPE_APPLICATION) {
		char busy[128];

		take_turn(collection);
		/* What the last request's end has set off (a process that waited for it, the signal of its death) is not this one's. */
		rps_processes_wait_quiet(&collector->pool, BEGIN_QUIET_MS, busy, sizeof(busy));
		set_epoch(collector, RPS_MODE_APPLICATION);
		collection->epoch = atomic_load(&collector->pool.header->epoch);
	}
	pthread_mutex_lock(&collector->lock);
	DL_APPEND(collector->active, collection);
	pthread_mutex_unlock(&collector->lock);
	return collection;
}

/* 1: its profile has been made. From here on it can't be cut short. */
static int was_cut_short(struct rps_collection *collection)
{
	struct rps_collector *collector = collection->collector;

	pthread_mutex_lock(&collector->lock);
	while (collection->state == BEING_CUT)
		pthread_cond_wait(&collector->turn_changed, &collector->lock);
	if (collection->state == RUNNING)
		collection->state = ENDING;
	pthread_mutex_unlock(&collector->lock);
	return collection->state == CUT;
}

static int name_root(struct rps_profile *profile, const char *name)
{
	struct rps_function *functions = calloc(profile->n_functions, sizeof(*functions));
	int error;

	if (functions == NULL)
		return -ENOMEM;
	memcpy(functions, profile->functions, profile->n_functions * sizeof(*functions));
	functions[profile->nodes[0].function].name = name;
	error = rps_profile_redefine_functions(profile, functions);
	free(functions);
	return error;
}

int rps_collector_end(struct rps_collection *collection, const char *root_name, struct rps_profile **profile,
		      struct rps_collect_info *info)
{
	int error;

	if (was_cut_short(collection)) {
		*profile = collection->profile;
		*info = collection->info;
		error = collection->error != 0 ? collection->error : name_root(*profile, root_name);
	} else {
		struct rps_gathering finished = {0};
		int is_quiet = finish(collection, &finished);

		error = rps_gather_profile(collection, 0, root_name, is_quiet, &finished, profile, info);
		retire(collection, is_quiet);
	}
	return error;
}

void rps_collector_leave(struct rps_collection *collection)
{
	give_turn(collection);
	free(collection);
}

/* The process of the `n`-th arena, if no earlier arena has the same. 0: it has. */
static uint32_t new_pid(const struct rps_collection *collection, uint32_t n)
{
	const struct rps_pool *pool = &collection->collector->pool;
	uint32_t pid = rps_pool_slot(pool, n)->pid;

	for (uint32_t i = 0; i < n; i++)
		if (rps_pool_slot(pool, i)->pid == pid && rps_collection_belongs(collection, rps_pool_slot(pool, i)) &&
		    rps_slot_state(collection->collector, i) >= RPS_ARENA_LIVE)
			return 0;
	return pid;
}

int rps_collector_end_each(struct rps_collection *collection, const char *root_name,
			   rps_collector_take_profile *take, void *take_cls)
{
	struct rps_gathering finished = {0};
	int is_quiet = finish(collection, &finished), error = 0;
	uint32_t n = rps_pool_n_slots(&collection->collector->pool);

	for (uint32_t i = 0; i < n && error == 0; i++) {
		struct rps_profile *profile;
		struct rps_collect_info info;
		uint32_t pid;

		if (rps_slot_state(collection->collector, i) < RPS_ARENA_LIVE ||
		    !rps_collection_belongs(collection, rps_pool_slot(&collection->collector->pool, i)))
			continue;
		pid = new_pid(collection, i);
		if (pid == 0)
			continue;
		error = rps_gather_profile(collection, pid, root_name, is_quiet, &finished, &profile, &info);
		if (error == 0)
			take(take_cls, profile, &info);
	}
	retire(collection, is_quiet);
	rps_collector_leave(collection);
	return error;
}

void rps_collector_abandon(struct rps_collection *collection)
{
	struct rps_gathering finished = {0};

	if (was_cut_short(collection))
		rps_profile_destroy(collection->profile);
	else
		retire(collection, finish(collection, &finished));
	rps_collector_leave(collection);
}
