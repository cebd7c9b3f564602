/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why a file can't be read, in one sentence that begins with the place: "cart.prof:41: a number is expected".
 * Filled in by the readers, each for its own file and on its own thread; shown by tools. */
#ifndef RPS_PROFILE_WHY_H
#define RPS_PROFILE_WHY_H

#include "profile/input.h"

#include <stddef.h>
#include <stdint.h>

enum rps_why_place {
	RPS_WHY_FILE, /* "FILE: " */
	RPS_WHY_LINE, /* "FILE:LINE: ", the line that was read last, or `line` */
	RPS_WHY_BYTE, /* "FILE: byte N: ", of what is in the file once it is unpacked */
};

struct rps_why {
	char *text; /* the caller's */
	size_t size_bytes;
	const struct rps_input *input;
	enum rps_why_place place;
	uint64_t byte; /* kept up to date by the reader */
	uint64_t line; /* 0: the last */
};

/* Writes the sentence, cut where it has no room; one that was there before is lost. Returns `error`. */
int rps_why_fail(const struct rps_why *why, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
