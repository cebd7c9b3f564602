/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See gzip.h. Called by pprof_write.c and format.c, on the thread that writes the file. */
#include "profile/gzip.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include <zlib.h>

struct deflation {
	z_stream stream;
	FILE *out;
	unsigned char buffer[16u << 10];
};

static int deflate_bytes(struct deflation *deflation, const char *bytes, size_t size, int flush)
{
	deflation->stream.next_in = (Bytef *)(uintptr_t)bytes;
	deflation->stream.avail_in = (uInt)size;
	do {
		size_t n;

		deflation->stream.next_out = deflation->buffer;
		deflation->stream.avail_out = sizeof(deflation->buffer);
		deflate(&deflation->stream, flush);
		n = sizeof(deflation->buffer) - deflation->stream.avail_out;
		if (fwrite(deflation->buffer, 1, n, deflation->out) != n)
			return -1;
	} while (deflation->stream.avail_out == 0);
	return 0;
}

static ssize_t deflate_more(void *cookie, const char *bytes, size_t size)
{
	return deflate_bytes(cookie, bytes, size, Z_NO_FLUSH) == 0 ? (ssize_t)size : 0;
}

static int finish(void *cookie)
{
	struct deflation *deflation = cookie;
	int result = deflate_bytes(deflation, "", 0, Z_FINISH);

	if (result == 0 && fflush(deflation->out) != 0)
		result = EOF;
	deflateEnd(&deflation->stream);
	free(deflation);
	return result;
}

FILE *rps_gzip_open(FILE *out)
{
	const cookie_io_functions_t functions = {.write = deflate_more, .close = finish};
	struct deflation *deflation = calloc(1, sizeof(*deflation));
	FILE *stream;

	if (deflation == NULL)
		return NULL;
	deflation->out = out;
	if (deflateInit2(&deflation->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK) {
		free(deflation);
		return NULL;
	}
	stream = fopencookie(deflation, "w", functions);
	if (stream == NULL) {
		deflateEnd(&deflation->stream);
		free(deflation);
	}
	return stream;
}
