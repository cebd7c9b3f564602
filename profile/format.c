/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of formats, and how a file's format is recognised (format.h). */
#include "profile/format.h"

#include "profile/callgrind_read.h"
#include "profile/callgrind_write.h"
#include "profile/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <zlib.h>

const struct rps_format rps_formats[] = {
    {"callgrind", "for KCacheGrind and callgrind_annotate", rps_callgrind_write, 0},
};
const size_t rps_n_formats = sizeof(rps_formats) / sizeof(rps_formats[0]);

const struct rps_format *rps_format_find(const char *name)
{
	for (size_t i = 0; i < rps_n_formats; i++)
		if (strcmp(rps_formats[i].name, name) == 0)
			return &rps_formats[i];
	return NULL;
}

/* ---- Writing compressed ---------------------------------------------------------------- */

struct deflation {
	z_stream stream;
	FILE *out;
	unsigned char buffer[16u << 10];
};

static int deflate_bytes(struct deflation *deflation, const char *bytes, size_t size, int flush)
{
	unsigned char *buffer = deflation->buffer;

	deflation->stream.next_in = (Bytef *)(uintptr_t)bytes;
	deflation->stream.avail_in = (uInt)size;
	do {
		size_t n;

		deflation->stream.next_out = buffer;
		deflation->stream.avail_out = sizeof(deflation->buffer);
		deflate(&deflation->stream, flush);
		n = sizeof(deflation->buffer) - deflation->stream.avail_out;
		if (fwrite(buffer, 1, n, deflation->out) != n)
			return -1;
	} while (deflation->stream.avail_out == 0);
	return 0;
}

static ssize_t deflate_more(void *cookie, const char *bytes, size_t size)
{
	return deflate_bytes(cookie, bytes, size, Z_NO_FLUSH) == 0 ? (ssize_t)size : 0;
}

int rps_format_write_compressed(const struct rps_format *format, const struct rps_profile *profile, FILE *out)
{
	const cookie_io_functions_t functions = {.write = deflate_more};
	struct deflation deflation = {.out = out};
	FILE *plain;
	int error;

	if (deflateInit2(&deflation.stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	errno = 0;
	plain = fopencookie(&deflation, "w", functions);
	error = plain != NULL ? format->write(profile, plain) : -ENOMEM;
	if (plain != NULL && fclose(plain) != 0 && error == 0)
		error = errno != 0 ? -errno : -EIO;
	if (error == 0 && (deflate_bytes(&deflation, "", 0, Z_FINISH) != 0 || fflush(out) != 0))
		error = errno != 0 ? -errno : -EIO;
	deflateEnd(&deflation.stream);
	return error;
}

/* ---- Reading ---------------------------------------------------------------------------- */

static int read_stream(FILE *stream, const char *path, struct rps_profile **profile, char *why,
		       size_t why_size)
{
	struct rps_input *input = rps_input_create(stream, path);
	int error;

	if (input == NULL) {
		snprintf(why, why_size, "%s: out of memory", path);
		return -ENOMEM;
	}
	error = rps_callgrind_read(input, profile, why, why_size);
	rps_input_destroy(input);
	return error;
}

int rps_format_read(const char *path, struct rps_profile **profile, char *why, size_t why_size)
{
	struct stat status;
	FILE *stream;
	int error;

	if (strcmp(path, "-") == 0)
		return read_stream(stdin, "(standard input)", profile, why, why_size);
	stream = fopen(path, "re");
	if (stream == NULL) {
		error = -errno;
		snprintf(why, why_size, "%s: %s", path, strerrordesc_np(-error));
		return error;
	}
	if (fstat(fileno(stream), &status) == 0 && S_ISDIR(status.st_mode)) {
		snprintf(why, why_size, "%s: %s", path, strerrordesc_np(EISDIR));
		error = -EISDIR;
	} else {
		setvbuf(stream, NULL, _IONBF, 0);
		error = read_stream(stream, path, profile, why, why_size);
	}
	fclose(stream);
	return error;
}
