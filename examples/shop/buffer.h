/* SPDX-License-Identifier: MIT */
/* Text that grows at its end, always closed by a NUL. What answers are
 * written into. One owner at a time. */
#ifndef SHOP_BUFFER_H
#define SHOP_BUFFER_H

#include <stddef.h>

struct buffer {
	char *text; /* NULL while empty */
	size_t size;
	size_t capacity;
};

void buffer_append(struct buffer *buffer, const char *text, size_t size);
void buffer_puts(struct buffer *buffer, const char *text);
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull));

/* Gives the text away, to be freed by the caller (never NULL), and leaves the buffer empty. */
char *buffer_take(struct buffer *buffer);
void buffer_free(struct buffer *buffer);

#endif
