/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds and reads source files (source_text.h). Called by runprofile annotate. */
#include "tools/source_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAB_WIDTH 8u

/* A descriptor, or -errno. */
static int open_regular(const char *path, struct stat *status)
{
	/* A pipe would wait for its writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	if (fstat(fd, status) == 0 && S_ISREG(status->st_mode))
		return fd;
	close(fd);
	return -ENOENT;
}

static int find(struct rps_source_text *source, const char *file, const char *const *directories,
		uint32_t n_directories, struct stat *status)
{
	int fd = open_regular(file, status);

	if (fd >= 0) {
		source->path = strdup(file);
		return fd;
	}
	for (uint32_t i = 0; i < n_directories; i++)
		for (const char *tail = file + strspn(file, "/"); tail != NULL && *tail != '\0';) {
			const char *slash = strchr(tail, '/');
			char *path;

			if (asprintf(&path, "%s/%s", directories[i], tail) < 0)
				return -ENOMEM;
			fd = open_regular(path, status);
			if (fd >= 0) {
				source->path = path;
				return fd;
			}
			free(path);
			tail = slash != NULL ? slash + strspn(slash, "/") : NULL;
		}
	return -ENOENT;
}

static int read_all(int fd, char **text, size_t size)
{
	size_t n = 0;

	*text = malloc(size + 1);
	if (*text == NULL)
		return -ENOMEM;
	while (n < size) {
		ssize_t got = read(fd, *text + n, size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	/* What has NULs is no source; its lines must not end there, or they would be counted wrong. */
	for (size_t i = 0; i < n; i++)
		if ((*text)[i] == '\0')
			(*text)[i] = ' ';
	(*text)[n] = '\0';
	return 0;
}

static int split(struct rps_source_text *source)
{
	uint32_t n = 1;

	for (const char *at = source->text; (at = strchr(at, '\n')) != NULL; at++)
		n++;
	source->lines = calloc(n, sizeof(*source->lines));
	if (source->lines == NULL)
		return -ENOMEM;
	for (char *at = source->text; at != NULL && *at != '\0';) {
		char *newline = strchr(at, '\n');

		source->lines[source->n_lines++] = at;
		if (newline != NULL)
			*newline++ = '\0';
		at = newline;
	}
	return 0;
}

int rps_source_text_read(struct rps_source_text *source, const char *file, const char *const *directories,
			 uint32_t n_directories)
{
	struct stat status;
	int fd, error = 0;

	*source = (struct rps_source_text){0};
	fd = find(source, file, directories, n_directories, &status);
	if (fd < 0)
		return fd;
	source->modified_s = status.st_mtime;
	if (source->path == NULL)
		error = -ENOMEM;
	if (error == 0 && status.st_size > RPS_SOURCE_SIZE_MAX)
		error = -EFBIG;
	if (error == 0)
		error = read_all(fd, &source->text, (size_t)status.st_size);
	if (error == 0)
		error = split(source);
	close(fd);
	if (error != 0)
		rps_source_text_clear(source);
	return error;
}

void rps_source_text_clear(struct rps_source_text *source)
{
	free(source->path);
	free(source->text);
	free(source->lines);
	*source = (struct rps_source_text){0};
}

char *rps_source_text_line(const struct rps_source_text *source, uint32_t number)
{
	const char *line = number > 0 && number <= source->n_lines ? source->lines[number - 1] : NULL;
	size_t column = 0, n_tabs = 0;
	char *text, *to;

	if (line == NULL)
		return NULL;
	for (const char *at = line; *at != '\0'; at++)
		n_tabs += *at == '\t';
	text = calloc(1, strlen(line) + n_tabs * TAB_WIDTH + 1);
	if (text == NULL)
		return NULL;
	to = text;
	for (; *line != '\0' && *line != '\r'; line++) {
		if (*line != '\t') {
			*to++ = *line;
			column++;
			continue;
		}
		do
			*to++ = ' ';
		while (++column % TAB_WIDTH != 0);
	}
	*to = '\0';
	return text;
}
