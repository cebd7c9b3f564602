/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes a profile in the callgrind format (version 1), for KCacheGrind,
 * callgrind_annotate and speedscope. The order of everything is determined by
 * the profile's contents alone: equal profiles give equal bytes. */
#ifndef RPS_PROFILE_CALLGRIND_WRITE_H
#define RPS_PROFILE_CALLGRIND_WRITE_H

#include "profile/model.h"

#include <stdio.h>

/* Writes a profile that passes rps_profile_check to `out` and flushes it. 0, -ENOMEM, or the stream's error
 * (-ENOSPC, -EIO ...). */
int rps_callgrind_write(const struct rps_profile *profile, FILE *out);

#endif
