/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See fastcgi_record.h. Called by gateway_fastcgi.c.
 *
 *     version 1 | type | request id (2) | content length (2) | padding length | reserved
 */
#include "server/fastcgi_record.h"

#include <errno.h>
#include <string.h>

void rps_fastcgi_put_header(uint8_t *header, enum rps_fastcgi_type type, uint16_t request_id,
			    size_t content_size)
{
	header[0] = 1;
	header[1] = (uint8_t)type;
	header[2] = (uint8_t)(request_id >> 8);
	header[3] = (uint8_t)request_id;
	header[4] = (uint8_t)(content_size >> 8);
	header[5] = (uint8_t)content_size;
	header[6] = header[7] = 0;
}

static size_t put_size(uint8_t *bytes, size_t size)
{
	if (size < 128) {
		bytes[0] = (uint8_t)size;
		return 1;
	}
	bytes[0] = (uint8_t)(0x80 | (size >> 24));
	bytes[1] = (uint8_t)(size >> 16);
	bytes[2] = (uint8_t)(size >> 8);
	bytes[3] = (uint8_t)size;
	return 4;
}

size_t rps_fastcgi_put_sizes(uint8_t *bytes, size_t name_size, size_t value_size)
{
	size_t used = put_size(bytes, name_size);

	return used + put_size(bytes + used, value_size);
}

long rps_fastcgi_read(struct rps_fastcgi_reader *reader, const char *data, size_t size,
		      struct rps_fastcgi_piece *piece)
{
	memset(piece, 0, sizeof(*piece));
	if (reader->header_used < RPS_FASTCGI_HEADER) {
		reader->header[reader->header_used++] = (uint8_t)*data;
		if (reader->header[0] != 1)
			return -EPROTO;
		if (reader->header_used == RPS_FASTCGI_HEADER) {
			reader->content_left = (size_t)reader->header[4] << 8 | reader->header[5];
			reader->padding_left = reader->header[6];
			if (reader->header[1] == RPS_FASTCGI_END &&
			    reader->content_left != sizeof(reader->end))
				return -EPROTO;
			if (!reader->content_left && !reader->padding_left)
				reader->header_used = 0;
		}
		return 1;
	}
	if (reader->content_left) {
		if (size > reader->content_left)
			size = reader->content_left;
		piece->type = reader->header[1];
		piece->data = data;
		piece->size = size;
		reader->content_left -= size;
		if (piece->type == RPS_FASTCGI_END) {
			memcpy(reader->end + reader->end_used, data, size);
			reader->end_used += (unsigned)size;
			reader->has_ended = !reader->content_left;
		}
	} else {
		if (size > reader->padding_left)
			size = reader->padding_left;
		reader->padding_left -= size;
	}
	if (!reader->content_left && !reader->padding_left)
		reader->header_used = 0;
	return (long)size;
}

uint32_t rps_fastcgi_app_status(const struct rps_fastcgi_reader *reader)
{
	return (uint32_t)reader->end[0] << 24 | (uint32_t)reader->end[1] << 16 |
	       (uint32_t)reader->end[2] << 8 | reader->end[3];
}

unsigned rps_fastcgi_protocol_status(const struct rps_fastcgi_reader *reader)
{
	return reader->end[4];
}
