/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes a profile in pprof's format, gzip'd: what `go tool pprof`, speedscope and pprof's other friends
 * read. It is the format of .prof files unless KCacheGrind's is asked for. */
#ifndef RPS_PROFILE_PPROF_WRITE_H
#define RPS_PROFILE_PPROF_WRITE_H

#include "profile/model.h"

#include <stdio.h>

/* Writes and flushes. 0; -ENOMEM; -EOVERFLOW (a number beyond 63 bits, which the format can't hold); or
 * the stream's error. */
int rps_pprof_write(const struct rps_profile *profile, FILE *out);

#endif
