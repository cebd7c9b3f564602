/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads speedscope's own JSON, "sampled" and "evented" profiles, of whatever exporter. In a file of ours each
 * of its profiles is an event, or the counts; in others', those of one unit are added up (they are threads),
 * times become nanoseconds, and what an evented profile opens is a call. */
#ifndef RPS_PROFILE_SPEEDSCOPE_READ_H
#define RPS_PROFILE_SPEEDSCOPE_READ_H

#include "profile/input.h"
#include "profile/model.h"

#include <stddef.h>

/* 0 and a profile that passes rps_profile_check; or, with "FILE: byte OFFSET: what is wrong" in `why`:
 * -EBADMSG, -E2BIG, -ENOMEM, or the stream's error. */
int rps_speedscope_read(struct rps_input *input, struct rps_profile **profile, char *why, size_t why_size);

#endif
