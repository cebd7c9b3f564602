/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pprof file as the sequence of fields it is, each decoded by itself: so memory does not grow with the
 * file, whatever is in it, and what is wrong has a place. Called by pprof_read.c; one owner at a time. */
#ifndef RPS_PROFILE_PPROF_FIELDS_H
#define RPS_PROFILE_PPROF_FIELDS_H

#include "profile/pprof.pb-c.h"

#include <stddef.h>
#include <stdint.h>

struct rps_pprof_fields {
	const uint8_t *bytes;
	size_t size, at;
	size_t offset;   /* of the field that rps_pprof_fields_next read */
	const char *why; /* after an error */
	/* Private: what the decoder allocates, given back with the next field. */
	struct rps_pprof_block *blocks;
	size_t allocated;
};

/* The next field of the message, as a Profile in which only it is set; valid until the next call. Those
 * whose number is not in `wanted` (bit 1 << number; the ones beyond 63 are bit 0) are skipped. 1; 0 at the
 * end; -EBADMSG or -E2BIG with a sentence in `why`. */
int rps_pprof_fields_next(struct rps_pprof_fields *fields, uint64_t wanted,
			  const Rps__Pprof__Profile **piece);

/* Back to the first one; also frees everything. */
void rps_pprof_fields_rewind(struct rps_pprof_fields *fields);

#endif
