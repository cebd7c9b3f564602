/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which requests are profiled: --only, --skip, --trigger, --every, and the
 * switch that SIGUSR1 turns. Any thread. */
#ifndef RPS_SERVER_CHOICE_H
#define RPS_SERVER_CHOICE_H

#include "server/http_head.h"
#include "server/options.h"

#include <stdatomic.h>

struct rps_choice {
	atomic_int is_off;       /* turned by SIGUSR1 */
	atomic_ullong n_matched; /* for --every */
};

/* Takes the secret's header, query parameter and cookie (all called X-Profile) out of the request, so that
 * the application, the log and the profile never see it. `*target` is reallocated when it changes. 1: the
 * right secret was among them; 0; -ENOMEM. */
int rps_choice_take_trigger(const struct rps_options *options, struct rps_header_list *headers,
			    char **target);

/* Is the request with this decoded path to be profiled? `triggered`: as above. Counts for --every, so ask
 * once. */
int rps_choice_profiles(struct rps_choice *choice, const struct rps_options *options, const char *path,
			int triggered);

#endif
