/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See retention.h. Called by store.c. */
#include "server/retention.h"

#include "server/beneath.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

struct file {
	char *name;
	dev_t device;
	ino_t inode;
	off_t size_bytes;
	struct timespec modified;
	struct file *next, *prev;
};

struct rps_retention {
	int directory_fd;
	uint32_t keep_n;
	uint64_t keep_bytes;
	pthread_mutex_t lock;
	struct file *files; /* the oldest first */
	uint32_t n_files;
	uint64_t n_bytes;
	uint64_t n_removed;
};

struct rps_retention *rps_retention_create(int directory_fd, uint32_t keep_n, uint64_t keep_bytes)
{
	struct rps_retention *retention = calloc(1, sizeof(*retention));

	if (!retention)
		return NULL;
	retention->directory_fd = directory_fd;
	retention->keep_n = keep_n;
	retention->keep_bytes = keep_bytes;
	pthread_mutex_init(&retention->lock, NULL);
	return retention;
}

static void free_file(struct file *file)
{
	free(file->name);
	free(file);
}

void rps_retention_destroy(struct rps_retention *retention)
{
	struct file *file, *next;

	if (!retention)
		return;
	DL_FOREACH_SAFE (retention->files, file, next)
		free_file(file);
	pthread_mutex_destroy(&retention->lock);
	free(retention);
}

static int is_same(const struct file *file, const struct stat *st)
{
	return S_ISREG(st->st_mode) && file->device == st->st_dev && file->inode == st->st_ino &&
	       file->size_bytes == st->st_size && file->modified.tv_sec == st->st_mtim.tv_sec &&
	       file->modified.tv_nsec == st->st_mtim.tv_nsec;
}

/* 1 if it was removed. */
static int remove_file(const struct rps_retention *retention, const struct file *file)
{
	const char *slash = strrchr(file->name, '/'), *base = slash ? slash + 1 : file->name;
	char directory[PATH_MAX] = "";
	struct stat st;
	int fd, removed;

	if (slash && (size_t)(slash - file->name) < sizeof(directory))
		memcpy(directory, file->name, (size_t)(slash - file->name));
	fd = rps_open_beneath(retention->directory_fd, directory, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return 0;
	removed =
	    !fstatat(fd, base, &st, AT_SYMLINK_NOFOLLOW) && is_same(file, &st) && !unlinkat(fd, base, 0);
	close(fd);
	return removed;
}

static int is_too_much(const struct rps_retention *retention)
{
	return (retention->keep_n && retention->n_files > retention->keep_n) ||
	       (retention->keep_bytes && retention->n_bytes > retention->keep_bytes &&
		retention->n_files > 1);
}

void rps_retention_add(struct rps_retention *retention, const char *name, const struct stat *st)
{
	struct file *file = calloc(1, sizeof(*file)), *old = NULL;

	if (file)
		file->name = strdup(name);
	if (!file || !file->name) {
		free(file);
		return; /* one that is kept for ever */
	}
	file->device = st->st_dev;
	file->inode = st->st_ino;
	file->size_bytes = st->st_size;
	file->modified = st->st_mtim;
	pthread_mutex_lock(&retention->lock);
	DL_APPEND(retention->files, file);
	retention->n_files++;
	retention->n_bytes += (uint64_t)st->st_size;
	while (is_too_much(retention)) {
		old = retention->files;
		DL_DELETE(retention->files, old);
		retention->n_files--;
		retention->n_bytes -= (uint64_t)old->size_bytes;
		retention->n_removed += (uint64_t)remove_file(retention, old);
		free_file(old);
	}
	pthread_mutex_unlock(&retention->lock);
}

uint64_t rps_retention_n_removed(struct rps_retention *retention)
{
	uint64_t n;

	pthread_mutex_lock(&retention->lock);
	n = retention->n_removed;
	pthread_mutex_unlock(&retention->lock);
	return n;
}
