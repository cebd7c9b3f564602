/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See beneath.h. Called by static_files.c and gateway_cgi.c.
 *
 * A path is walked in the kernel by openat2(RESOLVE_BENEATH |
 * RESOLVE_NO_SYMLINKS), which can't be fooled by what changes meanwhile; where
 * that is missing (Linux before 5.6, some sandboxes), component by component
 * without following links, which can't either, only slower. */
#include "server/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALWAYS (O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

static int open_component_wise(int directory_fd, const char *path, int flags)
{
	int fd = fcntl(directory_fd, F_DUPFD_CLOEXEC, 3);

	while (fd >= 0 && *path) {
		size_t size = strcspn(path, "/");
		char component[NAME_MAX + 1];
		int next_fd = -1;

		if (size < sizeof(component)) {
			memcpy(component, path, size);
			component[size] = 0;
			next_fd = openat(fd, component,
					 path[size] ? O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
						    : flags | O_NOFOLLOW);
		} else {
			errno = ENAMETOOLONG;
		}
		if (next_fd < 0) {
			int saved_errno = errno;

			close(fd);
			return -saved_errno;
		}
		close(fd);
		fd = next_fd;
		path += size + (path[size] == '/');
	}
	return fd < 0 ? -errno : fd;
}

/* O_PATH takes no other flags in openat2. */
static int all_flags(int flags)
{
	return flags & O_PATH ? O_PATH | O_CLOEXEC : flags | ALWAYS;
}

int rps_open_beneath(int directory_fd, const char *path, int flags, int follow_links)
{
	struct open_how how = {
	    .flags = (unsigned)all_flags(flags) | O_NOFOLLOW,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	if (follow_links) {
		fd = openat(directory_fd, *path ? path : ".", all_flags(flags));
		return fd < 0 ? -errno : (int)fd;
	}
	fd = syscall(SYS_openat2, directory_fd, *path ? path : ".", &how, sizeof(how));
	if (fd >= 0)
		return (int)fd;
	if (errno == ENOSYS || errno == EPERM || errno == EINVAL || errno == E2BIG)
		return open_component_wise(directory_fd, path, all_flags(flags));
	return -errno;
}
