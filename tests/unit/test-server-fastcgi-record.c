/* SPDX-License-Identifier: GPL-3.0-or-later */
/* server/fastcgi_record.c: what is written is what the specification shows, what is read may come in any pieces. */
#include "server/fastcgi_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

static void headers_are_big_endian(void **state)
{
	uint8_t header[RPS_FASTCGI_HEADER];

	rps_fastcgi_put_header(header, RPS_FASTCGI_STDIN, 0x0102, RPS_FASTCGI_CONTENT_MAX);
	assert_memory_equal(header, "\x01\x05\x01\x02\xff\xf8\0\0", 8);
}

static void sizes_take_one_byte_or_four(void **state)
{
	uint8_t bytes[8];

	assert_int_equal(rps_fastcgi_put_sizes(bytes, 0, 127), 2);
	assert_memory_equal(bytes, "\x00\x7f", 2);
	assert_int_equal(rps_fastcgi_put_sizes(bytes, 128, 3), 5);
	assert_memory_equal(bytes, "\x80\0\0\x80\x03", 5);
	assert_int_equal(rps_fastcgi_put_sizes(bytes, 1, 0x01020304), 5);
	assert_memory_equal(bytes, "\x01\x81\x02\x03\x04", 5);
}

struct seen {
	char out[64], log[64];
	size_t out_size, log_size;
};

static long read_all(struct rps_fastcgi_reader *reader, const char *data, size_t size, size_t step,
		     struct seen *seen)
{
	memset(reader, 0, sizeof(*reader));
	memset(seen, 0, sizeof(*seen));
	for (size_t i = 0; i < size && !reader->has_ended;) {
		struct rps_fastcgi_piece piece;
		long used = rps_fastcgi_read(reader, data + i, size - i < step ? size - i : step, &piece);

		if (used < 0)
			return used;
		assert_true(used > 0);
		i += (size_t)used;
		if (piece.type == RPS_FASTCGI_STDOUT) {
			memcpy(seen->out + seen->out_size, piece.data, piece.size);
			seen->out_size += piece.size;
		} else if (piece.type == RPS_FASTCGI_STDERR) {
			memcpy(seen->log + seen->log_size, piece.data, piece.size);
			seen->log_size += piece.size;
		}
	}
	return 0;
}

static void records_come_apart(void **state)
{
	static const char data[] = "\1\6\0\1\0\5\3\0helloPAD"   /* stdout, padded */
				   "\1\7\0\1\0\2\0\0no"         /* stderr */
				   "\1\6\0\1\0\0\0\0"           /* end of stdout */
				   "\1\13\0\1\0\10\0\0whatever" /* of a type nobody knows */
				   "\1\3\0\1\0\10\0\0\1\2\3\4\2\0\0\0";
	struct rps_fastcgi_reader reader;
	struct seen seen;

	for (size_t step = 1; step < sizeof(data); step++) {
		assert_int_equal(read_all(&reader, data, sizeof(data) - 1, step, &seen), 0);
		assert_string_equal(seen.out, "hello");
		assert_string_equal(seen.log, "no");
		assert_true(reader.has_ended);
		assert_int_equal(rps_fastcgi_app_status(&reader), 0x01020304);
		assert_int_equal(rps_fastcgi_protocol_status(&reader), 2);
	}
}

static void what_is_none_is_refused(void **state)
{
	struct rps_fastcgi_reader reader;
	struct seen seen;

	assert_int_equal(read_all(&reader, "HTTP/1.1", 8, 3, &seen), -EPROTO);
	/* An end record of another size. */
	assert_int_equal(read_all(&reader, "\1\3\0\1\0\7\0\0", 8, 3, &seen), -EPROTO);
	assert_int_equal(read_all(&reader, "\1\3\0\1\0\0\0\0", 8, 8, &seen), -EPROTO);
	/* Cut off, it has not ended. */
	assert_int_equal(read_all(&reader, "\1\3\0\1\0\10\0\0\1\2", 10, 4, &seen), 0);
	assert_false(reader.has_ended);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(headers_are_big_endian),
	    cmocka_unit_test(sizes_take_one_byte_or_four),
	    cmocka_unit_test(records_come_apart),
	    cmocka_unit_test(what_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
