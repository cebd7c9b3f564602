/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See metas.h. Called by the collector, when an arena has ended. */
#include "collect/metas.h"

#include <stdlib.h>
#include <string.h>

/* A copy without what can't stand in a key: other than printable ASCII characters, and colons. */
static char *copy_key(const char *text, size_t size)
{
	char *copy = strndup(text, size);

	for (char *at = copy; at != NULL && *at != '\0'; at++)
		if (*at < ' ' || *at > '~' || *at == ':')
			*at = '_';
	return copy;
}

/* 1: there is one, in *found; *next is where the next one stands. */
static int read_meta(const struct rps_pool *pool, uint32_t index, uint32_t at, struct rps_arena_meta *found, uint32_t *next)
{
	const char *arena = (const char *)rps_pool_arena(pool, index);
	struct rps_wire_meta meta;
	size_t size;

	if (at < RPS_TREE_OFFSET || at % RPS_TREE_UNIT != 0 || at > RPS_STACK_OFFSET - sizeof(meta))
		return 0;
	memcpy(&meta, arena + at, sizeof(meta));
	size = (size_t)meta.key_size + meta.value_size;
	if (size > RPS_META_TEXT_MAX || at + offsetof(struct rps_wire_meta, text) + size > RPS_STACK_OFFSET)
		return 0;
	found->key = copy_key(arena + at + offsetof(struct rps_wire_meta, text), meta.key_size);
	found->value = strndup(arena + at + offsetof(struct rps_wire_meta, text) + meta.key_size, meta.value_size);
	*next = meta.next;
	return 1;
}

size_t rps_arena_metas(const struct rps_pool *pool, uint32_t index, struct rps_arena_meta **metas)
{
	struct rps_arena_meta found;
	uint32_t at = rps_pool_arena(pool, index)->metas;
	size_t n = 0;

	*metas = calloc(RPS_METAS_MAX, sizeof(**metas));
	while (*metas != NULL && n < RPS_METAS_MAX && read_meta(pool, index, at, &found, &at)) {
		if (found.key == NULL || found.value == NULL) {
			free(found.key);
			free(found.value);
			break;
		}
		(*metas)[n++] = found;
	}
	return n;
}

void rps_arena_metas_free(struct rps_arena_meta *metas, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(metas[i].key);
		free(metas[i].value);
	}
	free(metas);
}

char *rps_arena_name(const struct rps_pool *pool, uint32_t index)
{
	struct rps_arena_meta *metas;
	size_t n = rps_arena_metas(pool, index, &metas);
	char *name = NULL;

	for (size_t i = 0; i < n && name == NULL; i++)
		if (metas[i].key[0] == '\0')
			name = strdup(metas[i].value);
	rps_arena_metas_free(metas, n);
	return name;
}
