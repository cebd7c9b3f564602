/* SPDX-License-Identifier: GPL-3.0-or-later */
/* server/choice.c: the trigger is taken out wherever it stands, and who is profiled. */
#include "server/choice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECRET "s=c & ret"

static int take(const char *name, const char *value, const char *target, char **left,
		struct rps_header_list *headers)
{
	struct rps_options options = {.trigger = (char[]){SECRET}};

	memset(headers, 0, sizeof(*headers));
	if (name)
		rps_header_list_add(headers, name, strlen(name), value, strlen(value));
	*left = strdup(target);
	return rps_choice_take_trigger(&options, headers, left);
}

static void secrets_are_found_and_gone(void **state)
{
	struct rps_header_list headers;
	char *left;

	assert_int_equal(take("x-profile", SECRET, "/a?b", &left, &headers), 1);
	assert_int_equal(headers.n, 0);
	rps_header_list_clear(&headers);
	assert_string_equal(left, "/a?b");
	free(left);
	assert_int_equal(take("Cookie", "a=b; X-Profile=" SECRET "; c=d", "/", &left, &headers), 1);
	assert_string_equal(headers.items[0].value, "a=b; c=d");
	rps_header_list_clear(&headers);
	free(left);
	assert_int_equal(take("Cookie", "X-Profile=" SECRET, "/", &left, &headers), 1);
	assert_int_equal(headers.n, 0);
	rps_header_list_clear(&headers);
	free(left);
	assert_int_equal(take(NULL, NULL, "/a?b=c&X-Profile=s%3dc%20%26%20ret&d=e", &left, &headers), 1);
	assert_string_equal(left, "/a?b=c&d=e");
	free(left);
	assert_int_equal(take(NULL, NULL, "/a?x-profile=s=c %26 ret", &left, &headers), 1);
	assert_string_equal(left, "/a");
	free(left);
}

/* A wrong one is taken out, too: it may be a right one with a slip of the pen. */
static void wrong_secrets_are_gone(void **state)
{
	static const char *const wrong[] = {"", "s", SECRET SECRET, "S=c & ret", "s=c & re"};
	struct rps_header_list headers;
	char *left;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(take("X-Profile", wrong[i], "/a?X-Profile=&X-Profile", &left, &headers), 0);
		assert_int_equal(headers.n, 0);
		rps_header_list_clear(&headers);
		assert_string_equal(left, "/a");
		free(left);
	}
	assert_int_equal(take("X-Profiler", SECRET, "/a?X-Profiler=1&&b", &left, &headers), 0);
	assert_int_equal(headers.n, 1);
	assert_string_equal(left, "/a?X-Profiler=1&&b");
	rps_header_list_clear(&headers);
	free(left);
}

static void who_is_profiled(void **state)
{
	char api[] = "/api/*", health[] = "*/health", *only[] = {api}, *skip[] = {health};
	struct rps_options options = {.every = 1};
	struct rps_choice choice = {0};

	assert_true(rps_choice_profiles(&choice, &options, "/x", 0));
	options.only = (struct rps_text_list){.items = only, .n = 1};
	options.skip = (struct rps_text_list){.items = skip, .n = 1};
	assert_true(rps_choice_profiles(&choice, &options, "/api/a/b", 0));
	assert_false(rps_choice_profiles(&choice, &options, "/api", 0));
	assert_false(rps_choice_profiles(&choice, &options, "/api/health", 0));
	options.trigger = (char[]){"x"};
	assert_false(rps_choice_profiles(&choice, &options, "/api/a", 0));
	assert_true(rps_choice_profiles(&choice, &options, "/api/a", 1));
	choice.is_off = 1;
	assert_false(rps_choice_profiles(&choice, &options, "/api/a", 1));
}

static void every_third(void **state)
{
	struct rps_options options = {.every = 3};
	struct rps_choice choice = {0};
	int n = 0;

	for (int i = 0; i < 30; i++)
		n += rps_choice_profiles(&choice, &options, "/", 0);
	assert_int_equal(n, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(secrets_are_found_and_gone),
	    cmocka_unit_test(wrong_secrets_are_gone),
	    cmocka_unit_test(who_is_profiled),
	    cmocka_unit_test(every_third),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
