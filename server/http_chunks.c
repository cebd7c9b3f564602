/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See http_chunks.h. Called by exchange_tunnel.c. */
#include "server/http_chunks.h"

#include <errno.h>
#include <string.h>

#define DIGITS_MAX 15

enum state {
	SIZE = 0,  /* digits */
	EXTENSION, /* up to the line's end */
	DATA,
	DATA_END,     /* CR LF behind it */
	TRAILER_LINE, /* start of a line */
	TRAILER,      /* within one */
	DONE,
};

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int take_mark(struct rps_http_chunks *chunks, char c)
{
	switch ((enum state)chunks->state) {
	case SIZE:
		if (digit(c) >= 0) {
			chunks->left = chunks->left << 4 | (unsigned)digit(c);
			return ++chunks->n_digits > DIGITS_MAX ? -EPROTO : 0;
		}
		if (!chunks->n_digits)
			return -EPROTO;
		chunks->state = EXTENSION;
		/* fall through */
	case EXTENSION:
		if (c == '\n')
			chunks->state = chunks->left ? DATA : TRAILER_LINE;
		return 0;
	case DATA_END:
		if (c == '\n') {
			chunks->state = SIZE;
			chunks->n_digits = 0;
			return 0;
		}
		return c == '\r' ? 0 : -EPROTO;
	case TRAILER_LINE:
		if (c == '\n')
			chunks->state = DONE;
		else if (c != '\r')
			chunks->state = TRAILER;
		return 0;
	case TRAILER:
		if (c == '\n')
			chunks->state = TRAILER_LINE;
		return 0;
	case DATA:
	case DONE:
		break;
	}
	return 0;
}

long rps_http_chunks_decode(struct rps_http_chunks *chunks, char *data, size_t size, int *is_complete)
{
	size_t body = 0;

	for (size_t i = 0; i < size && chunks->state != DONE;) {
		if (chunks->state == DATA) {
			size_t n = size - i < chunks->left ? size - i : (size_t)chunks->left;

			memmove(data + body, data + i, n);
			body += n;
			i += n;
			chunks->left -= n;
			if (!chunks->left)
				chunks->state = DATA_END;
		} else if (take_mark(chunks, data[i++])) {
			return -EPROTO;
		}
	}
	*is_complete = chunks->state == DONE;
	return (long)body;
}
