/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes folded stacks, a line for each path and its self cost of the first event:
 *
 *     # RunProfileServer folded stacks, rooted=1 event=Wall_ns total=5300
 *     GET /cart;handle;walk 300
 *
 * what flamegraph.pl, inferno and speedscope read. */
#ifndef RPS_PROFILE_FOLDED_WRITE_H
#define RPS_PROFILE_FOLDED_WRITE_H

#include "profile/model.h"

#include <stdio.h>

#define RPS_FOLDED_TITLE "# RunProfileServer folded stacks, "

/* Writes and flushes. 0 or -errno. */
int rps_folded_write(const struct rps_profile *profile, FILE *out);

#endif
