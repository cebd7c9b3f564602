/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See gather.h. */
#include "collect/gather.h"

#include "collect/arena.h"
#include "collect/describe.h"
#include "collect/metas.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Did its process end of its own accord, by exit() or from main? */
static int has_exited(const struct rps_collector *collector, const struct rps_arena_slot *slot)
{
	return rps_pool_process(&collector->pool, slot->process)->ended_ticks > slot->claimed_ticks;
}

static int add_metas(struct rps_collector *collector, uint32_t index, struct rps_profile *profile)
{
	struct rps_arena_meta *metas;
	size_t n = rps_arena_metas(&collector->pool, index, &metas);
	int error = 0;

	for (size_t i = n; i-- > 0 && error == 0;)
		error = rps_profile_add_meta(profile, metas[i].key[0] != '\0' ? metas[i].key : "Name", metas[i].value);
	rps_arena_metas_free(metas, n);
	return error;
}

/* Is the innermost open call one that no process comes back from? */
static int ends_by_call(struct rps_collector *collector, const struct rps_arena_copy *copy)
{
	static const char *const names[] = {"_exit",  "_Exit",  "quick_exit", "execve",	 "execv",   "execvp",
					    "execvpe", "execl", "execlp",     "execle", "fexecve", "execveat"};
	const char *innermost;

	if (copy->n_unfinished == 0)
		return 0;
	innermost = rps_functions_get(collector->functions, copy->unfinished[copy->n_unfinished - 1])->name;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(innermost, names[i]) == 0)
			return 1;
	return 0;
}

static int gather_arena(struct rps_collector *collector, uint32_t index, struct rps_profile *profile,
			struct rps_gathering *gathering, struct rps_collect_info *info)
{
	struct rps_arena_slot *slot = rps_pool_slot(&collector->pool, index);
	int is_dead = rps_slot_state(collector, index) == RPS_ARENA_LIVE && !rps_owner_is_alive(collector, slot);
	uint64_t end_ticks = has_exited(collector, slot) ? rps_pool_process(&collector->pool, slot->process)->ended_ticks
							 : gathering->end_ticks;
	uint64_t paused_ticks = rps_pool_arena(&collector->pool, index)->paused_ticks;
	struct rps_arena_copy copy;
	int error;

	/* Its thread was on another stack then: time stood still here. */
	if (paused_ticks != 0 && paused_ticks < end_ticks)
		end_ticks = paused_ticks;
	error = rps_arena_copy(&collector->pool, index, end_ticks, &copy);

	if (error == -ENOMEM)
		return error;
	if (slot->is_beside)
		gathering->n_beside++;
	else
		info->n_arenas++;
	if (info->pid == 0)
		info->pid = slot->pid;
	if (error != 0) {
		gathering->n_unreadable++;
		return 0;
	}
	info->calls += copy.calls;
	info->lost_calls += copy.lost_calls;
	info->n_unfinished += copy.n_unfinished;
	gathering->n_busy += copy.is_busy != 0;
	if (is_dead && !has_exited(collector, slot) && !ends_by_call(collector, &copy) &&
	    (slot->request_id != 0 || copy.n_unfinished > 0))
		info->cut_off = 1;
	info->overflowed |= copy.overflow != 0;
	gathering->deep_calls += copy.deep_calls;
	gathering->abandoned += copy.abandoned;
	gathering->build.overhead_ns += (uint64_t)((double)copy.miss_ticks * gathering->build.ns_per_tick);
	if (copy.process.allocations <= RPS_ALLOCATIONS_OWN)
		gathering->allocations |= 1u << copy.process.allocations;
	for (uint32_t i = 0; i < copy.n_unfinished && gathering->n_unfinished_names < RPS_UNFINISHED_NAMES_MAX; i++)
		gathering->unfinished[gathering->n_unfinished_names++] = copy.unfinished[i];
	if (copy.calls > 0 || copy.scope_ticks > 0)
		error = rps_build_add(profile, &copy, collector->functions, &gathering->build);
	rps_arena_copy_free(&copy);
	return error != 0 ? error : add_metas(collector, index, profile);
}

/* Adds the request's arenas to `profile`: all of them, or those of process `pid`. */
static int gather(struct rps_collection *collection, uint32_t pid, struct rps_profile *profile,
		  struct rps_gathering *gathering, struct rps_collect_info *info)
{
	struct rps_collector *collector = collection->collector;
	uint32_t n = rps_pool_n_slots(&collector->pool);
	int error = 0;

	for (uint32_t i = 0; i < n && error == 0; i++) {
		struct rps_arena_slot *slot = rps_pool_slot(&collector->pool, i);
		uint32_t state = rps_slot_state(collector, i);

		if ((state != RPS_ARENA_LIVE && state != RPS_ARENA_ENDED) || !rps_collection_belongs(collection, slot) ||
		    (pid != 0 && slot->pid != pid))
			continue;
		error = gather_arena(collector, i, profile, gathering, info);
	}
	if (collection->epoch == 0 && info->n_arenas == 0)
		info->never_entered = 1;
	return error;
}

int rps_gather_profile(struct rps_collection *collection, uint32_t pid, const char *root_name, int is_quiet,
		       const struct rps_gathering *finished, struct rps_profile **profile, struct rps_collect_info *info)
{
	struct rps_gathering gathering = *finished;
	int error;

	memset(info, 0, sizeof(*info));
	info->not_quiet = collection->epoch != 0 && !is_quiet;
	info->cut_short = finished->is_cut_short;
	info->lost_threads = atomic_load_explicit(&collection->collector->pool.header->lost_arenas, memory_order_relaxed) -
			     collection->lost_arenas;
	snprintf(info->busy, sizeof(info->busy), "%s", finished->busy);
	*profile = rps_profile_create(root_name);
	error = *profile != NULL ? rps_build_set_events(*profile, gathering.build.events) : -ENOMEM;
	if (error == 0)
		error = gather(collection, pid, *profile, &gathering, info);
	if (error == 0) {
		(*profile)->pid = info->pid;
		/* What has no times is to be the same each time. */
		(*profile)->volatile_headers = collection->collector->time != RPS_TIME_NEVER;
		error = rps_describe(collection, *profile, &gathering, info);
	}
	if (error != 0) {
		rps_profile_destroy(*profile);
		*profile = NULL;
	}
	return error;
}
