/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A request's target, taken apart: what is forwarded byte for byte, and what
 * names the profile. Pure functions; any thread. */
#ifndef RPS_SERVER_URL_H
#define RPS_SERVER_URL_H

#include <stddef.h>

struct rps_url {
	char *target;      /* in origin form, as the client sent it: "/a%20b?x=1", or "*" */
	size_t path_size;  /* bytes of target before the "?" */
	const char *query; /* behind the "?", "" if none; points into target */
	char *path;        /* the path percent-decoded; NUL-terminated, but may hold NULs */
	size_t decoded_size;
};

/* Takes `target` ("/path?query", "http://host/path?query" or "*") apart.
 * 0, -ENOMEM, or -EINVAL for what is no target, or would be read as something
 * else when it is sent on (white space, line ends). On error nothing is to be
 * freed. */
int rps_url_parse(struct rps_url *url, const char *target);
void rps_url_clear(struct rps_url *url);

/* Decodes %XX of `size` bytes into `out` (room for size + 1), adds a NUL. What
 * is no escape stays as it is. Returns the decoded size. */
size_t rps_url_decode(const char *text, size_t size, char *out);

/* A form of any bytes that a person can read and no terminal or file format
 * stumbles over: valid UTF-8 stays, each control character and each byte that is
 * not UTF-8 becomes '?'. Cut with "..." when `out` is too small. */
void rps_url_printable(const char *bytes, size_t size, char *out, size_t out_size);

#endif
