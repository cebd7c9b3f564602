/* SPDX-License-Identifier: GPL-3.0-or-later */
/* profile/callgrind_write.c with call_graph.c and callgrind_names.c. Files are held against what is
 * written out here, against tests/lib/check-callgrind (the rules; it shares no code with the writer), against
 * a program run whose calls were counted in another way, and against callgrind_annotate. */
#include "profile/callgrind_write.h"

#include "profile/callgrind_names.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- Running out of memory (the linker sends the library's allocations here) ------------------ */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);

static long n_allocations_left = -1; /* -1: no limit */

static bool allocation_fails(void)
{
	if (n_allocations_left < 0)
		return false;
	return n_allocations_left == 0 || n_allocations_left-- == 0;
}

void *__wrap_malloc(size_t size)
{
	return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return allocation_fails() ? NULL : __real_calloc(n, size);
}

/* ---- Tools --------------------------------------------------------------------------------------- */

static char directory[] = "/tmp/test-callgrind-write-XXXXXX";
static char profile_path[sizeof(directory) + 20], errors_path[sizeof(directory) + 20];

static uint32_t function_at(struct rps_profile *profile, const char *name, const char *file, uint32_t line,
			    const char *object)
{
	const struct rps_function function = {.name = name, .file = file, .line = line, .object = object};

	return rps_profile_function(profile, &function);
}

static uint32_t function(struct rps_profile *profile, const char *name)
{
	return function_at(profile, name, "/src/a.c", 1, "/bin/app");
}

static void call(struct rps_profile *profile, uint32_t from, uint32_t to, const char *file, uint32_t line,
		 uint64_t calls, uint64_t inclusive)
{
	uint32_t edge = rps_profile_edge(profile, from, to, file, line);

	assert_int_not_equal(edge, RPS_NONE);
	profile->edges[edge].calls += calls;
	profile->edges[edge].inclusive[0] += inclusive;
}

/* A child of `parent` with a self cost, called once for all that it costs. */
static uint32_t leaf(struct rps_profile *profile, uint32_t parent, uint32_t of, uint64_t cost)
{
	uint32_t node = rps_profile_node(profile, parent, of);

	profile->nodes[node].self[0] += cost;
	call(profile, parent, node, "", 0, 1, cost);
	return node;
}

/* The file's text; the caller frees it. */
static char *written(const struct rps_profile *profile)
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

static void run(const char *command)
{
	int status = system(command);

	if (status != 0) {
		char *text = read_all(errors_path);

		fail_msg("%s: exit status %d\n%s", command, WEXITSTATUS(status), text);
	}
}

/* Writes to profile_path and has it checked by the tool that knows the rules. */
static void write_and_check(const struct rps_profile *profile)
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

static void contains(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		return;
	print_error("%s", text);
	fail_msg("\"%s\" is not in it", part);
}

static void contains_not(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		return;
	print_error("%s", text);
	fail_msg("\"%s\" is in it", part);
}

/* ---- Whole files ------------------------------------------------------------------------------------- */

/* Root, a function with calls from two files, recursion, an unknown function; two events. */
static const char whole_file[] = "# callgrind format\n"
				 "version: 1\n"
				 "creator: RunProfileServer " PACKAGE_VERSION "\n"
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

static void a_whole_file(void **state)
{
	struct rps_profile *profile = rps_profile_create("GET /cart");
	uint32_t total, price, mystery, edge;
	char *text;

	profile->events[1] = (struct rps_event){"Lost", ""};
	profile->n_events = 2;
	profile->pid = 4711;
	rps_profile_set_command(profile, "./shop -p 80");
	rps_profile_add_meta(profile, "Id", "00c0ffee");
	rps_profile_add_meta(profile, "URL", "/cart\nx: y");
	total = rps_profile_node(profile, 0, function_at(profile, "total", "/src/cart.c", 40, "/bin/shop"));
	price =
	    rps_profile_node(profile, total, function_at(profile, "price", "/src/cart.c", 80, "/bin/shop"));
	mystery = rps_profile_node(profile, total, function_at(profile, "mystery", "", 0, ""));
	profile->nodes[0].self[0] = 5;
	profile->nodes[total].self[0] = 300;
	profile->nodes[price].self[0] = 605;
	profile->nodes[price].self[1] = 3;
	profile->nodes[mystery].self[0] = 90;
	edge = rps_profile_edge(profile, 0, total, "/src/server.c", 9); /* the root has no source: not said */
	profile->edges[edge].calls = 1;
	profile->edges[edge].inclusive[0] = 995;
	profile->edges[edge].inclusive[1] = 3;
	call(profile, total, price, "/src/cart.inc", 12, 1, 5);
	profile->edges[profile->n_edges - 1].inclusive[1] = 1;
	call(profile, total, price, "/src/cart.c", 47, 12, 600);
	profile->edges[profile->n_edges - 1].inclusive[1] = 2;
	call(profile, total, mystery, "/src/cart.inc", 0, 3, 90); /* a file without a line is no place */
	call(profile, price, total, "/src/cart.c", 89, 2, 0);
	call(profile, price, price, "/src/cart.c", 88, 7, 0);
	write_and_check(profile);
	text = written(profile);
	assert_string_equal(text, whole_file);
	free(text);
	rps_profile_destroy(profile);
}

/* What holds the files against the rules must itself notice each broken one. */
static void the_checker_notices_broken_files(void **state)
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
	const char *checker = getenv("CHECK_CALLGRIND");
	char command[1000], *broken, *said;

	snprintf(command, sizeof(command), "%s %s 2>%s",
		 checker != NULL ? checker : "tests/lib/check-callgrind", profile_path, errors_path);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *at = strstr(whole_file, cases[i].good);
		FILE *out = fopen(profile_path, "we");

		if (at == NULL)
			fail_msg("not in the file: %s", cases[i].good);
		assert_true(asprintf(&broken, "%.*s%s%s", (int)(at - whole_file), whole_file, cases[i].bad,
				     at + strlen(cases[i].good)) > 0);
		fputs(broken, out);
		fclose(out);
		if (WEXITSTATUS(system(command)) != 1)
			fail_msg("not noticed: %s", cases[i].bad);
		said = read_all(errors_path);
		contains(said, cases[i].said);
		free(said);
		free(broken);
	}
}

static void an_empty_profile(void **state)
{
	struct rps_profile *profile = rps_profile_create("GET /");

	write_and_check(profile);
	/* Functions that neither cost anything nor are called don't appear. */
	rps_profile_node(profile, 0, function(profile, "never"));
	rps_profile_edge(profile, 0, 1, "/src/never.c", 4);
	write_and_check(profile);
	char *text = written(profile);
	contains_not(text, "never");
	contains(text, "\nfn=(1) GET /\n0 0\n\ntotals: 0\n");
	free(text);
	rps_profile_destroy(profile);
}

static void volatile_lines_can_be_left_out(void **state)
{
	struct rps_profile *profile = rps_profile_create("r");
	char *text;

	profile->pid = 1;
	rps_profile_set_command(profile, "app");
	rps_profile_add_meta(profile, "Method", "GET");
	rps_profile_add_volatile_meta(profile, "Time", "now");
	text = written(profile);
	contains(text, "\npid: 1\ncmd: app\npart: 1\ndesc: Method: GET\ndesc: Time: now\npositions");
	free(text);
	profile->volatile_headers = 0;
	text = written(profile);
	contains(text, "\npart: 1\ndesc: Method: GET\npositions");
	free(text);
	rps_profile_destroy(profile);
}

/* ---- Names --------------------------------------------------------------------------------------------- */

static void escapes(void **state)
{
	static const struct {
		const char *raw, *escaped;
	} cases[] = {
	    {"operator<<(std::ostream&, T const&)", "operator<<(std::ostream&, T const&)"},
	    {"tab\there\r\n", "tab\\there\\x0d\\n"},
	    {"\x01\x7f", "\\x01\\x7f"},
	    {"\xc3\xa4\xe2\x82\xac", "\xc3\xa4\xe2\x82\xac"},
	    {"\xc3", "\\xc3"},
	    {"\xff\xfe", "\\xff\\xfe"},
	    {"\xc2\x85", "\\xc2\\x85"},
	    {"back\\slash", "back\\slash"},
	    {"", ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *escaped = rps_callgrind_escape(cases[i].raw);

		assert_string_equal(escaped, cases[i].escaped);
		free(escaped);
	}
}

static void names_that_would_break_a_line(void **state)
{
	static const char *const names[] = {"",     "(1)",         "(2) x", " space", "(anonymous)",
					    "a\tb", "a\nfn=(1) b", "\xff",  "a  b",   "???",
					    "#x",   "totals: 1",   "("};
	struct rps_profile *profile = rps_profile_create("GET /a\n\x1b[m");
	char *text;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		leaf(profile, 0, function(profile, names[i]), 1);
	leaf(profile, 0, function_at(profile, "odd file", "/src/(1)\n.c", 1, " /bin/app\t"), 1);
	write_and_check(profile);
	text = written(profile);
	contains(text, ") GET /a\\n\\x1b[m\n");
	contains(text, ") \\x281)\n");
	contains(text, ") \\x282) x\n");
	contains(text, ") \\x20space\n");
	contains(text, ") (anonymous)\n");
	contains(text, ") a\\nfn=(1) b\n");
	contains(text, ") ??? #2\n"); /* "" and "???" are the same to a loader */
	contains(text, ") /src/(1)\\n.c\n");
	contains(text, ") \\x20/bin/app\\t\n");
	free(text);
	rps_profile_destroy(profile);
}

static void equal_names_are_told_apart(void **state)
{
	struct rps_profile *profile = rps_profile_create("main");
	static const struct {
		const char *name, *file;
		uint32_t line;
		const char *object, *expected;
	} cases[] = {
	    /* only one of this name, or another base name: as it is */
	    {"alone", "/s/a/util.c", 3, "/bin/app", ") alone\n"},
	    {"other", "/s/a/util.c", 3, "/bin/app", ") other\n"},
	    {"other", "/s/a/more.c", 3, "/bin/app", ") other\n"},
	    {"other", "/s/a/more.c", 3, "/bin/app2", ") other\n"},
	    /* as many directories as it takes */
	    {"init", "/s/a/util.c", 3, "/bin/app", ") init [a/util.c]\n"},
	    {"init", "/s/b/util.c", 3, "/bin/app", ") init [b/util.c]\n"},
	    {"exit", "/s/a/x/util.c", 3, "/bin/app", ") exit [a/x/util.c]\n"},
	    {"exit", "/s/b/x/util.c", 3, "/bin/app", ") exit [b/x/util.c]\n"},
	    {"exit", "/s/b/y/util.c", 3, "/bin/app", ") exit [b/y/util.c]\n"},
	    {"deep", "/d/util.c", 3, "/bin/app", ") deep [/d/util.c]\n"},
	    {"deep", "/s/d/util.c", 3, "/bin/app", ") deep [s/d/util.c]\n"},
	    /* lines */
	    {"operator()(int)", "/s/shop.cc", 40, "/bin/app", ") operator()(int) [shop.cc:40]\n"},
	    {"operator()(int)", "/s/shop.cc", 52, "/bin/app", ") operator()(int) [shop.cc:52]\n"},
	    /* files and lines */
	    {"both", "/s/a/util.c", 3, "/bin/app", ") both [a/util.c:3]\n"},
	    {"both", "/s/a/util.c", 4, "/bin/app", ") both [a/util.c:4]\n"},
	    {"both", "/s/b/util.c", 4, "/bin/app", ") both [b/util.c:4]\n"},
	    /* objects */
	    {"plug", "/s/util.c", 3, "/lib/a/p.so", ") plug [a/p.so]\n"},
	    {"plug", "/s/util.c", 3, "/lib/b/p.so", ") plug [b/p.so]\n"},
	    /* the root keeps its name */
	    {"main", "", 0, "", ") main #2\n"},
	    /* a name that was made for another is taken */
	    {"init [a/util.c]", "/s/a/util.c", 9, "/bin/app", ") init [a/util.c] #2\n"},
	    /* name and file run together */
	    {"run", "/s/1.c", 3, "/bin/app", ") run [1.c]\n"},
	    {"run1", "/s/.c", 3, "/bin/app", ") run1 [.c]\n"},
	};
	char *text;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		leaf(profile, 0,
		     function_at(profile, cases[i].name, cases[i].file, cases[i].line, cases[i].object), 1);
	write_and_check(profile);
	text = written(profile);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		contains(text, cases[i].expected);
	contains(text, ") main\n0 0\ncob="); /* the root: it calls, and costs nothing */
	free(text);
	rps_profile_destroy(profile);
}

/* Variants of a constructor are one function of the source, and one nested in another is charged once. */
static void symbols_of_one_function_are_one(void **state)
{
	struct rps_profile *profile = rps_profile_create("r");
	struct rps_function variant = {"Base::Base()", "_ZN4BaseC1Ev", "/src/a.cc", "/bin/app", 4};
	uint32_t first, between, second;
	char *text;

	first = rps_profile_node(profile, 0, rps_profile_function(profile, &variant));
	between = rps_profile_node(profile, first, function(profile, "make"));
	variant.symbol = "_ZN4BaseC2Ev";
	second = rps_profile_node(profile, between, rps_profile_function(profile, &variant));
	profile->nodes[first].self[0] = 10;
	profile->nodes[between].self[0] = 20;
	profile->nodes[second].self[0] = 30;
	call(profile, 0, first, "", 0, 1, 60);
	call(profile, first, between, "/src/a.cc", 5, 1, 50);
	call(profile, between, second, "/src/a.c", 2, 1, 30);
	write_and_check(profile); /* 60 + 30 would be above the total of 60 */
	text = written(profile);
	contains(text, "fn=(1) Base::Base()\n4 40\n");
	contains(text, "calls=1 4\n2 0\n");
	free(text);
	rps_profile_destroy(profile);
}

static void a_count_that_is_not_known(void **state)
{
	struct rps_profile *profile = rps_profile_create("r");
	uint32_t node = rps_profile_node(profile, 0, function(profile, "f"));
	char *text;

	profile->nodes[node].self[0] = 7;
	call(profile, 0, node, "", 0, 0, 7);
	write_and_check(profile);
	text = written(profile);
	contains(text, "calls=1 1\n0 7\n");
	free(text);
	rps_profile_destroy(profile);
}

static void costs_beyond_64_bits(void **state)
{
	struct rps_profile *profile = rps_profile_create("r");
	uint32_t f = rps_profile_node(profile, 0, function(profile, "f"));
	uint32_t g = rps_profile_node(profile, f, function(profile, "f2"));
	char *text;

	profile->nodes[f].self[0] = UINT64_MAX - 1;
	profile->nodes[g].self[0] = UINT64_MAX - 1;
	call(profile, 0, f, "", 0, UINT64_MAX, UINT64_MAX);
	call(profile, 0, f, "/src/x.c", 1, 5, UINT64_MAX); /* the root has no place: the same call */
	call(profile, f, g, "", 0, 1, UINT64_MAX - 1);
	text = written(profile);
	contains(text, "summary: 18446744073709551615\n");
	contains(text, "calls=18446744073709551615 1\n0 18446744073709551615\n");
	contains(text, "totals: 18446744073709551615\n");
	free(text);
	rps_profile_destroy(profile);
}

/* ---- Errors
 * ------------------------------------------------------------------------------------------------ */

static struct rps_profile *large_profile(void)
{
	struct rps_profile *profile = rps_profile_create("r");
	char name[40];

	for (uint32_t i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "function_%u", i % 1000);
		leaf(profile, i / 9, function(profile, name), i);
	}
	for (uint32_t i = profile->n_nodes; i-- > 1;) {
		uint32_t edge = profile->nodes[i].parent == 0 ? RPS_NONE : i - 1;

		/* Edge i - 1 leads to node i: what it costs is part of what leads to its parent. */
		if (edge != RPS_NONE)
			profile->edges[profile->nodes[i].parent - 1].inclusive[0] +=
			    profile->edges[edge].inclusive[0];
	}
	return profile;
}

static void a_full_disk(void **state)
{
	struct rps_profile *profile = rps_profile_create("r"), *large = large_profile();
	FILE *out;

	if (access("/dev/full", W_OK) != 0)
		skip();
	out = fopen("/dev/full", "we");
	assert_int_equal(rps_callgrind_write(profile, out), -ENOSPC); /* when it is flushed */
	fclose(out);
	out = fopen("/dev/full", "we");
	assert_int_equal(rps_callgrind_write(large, out), -ENOSPC); /* in the middle */
	fclose(out);
	out = fopen("/dev/null", "re");
	assert_int_equal(rps_callgrind_write(large, out), -EBADF);
	fclose(out);
	rps_profile_destroy(large);
	rps_profile_destroy(profile);
}

static void each_allocation_may_fail(void **state)
{
	struct rps_profile *profile = rps_profile_create("r");
	FILE *out = fopen("/dev/null", "we");
	int error = -ENOMEM;
	long limit;

	setvbuf(out, NULL, _IONBF, 0);
	leaf(profile, 0, function_at(profile, "init", "/s/a/x.c", 1, ""), 1);
	leaf(profile, 0, function_at(profile, "init", "/s/b/x.c", 1, ""), 1);
	rps_profile_add_meta(profile, "Id", "1");
	for (limit = 0; error != 0; limit++) {
		n_allocations_left = limit;
		error = rps_callgrind_write(profile, out);
		n_allocations_left = -1;
		assert_true(error == 0 || error == -ENOMEM);
	}
	assert_true(limit > 20);
	fclose(out);
	rps_profile_destroy(profile);
}

/* ---- Programs that never were
 * --------------------------------------------------------------------------------- */

#define N_FUNCTIONS 12
#define N_SITES 3
#define DEPTH_MAX 40

/* One random run: a stack machine that calls and returns, whose calls and costs are counted on
 * their own while the profile's tree is built as the runtime does. */
struct program {
	uint64_t random;
	struct rps_profile *profile;
	uint32_t functions[N_FUNCTIONS + 1]; /* [N_FUNCTIONS]: the root */
	const char *files[N_FUNCTIONS];
	/* [caller][callee][site]; costs of outermost activations */
	uint64_t calls[N_FUNCTIONS + 1][N_FUNCTIONS][N_SITES], costs[N_FUNCTIONS + 1][N_FUNCTIONS][N_SITES];
	uint64_t self[N_FUNCTIONS + 1];
	uint32_t n_active[N_FUNCTIONS];
};

static const char *const site_files[N_SITES] = {"/src/a.c", "/src/inc/b.h", ""};

static uint32_t random_below(struct program *program, uint32_t n)
{
	program->random = program->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(program->random >> 33) % n;
}

/* The node that a call from `node` leads to. */
static uint32_t target(struct program *program, uint32_t node, uint32_t callee)
{
	for (uint32_t above = node; above != 0; above = program->profile->nodes[above].parent)
		if (program->profile->nodes[above].function == program->functions[callee])
			return above;
	return rps_profile_node(program->profile, node, program->functions[callee]);
}

/* Runs one activation and returns what it cost with all it called. */
static uint64_t activation(struct program *program, uint32_t self, uint32_t node, uint32_t depth,
			   uint32_t *fuel)
{
	uint64_t inclusive = random_below(program, 1000);

	program->self[self] += inclusive;
	program->profile->nodes[node].self[0] += inclusive;
	for (uint32_t n = random_below(program, depth == 0 ? 200 : 5); n > 0 && depth<DEPTH_MAX && * fuel> 0;
	     n--) {
		/* Not everything calls everything, so that some functions are in no cycle. */
		uint32_t callee = random_below(program, N_FUNCTIONS), site = random_below(program, N_SITES),
			 edge;
		bool is_outermost = program->n_active[callee] == 0;
		uint32_t to;
		uint64_t cost;

		if (self != N_FUNCTIONS && callee < self && callee != self / 2)
			continue;
		(*fuel)--;
		to = target(program, node, callee);
		program->n_active[callee]++;
		cost = activation(program, callee, to, depth + 1, fuel);
		program->n_active[callee]--;
		edge = rps_profile_edge(program->profile, node, to, site_files[site],
					site_files[site][0] != '\0' ? 100 + callee : 0);
		program->profile->edges[edge].calls++;
		program->calls[self][callee][site]++;
		if (is_outermost) {
			program->profile->edges[edge].inclusive[0] += cost;
			program->costs[self][callee][site] += cost;
		}
		inclusive += cost;
	}
	return inclusive;
}

static void run_program(struct program *program, uint64_t seed)
{
	char name[20];
	uint32_t fuel = 3000;

	*program = (struct program){.random = seed};
	program->profile = rps_profile_create("GET /random");
	program->functions[N_FUNCTIONS] = 0;
	for (uint32_t i = 0; i < N_FUNCTIONS; i++) {
		snprintf(name, sizeof(name), "f%02u", i);
		program->files[i] = i % 4 == 3 ? "/src/b.c" : i == 5 ? "" : "/src/a.c";
		program->functions[i] = function_at(program->profile, name, program->files[i], i, "/bin/app");
	}
	activation(program, N_FUNCTIONS, 0, 0, &fuel);
}

/* What the file says of one call, found by nothing but its lines. */
struct found {
	uint64_t calls[N_FUNCTIONS + 1][N_FUNCTIONS][N_SITES], costs[N_FUNCTIONS + 1][N_FUNCTIONS][N_SITES];
	uint64_t self[N_FUNCTIONS + 1];
	uint32_t function_of[N_FUNCTIONS + 3];
	char *file_of[N_FUNCTIONS + 3];
};

static uint32_t function_of_line(struct found *found, const char *at)
{
	unsigned int id, number;

	assert_int_equal(sscanf(at, "(%u)", &id), 1);
	if (sscanf(at, "(%u) f%u", &id, &number) == 2)
		found->function_of[id] = number;
	else if (strstr(at, "GET") != NULL)
		found->function_of[id] = N_FUNCTIONS;
	return found->function_of[id];
}

static const char *file_of_line(struct found *found, const char *at)
{
	unsigned int id;
	char name[100];

	if (sscanf(at, "(%u) %99s", &id, name) == 2)
		found->file_of[id] = strdup(name);
	return found->file_of[id];
}

static void find_calls(struct found *found, char *text)
{
	uint32_t caller = 0, callee = 0;
	unsigned long long count = 0, cost;
	const char *file = "";
	unsigned int line;

	*found = (struct found){0};
	text = strstr(text, "\n\n");
	for (char *at = strtok(text, "\n"); at != NULL; at = strtok(NULL, "\n")) {
		if (strncmp(at, "fn=", 3) == 0)
			caller = function_of_line(found, at + 3);
		else if (strncmp(at, "cfn=", 4) == 0)
			callee = function_of_line(found, at + 4);
		else if (strncmp(at, "fl=", 3) == 0 || strncmp(at, "fi=", 3) == 0)
			file = file_of_line(found, at + 3);
		else if (strncmp(at, "cfi=", 4) == 0)
			file_of_line(found, at + 4);
		else if (sscanf(at, "calls=%llu", &count) == 1)
			;
		else if (sscanf(at, "%u %llu", &line, &cost) == 2) {
			uint32_t site = line == 0 ? 2 : strcmp(file, site_files[0]) == 0 ? 0 : 1;

			if (count == 0) {
				found->self[caller] += cost;
				continue;
			}
			if (line != 0) {
				assert_string_equal(file, site_files[site]);
				assert_int_equal(line, 100 + callee);
			}
			found->calls[caller][callee][site] += count;
			found->costs[caller][callee][site] += cost;
			count = 0;
		}
	}
	for (size_t i = 0; i < sizeof(found->file_of) / sizeof(found->file_of[0]); i++)
		free(found->file_of[i]);
}

static void random_programs(void **state)
{
	static struct program program;
	static struct found found;

	for (uint64_t seed = 1; seed <= 60; seed++) {
		char *text;

		run_program(&program, seed);
		write_and_check(program.profile);
		text = written(program.profile);
		find_calls(&found, text);
		/* The root's calls have no place. */
		for (uint32_t callee = 0; callee < N_FUNCTIONS; callee++) {
			for (uint32_t site = 0; site < 2; site++) {
				program.calls[N_FUNCTIONS][callee][2] +=
				    program.calls[N_FUNCTIONS][callee][site];
				program.costs[N_FUNCTIONS][callee][2] +=
				    program.costs[N_FUNCTIONS][callee][site];
				program.calls[N_FUNCTIONS][callee][site] = 0;
				program.costs[N_FUNCTIONS][callee][site] = 0;
			}
		}
		assert_memory_equal(found.calls, program.calls, sizeof(found.calls));
		assert_memory_equal(found.costs, program.costs, sizeof(found.costs));
		assert_memory_equal(found.self, program.self, sizeof(found.self));
		free(text);
		rps_profile_destroy(program.profile);
	}
}

/* The same profile, put together in another order. */
static struct rps_profile *shuffled(struct program *program)
{
	const struct rps_profile *from = program->profile;
	struct rps_profile *to = rps_profile_create("GET /random");
	uint32_t *place = calloc(from->n_nodes, sizeof(*place));
	uint32_t n_left = from->n_nodes - 1;

	for (uint32_t n = from->n_functions * 3; n > 0; n--)
		rps_profile_function(to, &from->functions[random_below(program, from->n_functions)]);
	to->nodes[0].self[0] = from->nodes[0].self[0];
	while (n_left > 0) {
		uint32_t node = 1 + random_below(program, from->n_nodes - 1), function_id;
		uint32_t parent = from->nodes[node].parent;

		if (place[node] != 0 || (parent != 0 && place[parent] == 0))
			continue;
		function_id = rps_profile_function(to, &from->functions[from->nodes[node].function]);
		place[node] = rps_profile_node(to, place[parent], function_id);
		to->nodes[place[node]].self[0] = from->nodes[node].self[0];
		n_left--;
	}
	for (uint32_t n = from->n_edges, start = random_below(program, n); n > 0; n--) {
		const struct rps_edge *edge = &from->edges[(start + n) % from->n_edges];

		call(to, place[edge->from], place[edge->to], edge->site_file, edge->site_line, edge->calls,
		     edge->inclusive[0]);
	}
	free(place);
	return to;
}

static void equal_profiles_give_equal_bytes(void **state)
{
	static struct program program;

	for (uint64_t seed = 100; seed < 110; seed++) {
		struct rps_profile *other;
		char *text, *other_text;

		run_program(&program, seed);
		other = shuffled(&program);
		text = written(program.profile);
		other_text = written(other);
		assert_string_equal(other_text, text);
		free(text);
		free(other_text);
		rps_profile_destroy(other);
		rps_profile_destroy(program.profile);
	}
}

/* Contexts that were too many stand below a node of their own, called from anywhere. */
static void collapsed_contexts(void **state)
{
	struct rps_profile *profile = rps_profile_create("r");
	uint32_t f = rps_profile_node(profile, 0, function(profile, "f")), g, h;
	char *text;

	profile->overflow =
	    rps_profile_node(profile, 0, function_at(profile, "(contexts collapsed)", "", 0, ""));
	g = rps_profile_node(profile, profile->overflow, function(profile, "g"));
	h = rps_profile_node(profile, profile->overflow, function(profile, "h"));
	rps_profile_edge(profile, profile->overflow, g, "", 0); /* counts nothing */
	rps_profile_edge(profile, profile->overflow, h, "", 0);
	profile->nodes[f].self[0] = 1;
	profile->nodes[g].self[0] = 2;
	profile->nodes[h].self[0] = 4;
	call(profile, 0, f, "", 0, 1, 7);
	call(profile, f, g, "/src/a.c", 2, 1, 6);
	call(profile, g, h, "/src/a.c", 3, 9, 4);
	write_and_check(profile);
	text = written(profile);
	contains(text, "calls=9 1\n3 4\n");
	contains_not(text, "collapsed");
	free(text);
	rps_profile_destroy(profile);
}

/* ---- callgrind_annotate
 * ------------------------------------------------------------------------------------------ */

static void annotate(const char *options, const char *expected)
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

static void with_commas(uint64_t number, char *text)
{
	char digits[30];
	size_t size = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);

	for (size_t i = 0; i < size; i++) {
		if (i > 0 && (size - i) % 3 == 0)
			*text++ = ',';
		*text++ = digits[i];
	}
	*text = '\0';
}

static void callgrind_annotate_reads_them(void **state)
{
	static struct program program;
	struct rps_profile *profile;
	char expected[100], number[40], source[100];
	FILE *out;

	if (system("command -v callgrind_annotate >/dev/null") != 0) {
		print_message("not checked: callgrind_annotate is missing (install valgrind)\n");
		skip();
	}
	for (uint64_t seed = 200; seed < 203; seed++) {
		run_program(&program, seed);
		write_and_check(program.profile);
		with_commas(rps_profile_total(program.profile, 0), number);
		snprintf(expected, sizeof(expected), "%s (100.0%%)  PROGRAM TOTALS", number);
		annotate("--threshold=100", expected);
		annotate("--tree=both --threshold=100", expected);
		snprintf(expected, sizeof(expected), "%s (100.0%%)  ???:GET /random [???]", number);
		annotate("--inclusive=yes --threshold=100", expected);
		rps_profile_destroy(program.profile);
	}
	/* A source file that exists: with calls only, and with a function whose line is not known. */
	snprintf(source, sizeof(source), "%s/source.c", directory);
	out = fopen(source, "we");
	fputs("one\ntwo\nthree\n", out);
	fclose(out);
	profile = rps_profile_create("GET /");
	leaf(profile, 0, function_at(profile, "f", source, 0, "/bin/app"), 60);
	write_and_check(profile);
	annotate("--auto=yes", "60 (100.0%)  <counts for unidentified lines in");
	rps_profile_destroy(profile);
	profile = rps_profile_create("GET /");
	leaf(profile, 0, function(profile, "f"), 0);
	rps_profile_node(profile, 1, function(profile, "g"));
	profile->nodes[2].self[0] = 60;
	profile->edges[0].inclusive[0] = 60;
	call(profile, 1, 2, source, 2, 4, 60);
	write_and_check(profile);
	annotate("--auto=yes --inclusive=yes", "=> /src/a.c:g (4x)");
	rps_profile_destroy(profile);
	unlink(source);
}

static int set_up(void **state)
{
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(profile_path, sizeof(profile_path), "%s/a.prof", directory);
	snprintf(errors_path, sizeof(errors_path), "%s/errors", directory);
	return 0;
}

static int tear_down(void **state)
{
	unlink(profile_path);
	unlink(errors_path);
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_whole_file),
	    cmocka_unit_test(the_checker_notices_broken_files),
	    cmocka_unit_test(an_empty_profile),
	    cmocka_unit_test(volatile_lines_can_be_left_out),
	    cmocka_unit_test(escapes),
	    cmocka_unit_test(names_that_would_break_a_line),
	    cmocka_unit_test(equal_names_are_told_apart),
	    cmocka_unit_test(symbols_of_one_function_are_one),
	    cmocka_unit_test(a_count_that_is_not_known),
	    cmocka_unit_test(costs_beyond_64_bits),
	    cmocka_unit_test(a_full_disk),
	    cmocka_unit_test(each_allocation_may_fail),
	    cmocka_unit_test(random_programs),
	    cmocka_unit_test(equal_profiles_give_equal_bytes),
	    cmocka_unit_test(collapsed_contexts),
	    cmocka_unit_test(callgrind_annotate_reads_them),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
