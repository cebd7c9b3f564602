/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/lib/check-callgrind, on which the other tests rely: that it takes a good file, notices
 * each broken rule, and answers its questions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "broken-callgrind.h"


static char path[] = "/tmp/test-check-callgrind-XXXXXX";

static void write_file(const char *text)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

/* What it says, to whichever stream, about the file; the caller frees it. */
static char *ask(const char *arguments, int expected_status)
{
	const char *checker = getenv("CHECK_CALLGRIND");
	char command[1000], *said = NULL;
	size_t room = 0;
	FILE *out;

	snprintf(command, sizeof(command), "%s %s %s 2>&1",
		 checker != NULL ? checker : "tests/lib/check-callgrind", arguments, path);
	out = popen(command, "re");
	assert_non_null(out);
	if (getdelim(&said, &room, '\0', out) < 0) {
		free(said);
		said = strdup("");
	}
	assert_int_equal(WEXITSTATUS(pclose(out)), expected_status);
	return said;
}

static void answers(const char *arguments, int expected_status, const char *expected)
{
	char *said = ask(arguments, expected_status);

	assert_string_equal(said, expected);
	free(said);
}

static void a_good_file(void **state)
{
	write_file(whole_file);
	answers("", 0, "");
	answers(path, 0, ""); /* twice */
}

static void broken_files(void **state)
{
	char *text, *said;

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		const char *at = strstr(whole_file, broken[i].good);

		if (at == NULL)
			fail_msg("not in the file: %s", broken[i].good);
		assert_true(asprintf(&text, "%.*s%s%s", (int)(at - whole_file), whole_file, broken[i].bad,
				     at + strlen(broken[i].good)) > 0);
		write_file(text);
		said = ask("", 1);
		if (strstr(said, broken[i].said) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", said, broken[i].said);
		free(said);
		free(text);
	}
}

static void questions(void **state)
{
	char *said;

	write_file(whole_file);
	answers("--calls price", 0, "20\n");
	answers("--calls total", 0, "3\n");
	answers("--calls 'GET /cart'", 0, "0\n");
	answers("--calls nobody", 0, "0\n");
	answers("--calls pric", 0, "0\n");
	answers("--callers price", 0,
		"7 price /src/cart.c:88\n12 total /src/cart.c:47\n1 total /src/cart.inc:12\n");
	answers("--callers total", 0, "1 GET /cart ???:0\n2 price /src/cart.c:89\n");
	answers("--self price", 0, "605 3\n");
	answers("--self nobody", 0, "0 0\n");
	answers("--desc Id", 0, "00c0ffee\n");
	answers("--desc URL", 0, "/cart\\nx: y\n");
	said = ask("--desc Ur", 1);
	assert_non_null(strstr(said, "no \"desc: Ur: \""));
	free(said);
	answers("--functions", 0, "GET /cart\t0\t5\nmystery\t3\t90\nprice\t20\t605\ntotal\t3\t300\n");
}

static void names_with_what_tells_them_apart(void **state)
{
	char text[sizeof(whole_file) + 100];
	const char *at = strstr(whole_file, " price\n");

	snprintf(text, sizeof(text), "%.*s price [src/cart.c]%s", (int)(at - whole_file), whole_file, at + 6);
	write_file(text);
	answers("--calls price", 0, "20\n");
	answers("--calls 'price [src/cart.c]'", 0, "20\n");
}

static void bad_usage(void **state)
{
	char *said = ask("--what", 2);

	assert_int_equal(strncmp(said, "usage: ", 7), 0);
	free(said);
	unlink(path);
	said = ask("", 1);
	assert_non_null(strstr(said, "cannot be opened: No such file"));
	free(said);
}

static int set_up(void **state)
{
	int descriptor = mkstemp(path);

	return descriptor < 0 ? -1 : close(descriptor);
}

static int tear_down(void **state)
{
	unlink(path);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_file), cmocka_unit_test(broken_files),
	    cmocka_unit_test(questions),   cmocka_unit_test(names_with_what_tells_them_apart),
	    cmocka_unit_test(bad_usage),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
