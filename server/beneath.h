/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening what lies below a directory, and nothing else. Any thread. */
#ifndef RPS_SERVER_BENEATH_H
#define RPS_SERVER_BENEATH_H

/* Opens the relative `path` ("" for the directory itself) with `flags`, without following links; with
 * `follow_links` those, too, that lead out of the directory: that is what they are followed for. `path` holds
 * no "..". A descriptor or -errno. */
int rps_open_beneath(int directory_fd, const char *path, int flags, int follow_links);

#endif
