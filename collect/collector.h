/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The collector: makes the shared pool, hands it to the application's
 * runtimes, and turns the arenas of a finished request into a profile. Lives
 * in the server (or in `runprofile record`), outside the application's
 * process. It treats everything in the pool as hostile.
 *
 *     rps_collector_create ──▶ environment for the application ──▶ fork/exec
 *     per request:  rps_collector_begin ──▶ ...work... ──▶ rps_collector_end ──▶ profile
 *
 * Thread-safe: any thread may begin and end requests. In application scope
 * begin waits its turn: one request at a time.
 */
#ifndef RPS_COLLECT_COLLECTOR_H
#define RPS_COLLECT_COLLECTOR_H

#include "profile/events.h"
#include "profile/model.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The name of a function for --request is shorter. */
#define RPS_REQUEST_FUNCTION_MAX 256

struct rps_collector;
struct rps_collection; /* one request under way */

enum rps_scope {
	RPS_SCOPE_AUTO = 0,        /* request where an adapter in the application sees boundaries, else application */
	RPS_SCOPE_REQUEST = 1,     /* the runtime knows the exact boundaries */
	RPS_SCOPE_APPLICATION = 2, /* all the application does from begin until it is quiet again */
};

/* What was noticed about one request, for the log line and the file. */
struct rps_collect_info {
	uint64_t calls;         /* hook pairs recorded */
	uint64_t lost_calls;    /* not recorded, for lack of memory */
	uint64_t lost_threads;  /* found no memory to record in, while this request was under way */
	uint32_t n_arenas;      /* threads that took part */
	uint32_t n_unfinished;  /* activations that had not returned at the end */
	int cut_off;            /* the application died in the middle */
	int overflowed;         /* contexts were collapsed */
	int not_quiet;          /* application scope: still busy after settle_ms ... */
	char busy[128];         /* ... and which threads */
	int cut_short;          /* application scope: another request had waited too long for its turn */
	int never_entered;      /* request scope: the application's handler was not called with this id */
	uint32_t pid;           /* of the process that did the work (the first), 0 if none */
};

/* A request that the application has marked itself, without the front: by the functions of runprofile.h, or by the call of a
 * function (`request_function`). */
struct rps_own_request {
	uint64_t id;
	const char *name;
	uint64_t duration_us; /* from its begin to its end */
};

/* Gets its profile, which it owns then. In a thread of the collector's own, one call at a time. */
typedef void rps_collector_take_own(void *cls, struct rps_profile *profile, const struct rps_collect_info *info,
				    const struct rps_own_request *request);

/* When hooks read the clock. */
enum rps_time {
	RPS_TIME_SAMPLED = 0, /* at each call of what takes long, at some of the calls of what is short and frequent */
	RPS_TIME_EACH_CALL = 1,
	RPS_TIME_NEVER = 2, /* calls only: the same in each run of the same work */
};

/* What is wrong with these two together, in the words of the options that say them: a sentence without a full stop; NULL: nothing. */
const char *rps_collector_conflict(enum rps_time time, unsigned int events);

struct rps_collector_options {
	enum rps_scope scope;
	const char *runtime_path; /* librunprofile.so to preload; NULL: don't preload */
	int defer_accept;         /* 1: the application's sockets accept connections when their first bytes are there */
	enum rps_time time;
	unsigned int events;      /* bits 1 << enum rps_event_id; 0: time, or calls where the clock is not read. Without Wall_ns it is
				   * not read; whoever chooses more than time and calls has it read at each call */
	const char *request_function; /* each outermost call of it is a request; NULL: none */
	rps_collector_take_own *take_own; /* NULL: the application's own requests are given up */
	void *take_own_cls;
	uint32_t settle_ms;       /* longest wait for the application to become quiet; 0: default (1000) */
};

/* What the server's messages and exit summary say of the application. */
struct rps_collector_stats {
	uint32_t n_processes;      /* attached so far */
	uint32_t n_adapters;       /* e.g. calls of MHD_start_daemon seen */
	uint64_t foreign_requests; /* requests that did not come through the front */
	uint64_t lost_arenas;      /* a thread found no free arena */
	uint64_t own_lost;         /* requests the application marked itself, without a profile for lack of memory */
	int hooks_seen;            /* any instrumented function has run while recording */
};

/* NULL on error, with one line in `error`. */
struct rps_collector *rps_collector_create(const struct rps_collector_options *options,
                                           char *error, size_t error_size);
void rps_collector_destroy(struct rps_collector *collector);

/* NULL-terminated "NAME=VALUE" strings to add to the application's
 * environment; valid as long as the collector. LD_PRELOAD is merged with the
 * caller's own. */
const char *const *rps_collector_environ(const struct rps_collector *collector);

/* The scope a request begun now would get: never RPS_SCOPE_AUTO. */
enum rps_scope rps_collector_scope(const struct rps_collector *collector);

void rps_collector_get_stats(const struct rps_collector *collector, struct rps_collector_stats *stats);

/* Is a process alive that is attached to it? */
int rps_collector_has_live_processes(const struct rps_collector *collector);

/* Begins a request with the random id `id` (not 0). In application scope waits
 * until no other request is under way; one that lasts longer than 30 s then is cut short: its profile is made at that
 * moment. NULL when out of memory. */
struct rps_collection *rps_collector_begin(struct rps_collector *collector, uint64_t id);

/* Ends its recording: waits (bounded) until the runtime has ended its part (request
 * scope) or the application is quiet (application scope), and gives the profile:
 * one root called `root_name`, one event Wall_ns (Calls, if the clock is never read), metadata about clock,
 * calibration, losses and unfinished activations filled in. `collection` is still to be left.
 * Returns 0 or -ENOMEM. `*profile` and `*info` are the caller's. */
int rps_collector_end(struct rps_collection *collection, const char *root_name,
                      struct rps_profile **profile, struct rps_collect_info *info);

/* After its end, and after what the application was not to notice before (the connection's end) has been done: in
 * application scope the next request's turn comes, when the application has become quiet. Frees `collection`. */
void rps_collector_leave(struct rps_collection *collection);

/* End and leave in one, with a profile for each process that took part: `take` gets (and owns) them one after the other. */
typedef void rps_collector_take_profile(void *cls, struct rps_profile *profile, const struct rps_collect_info *info);
int rps_collector_end_each(struct rps_collection *collection, const char *root_name,
			   rps_collector_take_profile *take, void *take_cls);

/* Instead of end and leave: a request that is not to be profiled after all. */
void rps_collector_abandon(struct rps_collection *collection);

#endif
