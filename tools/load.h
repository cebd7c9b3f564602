/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads the profiles a command was given, files and directories, on all processors. */
#ifndef RPS_TOOLS_LOAD_H
#define RPS_TOOLS_LOAD_H

#include "profile/model.h"

#include <stdbool.h>
#include <stdint.h>

/* Takes one profile, which stays the loader's; called from several threads, but never twice at once, in any
 * order. 0, or -errno, which ends the loading. */
typedef int rps_load_taker(void *cls, const char *path, const struct rps_profile *profile);

enum rps_load_sums {
	RPS_LOAD_SUMS,        /* all there is */
	RPS_LOAD_WITHOUT_SUMS /* of directories, the sums of others only if there is nothing else */
};

/* Hands over each profile of `paths`. What
 * can't be read is named on stderr, and left out. 0: all were read; 1: some were not, or there are none (with
 * a message); 2: out of memory, or the taker's error (with a message). *n_read: how many were handed over. */
int rps_load_each(char *const *paths, int n_paths, enum rps_load_sums sums, rps_load_taker *take, void *cls,
		  uint64_t *n_read);

/* All of `paths` as one: the profile itself if there is only one, else the sum. *profile NULL: there is none,
 * and the status is not 0. Status as above. */
int rps_load_sum(char *const *paths, int n_paths, struct rps_profile **profile);

#endif
