/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of formats, and how a file's format is recognised (format.h). */
#include "profile/format.h"

#include "profile/callgrind_read.h"
#include "profile/callgrind_write.h"
#include "profile/folded_read.h"
#include "profile/folded_write.h"
#include "profile/gperftools_read.h"
#include "profile/gzip.h"
#include "profile/input.h"
#include "profile/pprof_read.h"
#include "profile/pprof_write.h"
#include "profile/speedscope_read.h"
#include "profile/speedscope_write.h"
#include "profile/svg_write.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

const struct rps_format rps_formats[] = {
    {"callgrind", "for KCacheGrind and callgrind_annotate", rps_callgrind_write, 0},
    {"pprof", "for go tool pprof, speedscope and others; what .prof files are", rps_pprof_write, 1},
    {"folded", "a line for each call path, for flamegraph.pl and others", rps_folded_write, 0},
    {"speedscope", "JSON for https://www.speedscope.app", rps_speedscope_write, 0},
    {"svg", "a flame graph for any browser; it is written only", rps_svg_write, 0},
};
const size_t rps_n_formats = sizeof(rps_formats) / sizeof(rps_formats[0]);

const struct rps_format *rps_format_find(const char *name)
{
	for (size_t i = 0; i < rps_n_formats; i++)
		if (strcmp(rps_formats[i].name, name) == 0)
			return &rps_formats[i];
	return NULL;
}

int rps_format_write_compressed(const struct rps_format *format, const struct rps_profile *profile, FILE *out)
{
	FILE *compressed = rps_gzip_open(out);
	int error;

	if (compressed == NULL)
		return -ENOMEM;
	error = format->write(profile, compressed);
	errno = 0;
	if (fclose(compressed) != 0 && error == 0)
		error = errno != 0 ? -errno : -EIO;
	return error;
}

/* ---- Reading ------------------------------------------------------------------------------------ */

typedef int reader(struct rps_input *input, struct rps_profile **profile, char *why, size_t why_size);

/* Of a field of pprof's, by number: an embedded message or text (2), or a number (0); lists of numbers are
 * either. And every message of protobuf has small numbers in it, which are control characters. */
static bool is_pprof(const char *bytes, size_t size)
{
	static const char types[] = "?222222000020?0";
	const unsigned int key = size > 0 ? (unsigned char)bytes[0] : 0, number = key >> 3;

	if (number == 0 || number >= sizeof(types) - 1 ||
	    (number != 13 && (key & 7) != (unsigned int)types[number] - '0'))
		return false;
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)bytes[i] < ' ' && strchr("\t\n\v\f\r\033", bytes[i]) == NULL)
			return true;
	return false;
}

static bool is_json(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (strchr(" \t\r\n", bytes[i]) == NULL)
			return bytes[i] == '{';
	return false;
}

static reader *choose_reader(struct rps_input *input)
{
	size_t size;
	const char *bytes = rps_input_peek(input, &size);

	if (is_json(bytes, size))
		return rps_speedscope_read;
	if (rps_gperftools_is(bytes, size))
		return rps_gperftools_read;
	if (!rps_callgrind_is(bytes, size) && is_pprof(bytes, size))
		return rps_pprof_read;
	return rps_folded_is(bytes, size) ? rps_folded_read : rps_callgrind_read;
}

int rps_format_read_stream(FILE *stream, const char *path, struct rps_profile **profile, char *why,
			   size_t why_size)
{
	struct rps_input *input = rps_input_create(stream, path);
	int error;

	if (input == NULL) {
		snprintf(why, why_size, "%s: out of memory", path);
		return -ENOMEM;
	}
	error = choose_reader(input)(input, profile, why, why_size);
	rps_input_destroy(input);
	return error;
}

int rps_format_read(const char *path, struct rps_profile **profile, char *why, size_t why_size)
{
	struct stat status;
	FILE *stream;
	int error;

	if (strcmp(path, "-") == 0)
		return rps_format_read_stream(stdin, "(standard input)", profile, why, why_size);
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
		error = rps_format_read_stream(stream, path, profile, why, why_size);
	}
	fclose(stream);
	return error;
}
