/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a callgrind file of ours keeps the rules that make all viewers read it alike: KCacheGrind,
 * callgrind_annotate and speedscope each forgive something else. Readers of ours are more lenient, and the
 * sums are their business; this looks at lines. Called by runprofile validate. */
#ifndef RPS_PROFILE_CALLGRIND_RULES_H
#define RPS_PROFILE_CALLGRIND_RULES_H

#include "profile/input.h"

#include <stddef.h>

/* 0: it does, or is no callgrind file of ours; or, with "FILE:LINE: what is wrong" in `why`, -EBADMSG,
 * -ENOMEM, or the stream's error. */
int rps_callgrind_rules_check(struct rps_input *input, char *why, size_t why_size);

#endif
