/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of callgrind files share: building small profiles, writing them, and having the files
 * read by tests/lib/check-callgrind and callgrind_annotate. Included once a test program. */
#ifndef RPS_TESTS_CALLGRIND_HELPERS_H
#define RPS_TESTS_CALLGRIND_HELPERS_H

#include "profile/callgrind_write.h"
#include "profile/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/test-callgrind-XXXXXX";
static char profile_path[sizeof(directory) + 20], errors_path[sizeof(directory) + 20];

static __attribute__((unused)) uint32_t function_at(struct rps_profile *profile, const char *name,
						    const char *file, uint32_t line, const char *object)
{
	const struct rps_function function = {.name = name, .file = file, .line = line, .object = object};

	return rps_profile_function(profile, &function);
}

static __attribute__((unused)) uint32_t function(struct rps_profile *profile, const char *name)
{
	return function_at(profile, name, "/src/a.c", 1, "/bin/app");
}

static __attribute__((unused)) void call(struct rps_profile *profile, uint32_t from, uint32_t to,
					 const char *file, uint32_t line, uint64_t calls, uint64_t inclusive)
{
	uint32_t edge = rps_profile_edge(profile, from, to, file, line);

	assert_int_not_equal(edge, RPS_NONE);
	profile->edges[edge].calls += calls;
	profile->edges[edge].inclusive[0] += inclusive;
}

/* A child of `parent` with a self cost, called once for all that it costs. */
static __attribute__((unused)) uint32_t leaf(struct rps_profile *profile, uint32_t parent, uint32_t of,
					     uint64_t cost)
{
	uint32_t node = rps_profile_node(profile, parent, of);

	profile->nodes[node].self[0] += cost;
	call(profile, parent, node, "", 0, 1, cost);
	return node;
}

/* The file's text; the caller frees it. */
static __attribute__((unused)) char *written(const struct rps_profile *profile)
{
	char *text = NULL, why[200];
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (rps_profile_check(profile, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	assert_int_equal(rps_callgrind_write(profile, out), 0);
	fclose(out);
	assert_int_equal(strlen(text), size);
	return text;
}

static char *read_all(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	assert_non_null(file);
	if (getdelim(&text, &room, '\0', file) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(file);
	return text;
}

static __attribute__((unused)) void run(const char *command)
{
	int status = system(command);

	if (status != 0) {
		char *text = read_all(errors_path);

		fail_msg("%s: exit status %d\n%s", command, WEXITSTATUS(status), text);
	}
}

/* Writes to profile_path and has it checked by the tool that knows the rules. */
static __attribute__((unused)) void write_and_check(const struct rps_profile *profile)
{
	const char *checker = getenv("CHECK_CALLGRIND");
	FILE *out = fopen(profile_path, "we");
	char command[1000], why[200];

	if (rps_profile_check(profile, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	assert_non_null(out);
	assert_int_equal(rps_callgrind_write(profile, out), 0);
	fclose(out);
	snprintf(command, sizeof(command), "%s %s 2>%s",
		 checker != NULL ? checker : "tests/lib/check-callgrind", profile_path, errors_path);
	run(command);
}

static __attribute__((unused)) void contains(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		return;
	print_error("%s", text);
	fail_msg("\"%s\" is not in it", part);
}

static __attribute__((unused)) void contains_not(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		return;
	print_error("%s", text);
	fail_msg("\"%s\" is in it", part);
}

static __attribute__((unused)) bool has_callgrind_annotate(void)
{
	if (system("command -v callgrind_annotate >/dev/null") == 0)
		return true;
	print_message("not checked: callgrind_annotate is missing (install valgrind)\n");
	return false;
}

/* Runs it; it must say nothing to stderr, and `expected` somewhere. */
static __attribute__((unused)) void annotate(const char *options, const char *expected)
{
	char command[1000], *text;

	snprintf(command, sizeof(command), "cd / && callgrind_annotate %s %s >%s.out 2>%s", options,
		 profile_path, profile_path, errors_path);
	run(command);
	text = read_all(errors_path);
	assert_string_equal(text, "");
	free(text);
	snprintf(command, sizeof(command), "%s.out", profile_path);
	text = read_all(command);
	unlink(command);
	contains(text, expected);
	free(text);
}

static __attribute__((unused)) int set_up(void **state)
{
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(profile_path, sizeof(profile_path), "%s/a.prof", directory);
	snprintf(errors_path, sizeof(errors_path), "%s/errors", directory);
	return 0;
}

static __attribute__((unused)) int tear_down(void **state)
{
	unlink(profile_path);
	unlink(errors_path);
	return rmdir(directory);
}

#endif
