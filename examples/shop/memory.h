/* SPDX-License-Identifier: MIT */
/* Memory for the whole shop. A small shop has no better answer to an empty
 * heap than to end, and the names say so. Any thread. */
#ifndef SHOP_MEMORY_H
#define SHOP_MEMORY_H

#include <stddef.h>

void *alloc_or_die(size_t size); /* zeroed */
void *grow_or_die(void *memory, size_t size);
char *copy_or_die(const char *text);

#endif
