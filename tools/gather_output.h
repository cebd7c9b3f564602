/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the sums of gather_profile_stats go. */
#ifndef RPS_TOOLS_GATHER_OUTPUT_H
#define RPS_TOOLS_GATHER_OUTPUT_H

#include "profile/format.h"
#include "tools/gather.h"

#include <stdbool.h>
#include <stdio.h>

struct rps_gather_output {
	const char *file;      /* one sum into this file, "-" for the standard output; or NULL: */
	const char *directory; /* one file for each group below this directory */
	const struct rps_format *format;
	bool compress;
	bool add_to_existing; /* what is in a sum that is there already is not in the inputs any more */
	const struct rps_inputs *inputs; /* what must not be overwritten */
};

/* Writes the sum of group `i` and flushes it to the disk; *path, malloc'ed, is the file. An aggregate of the
 * same path that is there is replaced, no other file is. 0; or -1 after a message: what was there before is
 * there still. */
int rps_gather_write(const struct rps_gather_output *output, struct rps_gather_group *group, char **path);

#endif
