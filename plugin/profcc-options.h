/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The options of profcc's own: taken out of the command line before GCC sees it. */
#ifndef PROFCC_OPTIONS_H
#define PROFCC_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* For the plugin: letters, digits, '_', '%' and '.' only; choice.cc reads it. */
#define PROFCC_ARGUMENT_SIZE 65536

struct profcc_options {
	char argument[PROFCC_ARGUMENT_SIZE];
	size_t size;
	char need_plugin[256]; /* those given that mean nothing without one: "--profcc-only, --profcc-explain"
				*/
	bool explain;
};

/* Is it the value of the argument before it, as in "-o FILE"? */
bool profcc_takes_next(const char *arg);

/* Takes our options out of argv, which becomes shorter, and reads those in `flags` (may be NULL), words as a
 * shell writes them. Returns NULL, or what is wrong, without newline, in static storage. */
const char *profcc_options_read(struct profcc_options *options, int *argc, char **argv, const char *flags);

#endif
