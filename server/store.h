/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The directory of profile files: a file appears in it complete or not at all,
 * never in another's place, never outside, readable by its owner only. Any
 * thread. */
#ifndef RPS_SERVER_STORE_H
#define RPS_SERVER_STORE_H

#include "profile/model.h"
#include "profile/name_template.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct rps_store;

/* A format's writer: 0 or -errno. */
typedef int (*rps_store_writer)(const struct rps_profile *profile, FILE *out);

/* Opens `directory` for profiles named by `name_template` (see
 * profile/name_template.h). NULL on error, with one line in `error` that says
 * what is wrong and what to do. */
struct rps_store *rps_store_open(const char *directory, const char *name_template, rps_store_writer writer,
				 char *error, size_t error_size);
void rps_store_close(struct rps_store *store);
/* From now on only the last `keep_n` profiles, and `keep_bytes` of them, are kept (0: no limit), of those
 * written by this store. 0 or -ENOMEM. Before the first is written. */
int rps_store_keep(struct rps_store *store, uint32_t keep_n, uint64_t keep_bytes);
uint64_t rps_store_n_removed(struct rps_store *store);

/* Writes one profile; `name` gets the file's name relative to the directory.
 * 0, or -errno: nothing of the file is left then. */
int rps_store_write(struct rps_store *store, const struct rps_name_values *values,
		    const struct rps_profile *profile, char *name, size_t name_size);

#endif
