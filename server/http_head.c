/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See http_head.h. Called by request.c and the gateways, on the connection's
 * thread. */
#include "server/http_head.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static char *copy_of(const char *text, size_t size)
{
	char *copy = malloc(size + 1);

	if (copy) {
		memcpy(copy, text, size);
		copy[size] = 0;
	}
	return copy;
}

int rps_header_list_add(struct rps_header_list *list, const char *name, size_t name_size, const char *value,
			size_t value_size)
{
	struct rps_header *header;

	if (list->n == list->n_allocated) {
		size_t n_allocated = list->n_allocated ? 2 * list->n_allocated : 16;
		struct rps_header *items = reallocarray(list->items, n_allocated, sizeof(*items));

		if (!items)
			return -ENOMEM;
		list->items = items;
		list->n_allocated = n_allocated;
	}
	header = &list->items[list->n];
	header->name = copy_of(name, name_size);
	header->value = copy_of(value, value_size);
	if (!header->name || !header->value) {
		free(header->name);
		free(header->value);
		return -ENOMEM;
	}
	list->n++;
	return 0;
}

int rps_header_list_fold(struct rps_header_list *list, const char *text, size_t size)
{
	struct rps_header *last;
	size_t old_size;
	char *value;

	if (!list->n)
		return -EINVAL;
	last = &list->items[list->n - 1];
	old_size = strlen(last->value);
	value = realloc(last->value, old_size + size + 2);
	if (!value)
		return -ENOMEM;
	value[old_size] = ' ';
	memcpy(value + old_size + 1, text, size);
	value[old_size + 1 + size] = 0;
	last->value = value;
	return 0;
}

void rps_header_list_remove(struct rps_header_list *list, size_t i)
{
	free(list->items[i].name);
	free(list->items[i].value);
	list->n--;
	memmove(&list->items[i], &list->items[i + 1], (list->n - i) * sizeof(list->items[0]));
}

void rps_header_list_clear(struct rps_header_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].name);
		free(list->items[i].value);
	}
	free(list->items);
	memset(list, 0, sizeof(*list));
}

const char *rps_header_list_find(const struct rps_header_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcasecmp(list->items[i].name, name))
			return list->items[i].value;
	return NULL;
}

int rps_header_has_token(const char *value, const char *token)
{
	size_t token_size = strlen(token);

	while (*value) {
		size_t size;

		value += strspn(value, " \t,");
		size = strcspn(value, ",");
		if (size >= token_size && !strncasecmp(value, token, token_size) &&
		    strspn(value + token_size, " \t") >= size - token_size)
			return 1;
		value += size;
	}
	return 0;
}

int rps_header_is_hop_by_hop(const struct rps_header_list *list, const char *name)
{
	static const char *const names[] = {
	    "Connection", "Keep-Alive", "Proxy-Connection",  "TE",
	    "Trailer",    "Upgrade",    "Transfer-Encoding", "HTTP2-Settings"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcasecmp(name, names[i]))
			return 1;
	for (size_t i = 0; i < list->n; i++)
		if (!strcasecmp(list->items[i].name, "Connection") &&
		    rps_header_has_token(list->items[i].value, name))
			return 1;
	return 0;
}

int rps_header_list_pass_on(struct rps_header_list *out, const struct rps_header_list *list, const char *kept)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < list->n; i++) {
		const struct rps_header *header = &list->items[i];

		if (strcasecmp(header->name, kept) && (!strcasecmp(header->name, "Content-Length") ||
						       rps_header_is_hop_by_hop(list, header->name)))
			continue;
		rc = rps_header_list_add(out, header->name, strlen(header->name), header->value,
					 strlen(header->value));
	}
	return rc;
}
