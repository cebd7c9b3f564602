/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See describe.h. A line is there only if it has something to say. */
#include "collect/describe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

typedef int add_meta(struct rps_profile *profile, const char *key, const char *value);

/* `add` is rps_profile_add_volatile_meta for what differs from run to run. */
__attribute__((format(printf, 4, 5))) static int describe(struct rps_profile *profile, add_meta *add, const char *key,
							   const char *format, ...)
{
	char value[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(value, sizeof(value), format, ap);
	va_end(ap);
	return add(profile, key, value);
}

static int describe_unfinished(struct rps_collector *collector, struct rps_profile *profile,
			       const struct rps_gathering *gathering, const struct rps_collect_info *info)
{
	char names[400];
	size_t used = 0;

	names[0] = '\0';
	for (uint32_t i = 0; i < gathering->n_unfinished_names && used < sizeof(names); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i > 0 ? " > " : "",
					 rps_functions_get(collector->functions, gathering->unfinished[i])->name);
	return describe(profile, rps_profile_add_meta, "Unfinished", "%u activations had not returned, and are charged up to the end: %s%s",
			info->n_unfinished, names, info->n_unfinished > gathering->n_unfinished_names ? " ..." : "");
}

/* What was subtracted for them. */
static int describe_hooks(struct rps_profile *profile, const struct rps_build *build)
{
	const struct rps_estimate_costs *costs = &build->costs;
	const struct rps_estimate_cost *inlined = &costs->inlined, *called = &costs->called;
	double ns = build->ns_per_tick;
	int error = describe(profile, rps_profile_add_volatile_meta, "Hook cost", "%llu ns subtracted, of costs measured at start",
			     (unsigned long long)build->overhead_ns);

	if (error == 0 && (costs->seen & (1u << RPS_HOOKS_INLINED | 1u << RPS_HOOKS_LEAF)))
		error = describe(profile, rps_profile_add_volatile_meta, "Inlined hooks", "of a timed call %.1f ns within the callee (as the shortest functions show) and %.1f ns within the caller; of one not timed %.1f ns, or %.1f ns if the callee calls nothing",
				 inlined->inside * ns, inlined->outside * ns, inlined->untimed * ns, costs->leaf_untimed * ns);
	if (error == 0 && (costs->seen & 1u << RPS_HOOKS_CALLED))
		error = describe(profile, rps_profile_add_volatile_meta, "Called hooks", "of a timed call %.1f ns within the callee (as the shortest functions show) and %.1f ns within the caller; of one not timed %.1f ns",
				 called->inside * ns, called->outside * ns, called->untimed * ns);
	return error;
}

static int describe_time(struct rps_collector *collector, struct rps_profile *profile, const struct rps_gathering *gathering)
{
	static const char *const when[] = {
	    [RPS_TIME_SAMPLED] = "read at each call that takes long, and at a sample of the calls of functions that are short and frequent: times of functions of a few ns are estimates",
	    [RPS_TIME_EACH_CALL] = "read on every entry and exit: times of functions of a few ns are not reliable",
	};
	const struct rps_build *build = &gathering->build;
	enum rps_clock clock = (enum rps_clock)collector->pool.header->clock;
	int error;

	if (collector->time == RPS_TIME_NEVER)
		return describe(profile, rps_profile_add_meta, "Clock", "not read");
	error = describe(profile, rps_profile_add_volatile_meta, "Clock", "%s, %.6f ns per tick; %s", rps_clock_name(clock),
			 build->ns_per_tick, when[collector->time]);
	return error != 0 ? error : describe_hooks(profile, build);
}

/* What was counted beside calls, and what could not be. */
static int describe_counters(const struct rps_collector *collector, struct rps_profile *profile, const struct rps_gathering *gathering)
{
	int error = 0;

	if (collector->events & (RPS_EVENT_BIT(ALLOC_COUNT) | RPS_EVENT_BIT(ALLOC_BYTES))) {
		error |= describe(profile, rps_profile_add_meta, "Allocations", "calls of malloc and its kind that got memory, and the bytes asked for (of realloc the whole new size), charged to the function that called them; by library functions to these");
		if (gathering->allocations & 1u << RPS_ALLOCATIONS_OWN)
			error |= describe(profile, rps_profile_add_meta, "Allocations not counted", "the program has a malloc of its own, which nothing can be put before: only what passes it by was counted");
		if (gathering->allocations & 1u << RPS_ALLOCATIONS_UNSEEN)
			error |= describe(profile, rps_profile_add_meta, "Allocations not counted", "the program is static, so nothing can be preloaded into it");
	}
	if (collector->events & (RPS_EVENT_BIT(PAGE_FAULTS) | RPS_EVENT_BIT(CTX_SWITCHES)))
		error |= describe(profile, rps_profile_add_meta, "Kernel counts", "by getrusage() of the thread at each entry and exit, without what fresh memory of the recording itself causes; up to the last of them, where calls are unfinished");
	return error;
}

/* The lines that say how far the numbers can be trusted. */
int rps_describe(const struct rps_collection *collection, struct rps_profile *profile,
		 const struct rps_gathering *gathering, const struct rps_collect_info *info)
{
	struct rps_collector *collector = collection->collector;
	int error = 0;

	error |= describe(profile, rps_profile_add_meta, "Scope", "%s", collection->epoch != 0 ? "application" : "request");
	error |= describe_time(collector, profile, gathering);
	error |= describe_counters(collector, profile, gathering);
	error |= describe(profile, rps_profile_add_meta, "Calls", "%llu in %u thread%s", (unsigned long long)info->calls, info->n_arenas,
			  info->n_arenas == 1 ? "" : "s");
	if (gathering->n_beside > 0)
		error |= describe(profile, rps_profile_add_meta, "Other stacks", "%u (coroutines, signal stacks, handlers that interrupted a hook) have trees of their own below the root",
				  gathering->n_beside);
	if (info->cut_off)
		error |= describe(profile, rps_profile_add_meta, "Cut off", "the application died in the middle of this request");
	if (info->n_unfinished > 0)
		error |= describe_unfinished(collector, profile, gathering, info);
	if (info->not_quiet)
		error |= describe(profile, rps_profile_add_meta, "Not quiet", "the application was still busy after %u ms (%s); what it did later is not in this profile", collector->settle_ms,
				  gathering->busy);
	if (info->cut_short)
		error |= describe(profile, rps_profile_add_meta, "Cut short", "another request had waited for %u s; what this one did later is not in this profile",
				  RPS_TURN_MS / 1000);
	if (info->never_entered)
		error |= describe(profile, rps_profile_add_meta, "Never entered", "the application's request handler was not called");
	if (info->lost_calls > 0)
		error |= describe(profile, rps_profile_add_meta, "Lost calls", "%llu", (unsigned long long)info->lost_calls);
	if (info->lost_threads > 0)
		error |= describe(profile, rps_profile_add_meta, "Lost threads", "%llu found no memory to record in, while this request was under way",
				  (unsigned long long)info->lost_threads);
	if (info->overflowed)
		error |= describe(profile, rps_profile_add_meta, "Collapsed", "too many contexts: calls beyond are counted per caller and callee, without the path to them");
	if (gathering->deep_calls > 0)
		error |= describe(profile, rps_profile_add_meta, "Too deep", "%llu calls below %zu levels are counted, but their time is their caller's",
				  (unsigned long long)gathering->deep_calls, RPS_STACK_FRAMES_MAX);
	if (gathering->abandoned > 0)
		error |= describe(profile, rps_profile_add_meta, "Without return", "%llu activations ended without returning (longjmp, exception, thread exit)",
				  (unsigned long long)gathering->abandoned);
	if (gathering->n_busy > 0)
		error |= describe(profile, rps_profile_add_meta, "Half done", "the last call of %u thread%s was caught while it was being recorded, and may be missing",
				  gathering->n_busy, gathering->n_busy == 1 ? "" : "s");
	if (gathering->n_unreadable > 0)
		error |= describe(profile, rps_profile_add_meta, "Unreadable", "the memory of %u threads made no sense", gathering->n_unreadable);
	return error != 0 ? -ENOMEM : 0;
}
