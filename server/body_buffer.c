/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See body_buffer.h. Owned by one upstream handle (upstream.c), on the thread
 * of the connection it works for. */
#include "server/body_buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void rps_body_buffer_init(struct rps_body_buffer *buffer)
{
	memset(buffer, 0, sizeof(*buffer));
	buffer->spill_fd = -1;
}

void rps_body_buffer_clear(struct rps_body_buffer *buffer)
{
	buffer->start = buffer->used = 0;
	if (buffer->spill_fd >= 0)
		close(buffer->spill_fd);
	buffer->spill_fd = -1;
	buffer->spill_read = buffer->spill_written = 0;
}

void rps_body_buffer_free(struct rps_body_buffer *buffer)
{
	rps_body_buffer_clear(buffer);
	free(buffer->data);
	buffer->data = NULL;
}

static int open_spill(void)
{
	const char *directory = getenv("TMPDIR");
	char name[] = "/tmp/.rps-body-XXXXXX";
	int fd;

	fd = open(directory && *directory ? directory : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(name);
	return fd;
}

static int spill(struct rps_body_buffer *buffer, const char *data, size_t size)
{
	if (buffer->spill_fd < 0) {
		int fd = open_spill();

		if (fd < 0)
			return fd;
		buffer->spill_fd = fd;
	}
	while (size) {
		ssize_t n = pwrite(buffer->spill_fd, data, size, buffer->spill_written);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buffer->spill_written += n;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

int rps_body_buffer_put(struct rps_body_buffer *buffer, const void *data, size_t size, int may_spill)
{
	int spilled = buffer->spill_read < buffer->spill_written;

	if (!buffer->data) {
		buffer->data = malloc(RPS_BODY_BUFFER_SIZE);
		if (!buffer->data)
			return -ENOMEM;
	}
	if (spilled || size > RPS_BODY_BUFFER_SIZE - buffer->used)
		return may_spill ? spill(buffer, data, size) : -EAGAIN;
	if (size > RPS_BODY_BUFFER_SIZE - buffer->start - buffer->used) {
		memmove(buffer->data, buffer->data + buffer->start, buffer->used);
		buffer->start = 0;
	}
	memcpy(buffer->data + buffer->start + buffer->used, data, size);
	buffer->used += size;
	return 0;
}

ssize_t rps_body_buffer_take(struct rps_body_buffer *buffer, void *out, size_t size)
{
	ssize_t n;

	if (buffer->used) {
		if (size > buffer->used)
			size = buffer->used;
		memcpy(out, buffer->data + buffer->start, size);
		buffer->start += size;
		buffer->used -= size;
		if (!buffer->used)
			buffer->start = 0;
		return (ssize_t)size;
	}
	if (buffer->spill_read >= buffer->spill_written)
		return 0;
	if ((off_t)size > buffer->spill_written - buffer->spill_read)
		size = (size_t)(buffer->spill_written - buffer->spill_read);
	do
		n = pread(buffer->spill_fd, out, size, buffer->spill_read);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n ? -errno : -EIO;
	buffer->spill_read += n;
	return n;
}

size_t rps_body_buffer_room(const struct rps_body_buffer *buffer)
{
	return buffer->spill_read < buffer->spill_written ? 0 : RPS_BODY_BUFFER_SIZE - buffer->used;
}

int rps_body_buffer_is_empty(const struct rps_body_buffer *buffer)
{
	return !buffer->used && buffer->spill_read >= buffer->spill_written;
}
