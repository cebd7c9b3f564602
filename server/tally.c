/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See tally.h. Formatted by main.c. */
#include "server/tally.h"

#include <stdio.h>

void rps_tally_format(const struct rps_tally *tally, const struct rps_collector_stats *stats,
		      uint64_t n_removed, const char *directory, char *text, size_t size)
{
	const struct {
		unsigned long long n;
		const char *what;
	} extras[] = {
	    {atomic_load(&tally->lost), "profiles lost"},
	    {atomic_load(&tally->not_whole), "of them not whole"},
	    {atomic_load(&tally->lost_calls), "calls lost"},
	    {atomic_load(&tally->own), "of them of requests the application marked itself"},
	    {n_removed, "of them removed again (--keep)"},
	    {atomic_load(&tally->fast), "requests too fast to keep (--slower-than)"},
	    {atomic_load(&tally->passed), "passed on without a profile of their own"},
	    {stats->own_lost, "requests without profile for lack of memory"},
	    {atomic_load(&tally->skipped), "static ones without profile"},
	    {atomic_load(&tally->unprofiled), "not handed to the application"},
	    {stats->foreign_requests, "requests at the application's own port, without profile"},
	    {stats->lost_arenas, "threads without memory to record in"},
	};
	int used = snprintf(text, size, "%llu requests, %llu profiles in %s", atomic_load(&tally->requests),
			    atomic_load(&tally->profiles), directory);

	for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]) && used > 0 && (size_t)used < size; i++)
		if (extras[i].n)
			used += snprintf(text + used, size - (size_t)used, ", %llu %s", extras[i].n,
					 extras[i].what);
}
