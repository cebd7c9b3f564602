/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of the requests that the application marks itself (runprofile.h, --request). Called by the collector,
 * in its thread. */
#ifndef RPS_SERVER_OWN_PROFILE_H
#define RPS_SERVER_OWN_PROFILE_H

#include "server/server.h"

/* Names and writes the file, and logs it as if it were a request of the method CALL; frees `profile`. */
void rps_own_profile_write(struct rps_server *server, struct rps_profile *profile,
			   const struct rps_collect_info *info, const struct rps_own_request *request);

#endif
