/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Header fields: lists of them, and which ones end at this hop. Pure data; one
 * thread at a time. */
#ifndef RPS_SERVER_HTTP_HEAD_H
#define RPS_SERVER_HTTP_HEAD_H

#include <stddef.h>

struct rps_header {
	char *name;
	char *value;
};

struct rps_header_list {
	struct rps_header *items;
	size_t n, n_allocated;
};

/* Appends a copy. 0 or -ENOMEM. */
int rps_header_list_add(struct rps_header_list *list, const char *name, size_t name_size, const char *value,
			size_t value_size);
/* Appends `text` to the value of the last field, after a space (a folded line). 0, -ENOMEM, -EINVAL without a
 * field. */
int rps_header_list_fold(struct rps_header_list *list, const char *text, size_t size);
/* Removes the field at `i`; those behind it move up. */
void rps_header_list_remove(struct rps_header_list *list, size_t i);
void rps_header_list_clear(struct rps_header_list *list);

/* The value of the first field of that name (any case), NULL if there is none. */
const char *rps_header_list_find(const struct rps_header_list *list, const char *name);

/* Does the comma-separated list `value` hold `token` (any case)? */
int rps_header_has_token(const char *value, const char *token);

/* Is `name` meant for the next hop only: one of RFC 9110's own, or named by a
 * Connection field of `list`? */
int rps_header_is_hop_by_hop(const struct rps_header_list *list, const char *name);

/* Appends to `out` what of an answer's fields is the next reader's: none that ends at this hop, but for `kept`, and no
 * Content-Length, which is the writer's to say. 0 or -ENOMEM. */
int rps_header_list_pass_on(struct rps_header_list *out, const struct rps_header_list *list,
			    const char *kept);

#endif
