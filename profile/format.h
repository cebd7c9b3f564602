/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The formats there are: which one a file has, and the writer for a name. Called by tools and the
 * server; any thread. */
#ifndef RPS_PROFILE_FORMAT_H
#define RPS_PROFILE_FORMAT_H

#include "profile/model.h"

#include <stddef.h>
#include <stdio.h>

struct rps_format {
	const char *name; /* "callgrind" */
	const char *summary;
	/* Writes and flushes. 0 or -errno. */
	int (*write)(const struct rps_profile *profile, FILE *out);
	int is_binary; /* nothing for a terminal */
};

extern const struct rps_format rps_formats[];
extern const size_t rps_n_formats;

/* NULL: there is none of this name. */
const struct rps_format *rps_format_find(const char *name);

/* Writes gzip'd what `format` writes. 0 or -errno. */
int rps_format_write_compressed(const struct rps_format *format, const struct rps_profile *profile,
				FILE *out);

/* Reads the profile at `path`, whatever its format, gzip'd or not; "-" is the standard input. 0; or -errno
 * with a message in `why` that begins with the path. */
int rps_format_read(const char *path, struct rps_profile **profile, char *why, size_t why_size);
/* The same from an open stream, which stays open; `path` is for messages. */
int rps_format_read_stream(FILE *stream, const char *path, struct rps_profile **profile, char *why,
			   size_t why_size);

#endif
