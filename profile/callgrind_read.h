/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads callgrind files: our own, valgrind's (also Cachegrind's), Xdebug's, and those of KCacheGrind's
 * converters. Every form of names (compressed or not), positions (lines, addresses, relative), several parts
 * and threads (summed up), several events, calls; jumps are skipped. The result is a flat profile (model.h).
 *
 * A file that was cut off is an error, not a smaller sum. How that is known, per part of the file:
 *
 *   our own, valgrind's  `totals:` must stand behind the last cost, and be the sum of all self costs
 *   Xdebug's             a `summary:` and an empty last line (its numbers are rounded and may be negative, so
 *                        they can't be compared)
 *   any other creator's  `totals:`, or else `summary:`, is compared with the sum; if there is neither, nobody
 *                        can tell, and the profile gets the meta "Unverified"
 *   gzip'd               the compressed stream has its own checksum
 *
 * What is cut off between two complete parts of one file can't be noticed.
 * Files need at most RPS_EVENTS_MAX events. */
#ifndef RPS_PROFILE_CALLGRIND_READ_H
#define RPS_PROFILE_CALLGRIND_READ_H

#include "profile/input.h"
#include "profile/model.h"

#include <stdbool.h>
#include <stddef.h>

/* 0 and a profile that passes rps_profile_check; or, with "FILE:LINE: what is wrong" in `why`: -EBADMSG,
 * -E2BIG (needs too much memory), -ENOMEM, or the stream's error. */
int rps_callgrind_read(struct rps_input *input, struct rps_profile **profile, char *why, size_t why_size);

/* Whether a text that begins so is a callgrind file by its first word: "# callgrind", "version:", "fn=". */
bool rps_callgrind_is(const char *bytes, size_t size);

#endif
