/* SPDX-License-Identifier: GPL-3.0-or-later */
/* server/access_log.c: the line, and what hostile bytes become in it. */
#include "server/access_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static struct rps_access_entry entry(void)
{
	const struct rps_access_entry result = {
	    .time_s = 1226557778, /* 13 November 2008, 06:29:38 UTC */
	    .method = "GET",
	    .target = "/",
	    .version = "HTTP/1.1",
	    .status = 200,
	    .body_bytes = 41107,
	};

	return result;
}

static void check_as(enum rps_log_format format, int is_verbose, const struct rps_access_entry *e,
		     const char *expected)
{
	char line[RPS_ACCESS_LOG_LINE_MAX];
	size_t size = rps_access_log_format(format, is_verbose, e, line, sizeof(line));

	assert_string_equal(line, expected);
	assert_int_equal(size, strlen(line));
}

static void check(const struct rps_access_entry *e, const char *expected)
{
	check_as(RPS_LOG_DJANGO, 1, e, expected);
}

static void line_is_as_django_prints_it(void **state)
{
	struct rps_access_entry e = entry();

	check(&e, "[13/Nov/2008 06:29:38] \"GET / HTTP/1.1\" 200 41107\n");
}

static void profile_and_id_follow(void **state)
{
	struct rps_access_entry e = entry();

	e.profile = "root.000001ms.1226557778.prof";
	e.id = 0xabc;
	check(&e, "[13/Nov/2008 06:29:38] \"GET / HTTP/1.1\" 200 41107 root.000001ms.1226557778.prof "
		  "0000000000000abc\n");
	check_as(RPS_LOG_DJANGO, 0, &e, "[13/Nov/2008 06:29:38] \"GET / HTTP/1.1\" 200 41107\n");
}

static void combined_is_as_apache_writes_it(void **state)
{
	struct rps_access_entry e = entry();

	e.client = "192.0.2.1";
	check_as(RPS_LOG_COMBINED, 0, &e,
		 "192.0.2.1 - - [13/Nov/2008:06:29:38 +0000] \"GET / HTTP/1.1\" 200 41107 \"-\" \"-\"\n");
	e.referer = "http://a/\"";
	e.agent = "curl\n";
	check_as(RPS_LOG_COMBINED, 0, &e,
		 "192.0.2.1 - - [13/Nov/2008:06:29:38 +0000] \"GET / HTTP/1.1\" 200 41107 \"http://a/\\x22\" "
		 "\"curl\\x0a\"\n");
}

static void json_is_json(void **state)
{
	struct rps_access_entry e = entry();

	e.client = "::1";
	e.target = "/\"\\\n\xff";
	e.duration_us = 1500;
	e.profile = "root.prof";
	e.id = 0xabc;
	check_as(RPS_LOG_JSON, 0, &e,
		 "{\"time\": \"2008-11-13T06:29:38Z\", \"client\": \"::1\", \"method\": \"GET\", "
		 "\"target\": \"/\\u0022\\u005c\\u000a\\u00ff\", \"version\": \"HTTP/1.1\", \"status\": 200, "
		 "\"bytes\": 41107, \"duration_us\": 1500, \"profile\": \"root.prof\", "
		 "\"id\": \"0000000000000abc\"}\n");
}

static void no_status_is_a_dash(void **state)
{
	struct rps_access_entry e = entry();

	e.status = 0;
	e.body_bytes = 0;
	check(&e, "[13/Nov/2008 06:29:38] \"GET / HTTP/1.1\" - 0\n");
}

static void hostile_bytes_are_escaped(void **state)
{
	struct rps_access_entry e = entry();

	e.method = "G\x1b[2J";
	e.target = "/\"\\ \n[13/Nov]\x7f\xff";
	check(
	    &e,
	    "[13/Nov/2008 06:29:38] \"G\\x1b[2J /\\x22\\x5c \\x0a[13/Nov]\\x7f\\xff HTTP/1.1\" 200 41107\n");
}

static void long_target_is_cut_and_the_line_stays_whole(void **state)
{
	struct rps_access_entry e = entry();
	char target[9000], line[RPS_ACCESS_LOG_LINE_MAX];
	size_t size;

	memset(target, '\x01', sizeof(target) - 1);
	target[sizeof(target) - 1] = 0;
	e.target = target;
	size = rps_access_log_format(RPS_LOG_DJANGO, 1, &e, line, sizeof(line));
	assert_in_range(size, 8000, sizeof(line) - 1);
	assert_non_null(strstr(line, "... HTTP/1.1\" 200 41107\n"));
	/* Too small a buffer still ends in one newline. */
	size = rps_access_log_format(RPS_LOG_DJANGO, 1, &e, line, 30);
	assert_int_equal(size, 29);
	assert_int_equal(line[28], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(line_is_as_django_prints_it),
	    cmocka_unit_test(profile_and_id_follow),
	    cmocka_unit_test(combined_is_as_apache_writes_it),
	    cmocka_unit_test(json_is_json),
	    cmocka_unit_test(no_status_is_a_dash),
	    cmocka_unit_test(hostile_bytes_are_escaped),
	    cmocka_unit_test(long_target_is_cut_and_the_line_stays_whole),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
