/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads the CPU profiles that gperftools' libprofiler writes (CPUPROFILE=FILE): words of 64 bits, counts and
 * addresses, then the memory map. There are no names in it; functions are called by object and offset,
 * "libc.so.6+0x8a1f0". (go tool pprof -proto PROGRAM FILE makes a pprof file with names of it.) */
#ifndef RPS_PROFILE_GPERFTOOLS_READ_H
#define RPS_PROFILE_GPERFTOOLS_READ_H

#include "profile/input.h"
#include "profile/model.h"

#include <stdbool.h>
#include <stddef.h>

/* 0 and a profile that passes rps_profile_check; or, with "FILE: byte OFFSET: what is wrong" in `why`:
 * -EBADMSG, -E2BIG, -EFBIG, -ENOMEM, or the stream's error. */
int rps_gperftools_read(struct rps_input *input, struct rps_profile **profile, char *why, size_t why_size);

/* Whether a file that begins so is one. */
bool rps_gperftools_is(const char *bytes, size_t size);

#endif
