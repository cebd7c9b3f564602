/* SPDX-License-Identifier: GPL-3.0-or-later */
/* profile/callgrind_write.c and profile/callgrind_names.c: files as they are to be, byte by byte and by
 * the rules; names; errors. */
#include "profile/callgrind_write.h"

#include "profile/utf8.h"
#include "tests/unit/callgrind-helpers.h"

#include <errno.h>

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

/* ---- Whole files ------------------------------------------------------------------------------------- */

/* Root, a function with calls from two files, recursion, an unknown function; two events. */
/* clang-format off */
static const char whole_file[] =
    "# callgrind format\n"
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
/* clang-format on */

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
		char *escaped = rps_utf8_escape(cases[i].raw, RPS_UTF8_CONTROLS);

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

/* ---- callgrind_annotate ------------------------------------------------------------------------- */

static void callgrind_annotate_reads_source(void **state)
{
	struct rps_profile *profile;
	char source[100];
	FILE *out;

	if (!has_callgrind_annotate())
		skip();
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_whole_file),
	    cmocka_unit_test(an_empty_profile),
	    cmocka_unit_test(volatile_lines_can_be_left_out),
	    cmocka_unit_test(escapes),
	    cmocka_unit_test(names_that_would_break_a_line),
	    cmocka_unit_test(equal_names_are_told_apart),
	    cmocka_unit_test(a_count_that_is_not_known),
	    cmocka_unit_test(costs_beyond_64_bits),
	    cmocka_unit_test(a_full_disk),
	    cmocka_unit_test(each_allocation_may_fail),
	    cmocka_unit_test(callgrind_annotate_reads_source),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
