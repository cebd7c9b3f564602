/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See session.h. Called by supervisor.c and request_app.c. */
#include "server/session.h"

#include "server/message.h"

#include <stdlib.h>
#include <string.h>

void rps_sessions_init(struct rps_sessions *sessions, const struct rps_collector_options *options)
{
	memset(sessions, 0, sizeof(*sessions));
	sessions->options = *options;
	pthread_mutex_init(&sessions->lock, NULL);
}

static void add_stats(struct rps_collector_stats *sum, const struct rps_collector_stats *stats)
{
	sum->n_processes += stats->n_processes;
	sum->n_adapters += stats->n_adapters;
	sum->foreign_requests += stats->foreign_requests;
	sum->lost_arenas += stats->lost_arenas;
	sum->own_lost += stats->own_lost;
	sum->hooks_seen |= stats->hooks_seen;
}

void rps_sessions_get_stats(struct rps_sessions *sessions, const struct rps_session *session,
			    struct rps_collector_stats *stats)
{
	struct rps_collector_stats own = {0};

	if (session)
		rps_collector_get_stats(session->collector, &own);
	pthread_mutex_lock(&sessions->lock);
	*stats = sessions->retired;
	pthread_mutex_unlock(&sessions->lock);
	add_stats(stats, &own);
}

struct rps_session *rps_session_create(struct rps_sessions *sessions, char *error, size_t error_size)
{
	struct rps_session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	session->sessions = sessions;
	session->n_references = 1;
	session->collector = rps_collector_create(&sessions->options, error, error_size);
	if (session->collector)
		return session;
	free(session);
	return NULL;
}

struct rps_session *rps_session_get(struct rps_session *session)
{
	if (!session)
		return NULL;
	pthread_mutex_lock(&session->sessions->lock);
	session->n_references++;
	pthread_mutex_unlock(&session->sessions->lock);
	return session;
}

void rps_session_put(struct rps_session *session)
{
	struct rps_collector_stats stats;
	int is_last;

	if (!session)
		return;
	rps_collector_get_stats(session->collector, &stats);
	pthread_mutex_lock(&session->sessions->lock);
	is_last = !--session->n_references;
	if (is_last)
		add_stats(&session->sessions->retired, &stats);
	pthread_mutex_unlock(&session->sessions->lock);
	if (!is_last)
		return;
	rps_collector_destroy(session->collector);
	free(session);
}

struct rps_session *rps_session_borrow(struct rps_sessions *sessions)
{
	struct rps_session *session;
	char error[512] = "out of memory";

	pthread_mutex_lock(&sessions->lock);
	session = sessions->idle;
	if (session)
		sessions->idle = session->next_idle;
	pthread_mutex_unlock(&sessions->lock);
	if (session)
		return session;
	session = rps_session_create(sessions, error, sizeof(error));
	if (!session)
		rps_message_complain("%s", error);
	return session;
}

void rps_session_return(struct rps_session *session, int is_quiet)
{
	if (!is_quiet) {
		rps_session_put(session);
		return;
	}
	pthread_mutex_lock(&session->sessions->lock);
	session->next_idle = session->sessions->idle;
	session->sessions->idle = session;
	pthread_mutex_unlock(&session->sessions->lock);
}

void rps_sessions_clear(struct rps_sessions *sessions)
{
	while (sessions->idle) {
		struct rps_session *session = sessions->idle;

		sessions->idle = session->next_idle;
		rps_session_put(session);
	}
}
