/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Static files: --static=URL=DIR. What is answered never lies outside of DIR,
 * whatever the path says and (without --follow-links) wherever links point. Opened on the main thread;
 * then any thread. */
#ifndef RPS_SERVER_STATIC_FILES_H
#define RPS_SERVER_STATIC_FILES_H

#include "server/options.h"
#include "server/url.h"

#include <stddef.h>
#include <sys/types.h>
#include <time.h>

struct rps_static_files;

/* Opens the directories; the URLs must live as long. With `follow_links` links are followed, wherever they
 * lead. NULL with a line in `error`. */
struct rps_static_files *rps_static_files_open(const struct rps_static_mount *mounts, size_t n_mounts,
					       int follow_links, char *error, size_t error_size);
void rps_static_files_close(struct rps_static_files *files);

/* The rest of the request's raw path below the mount that serves it (the one
 * with the longest URL), and that mount's number; -1 if it is the application's. */
int rps_static_files_match(const struct rps_static_files *files, const struct rps_url *url, const char **rest,
			   size_t *rest_size);

struct rps_static_file {
	int fd;
	off_t size_bytes;
	time_t modified_s;
	long modified_ns; /* the part below a second */
	const char *type;
};

/* Opens the file that the raw (percent-encoded) path `rest` names below mount
 * `mount`; for a directory its index.html. 0; -ENOENT; -EISDIR for a directory
 * whose path lacks the slash at its end; -errno. */
int rps_static_files_get(const struct rps_static_files *files, int mount, const char *rest, size_t rest_size,
			 struct rps_static_file *file);

/* By the name's ending; "application/octet-stream" when it is unknown. */
const char *rps_static_files_type(const char *name);

#endif
