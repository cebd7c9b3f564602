/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See output_file.h. Written under a dot name beside its place, flushed to the disk, then renamed. */
#include "tools/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* In the same folder, malloc'ed. Not derived from the name, which may be as long as the file system allows. */
static char *temporary_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *result;

	if (asprintf(&result, "%.*s.runprofile-XXXXXX", slash != NULL ? (int)(slash + 1 - path) : 0, path) < 0)
		return NULL;
	return result;
}

static int write_and_close(int fd, const struct rps_profile *profile, rps_output_writer *writer, int is_flushed)
{
	FILE *out = fdopen(fd, "w");
	int error;

	if (out == NULL) {
		error = -errno;
		close(fd);
		return error;
	}
	error = writer(profile, out);
	if (error == 0 && is_flushed && fsync(fd) != 0 && errno != EINVAL)
		error = -errno;
	if (fclose(out) != 0 && error == 0)
		error = -errno;
	return error;
}

/* A device or a pipe can't be replaced, and must not: /dev/null is everybody's. -1: it is none, or not there. */
static int open_special(const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))
		return -1;
	return open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
}

static int write_file(const char *path, const struct rps_profile *profile, rps_output_writer *writer, int is_flushed)
{
	char *temporary;
	int fd, error;

	if (strcmp(path, "-") == 0)
		return writer(profile, stdout);
	fd = open_special(path);
	if (fd >= 0)
		return write_and_close(fd, profile, writer, 0);
	temporary = temporary_path(path);
	if (temporary == NULL)
		return -ENOMEM;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		error = -errno;
		free(temporary);
		return error;
	}
	error = write_and_close(fd, profile, writer, is_flushed);
	if (error == 0 && rename(temporary, path) != 0)
		error = -errno;
	if (error != 0)
		unlink(temporary);
	free(temporary);
	return error;
}

int rps_output_file_write(const char *path, const struct rps_profile *profile, rps_output_writer *writer)
{
	return write_file(path, profile, writer, 1);
}

int rps_output_file_write_one_of_many(const char *path, const struct rps_profile *profile, rps_output_writer *writer)
{
	return write_file(path, profile, writer, 0);
}
