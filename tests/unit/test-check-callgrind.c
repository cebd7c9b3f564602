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

/* clang-format off */
static const char whole_file[] =
    "# callgrind format\n"
    "version: 1\n"
    "creator: somebody\n"
    "pid: 4711\n"
    "cmd: ./shop -p 80\n"
    "part: 1\n"
    "desc: Id: 00c0ffee\n"
    "desc: URL: /cart\\nx: y\n"
    "positions: line\n"
    "event: Wall_ns : Wall time (ns)\n"
    "events: Wall_ns Lost\n"
    "summary: 1000 3\n"
    "\n"
    "ob=(1) ???\n"
    "fl=(1) ???\n"
    "fn=(1) GET /cart\n"
    "0 5 0\n"
    "cob=(2) /bin/shop\n"
    "cfi=(2) /src/cart.c\n"
    "cfn=(4) total\n"
    "calls=1 40\n"
    "0 995 3\n"
    "\n"
    "ob=(1)\n"
    "fl=(1)\n"
    "fn=(2) mystery\n"
    "0 90 0\n"
    "\n"
    "ob=(2)\n"
    "fl=(2)\n"
    "fn=(3) price\n"
    "80 605 3\n"
    "cob=(2)\n"
    "cfi=(2)\n"
    "cfn=(3)\n"
    "calls=7 80\n"
    "88 0 0\n"
    "cob=(2)\n"
    "cfi=(2)\n"
    "cfn=(4)\n"
    "calls=2 40\n"
    "89 0 0\n"
    "\n"
    "ob=(2)\n"
    "fl=(2)\n"
    "fn=(4)\n"
    "40 300 0\n"
    "cob=(1)\n"
    "cfi=(1)\n"
    "cfn=(2)\n"
    "calls=3 0\n"
    "0 90 0\n"
    "cob=(2)\n"
    "cfi=(2)\n"
    "cfn=(3)\n"
    "calls=12 80\n"
    "47 600 2\n"
    "fi=(3) /src/cart.inc\n"
    "12 0 0\n"
    "cob=(2)\n"
    "cfi=(2)\n"
    "cfn=(3)\n"
    "calls=1 80\n"
    "12 5 1\n"
    "\n"
    "totals: 1000 3\n";
/* clang-format on */

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
	static const struct {
		const char *good, *bad, *said;
	} cases[] = {
	    {"# callgrind format\n", "#callgrind format\n", ":1: rule 1"},
	    {"# callgrind format\n", "", ":1: rule 1"},
	    {"pid: 4711\ncmd: ./shop -p 80\n", "cmd: ./shop -p 80\npid: 4711\n", ":5: rule 2"},
	    {"part: 1\n", "", "rule 2: \"part: \" is missing"},
	    {"positions: line\n", "positions: instr line\n", "rule 2: positions"},
	    {"desc: Id: 00c0ffee\n", "desc: Id\n", "rule 2: desc"},
	    {"events: Wall_ns Lost\nsummary: 1000 3\n", "summary: 1000 3\nevents: Wall_ns Lost\n", "rule 2"},
	    {"summary: 1000 3\n", "summary: 1000 3\nevents: Wall_ns Lost\n", "rule 3"},
	    {"\ntotals: 1000 3\n", "\ntotals: 1000 3\nfl=(1)\n", "rule 2: something stands behind"},
	    {"fn=(3) price\n", "fn=(3) total\n", "rule 4: two functions"},
	    {"cfi=(2)\ncfn=(4)\n", "cfi=(1)\ncfn=(4)\n", "rule 4: total has another file"},
	    {"cob=(2)\ncfi=(2)\ncfn=(4)\n", "cfi=(2)\ncfn=(4)\n", "rule 5"},
	    {"cob=(2)\ncfi=(2)\ncfn=(4)\n", "cob=(2)\ncfn=(4)\n", "rule 5"},
	    {"cob=(2)\ncfi=(2)\ncfn=(4)\n", "cob=(2)\ncfi=(2)\n", "rule 5"},
	    {"ob=(1)\nfl=(1)\nfn=(2)", "fl=(1)\nob=(1)\nfn=(2)", "rule 6"},
	    {"ob=(1)\nfl=(1)\nfn=(2)", "fn=(2)", "rule 6"},
	    {"calls=2 40\n89 0 0\n", "calls=2 40\n\nob=(2)\n", "rule 7"},
	    {"calls=2 40\n", "calls=0 40\n", "rule 21"},
	    {"calls=2 40\n", "calls=2\n", "rule 12"},
	    {"0 90 0\n\nob", "0 90.5 0\n\nob", "rule 12"},
	    {"0 90 0\n\nob", "0 -90 0\n\nob", "rule 11"},
	    {"0 90 0\n\nob", "0 90\n\nob", "rule 12"},
	    {"0 90 0\n\nob", "0 90 0 0\n\nob", "rule 11"},
	    {"0 90 0\n\nob", "+0 90 0\n\nob", "rule 3"},
	    {"0 90 0\n\nob", "0 18446744073709551616 0\n\nob", "rule 11: beyond 64 bits"},
	    {"0 90 0\n\nob", "0  90 0\n\nob", "rule 12"},
	    {"0 90 0\n\nob", "0\t90 0\n\nob", "rule 12: byte 09"},
	    {"fl=(1) ???\n", "fl=(1) \n", "rule 12"},
	    {"fl=(1) ???\n", "fl=(1) (2) x\n", "rule 12"},
	    {"fn=(2) mystery", "fn=(9) mystery", "rule 13: function (2) was not declared"},
	    {"fn=(3)\n", "fn=(3) price\n", "rule 13: function (3) is declared twice"},
	    {"fl=(2)\n", "fl=/src/cart.c\n", "rule 13: file name is not compressed"},
	    {"fi=(3) ", "fi=(4) ", "rule 13: file ids are not dense"},
	    {"fi=(3) ", "fi=(4194305) ", "rule 13: file id 4194305 can't be dense"},
	    {"fi=(3) /src/cart.inc", "fi=(3) cart.inc", "rule 14"},
	    {"event: Wall_ns : ", "event: Wall-ns : ", "rule 15"},
	    {"events: Wall_ns Lost", "events: Wall_ns 2nd", "rule 15"},
	    {"summary: 1000 3", "summary: 1001 3", "rule 9"},
	    {"totals: 1000 3", "totals: 1000 2", "rule 9"},
	    {"80 605 3\n", "80 606 3\n", "rule 9: Wall_ns: self costs make 1001"},
	    {"0 995 3\n", "0 994 3\n", "rule 9: Wall_ns: the root"},
	    {"88 0 0\n", "88 1 0\n", "rule 10: price calls itself"},
	    {"89 0 0\n", "89 6 0\n", "rule 10: Wall_ns: what goes into total"},
	    {"0 90 0\ncob", "0 89 0\ncob", "rule 8: Wall_ns: 89 go into mystery"},
	    {"totals: 1000 3\n", "totals: 1000 3", "cut off"},
	    {"\ntotals: 1000 3\n", "\n", "rule 9: the file ends"},
	};
	char *broken, *said;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *at = strstr(whole_file, cases[i].good);

		if (at == NULL)
			fail_msg("not in the file: %s", cases[i].good);
		assert_true(asprintf(&broken, "%.*s%s%s", (int)(at - whole_file), whole_file, cases[i].bad,
				     at + strlen(cases[i].good)) > 0);
		write_file(broken);
		said = ask("", 1);
		if (strstr(said, cases[i].said) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", said, cases[i].said);
		free(said);
		free(broken);
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
