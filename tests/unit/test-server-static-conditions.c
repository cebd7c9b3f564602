/* SPDX-License-Identifier: GPL-3.0-or-later */
/* server/static_conditions.c: dates, entity tags, ranges. */
#include "server/static_conditions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#define MODIFIED_S 784111777
#define MODIFIED "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define TAG "\"1-2\""

static void dates(void **state)
{
	static const char *const none[] = {"",
					   "Sun, 06 Nov 1994",
					   "Sunday, 06-Nov-94 08:49:37 GMT",
					   "Sun, 06 Foo 1994 08:49:37 GMT",
					   "Sun, 32 Nov 1994 08:49:37 GMT",
					   "Sun, 06 Nov 1994 08:49:37 CET"};
	char text[RPS_HTTP_DATE_MAX];
	time_t time_s = 0;

	rps_http_date_format(MODIFIED_S, text, sizeof(text));
	assert_string_equal(text, MODIFIED);
	assert_int_equal(rps_http_date_parse(text, &time_s), 0);
	assert_int_equal(time_s, MODIFIED_S);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(rps_http_date_parse(none[i], &time_s), -EINVAL);
}

/* The answer to a request with these fields, for a file of 1000 bytes. */
static void expect(const char *name, const char *value, const char *name2, const char *value2,
		   unsigned status, uint64_t start, uint64_t size)
{
	struct rps_header_list headers = {0};
	struct rps_static_part part;

	rps_header_list_add(&headers, name, strlen(name), value, strlen(value));
	if (name2)
		rps_header_list_add(&headers, name2, strlen(name2), value2, strlen(value2));
	part = rps_static_decide(&headers, 1, 1000, MODIFIED_S, TAG);
	assert_int_equal(part.status, status);
	assert_int_equal(part.start, start);
	assert_int_equal(part.size, size);
	rps_header_list_clear(&headers);
}

static void conditions(void **state)
{
	expect("Accept", "*/*", NULL, NULL, 200, 0, 1000);
	expect("If-None-Match", TAG, NULL, NULL, 304, 0, 0);
	expect("If-None-Match", "\"x\", W/" TAG ", \"y\"", NULL, NULL, 304, 0, 0);
	expect("If-None-Match", "*", NULL, NULL, 304, 0, 0);
	expect("If-None-Match", "\"1-3\"", "If-Modified-Since", MODIFIED, 200, 0, 1000);
	expect("If-None-Match", "\"1-2", NULL, NULL, 200, 0, 1000);
	expect("If-Modified-Since", MODIFIED, NULL, NULL, 304, 0, 0);
	expect("If-Modified-Since", BEFORE, NULL, NULL, 200, 0, 1000);
	expect("If-Modified-Since", "yesterday", NULL, NULL, 200, 0, 1000);
	expect("If-Match", TAG, NULL, NULL, 200, 0, 1000);
	expect("If-Match", "W/" TAG, NULL, NULL, 412, 0, 0);
	expect("If-Match", "\"x\"", NULL, NULL, 412, 0, 0);
	expect("If-Unmodified-Since", BEFORE, NULL, NULL, 412, 0, 0);
	expect("If-Unmodified-Since", MODIFIED, "If-None-Match", TAG, 304, 0, 0);
}

static void ranges(void **state)
{
	expect("Range", "bytes=0-0", NULL, NULL, 206, 0, 1);
	expect("Range", "bytes=10-19", NULL, NULL, 206, 10, 10);
	expect("Range", "bytes=990-", NULL, NULL, 206, 990, 10);
	expect("Range", "bytes=990-5000", NULL, NULL, 206, 990, 10);
	expect("Range", "bytes=-10", NULL, NULL, 206, 990, 10);
	expect("Range", "bytes=-5000", NULL, NULL, 206, 0, 1000);
	expect("Range", "bytes=1000-", NULL, NULL, 416, 0, 0);
	expect("Range", "bytes=-0", NULL, NULL, 416, 0, 0);
	expect("Range", "bytes=99999999999999999999999-", NULL, NULL, 416, 0, 0);
	expect("Range", "bytes=20-10", NULL, NULL, 200, 0, 1000);
	expect("Range", "bytes=0-1,5-6", NULL, NULL, 200, 0, 1000);
	expect("Range", "lines=1-2", NULL, NULL, 200, 0, 1000);
	expect("Range", "bytes=-", NULL, NULL, 200, 0, 1000);
	expect("Range", "bytes=0-9", "If-Range", TAG, 206, 0, 10);
	expect("Range", "bytes=0-9", "If-Range", "\"old\"", 200, 0, 1000);
	expect("Range", "bytes=0-9", "If-Range", MODIFIED, 206, 0, 10);
	expect("Range", "bytes=0-9", "If-Range", BEFORE, 200, 0, 1000);
	expect("Range", "bytes=0-9", "If-None-Match", TAG, 304, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dates),
	    cmocka_unit_test(conditions),
	    cmocka_unit_test(ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
