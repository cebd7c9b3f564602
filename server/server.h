/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What belongs to the running server as a whole. Made by main.c before the
 * front starts; request threads change the counters only. */
#ifndef RPS_SERVER_SERVER_H
#define RPS_SERVER_SERVER_H

#include "server/choice.h"
#include "server/gate.h"
#include "server/gateway.h"
#include "server/options.h"
#include "server/session.h"
#include "server/static_files.h"
#include "server/store.h"
#include "server/tally.h"
#include "server/turn.h"

#include <stdatomic.h>
#include <stdint.h>

struct rps_server {
	const struct rps_options *options;
	struct rps_store *store;
	struct rps_static_files *statics;
	struct rps_sessions sessions;
	const struct rps_gateway *_Atomic gateway; /* may be another after a restart */
	struct rps_gateway_context context;
	struct rps_gate gate;
	struct rps_turn turn;
	struct rps_choice choice;
	char *app_command_line; /* for the profiles' "cmd:" */
	char front_host[300];   /* "127.0.0.1:8000" */
	char front_shown[320];  /* "http://127.0.0.1:8000/" */
	struct rps_tally tally;
	atomic_ullong seq;       /* number of the last profile */
	atomic_uint in_flight;   /* requests */
	atomic_int closing;      /* no further requests on connections that are open */
	atomic_int stopping;     /* waits end at once */
	atomic_int warned_empty; /* told that the application seems not to be instrumented */
	atomic_int warned_scope; /* told that no boundary was seen */
};

#endif
