/* SPDX-License-Identifier: GPL-3.0-or-later */
/* server/url.c: targets taken apart, decoded, and made readable. */
#include "server/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

static void check(const char *target, const char *forwarded, const char *path, const char *query)
{
	struct rps_url url;

	assert_int_equal(rps_url_parse(&url, target), 0);
	assert_string_equal(url.target, forwarded);
	assert_int_equal(url.decoded_size, strlen(path));
	assert_string_equal(url.path, path);
	assert_string_equal(url.query, query);
	rps_url_clear(&url);
}

static void targets_are_taken_apart(void **state)
{
	check("/", "/", "/", "");
	check("/a%20b/c?x=%20&y", "/a%20b/c?x=%20&y", "/a b/c", "x=%20&y");
	check("/a?b?c", "/a?b?c", "/a", "b?c");
	check("/a?", "/a?", "/a", "");
	check("*", "*", "*", "");
	check("/%2e%2E/%2f", "/%2e%2E/%2f", "/..//", "");
}

static void absolute_form_becomes_origin_form(void **state)
{
	check("http://example.org/a?b", "/a?b", "/a", "b");
	check("HTTP://example.org", "/", "/", "");
	check("http://example.org?q", "/?q", "/", "q");
}

static void what_would_be_read_differently_is_refused(void **state)
{
	static const char *const targets[] = {"",     "a",     "ftp://x/",  "example.org:80",
					      "/a b", "/a\tb", "/a\r\nX: y"};
	struct rps_url url;

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		assert_int_equal(rps_url_parse(&url, targets[i]), -EINVAL);
}

static void escapes_are_decoded_once(void **state)
{
	char out[64];

	assert_int_equal(rps_url_decode("%2541", 5, out), 3);
	assert_string_equal(out, "%41");
	assert_int_equal(rps_url_decode("%", 1, out), 1);
	assert_string_equal(out, "%");
	assert_int_equal(rps_url_decode("%4", 2, out), 2);
	assert_int_equal(rps_url_decode("%zz%4g", 6, out), 6);
	assert_string_equal(out, "%zz%4g");
	assert_int_equal(rps_url_decode("a%00b", 5, out), 3);
	assert_memory_equal(out, "a\0b", 4);
	assert_int_equal(rps_url_decode("%41%42", 5, out), 3); /* the size counts, not the NUL */
	assert_string_equal(out, "A%4");
}

static void printable(const char *bytes, size_t size, const char *expected)
{
	char out[64];

	rps_url_printable(bytes, size, out, sizeof(out));
	assert_string_equal(out, expected);
}

static void control_characters_and_broken_utf8_are_replaced(void **state)
{
	printable("/caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", 15,
		  "/caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
	printable("a\0b\nc\x7f", 6, "a?b?c?");
	printable("\xff\xc3(", 3,
		  "?"
		  "?(");
	printable("\xc0\xaf", 2, "??");      /* overlong slash */
	printable("\xed\xa0\x80", 3, "???"); /* surrogate */
	printable("\xc2\x9b", 2, "??");      /* C1: CSI */
	printable("\xe2\x80\xae", 3, "???"); /* right-to-left override */
	printable("\xe2\x82", 2, "??");      /* cut */
	printable("\xf5\x80\x80\x80", 4, "????");
}

static void long_text_is_cut_between_characters(void **state)
{
	char out[8];

	rps_url_printable("abcdefg", 7, out, sizeof(out));
	assert_string_equal(out, "abcdefg");
	rps_url_printable("abcdefgh", 8, out, sizeof(out));
	assert_string_equal(out, "abcd...");
	rps_url_printable("abc\xc3\xa9xyz", 8, out, sizeof(out));
	assert_string_equal(out, "abc...");
	rps_url_printable("abcdefgh", 8, out, 3);
	assert_in_range(strlen(out), 0, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(targets_are_taken_apart),
	    cmocka_unit_test(absolute_form_becomes_origin_form),
	    cmocka_unit_test(what_would_be_read_differently_is_refused),
	    cmocka_unit_test(escapes_are_decoded_once),
	    cmocka_unit_test(control_characters_and_broken_utf8_are_replaced),
	    cmocka_unit_test(long_text_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
