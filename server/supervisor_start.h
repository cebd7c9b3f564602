/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One start of the application: from its file to the moment it takes requests.
 * Main thread. */
#ifndef RPS_SERVER_SUPERVISOR_START_H
#define RPS_SERVER_SUPERVISOR_START_H

#include "server/supervisor.h"

#include <stddef.h>

/* Starts it with a session of its own and waits until it takes requests. 0; 1 when a signal said to end
 * meanwhile; -ENOEXEC with a sentence in `why`, it did not come to run; or -errno with the rest of a sentence
 * that begins with its name: nothing of it is left then. */
int rps_supervisor_start_app(struct rps_supervisor *supervisor, char *why, size_t why_size);

#endif
