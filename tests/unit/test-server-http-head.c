/* SPDX-License-Identifier: GPL-3.0-or-later */
/* server/http_head.c: fields, and which of them end at this hop. */
#include "server/http_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void add(struct rps_header_list *list, const char *name, const char *value)
{
	assert_int_equal(rps_header_list_add(list, name, strlen(name), value, strlen(value)), 0);
}

static void fields_keep_order_and_doubles(void **state)
{
	struct rps_header_list list = {0};

	for (int i = 0; i < 1000; i++) {
		char value[16];

		snprintf(value, sizeof(value), "%d", i);
		add(&list, i % 2 ? "Set-Cookie" : "set-cookie", value);
	}
	assert_int_equal(list.n, 1000);
	assert_string_equal(list.items[999].value, "999");
	assert_string_equal(rps_header_list_find(&list, "SET-COOKIE"), "0");
	assert_null(rps_header_list_find(&list, "Set-Cookie2"));
	rps_header_list_clear(&list);
	assert_int_equal(list.n, 0);
}

static void folded_line_continues_the_last_field(void **state)
{
	struct rps_header_list list = {0};

	assert_int_equal(rps_header_list_fold(&list, "x", 1), -EINVAL);
	add(&list, "A", "b");
	assert_int_equal(rps_header_list_fold(&list, "cd", 2), 0);
	assert_string_equal(list.items[0].value, "b cd");
	rps_header_list_clear(&list);
}

static void tokens_are_whole_words(void **state)
{
	assert_true(rps_header_has_token("close", "Close"));
	assert_true(rps_header_has_token("keep-alive , X-Drop\t,a", "x-drop"));
	assert_true(rps_header_has_token(",,close", "close"));
	assert_false(rps_header_has_token("closed", "close"));
	assert_false(rps_header_has_token("not close", "close"));
	assert_false(rps_header_has_token("", "close"));
}

static void hop_by_hop_fields_are_known(void **state)
{
	struct rps_header_list list = {0};

	add(&list, "Connection", "keep-alive, X-Mine");
	add(&list, "Connection", "X-Other");
	assert_true(rps_header_is_hop_by_hop(&list, "connection"));
	assert_true(rps_header_is_hop_by_hop(&list, "Transfer-Encoding"));
	assert_true(rps_header_is_hop_by_hop(&list, "TE"));
	assert_true(rps_header_is_hop_by_hop(&list, "x-mine"));
	assert_true(rps_header_is_hop_by_hop(&list, "X-Other"));
	assert_false(rps_header_is_hop_by_hop(&list, "X-Mine-Too"));
	assert_false(rps_header_is_hop_by_hop(&list, "Cookie"));
	rps_header_list_clear(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_keep_order_and_doubles),
	    cmocka_unit_test(folded_line_continues_the_last_field),
	    cmocka_unit_test(tokens_are_whole_words),
	    cmocka_unit_test(hop_by_hop_fields_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
