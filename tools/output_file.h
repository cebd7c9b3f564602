/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file that a command writes: complete under its name, or not at all; what stood
 * there before stays until then. */
#ifndef RPS_TOOLS_OUTPUT_FILE_H
#define RPS_TOOLS_OUTPUT_FILE_H

#include "profile/model.h"

#include <stdio.h>

/* A format's writer: 0 or -errno. */
typedef int rps_output_writer(const struct rps_profile *profile, FILE *out);

/* Writes `profile` to `path`, replacing what is there; "-" is the standard output. 0 or -errno. */
int rps_output_file_write(const char *path, const struct rps_profile *profile, rps_output_writer *writer);
/* The same, but not flushed to the disk, which takes milliseconds: after a power cut the file may be empty. */
int rps_output_file_write_one_of_many(const char *path, const struct rps_profile *profile, rps_output_writer *writer);

#endif
