/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes speedscope's own JSON: one of its profiles for each event, and one for the counts of calls. */
#ifndef RPS_PROFILE_SPEEDSCOPE_WRITE_H
#define RPS_PROFILE_SPEEDSCOPE_WRITE_H

#include "profile/model.h"

#include <stdio.h>

#define RPS_SPEEDSCOPE_SCHEMA "https://www.speedscope.app/file-format-schema.json"

/* Writes and flushes. 0 or -errno. */
int rps_speedscope_write(const struct rps_profile *profile, FILE *out);

#endif
