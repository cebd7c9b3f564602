/* SPDX-License-Identifier: GPL-3.0-or-later */
/* server/head_screen.c: heads and bodies, whatever the pieces they come in. */
#include "server/head_screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#define LINE "GET / HTTP/1.1\r\nHost: x\r\n"

/* The same verdict however it is cut: whole, byte by byte, in threes. */
static void expect(const char *data, size_t size, unsigned n_heads, int status)
{
	static const size_t pieces[] = {1 << 20, 1, 3};

	for (size_t p = 0; p < 3; p++) {
		struct rps_head_screen screen = {0};

		for (size_t i = 0; i < size; i += pieces[p])
			rps_head_screen_take(&screen, data + i, size - i < pieces[p] ? size - i : pieces[p]);
		assert_int_equal(screen.n_heads, n_heads);
		assert_int_equal(screen.fault_status, status);
		assert_int_equal(!screen.fault, !status);
	}
}

static void expect_text(const char *text, unsigned n_heads, int status)
{
	expect(text, strlen(text), n_heads, status);
}

static void right_ones_pass(void **state)
{
	expect_text(LINE "\r\n", 1, 0);
	expect_text(LINE "\r\n" LINE "\r\n", 2, 0);
	expect_text("\r\n\r\n" LINE "\r\n\r\n" LINE "X-A:\r\nX-B: \t a b\tc \r\n\r\n", 2, 0);
	expect_text("GET / HTTP/1.0\r\n\r\n", 1, 0);
	expect_text("M-SEARCH * HTTP/1.1\r\nhOST:\tx\r\nX-\xc3\xa4: 1\r\n\r\n", 0, 400);
	expect_text(LINE "X: \xc3\xa4\r\n\r\n", 1, 0);
}

static void bodies_are_skipped(void **state)
{
	expect_text(LINE "Content-Length: 4\r\n\r\na\n\r\n" LINE "\r\n", 2, 0);
	expect_text(LINE "content-length:0\r\n\r\n" LINE "\r\n", 2, 0);
	expect_text(
	    LINE
	    "Transfer-Encoding: "
	    "Chunked\r\n\r\n3\r\na\r\n\r\n1F;x=\"y\"\r\n0123456789012345678901234567890\r\n0\r\n\r\n" LINE
	    "\r\n",
	    2, 0);
	expect_text(LINE "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: 1\r\n\r\n" LINE "\r\n", 2, 0);
	/* A trailer's lengths count for nothing. */
	expect_text(LINE "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 9\r\n\r\n" LINE "\r\n", 2,
		    0);
}

static void lines_that_can_be_read_otherwise(void **state)
{
	static const char nul[] = LINE "X: a\0b\r\n\r\n";

	expect(nul, sizeof(nul) - 1, 0, 400);
	expect_text(LINE "X: 1\r\n 2\r\n\r\n", 0, 400);
	expect_text(LINE "X: 1\r\n\tY: 2\r\n\r\n", 0, 400);
	expect_text(LINE "X: 1\nY: 2\r\n\r\n", 0, 400);
	expect_text(LINE "X: 1\rY: 2\r\n\r\n", 0, 400);
	expect_text(LINE "\n", 0, 400);
	expect_text("\n" LINE "\r\n", 0, 400);
	expect_text(LINE "X : 1\r\n\r\n", 0, 400);
	expect_text(LINE "X\r\n\r\n", 0, 400);
	expect_text(LINE ": 1\r\n\r\n", 0, 400);
	expect_text("GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 0, 400);
	expect_text("GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 0, 400);
	expect_text("GET /\r\n\r\n", 0, 400);
	expect_text("GET / HTTP/2.0\r\n\r\n", 0, 505);
	expect_text("GET / HTTP/11111111111111111111111111111111111111111111\r\n\r\n", 0, 400);
}

static void lengths_that_contradict(void **state)
{
	expect_text(LINE "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 0, 400);
	expect_text(LINE "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 400);
	expect_text(LINE "Content-Length: 3, 3\r\n\r\n", 0, 400);
	expect_text(LINE "Content-Length: +3\r\n\r\n", 0, 400);
	expect_text(LINE "Content-Length:\r\n\r\n", 0, 400);
	expect_text(LINE "Content-Length: 9999999999999999999\r\n\r\n", 0, 400);
	expect_text(LINE "Content-Length: 00000000000000000000000000000000000000000000000003\r\n\r\n", 0,
		    400);
	expect_text(LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 400);
	expect_text(LINE "Transfer-Encoding: gzip\r\n\r\n", 0, 501);
	expect_text("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 400);
	expect_text(LINE "Host: y\r\n\r\n", 0, 400);
	expect_text("GET / HTTP/1.1\r\n\r\n", 0, 400);
}

/* The request itself is libmicrohttpd's to judge; what comes behind it on the connection is not believed. */
static void broken_chunks_end_belief(void **state)
{
	static const char *const bodies[] = {
	    "x\r\n",  "3\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "\r\n",
	    "-3\r\n", "0x3\r\nabc\r\n",      "1234567890123456\r\n",   "3;\x01\r\nabc\r\n0\r\n\r\n"};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct rps_head_screen screen = {0};
		static const char head[] = LINE "Transfer-Encoding: chunked\r\n\r\n";
		const char *why;

		rps_head_screen_take(&screen, head, sizeof(head) - 1);
		rps_head_screen_take(&screen, bodies[i], strlen(bodies[i]));
		rps_head_screen_take(&screen, LINE "\r\n", sizeof(LINE) + 1);
		assert_int_equal(rps_head_screen_refuses(&screen, 0, &why), 0);
		assert_int_equal(rps_head_screen_refuses(&screen, 1, &why), 400);
	}
}

static void nothing_is_believed_that_was_not_seen(void **state)
{
	const struct rps_head_screen screen = {0};
	const char *why = NULL;

	assert_int_equal(rps_head_screen_refuses(&screen, 0, &why), 400);
	assert_non_null(why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(right_ones_pass),
	    cmocka_unit_test(bodies_are_skipped),
	    cmocka_unit_test(lines_that_can_be_read_otherwise),
	    cmocka_unit_test(lengths_that_contradict),
	    cmocka_unit_test(broken_chunks_end_belief),
	    cmocka_unit_test(nothing_is_believed_that_was_not_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
