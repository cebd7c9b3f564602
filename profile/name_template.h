/* SPDX-License-Identifier: GPL-3.0-or-later */
/* File names of profiles: "{path}.{duration:06d}ms.{time}" with Python's
 * format specification mini-language for strings and integers. Parsed once,
 * at the start; rendered once per request. */
#ifndef RPS_PROFILE_NAME_TEMPLATE_H
#define RPS_PROFILE_NAME_TEMPLATE_H

#include <stddef.h>
#include <stdint.h>

#define RPS_NAME_DEFAULT_TEMPLATE "{path}.{duration:06d}ms.{time}"
#define RPS_NAME_SUFFIX ".prof"
/* Bytes of one file name (one component), the suffix and a collision number
 * included; longer ones are cut and end in a hash of the whole. */
#define RPS_NAME_COMPONENT_MAX 200

struct rps_name_template;

/* What the fields stand for. Strings are raw: rendering makes them safe. */
struct rps_name_values {
	const char *path;   /* URL path, percent-decoded, may hold any byte but NUL; "/shop/cart" */
	size_t path_size;   /* bytes of path: it may hold NULs after decoding */
	const char *query;  /* without "?", as sent; "" if none */
	const char *method; /* "GET" */
	uint32_t status;
	uint32_t pid;         /* of the application */
	uint64_t seq;         /* 1, 2, ... per server run */
	uint64_t duration_us; /* front's wall time; {duration} is whole ms of it */
	uint64_t time_s;      /* epoch seconds at the end of the request */
};

/* Parses `text`. NULL on error, with one line in `error` that names the
 * trouble and, for an unknown field, lists the known ones. */
struct rps_name_template *rps_name_template_parse(const char *text, char *error, size_t error_size);
void rps_name_template_destroy(struct rps_name_template *name_template);

/* Renders into `out` a relative path with the suffix, components separated by
 * '/' where the template's own text has one. Never empty, no component is
 * longer than RPS_NAME_COMPONENT_MAX, starts with '.', or holds a control
 * character, '/', or invalid UTF-8; a '/' in a value becomes '.'.
 * `attempt` 0 is the plain name; n > 0 puts ".n" before the suffix (for a name
 * already taken). Returns 0 or -ENAMETOOLONG if `out` is too small. */
int rps_name_template_render(const struct rps_name_template *name_template,
			     const struct rps_name_values *values, uint32_t attempt, char *out,
			     size_t out_size);

/* The known fields, "path, duration, ...", for messages and --help. */
const char *rps_name_template_fields(void);

#endif
