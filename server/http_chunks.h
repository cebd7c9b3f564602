/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Takes a body in HTTP's chunks apart, in pieces of any size. Zeroed to begin
 * with. */
#ifndef RPS_SERVER_HTTP_CHUNKS_H
#define RPS_SERVER_HTTP_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

struct rps_http_chunks {
	int state;
	uint64_t left; /* of the chunk */
	unsigned n_digits;
};

/* Takes the chunks' marks out of `data`, in place. Returns how many bytes of body are left at its start, or
 * -EPROTO; *is_complete when the last chunk and its trailer have been read. */
long rps_http_chunks_decode(struct rps_http_chunks *chunks, char *data, size_t size, int *is_complete);

#endif
