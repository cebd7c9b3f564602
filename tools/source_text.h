/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A source file, by lines. Its name comes from a profile, so it may be anything: only regular files are read,
 * and not without end. */
#ifndef RPS_TOOLS_SOURCE_TEXT_H
#define RPS_TOOLS_SOURCE_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define RPS_SOURCE_SIZE_MAX (64u << 20)

struct rps_source_text {
	char *path; /* where it was found */
	char *text; /* NULs in place of newlines */
	char **lines;
	uint32_t n_lines;
	time_t modified_s;
};

/* Looks for `file` under its name, then below each of `directories` with fewer and fewer of its first
 * components. 0; -ENOENT (also for what is no regular file), -EFBIG, -ENOMEM, or another error of reading. */
int rps_source_text_read(struct rps_source_text *source, const char *file, const char *const *directories,
			 uint32_t n_directories);
void rps_source_text_clear(struct rps_source_text *source);

/* Line `number`, from 1, with tabs as spaces; malloc'ed. NULL: there is none, or out of memory. */
char *rps_source_text_line(const struct rps_source_text *source, uint32_t number);

#endif
