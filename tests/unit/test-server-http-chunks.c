/* SPDX-License-Identifier: GPL-3.0-or-later */
/* server/http_chunks.c: chunks, in pieces of any size. */
#include "server/http_chunks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

/* What is left of `text`, taken in pieces of `step` bytes. The body's size, or -EPROTO. */
static long decode(const char *text, size_t step, char *body, int *is_complete)
{
	struct rps_http_chunks chunks = {0};
	size_t size = strlen(text), used = 0;
	char piece[256];

	*is_complete = 0;
	for (size_t i = 0; i < size; i += step) {
		size_t n = size - i < step ? size - i : step;
		long got;

		memcpy(piece, text + i, n);
		got = rps_http_chunks_decode(&chunks, piece, n, is_complete);
		if (got < 0)
			return got;
		memcpy(body + used, piece, (size_t)got);
		used += (size_t)got;
	}
	body[used] = 0;
	return (long)used;
}

static void bodies_come_out(void **state)
{
	static const char text[] = "3\r\nabc\r\n0A;x=y\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\nbehind";
	char body[256];
	int is_complete;

	for (size_t step = 1; step < sizeof(text); step++) {
		assert_int_equal(decode(text, step, body, &is_complete), 13);
		assert_string_equal(body, "abc0123456789");
		assert_true(is_complete);
	}
	assert_int_equal(decode("0\r\n\r\n", 1, body, &is_complete), 0);
	assert_true(is_complete);
}

static void what_is_not_complete_says_so(void **state)
{
	static const char text[] = "3\r\nabc\r\n0\r\nX: 1\r\n\r\n";
	char body[256], cut[64];
	int is_complete;

	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		memcpy(cut, text, n);
		cut[n] = 0;
		assert_true(decode(cut, 2, body, &is_complete) >= 0);
		assert_false(is_complete);
	}
}

static void what_is_none_is_refused(void **state)
{
	static const char *const texts[] = {"x\r\n", "\r\n", "-3\r\nabc\r\n", "3\r\nabcd\r\n",
					    "fffffffffffffffff\r\n"};
	char body[256];
	int is_complete;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (size_t step = 1; step < 9; step += 7)
			assert_int_equal(decode(texts[i], step, body, &is_complete), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bodies_come_out),
	    cmocka_unit_test(what_is_not_complete_says_so),
	    cmocka_unit_test(what_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
