/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the application has answered and the client has not taken yet: a
 * bounded piece of memory. Only while the client is still sending its own body
 * (and so can't be given any of the answer) may more be put in: that goes to a
 * file without a name. An application that answers as it reads would otherwise
 * wait for us, and we for it. One thread at a time. */
#ifndef RPS_SERVER_BODY_BUFFER_H
#define RPS_SERVER_BODY_BUFFER_H

#include <stddef.h>
#include <sys/types.h>

#define RPS_BODY_BUFFER_SIZE ((size_t)128 * 1024)

struct rps_body_buffer {
	char *data; /* RPS_BODY_BUFFER_SIZE bytes, allocated when first needed */
	size_t start, used;
	int spill_fd; /* -1: none yet */
	off_t spill_read, spill_written;
};

void rps_body_buffer_init(struct rps_body_buffer *buffer);
void rps_body_buffer_clear(struct rps_body_buffer *buffer); /* empties it, keeps the memory */
void rps_body_buffer_free(struct rps_body_buffer *buffer);

/* Appends all of `data` or nothing. 0; -EAGAIN when it is full (and may not
 * spill); -ENOMEM, or the error of the file. */
int rps_body_buffer_put(struct rps_body_buffer *buffer, const void *data, size_t size, int may_spill);

/* Takes up to `size` bytes from the front: their number, 0 when it is empty, or -errno. */
ssize_t rps_body_buffer_take(struct rps_body_buffer *buffer, void *out, size_t size);

/* How much fits without a file. 0 as long as there is something in the file. */
size_t rps_body_buffer_room(const struct rps_body_buffer *buffer);

/* Nothing in it at all. */
int rps_body_buffer_is_empty(const struct rps_body_buffer *buffer);

#endif
