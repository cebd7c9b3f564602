/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The end of a request's way: its profile gets the facts that only the front
 * knows, a name, and a file. Any thread. */
#ifndef RPS_SERVER_REQUEST_PROFILE_H
#define RPS_SERVER_REQUEST_PROFILE_H

#include "server/server.h"
#include "server/url.h"

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct rps_request_facts {
	uint64_t id;
	const char *method;
	const struct rps_url *url;
	const char *host; /* as the client named it, "" if it did not */
	uint32_t status;
	uint64_t duration_us;
	uint64_t waited_us; /* of the duration: for other requests to end (whole-application scope) */
	time_t end_s;
	int64_t request_bytes;  /* of its body; -1: it came in chunks */
	uint64_t body_bytes;    /* of the answer, sent */
	const char *broken_off; /* why the answer is not complete, NULL if it is */
	const char *kind;       /* gateway's name, or "static" */
};

/* "GET /cart": what the root of the profile is called. */
#define RPS_ROOT_NAME_MAX 512
void rps_request_root_name(const char *method, const struct rps_url *url, char *name, size_t size);

/* A profile of nothing but its root: what the front did itself. NULL when out of memory. */
struct rps_profile *rps_request_root_profile(const char *root_name, uint64_t duration_us);

/* Adds the facts and writes the file; frees `profile`. 0, or -errno, which has
 * been told and counted then. `name` gets the file's name, "" if it is lost. */
int rps_request_profile_write(struct rps_server *server, struct rps_profile *profile,
			      const struct rps_collect_info *info, const struct rps_request_facts *facts,
			      char *name, size_t name_size);

/* Tells and counts what the request's profile lacks: its file says the same in its desc: lines. */
void rps_request_profile_report(struct rps_server *server, const struct rps_collect_info *info, uint64_t id);

/* Tells, once, what a request's profile says about how the application was
 * built or chosen: no runtime, no hooks, no boundaries. */
void rps_request_profile_warn(struct rps_server *server, const struct rps_session *session,
			      const struct rps_collect_info *info, uint32_t status);

#endif
