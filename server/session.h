/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session is a collector and those who use it: one for each start of the application, so
 * that what a rebuilt one is made of does not pile up in the memory of the
 * first; or, where each request has a process of its own, one for each that runs at
 * the same time. Any thread. */
#ifndef RPS_SERVER_SESSION_H
#define RPS_SERVER_SESSION_H

#include "collect/collector.h"

#include <pthread.h>
#include <stddef.h>

struct rps_session {
	struct rps_collector *collector;
	struct rps_sessions *sessions;
	unsigned n_references;
	struct rps_session *next_idle;
};

struct rps_sessions {
	struct rps_collector_options options;
	pthread_mutex_t lock;
	struct rps_session *idle;
	struct rps_collector_stats retired; /* of sessions that are no more */
};

void rps_sessions_init(struct rps_sessions *sessions, const struct rps_collector_options *options);
void rps_sessions_clear(struct rps_sessions *sessions);
/* Of those that are no more, and of `session` (NULL: none). */
void rps_sessions_get_stats(struct rps_sessions *sessions, const struct rps_session *session,
			    struct rps_collector_stats *stats);

/* With one reference. NULL with a line in `error`. */
struct rps_session *rps_session_create(struct rps_sessions *sessions, char *error, size_t error_size);
/* One more reference; NULL stays NULL. */
struct rps_session *rps_session_get(struct rps_session *session);
void rps_session_put(struct rps_session *session);

/* One that nobody uses, to oneself. NULL when there is no memory for one more. */
struct rps_session *rps_session_borrow(struct rps_sessions *sessions);
/* For the next to borrow, unless a process is left that may still write to it. */
void rps_session_return(struct rps_session *session, int is_quiet);

#endif
