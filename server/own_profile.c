/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See own_profile.h. */
#include "server/own_profile.h"

#include "server/access_log.h"
#include "server/request_profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void rps_own_profile_write(struct rps_server *server, struct rps_profile *profile,
			   const struct rps_collect_info *info, const struct rps_own_request *request)
{
	char target[1024], name[4096] = "";
	struct rps_url url = {.target = target, .path = target, .query = ""};
	const struct rps_request_facts facts = {
	    .id = request->id,
	    .method = "CALL",
	    .url = &url,
	    .host = "",
	    .duration_us = request->duration_us,
	    .end_s = time(NULL),
	    .kind = "own",
	};
	const struct rps_access_entry entry = {
	    .time_s = facts.end_s,
	    .duration_us = facts.duration_us,
	    .client = "-",
	    .method = facts.method,
	    .target = target,
	    .version = "-",
	    .profile = name,
	    .id = request->id,
	};

	rps_url_printable(request->name, strlen(request->name), target, sizeof(target));
	url.path_size = url.decoded_size = strlen(target);
	rps_request_profile_write(server, profile, info, &facts, name, sizeof(name));
	rps_request_profile_report(server, info, request->id);
	if (*name)
		atomic_fetch_add(&server->tally.own, 1);
	if (server->options->verbose && *name)
		rps_access_log_write(server->options->log, 1, &entry);
}
