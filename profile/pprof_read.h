/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads pprof files: our own, Go's, and those of all that write profile.proto. A file of ours gives the
 * profile that was written. Of others, stacks become a tree: recursion folds, the sample type calls/count
 * counts calls, the others are events; a sample's labels are not kept (the meta "Labels" says which there
 * were).
 *
 * A file that was cut off is an error: gzip'd ones have a checksum; plain ones end with the texts that all
 * else refers to. */
#ifndef RPS_PROFILE_PPROF_READ_H
#define RPS_PROFILE_PPROF_READ_H

#include "profile/input.h"
#include "profile/model.h"

#include <stddef.h>

/* 0 and a profile that passes rps_profile_check; or, with "FILE: byte OFFSET: what is wrong" in `why`:
 * -EBADMSG, -E2BIG, -EFBIG (needs too much memory), -ENOMEM, or the stream's error. */
int rps_pprof_read(struct rps_input *input, struct rps_profile **profile, char *why, size_t why_size);

#endif
