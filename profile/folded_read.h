/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads folded stacks, "a;b;c 12" a line, as flamegraph.pl's friends write them; lines that begin with # are
 * comments. Ours say the sum in their first line, so a missing part is noticed; of others nobody can tell,
 * and the profile gets the meta "Unverified". */
#ifndef RPS_PROFILE_FOLDED_READ_H
#define RPS_PROFILE_FOLDED_READ_H

#include "profile/input.h"
#include "profile/model.h"

#include <stdbool.h>
#include <stddef.h>

/* 0 and a profile that passes rps_profile_check; or, with "FILE:LINE: what is wrong" in `why`: -EBADMSG,
 * -E2BIG, -ENOMEM, or the stream's error. */
int rps_folded_read(struct rps_input *input, struct rps_profile **profile, char *why, size_t why_size);

/* Whether a text that begins so looks like folded stacks, rather than like a callgrind file. */
bool rps_folded_is(const char *bytes, size_t size);

#endif
