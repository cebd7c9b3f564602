/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many requests, profiles and losses: counted by request threads, shown
 * when the server ends. */
#ifndef RPS_SERVER_TALLY_H
#define RPS_SERVER_TALLY_H

#include "collect/collector.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct rps_tally {
	atomic_ullong requests;
	atomic_ullong profiles;
	atomic_ullong lost;       /* profiles that could not be written */
	atomic_ullong not_whole;  /* profiles whose desc: lines say what is missing */
	atomic_ullong lost_calls; /* of those */
	atomic_ullong own;        /* profiles of requests that the application has marked */
	atomic_ullong unprofiled; /* requests that did not reach the application */
	atomic_ullong passed;     /* to the application, not to be profiled; with --request, all */
	atomic_ullong fast;       /* profiles not kept, by --slower-than */
	atomic_ullong skipped;    /* static ones, with --nomedia */
};

/* `n_removed` profiles were removed again (--keep). One sentence: always requests and profiles, the rest
 * where there is any. */
void rps_tally_format(const struct rps_tally *tally, const struct rps_collector_stats *stats,
		      uint64_t n_removed, const char *directory, char *text, size_t size);

#endif
