/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --keep and --keep-bytes: removes the oldest profiles of this run when there
 * are too many. Only a file that is still the one that was written: whatever has
 * taken its place is somebody else's. Any thread. */
#ifndef RPS_SERVER_RETENTION_H
#define RPS_SERVER_RETENTION_H

#include <stdint.h>
#include <sys/stat.h>

struct rps_retention;

/* 0 stands for no limit. NULL when out of memory. */
struct rps_retention *rps_retention_create(int directory_fd, uint32_t keep_n, uint64_t keep_bytes);
void rps_retention_destroy(struct rps_retention *retention);

/* The file `name` (relative to the directory), with the `st` it had when it was complete, has appeared. */
void rps_retention_add(struct rps_retention *retention, const char *name, const struct stat *st);

uint64_t rps_retention_n_removed(struct rps_retention *retention);

#endif
