/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See request_profile.h. Called by request.c, on the connection's thread, after
 * the last byte of the answer. */
#include "server/request_profile.h"

#include "server/message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 4096 /* of a URL in the file */

void rps_request_root_name(const char *method, const struct rps_url *url, char *name, size_t size)
{
	size_t used;

	rps_url_printable(method, strnlen(method, 32), name, size);
	used = strlen(name);
	if (used + 2 >= size)
		return;
	name[used++] = ' ';
	rps_url_printable(url->path, url->decoded_size, name + used, size - used);
}

struct rps_profile *rps_request_root_profile(const char *root_name, uint64_t duration_us)
{
	struct rps_profile *profile = rps_profile_create(root_name);

	if (profile)
		profile->nodes[0].self[0] = duration_us * 1000;
	return profile;
}

enum {
	ALWAYS_THE_SAME = 0,
	VOLATILE = 1 /* not in a profile that is to be the same each time (--no-time) */
};

static int add_number(struct rps_profile *profile, const char *key, uint64_t number, int is_volatile)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return is_volatile ? rps_profile_add_volatile_meta(profile, key, text)
			   : rps_profile_add_meta(profile, key, text);
}

static int add_printable(struct rps_profile *profile, const char *key, const char *text, size_t size)
{
	char value[VALUE_MAX];

	rps_url_printable(text, size, value, sizeof(value));
	return rps_profile_add_meta(profile, key, value);
}

/* "NAME=VALUE" of --meta. */
static int add_own(struct rps_profile *profile, const struct rps_text_list *meta)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < meta->n; i++) {
		char *name = strdup(meta->items[i]), *equals = name ? strchr(name, '=') : NULL;

		if (!equals)
			rc = -ENOMEM;
		else
			*equals = 0;
		if (!rc)
			rc = add_printable(profile, name, equals + 1, strlen(equals + 1));
		free(name);
	}
	return rc;
}

static int add_facts(struct rps_profile *profile, const struct rps_server *server,
		     const struct rps_request_facts *facts)
{
	char id[17], when[64];
	struct tm tm;
	int rc = 0;

	snprintf(id, sizeof(id), "%016" PRIx64, facts->id);
	gmtime_r(&facts->end_s, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (!*profile->command && server->app_command_line)
		rc |= rps_profile_set_command(profile, server->app_command_line);
	rc |= rps_profile_add_volatile_meta(profile, "Id", id);
	rc |= add_printable(profile, "Method", facts->method, strlen(facts->method));
	rc |= add_printable(profile, "URL", facts->url->target, strlen(facts->url->target));
	rc |= add_printable(profile, "Path", facts->url->path, facts->url->decoded_size);
	if (*facts->host)
		rc |= add_printable(profile, "Host", facts->host, strlen(facts->host));
	rc |= add_number(profile, "Status", facts->status, ALWAYS_THE_SAME);
	if (facts->request_bytes > 0)
		rc |= add_number(profile, "Request bytes", (uint64_t)facts->request_bytes, ALWAYS_THE_SAME);
	rc |= add_number(profile, "Answer bytes", facts->body_bytes, ALWAYS_THE_SAME);
	if (facts->broken_off)
		rc |= rps_profile_add_meta(profile, "Answer broken off", facts->broken_off);
	rc |= add_number(profile, "Duration us", facts->duration_us, VOLATILE);
	if (facts->waited_us)
		rc |= add_number(profile, "Waited us", facts->waited_us, VOLATILE);
	rc |= rps_profile_add_volatile_meta(profile, "Time", when);
	rc |= rps_profile_add_meta(profile, "Gateway", facts->kind);
	rc |= rps_profile_add_meta(profile, "Template", server->options->prof_file);
	rc |= add_own(profile, &server->options->meta);
	return rc ? -ENOMEM : 0;
}

int rps_request_profile_write(struct rps_server *server, struct rps_profile *profile,
			      const struct rps_collect_info *info, const struct rps_request_facts *facts,
			      char *name, size_t name_size)
{
	const struct rps_name_values values = {
	    .path = facts->url->path,
	    .path_size = facts->url->decoded_size,
	    .query = facts->url->query,
	    .method = facts->method,
	    .status = facts->status,
	    .pid = info->pid ? info->pid
		   : profile ? profile->pid
			     : 0,
	    .seq = atomic_fetch_add(&server->seq, 1) + 1,
	    .duration_us = facts->duration_us,
	    .time_s = (uint64_t)facts->end_s,
	};
	int rc = profile ? add_facts(profile, server, facts) : -ENOMEM;

	if (!rc)
		rc = rps_store_write(server->store, &values, profile, name, name_size);
	rps_profile_destroy(profile);
	if (!rc) {
		atomic_fetch_add(&server->tally.profiles, 1);
		return 0;
	}
	*name = 0; /* no file has it */
	atomic_fetch_add(&server->tally.lost, 1);
	rps_message_complain("lost the profile of request %016" PRIx64 ": cannot write to %s: %s", facts->id,
			     server->options->prof_path, strerror(-rc));
	return rc;
}

void rps_request_profile_report(struct rps_server *server, const struct rps_collect_info *info, uint64_t id)
{
	char text[512];
	size_t used = 0;

	text[0] = 0;
#define TELL(condition, ...)                                                                                 \
	if ((condition) && used < sizeof(text))                                                              \
	used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", used ? "; " : ""),                  \
	    used +=                                                                                          \
	    used < sizeof(text) ? (size_t)snprintf(text + used, sizeof(text) - used, __VA_ARGS__) : 0
	TELL(info->cut_off, "the application died in the middle");
	TELL(info->not_quiet, "the application was still busy (%s)", info->busy);
	TELL(info->cut_short, "another request had waited too long for its turn");
	TELL(info->lost_calls, "%" PRIu64 " calls were lost", info->lost_calls);
	TELL(info->lost_threads, "%" PRIu64 " threads found no memory to record in", info->lost_threads);
	TELL(info->overflowed, "too many contexts, some were collapsed");
#undef TELL
	if (!used)
		return;
	atomic_fetch_add(&server->tally.not_whole, 1);
	atomic_fetch_add(&server->tally.lost_calls, info->lost_calls);
	rps_message_complain("the profile of request %016" PRIx64 " is not whole: %s", id, text);
}

void rps_request_profile_warn(struct rps_server *server, const struct rps_session *session,
			      const struct rps_collect_info *info, uint32_t status)
{
	struct rps_collector_stats stats;
	int is_request_scope = session && rps_collector_scope(session->collector) == RPS_SCOPE_REQUEST;

	if (!session || info->calls ||
	    (atomic_load(&server->warned_empty) && atomic_load(&server->warned_scope)))
		return;
	rps_collector_get_stats(session->collector, &stats);
	if (!stats.n_processes) {
		if (!atomic_exchange(&server->warned_empty, 1))
			rps_message_complain(
			    "the runtime was not loaded into the application, so the profile "
			    "is empty (a static or setuid program? rebuild it with CC=profcc)");
	} else if (is_request_scope && info->never_entered) {
		/* With an error status the application's libmicrohttpd may have refused it by itself. */
		if (status < 400 && !atomic_exchange(&server->warned_scope, 1))
			rps_message_complain(
			    "the application answered, but no beginning of a request was seen "
			    "in it, so the profile is empty (try --scope=application)");
	} else if (!stats.hooks_seen) {
		if (!atomic_exchange(&server->warned_empty, 1))
			rps_message_complain("a request was answered without one instrumented call, so its "
					     "profile is empty (rebuild the application with CC=profcc "
					     "CXX=profc++)");
	}
}
