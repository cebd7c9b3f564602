/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See store.h. Called at the end of each request by request_profile.c, on the
 * connection's thread.
 *
 * A profile is written under a random dot name in the directory it will live
 * in, then renamed with RENAME_NOREPLACE, which fails where the name is taken;
 * the next free number is tried then. It is not flushed to the disk (fsync
 * costs milliseconds, per request): a profile that a power cut takes with it
 * can be made again by repeating the request.
 */
#include "server/store.h"

#include "server/retention.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define ATTEMPTS_MAX 10000000u
#define RECENT_NAMES 1024u

/* A thousand requests a second for one path share a name but for their number.
 * Trying 1, 2, 3 ... for each would be quadratic, so where the last one ended is
 * remembered. It is a hint only: the file system decides. */
struct recent_name {
	uint64_t hash;
	uint32_t next_attempt;
};

struct rps_store {
	int directory_fd;
	struct rps_name_template *name_template;
	rps_store_writer writer;
	struct rps_retention *retention; /* NULL: all are kept */
	pthread_mutex_t lock;            /* of `recent` */
	struct recent_name recent[RECENT_NAMES];
};

void rps_store_close(struct rps_store *store)
{
	if (!store)
		return;
	rps_retention_destroy(store->retention);
	if (store->directory_fd >= 0)
		close(store->directory_fd);
	rps_name_template_destroy(store->name_template);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

/* Opens the sub-directory `name`, made if it is not there. A link, or a
 * directory some other user owns (in /tmp anyone can put one in the way), is an
 * error. */
static int enter_directory(int parent_fd, const char *name)
{
	struct stat st;
	int fd;

	if (mkdirat(parent_fd, name, 0700) && errno != EEXIST)
		return -errno;
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || (st.st_uid != geteuid() && st.st_uid != 0)) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

/* Goes down to the directory of `relative`, a path as name_template renders it.
 * Returns a descriptor or -errno; *base is the last component. */
static int open_parent(const struct rps_store *store, const char *relative, const char **base)
{
	int fd = fcntl(store->directory_fd, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return -errno;
	for (;;) {
		const char *slash = strchr(relative, '/');
		char component[NAME_MAX + 1];
		int next_fd;

		if (!slash)
			break;
		if ((size_t)(slash - relative) >= sizeof(component)) {
			close(fd);
			return -ENAMETOOLONG;
		}
		memcpy(component, relative, (size_t)(slash - relative));
		component[slash - relative] = 0;
		relative = slash + 1;
		if (!*component)
			continue;
		next_fd = enter_directory(fd, component);
		close(fd);
		if (next_fd < 0)
			return next_fd;
		fd = next_fd;
	}
	*base = relative;
	return fd;
}

/* Creates the temporary file; `name` gets its name. */
static int create_temporary(int parent_fd, char *name, size_t size)
{
	for (;;) {
		uint64_t number;
		int fd;

		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return -errno;
		snprintf(name, size, ".rps-%016" PRIx64, number);
		fd = openat(parent_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			return -errno;
	}
}

/* Permissions alone do not tell: root has them all, and /proc takes no files.
 * A full disk is no reason not to start: it may be emptied. */
static int try_to_write(int directory_fd)
{
	char name[32];
	int fd = create_temporary(directory_fd, name, sizeof(name));

	if (fd < 0)
		return fd == -ENOSPC || fd == -EDQUOT ? 0 : fd;
	unlinkat(directory_fd, name, 0);
	close(fd);
	return 0;
}

struct rps_store *rps_store_open(const char *directory, const char *name_template, rps_store_writer writer,
				 char *error, size_t error_size)
{
	struct rps_store *store = calloc(1, sizeof(*store));
	char why[512];
	int rc;

	if (!store) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	pthread_mutex_init(&store->lock, NULL);
	store->directory_fd = -1;
	store->writer = writer;
	store->name_template = rps_name_template_parse(name_template, why, sizeof(why));
	if (!store->name_template) {
		snprintf(error, error_size, "cannot use --prof-file=%s: %s", name_template, why);
		goto fail;
	}
	store->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->directory_fd < 0) {
		snprintf(error, error_size, "cannot open the profiles' directory %s: %s (%s)", directory,
			 strerror(errno),
			 errno == ENOENT ? "make it, or name another with --prof-path=DIR"
					 : "name another with --prof-path=DIR");
		goto fail;
	}
	rc = try_to_write(store->directory_fd);
	if (rc) {
		snprintf(error, error_size,
			 "cannot write to the profiles' directory %s: %s (name another with --prof-path=DIR)",
			 directory, strerror(-rc));
		goto fail;
	}
	return store;
fail:
	rps_store_close(store);
	return NULL;
}

/* Writes the whole profile and closes `fd`, whose close may be what reports a full disk. */
static int fill(const struct rps_store *store, int fd, const struct rps_profile *profile, struct stat *st)
{
	FILE *out = fdopen(fd, "w");
	int rc;

	if (!out) {
		rc = -errno;
		close(fd);
		return rc;
	}
	setvbuf(out, NULL, _IOFBF, 64 * 1024);
	errno = 0;
	rc = store->writer(profile, out);
	if (!rc && (fflush(out) || ferror(out)))
		rc = errno ? -errno : -EIO;
	if (!rc && fstat(fd, st))
		rc = -errno;
	if (fclose(out) && !rc)
		rc = -errno;
	return rc;
}

static uint64_t hash_name(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
	return hash ? hash : 1;
}

/* Which attempt to make first for the plain name with this hash; the next asker gets the one after. */
static uint32_t take_attempt(struct rps_store *store, uint64_t hash, uint32_t failed)
{
	struct recent_name *recent = &store->recent[hash % RECENT_NAMES];
	uint32_t attempt;

	pthread_mutex_lock(&store->lock);
	if (recent->hash != hash) {
		recent->hash = hash;
		recent->next_attempt = failed;
	}
	if (recent->next_attempt < failed)
		recent->next_attempt = failed;
	attempt = recent->next_attempt++;
	pthread_mutex_unlock(&store->lock);
	return attempt;
}

/* Like renameat2(RENAME_NOREPLACE), also on file systems that do not know it. */
static int rename_without_overwriting(int parent_fd, const char *from, const char *to)
{
	if (!renameat2(parent_fd, from, parent_fd, to, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (linkat(parent_fd, from, parent_fd, to, 0))
		return -errno;
	unlinkat(parent_fd, from, 0);
	return 0;
}

/* Gives the temporary file its name, the first that is free. */
static int publish(struct rps_store *store, int parent_fd, const char *temporary,
		   const struct rps_name_values *values, char *name, size_t name_size)
{
	uint64_t hash = hash_name(name);
	uint32_t failed = 0;

	while (failed < ATTEMPTS_MAX) {
		uint32_t attempt = take_attempt(store, hash, failed);
		const char *base;
		int rc;

		rc = rps_name_template_render(store->name_template, values, attempt, name, name_size);
		if (rc)
			return rc;
		base = strrchr(name, '/');
		base = base ? base + 1 : name;
		rc = rename_without_overwriting(parent_fd, temporary, base);
		if (rc != -EEXIST)
			return rc;
		failed = attempt + 1;
	}
	return -EEXIST;
}

int rps_store_write(struct rps_store *store, const struct rps_name_values *values,
		    const struct rps_profile *profile, char *name, size_t name_size)
{
	char temporary[32] = "";
	const char *base;
	struct stat st;
	int parent_fd, fd, rc;

	rc = rps_name_template_render(store->name_template, values, 0, name, name_size);
	if (rc)
		return rc;
	parent_fd = open_parent(store, name, &base);
	if (parent_fd < 0)
		return parent_fd;
	fd = create_temporary(parent_fd, temporary, sizeof(temporary));
	rc = fd < 0 ? fd : fill(store, fd, profile, &st);
	if (!rc)
		rc = publish(store, parent_fd, temporary, values, name, name_size);
	if (rc && fd >= 0)
		unlinkat(parent_fd, temporary, 0);
	close(parent_fd);
	if (!rc && store->retention)
		rps_retention_add(store->retention, name, &st);
	return rc;
}

int rps_store_keep(struct rps_store *store, uint32_t keep_n, uint64_t keep_bytes)
{
	store->retention = rps_retention_create(store->directory_fd, keep_n, keep_bytes);
	return store->retention ? 0 : -ENOMEM;
}

uint64_t rps_store_n_removed(struct rps_store *store)
{
	return store->retention ? rps_retention_n_removed(store->retention) : 0;
}
