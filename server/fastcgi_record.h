/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FastCGI's records: https://fastcgi-archives.github.io/FastCGI_Specification.html,
 * the side of the web server. Pure functions; any thread. */
#ifndef RPS_SERVER_FASTCGI_RECORD_H
#define RPS_SERVER_FASTCGI_RECORD_H

#include <stddef.h>
#include <stdint.h>

#define RPS_FASTCGI_HEADER 8
#define RPS_FASTCGI_CONTENT_MAX 65528 /* of 65535: a multiple of eight needs no padding */

enum rps_fastcgi_type {
	RPS_FASTCGI_BEGIN = 1,
	RPS_FASTCGI_ABORT = 2,
	RPS_FASTCGI_END = 3,
	RPS_FASTCGI_PARAMS = 4,
	RPS_FASTCGI_STDIN = 5,
	RPS_FASTCGI_STDOUT = 6,
	RPS_FASTCGI_STDERR = 7,
};

/* Writes the eight bytes that stand before `content_size` bytes of content. */
void rps_fastcgi_put_header(uint8_t *header, enum rps_fastcgi_type type, uint16_t request_id,
			    size_t content_size);
/* Writes the sizes that stand before a name and its value: 2 to 8 bytes, their number is returned. */
size_t rps_fastcgi_put_sizes(uint8_t *bytes, size_t name_size, size_t value_size);

/* Takes records apart that come in pieces. Zeroed to begin with. */
struct rps_fastcgi_reader {
	uint8_t header[RPS_FASTCGI_HEADER];
	unsigned header_used;
	size_t content_left, padding_left;
	uint8_t end[8]; /* content of the end record */
	unsigned end_used;
	int has_ended;
};

/* What the next bytes are. */
struct rps_fastcgi_piece {
	unsigned type; /* enum rps_fastcgi_type, or any other number; 0: nothing for the caller */
	const char *data;
	size_t size;
};

/* Looks at `data`; returns how many bytes were used (at least one), and what they were. -EPROTO: no FastCGI.
 */
long rps_fastcgi_read(struct rps_fastcgi_reader *reader, const char *data, size_t size,
		      struct rps_fastcgi_piece *piece);

/* Once it has ended: the application's status, and FastCGI's own (0: complete, else refused). */
uint32_t rps_fastcgi_app_status(const struct rps_fastcgi_reader *reader);
unsigned rps_fastcgi_protocol_status(const struct rps_fastcgi_reader *reader);

#endif
