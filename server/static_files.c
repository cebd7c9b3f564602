/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See static_files.h. Called by request_static.c, on the connection's thread. */
#include "server/static_files.h"

#include "server/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

struct mount {
	const char *url;
	size_t url_size;
	int fd;
};

struct rps_static_files {
	int follow_links;
	size_t n_mounts;
	struct mount mounts[];
};

struct rps_static_files *rps_static_files_open(const struct rps_static_mount *mounts, size_t n_mounts,
					       int follow_links, char *error, size_t error_size)
{
	struct rps_static_files *files = calloc(1, sizeof(*files) + n_mounts * sizeof(struct mount));

	if (!files) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	files->follow_links = follow_links;
	for (size_t i = 0; i < n_mounts; i++) {
		int fd = open(mounts[i].directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0) {
			snprintf(error, error_size, "cannot open %s: %s (--static=URL=DIR takes a directory)",
				 mounts[i].directory, strerror(errno));
			rps_static_files_close(files);
			return NULL;
		}
		files->mounts[i].url = mounts[i].url;
		files->mounts[i].url_size = strlen(mounts[i].url);
		files->mounts[i].fd = fd;
		files->n_mounts++;
	}
	return files;
}

void rps_static_files_close(struct rps_static_files *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < files->n_mounts; i++)
		close(files->mounts[i].fd);
	free(files);
}

int rps_static_files_match(const struct rps_static_files *files, const struct rps_url *url, const char **rest,
			   size_t *rest_size)
{
	int best = -1;

	for (size_t i = 0; i < files->n_mounts; i++) {
		const struct mount *mount = &files->mounts[i];

		if (url->path_size < mount->url_size || memcmp(url->target, mount->url, mount->url_size) ||
		    (url->path_size > mount->url_size && url->target[mount->url_size] != '/'))
			continue;
		if (best < 0 || mount->url_size >= files->mounts[best].url_size)
			best = (int)i;
	}
	if (best >= 0) {
		*rest = url->target + files->mounts[best].url_size;
		*rest_size = url->path_size - files->mounts[best].url_size;
	}
	return best;
}

/* Decodes `rest` into a relative path without empty components. A component
 * that is "." or "..", or holds a slash or NUL once decoded, names nothing. */
static int decode_path(const char *rest, size_t rest_size, char *path, size_t size)
{
	size_t used = 0;

	while (rest_size) {
		const char *slash = memchr(rest, '/', rest_size);
		size_t component = slash ? (size_t)(slash - rest) : rest_size, decoded;
		char *start;

		if (component) {
			if (used + component + 2 > size)
				return -ENAMETOOLONG;
			if (used)
				path[used++] = '/';
			start = path + used;
			decoded = rps_url_decode(rest, component, start);
			if (memchr(start, 0, decoded) || memchr(start, '/', decoded) || !strcmp(start, ".") ||
			    !strcmp(start, ".."))
				return -ENOENT;
			used += decoded;
		}
		rest += component + (slash != NULL);
		rest_size -= component + (slash != NULL);
	}
	path[used] = 0;
	return 0;
}

const char *rps_static_files_type(const char *name)
{
	static const struct {
		const char *ending, *type;
	} types[] = {
#define RPS_CONTENT_TYPE(ending, type) {ending, type},
#include "server/content_types.def"
#undef RPS_CONTENT_TYPE
	};
	const char *slash = strrchr(name, '/'), *dot = strrchr(slash ? slash : name, '.');

	for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcasecmp(dot + 1, types[i].ending))
			return types[i].type;
	return "application/octet-stream";
}

int rps_static_files_get(const struct rps_static_files *files, int mount, const char *rest, size_t rest_size,
			 struct rps_static_file *file)
{
	int has_slash = rest_size && rest[rest_size - 1] == '/', fd, rc;
	char path[PATH_MAX];
	struct stat st;

	rc = decode_path(rest, rest_size, path, sizeof(path) - sizeof("/index.html"));
	if (rc)
		return rc;
	fd = rps_open_beneath(files->mounts[mount].fd, path, O_RDONLY, files->follow_links);
	if (fd < 0)
		return fd;
	rc = fstat(fd, &st) ? -errno : 0;
	if (!rc && S_ISDIR(st.st_mode)) {
		if (!has_slash) {
			rc = -EISDIR;
			goto out;
		}
		close(fd);
		strcat(path, *path ? "/index.html" : "index.html");
		fd = rps_open_beneath(files->mounts[mount].fd, path, O_RDONLY, files->follow_links);
		if (fd < 0)
			return fd;
		rc = fstat(fd, &st) ? -errno : 0;
	} else if (!rc && has_slash) {
		rc = -ENOENT;
	}
	if (!rc && !S_ISREG(st.st_mode))
		rc = -ENOENT;
out:
	if (rc) {
		close(fd);
		return rc;
	}
	file->fd = fd;
	file->size_bytes = st.st_size;
	file->modified_s = st.st_mtime;
	file->modified_ns = st.st_mtim.tv_nsec;
	file->type = rps_static_files_type(path);
	return 0;
}
