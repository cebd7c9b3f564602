/* SPDX-License-Identifier: GPL-3.0-or-later */
/* profile/callgrind_rules.c: with the reader's own checks, what runprofile validate holds our files to. It must refuse all
 * that tests/lib/check-callgrind refuses, and name the line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "broken-callgrind.h"

#include "profile/callgrind_read.h"
#include "profile/callgrind_rules.h"

static char path[] = "/tmp/test-callgrind-rules-XXXXXX";
static char why[512];

static int read_by(const char *text, int (*reader)(struct rps_input *input, struct rps_profile **profile))
{
	struct rps_profile *profile = NULL;
	FILE *stream = fmemopen((void *)(uintptr_t)text, strlen(text), "re");
	struct rps_input *input = rps_input_create(stream, path);
	int error;

	assert_non_null(input);
	error = reader(input, &profile);
	rps_profile_destroy(profile);
	rps_input_destroy(input);
	fclose(stream);
	return error;
}

static int by_lines(struct rps_input *input, struct rps_profile **profile)
{
	return rps_callgrind_read(input, profile, why, sizeof(why));
}

static int by_rules(struct rps_input *input, struct rps_profile **profile)
{
	(void)profile;
	return rps_callgrind_rules_check(input, why, sizeof(why));
}

/* As validate does. */
static int validate(const char *text)
{
	int error;

	why[0] = '\0';
	error = read_by(text, by_lines);
	return error != 0 ? error : read_by(text, by_rules);
}

/* `text` with `bad` for the first `good`; the caller frees it. */
static char *replaced(const char *text, const char *good, const char *bad)
{
	const char *at = strstr(text, good);
	char *result;

	if (at == NULL)
		fail_msg("not in the file: %s", good);
	assert_true(asprintf(&result, "%.*s%s%s", (int)(at - text), text, bad, at + strlen(good)) > 0);
	return result;
}

/* The file as if we had recorded it. */
static char *ours(const char *text)
{
	char *created = replaced(text, "creator: somebody\n", "creator: RunProfileServer 0\n");
	char *recorded = replaced(created, "positions:", "desc: Scope: request\npositions:");

	free(created);
	return recorded;
}

static void a_good_file(void **state)
{
	char *text = ours(whole_file);

	assert_int_equal(validate(text), 0);
	assert_string_equal(why, "");
	free(text);
}

static void broken_files(void **state)
{
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		char *text = ours(whole_file), *bad = replaced(text, broken[i].good, broken[i].bad);

		/* Relative names of files are what -ffile-prefix-map makes; the reader takes "(4194305)" for a number
		 * like others, and the rules say that it is not dense. */
		if (strcmp(broken[i].said, "rule 14") == 0) {
			assert_int_equal(validate(bad), 0);
		} else {
			if (validate(bad) == 0)
				fail_msg("\"%s\" in place of \"%s\" is not noticed", broken[i].bad, broken[i].good);
			assert_int_equal(strncmp(why, path, strlen(path)), 0);
			assert_true(why[strlen(path)] == ':' && why[strlen(path) + 1] > '0');
		}
		free(text);
		free(bad);
	}
}

static void the_line_is_named(void **state)
{
	static const struct {
		const char *good, *bad, *said;
	} cases[] = {
	    {"version: 1\n", "version: 2\n", ":2: the version is not 1"},
	    {"part: 1\n", "", ":6: there is no part: before desc:"},
	    {"desc: Id: 00c0ffee\n", "desc: Id\n", ":7: \"desc: Key: value\""},
	    {"event: Wall_ns : ", "event: Wall-ns : ", ":11: \"event: NAME"},
	    {"fn=(3) price\n", "fn=(3) total\n", ":32: to KCacheGrind this is the function of line 21"},
	    {"cfi=(2)\ncfn=(4)\n", "cfi=(1)\ncfn=(4)\n", ":41: total has another file or object"},
	    {"ob=(2)\nfl=(2)\nfn=(4)\n", "ob=(2)\nfl=(2)\nfn=(3)\n", ":47: price stands here for the second time"},
	    {"40 300 0\n", "040 300 0\n", ":48: a number that begins with 0: 040"},
	    {"89 0 0\n", "89 6 0\n", ":43: with this call more goes into a function"},
	    {"88 0 0\n", "88 1 0\n", ":38: a function that calls itself and charges it"},
	    {"0 90 0\ncob", "0 89 0\ncob", ":21: 995 go into total (or its cycle), but 994 are"},
	    {"summary: 1000 3", "summary: 1001 3", ":67: the totals are not the summary"},
	    {"calls=1 40\n0 995 3\n", "calls=1 40\n0 994 3\n", "go into total (or its cycle)"},
	    {"cob=(1)\ncfi=(1)\ncfn=(2)\ncalls=3 0\n0 90 0\n", "", ":27: nothing calls mystery, nor GET /cart"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = ours(whole_file), *bad = replaced(text, cases[i].good, cases[i].bad);

		if (validate(bad) == 0 || strstr(why, cases[i].said) == NULL)
			fail_msg("\"%s\": \"%s\" does not say \"%s\"", cases[i].bad, why, cases[i].said);
		free(text);
		free(bad);
	}
}

/* Costs of others' cycles are their own business, and they may have several roots. */
static void of_others_files_only_lines_are_checked(void **state)
{
	char *created = replaced(whole_file, "creator: somebody\n", "creator: RunProfileServer 0\n");
	char *text = replaced(created, "cob=(1)\ncfi=(1)\ncfn=(2)\ncalls=3 0\n0 90 0\n", "");

	assert_int_equal(validate(text), 0);
	free(text);
	text = replaced(whole_file, "ob=(1)\nfl=(1)\nfn=(2)", "fl=(1)\nob=(1)\nfn=(2)");
	assert_int_equal(validate(text), 0); /* somebody's: what loads it is right */
	free(text);
	free(created);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_file),
	    cmocka_unit_test(broken_files),
	    cmocka_unit_test(the_line_is_named),
	    cmocka_unit_test(of_others_files_only_lines_are_checked),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
