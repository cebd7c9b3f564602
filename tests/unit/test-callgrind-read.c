/* SPDX-License-Identifier: GPL-3.0-or-later */
/* profile/callgrind_read.c: every form of the format, and what is wrong with broken files. */
#include "callgrind-helpers.h"

#include "profile/callgrind_read.h"

#include <errno.h>

#include <zlib.h>

#define HEAD "version: 1\ncreator: callgrind-3.19.0\npositions: line\nevents: Ir\n"

static char why[300];

static struct rps_profile *read_bytes(const char *bytes, size_t size)
{
	FILE *stream = size > 0 ? fmemopen((void *)(uintptr_t)bytes, size, "r") : fopen("/dev/null", "r");
	struct rps_input *input = rps_input_create(stream, "a.prof");
	struct rps_profile *profile = NULL;
	int error;

	why[0] = '\0';
	error = rps_callgrind_read(input, &profile, why, sizeof(why));
	assert_true((error == 0) == (profile != NULL));
	assert_true((error == 0) == (why[0] == '\0'));
	rps_input_destroy(input);
	fclose(stream);
	return profile;
}

static struct rps_profile *read_text(const char *text)
{
	struct rps_profile *profile = read_bytes(text, strlen(text));

	if (profile == NULL)
		fail_msg("%s", why);
	return profile;
}

static void is_refused(const char *text, const char *expected)
{
	struct rps_profile *profile = read_bytes(text, strlen(text));

	if (profile != NULL)
		fail_msg("taken: %s", text);
	if (strstr(why, expected) == NULL)
		fail_msg("\"%s\" instead of \"%s\"", why, expected);
}

/* ---- Looking at the result --------------------------------------------------------------- */

static uint32_t node_of(const struct rps_profile *profile, const char *name)
{
	for (uint32_t i = 0; i < profile->n_nodes; i++)
		if (strcmp(profile->functions[profile->nodes[i].function].name, name) == 0)
			return i;
	fail_msg("no function %s", name);
	return 0;
}

static const struct rps_function *function_of(const struct rps_profile *profile, const char *name)
{
	return &profile->functions[profile->nodes[node_of(profile, name)].function];
}

static const struct rps_edge *edge_of(const struct rps_profile *profile, const char *from, const char *to,
				      uint32_t line)
{
	const struct rps_edge *found = NULL;

	for (uint32_t i = 0; i < profile->n_edges; i++) {
		const struct rps_edge *edge = &profile->edges[i];

		if (edge->from == node_of(profile, from) && edge->to == node_of(profile, to) &&
		    edge->site_line == line) {
			assert_null(found);
			found = edge;
		}
	}
	if (found == NULL)
		fail_msg("no call from %s to %s in line %u", from, to, line);
	return found;
}

/* ---- Forms -------------------------------------------------------------------------------- */

static void functions_calls_and_inlined_code(void **state)
{
	struct rps_profile *profile =
	    read_text(HEAD "ob=(1) /bin/app\nfl=(1) /src/a.c\nfn=(1) main\n10 5\n"
			   "fi=(2) /src/a.h\n7 2\n"
			   "cfn=(2) in_header\ncalls=3 4\n8 30\n"
			   "fe=(1)\n12 1\n"
			   "cob=(2) /lib/libc.so\ncfi=(3) /libc/m.c\ncfn=(3) malloc\ncalls=2 99\n13 20\n"
			   "cfn=(4) helper\ncalls=1 50\n14 4\n"
			   "\nfl=(2)\nfn=(2)\n4 30\n"
			   "\nob=(2)\nfl=(3)\nfn=(3)\n99 20\n"
			   "\nob=(1)\nfl=(1)\nfn=(4)\n50 4\n"
			   "totals: 62\n");

	assert_int_equal(profile->is_flat, 1);
	assert_int_equal(rps_profile_total(profile, 0), 62);
	assert_int_equal(profile->n_nodes, 5);
	assert_int_equal(profile->nodes[node_of(profile, "main")].self[0], 8);
	assert_int_equal(function_of(profile, "main")->line, 10);
	assert_string_equal(function_of(profile, "malloc")->object, "/lib/libc.so");
	assert_string_equal(function_of(profile, "malloc")->file, "/libc/m.c");
	assert_int_equal(function_of(profile, "malloc")->line, 99);
	/* Without cfi= the callee is in the current file, that of the inlined code. */
	assert_string_equal(function_of(profile, "in_header")->file, "/src/a.h");
	assert_string_equal(function_of(profile, "in_header")->object, "/bin/app");
	assert_string_equal(function_of(profile, "helper")->file, "/src/a.c");
	assert_string_equal(edge_of(profile, "main", "in_header", 8)->site_file, "/src/a.h");
	assert_string_equal(edge_of(profile, "main", "malloc", 13)->site_file, "/src/a.c");
	assert_int_equal(edge_of(profile, "main", "in_header", 8)->calls, 3);
	assert_int_equal(edge_of(profile, "main", "in_header", 8)->inclusive[0], 30);
	rps_profile_destroy(profile);
}

static void a_function_is_in_the_last_fl(void **state)
{
	struct rps_profile *profile =
	    read_text(HEAD "fl=a.c\nfn=f\n1 1\nfi=a.h\n2 1\nfn=g\n3 1\nob=/lib/l.so\nfn=h\n4 1\ntotals: 4\n");

	assert_string_equal(function_of(profile, "g")->file, "a.c");
	assert_int_equal(function_of(profile, "g")->line, 3);
	assert_string_equal(function_of(profile, "h")->object, "/lib/l.so");
	/* The inlined line is kept. */
	assert_int_equal(profile->n_lines, 1);
	assert_string_equal(profile->lines[0].file, "a.h");
	assert_int_equal(profile->lines[0].self[0], 1);
	rps_profile_destroy(profile);
	is_refused(HEAD "fn=f\nob=/lib/l.so\n1 1\n", "a cost before any function");
}

static void addresses_and_relative_positions(void **state)
{
	struct rps_profile *profile = read_text(
	    "creator: callgrind-3.19.0\npositions: instr line\nevents: Ir\n"
	    "fl=/src/a.c\nfn=f\n0x400 10 1\n+4 +2 1\n+4 * 1\n* -1 1\ncfn=g\ncalls=2 0x800 +30\n-4 +1 7\n"
	    "jump=3 0x410 20\n0x404 12\njcnd=1/3 0x410 20\n0x404 12\n* +1 1\nfn=g\n0x800 41 7\ntotals: 12\n");

	assert_int_equal(profile->nodes[node_of(profile, "f")].self[0], 5);
	assert_int_equal(function_of(profile, "f")->line, 10);
	/* 10, 12, 12, 11: the target is told from there, the call's place too. */
	assert_int_equal(function_of(profile, "g")->line, 41);
	assert_int_equal(edge_of(profile, "f", "g", 12)->inclusive[0], 7);
	rps_profile_destroy(profile);
}

static void several_parts_and_events_are_summed_up(void **state)
{
	struct rps_profile *profile =
	    read_text("creator: callgrind-3\npart: 1\nthread: 1\n"
		      "event: Dw : Data writes\nevent: X = 2 Ir\nevents: Ir Dr\nsummary: 5 1\n"
		      "fl=(1) a.c\nfn=(1) f\n1 5 1\ntotals: 5 1\n\n"
		      "part: 1\nthread: 2\nevents: Dr Ir Dw\nsummary: 2 7\n"
		      "fl=(1)\nfn=(1)\n1 2 7\nfn=(2) g\n2 0 0 4\ntotals: 2 7 4\n");

	assert_int_equal(profile->n_events, 3);
	assert_string_equal(profile->events[0].name, "Ir");
	assert_string_equal(profile->events[2].name, "Dw");
	assert_string_equal(profile->events[2].long_name, "Data writes");
	assert_int_equal(rps_profile_total(profile, 0), 12);
	assert_int_equal(rps_profile_total(profile, 1), 3);
	assert_int_equal(rps_profile_total(profile, 2), 4);
	assert_int_equal(profile->n_nodes, 3);
	rps_profile_destroy(profile);
}

static void xdebug(void **state)
{
	static const char text[] =
	    "version: 1\ncreator: xdebug 3.2.0 (PHP 8.2.1)\ncmd: /srv/index.php\npart: 1\npositions: line\n\n"
	    "events: Time_(10ns) Memory_(bytes)\n\n"
	    "fl=(1) php:internal\nfn=(1) php::strlen\n3 12 -400\n\n"
	    "fl=(2) /srv/index.php\nfn=(2) {main}\n1 100 8\ncfl=(1)\ncfn=(1)\ncalls=1 0 0\n3 12 -400\n\n"
	    "summary: 113 421\n\n";
	struct rps_profile *profile = read_text(text);

	assert_string_equal(profile->events[0].name, "Time__10ns_");
	assert_string_equal(profile->events[0].long_name, "Time_(10ns)");
	assert_int_equal(rps_profile_total(profile, 0), 112);
	assert_int_equal(rps_profile_total(profile, 1), 8);
	assert_int_equal(edge_of(profile, "{main}", "php::strlen", 3)->calls, 1);
	assert_string_equal(profile->command, "/srv/index.php");
	assert_null(rps_profile_meta(profile, "Unverified"));
	rps_profile_destroy(profile);
	for (size_t size = 0; size < sizeof(text) - 1; size++) {
		assert_null(read_bytes(text, size));
		assert_non_null(strstr(why, "a.prof:"));
	}
}

static void converters_without_totals(void **state)
{
	struct rps_profile *profile = read_text("# callgrind format\nevents: Hits\n\nfl=(1) a.c\nfn=(1) f\n1 "
						"5\ncfn=(2) g\ncalls=0 0\n* 7\nfn=(2)\n2 7\n");

	assert_non_null(rps_profile_meta(profile, "Unverified"));
	assert_int_equal(edge_of(profile, "f", "g", 1)->inclusive[0], 7);
	assert_int_equal(edge_of(profile, "f", "g", 1)->calls, 0);
	rps_profile_destroy(profile);
	/* Cachegrind: no creator, but a summary. */
	profile = read_text("desc: I1 cache: 32768 B\ncmd: ls\nevents: Ir\nfl=a.c\nfn=f\n1 5\nsummary: 5\n");
	assert_null(rps_profile_meta(profile, "Unverified"));
	rps_profile_destroy(profile);
	is_refused("events: Ir\nfl=a.c\nfn=f\n1 5\nsummary: 6\n", "Ir is 5 in all, but \"summary:\" says 6");
}

/* ---- Our own files --------------------------------------------------------------------------- */

static struct rps_profile *sample_profile(void)
{
	struct rps_profile *profile = rps_profile_create("GET /cart");
	uint32_t a = rps_profile_node(profile, 0, function_at(profile, "handle", "/src/a.c", 10, "/bin/app"));
	uint32_t b =
	    rps_profile_node(profile, a, function_at(profile, "init", "/src/x/util.c", 7, "/bin/app"));
	uint32_t c =
	    rps_profile_node(profile, a, function_at(profile, "init", "/src/y/util.c", 9, "/bin/app"));
	uint32_t d =
	    rps_profile_node(profile, c, function_at(profile, "op()(int)", "/src/l.cc", 40, "/lib/l.so"));
	uint32_t e =
	    rps_profile_node(profile, c, function_at(profile, "op()(int)", "/src/l.cc", 52, "/lib/l.so"));

	profile->nodes[0].self[0] = 3;
	profile->nodes[a].self[0] = 10;
	profile->nodes[b].self[0] = 20;
	profile->nodes[c].self[0] = 30;
	profile->nodes[d].self[0] = 40;
	profile->nodes[e].self[0] = 50;
	call(profile, 0, a, "", 0, 1, 150);
	call(profile, a, b, "/src/a.c", 12, 2, 20);
	call(profile, a, c, "/src/a.h", 3, 1, 120);
	call(profile, a, a, "/src/a.c", 14, 5, 0);
	call(profile, c, d, "/src/y/util.c", 10, 1, 40);
	call(profile, c, e, "/src/y/util.c", 11, 1, 50);
	call(profile, e, a, "", 0, 4, 0);
	rps_profile_add_meta(profile, "Method", "GET");
	rps_profile_add_meta(profile, "Path", "/cart");
	rps_profile_set_command(profile, "shop --port=1");
	profile->pid = 4711;
	return profile;
}

static void our_own_files_come_back_to_the_byte(void **state)
{
	struct rps_profile *profile = sample_profile(), *again;
	char *text = written(profile), *text_again;

	again = read_text(text);
	assert_string_equal(again->functions[again->nodes[0].function].name, "GET /cart");
	assert_string_equal(rps_profile_meta(again, "Path"), "/cart");
	assert_int_equal(again->pid, 4711);
	assert_string_equal(again->command, "shop --port=1");
	/* What the writer put behind equal names is off again. */
	assert_non_null(strstr(text, "init [x/util.c]"));
	assert_string_equal(function_of(again, "init")->name, "init");
	assert_int_equal(function_of(again, "op()(int)")->line, 40);
	text_again = written(again);
	assert_string_equal(text_again, text);
	rps_profile_destroy(profile);
	rps_profile_destroy(again);
	free(text);
	free(text_again);
}

static void every_prefix_is_refused_with_its_line(void **state)
{
	struct rps_profile *profile = sample_profile();
	char *text = written(profile);
	unsigned long line = 1;

	for (size_t size = 0; size < strlen(text); size++) {
		char expected[40];

		assert_null(read_bytes(text, size));
		snprintf(expected, sizeof(expected), "a.prof:%lu: ",
			 size == 0                            ? 0
			 : size > 0 && text[size - 1] == '\n' ? line - 1
							      : line);
		if (strncmp(why, expected, strlen(expected)) != 0)
			fail_msg("\"%s\", not in %s", why, expected);
		if (text[size] == '\n')
			line++;
	}
	rps_profile_destroy(profile);
	free(text);
}

static void compressed_files(void **state)
{
	struct rps_profile *profile = sample_profile();
	char *text = written(profile), *bytes;
	struct rps_profile *again;
	size_t size;
	gzFile file = gzopen(profile_path, "wb");
	FILE *stream;

	gzwrite(file, text, (unsigned)strlen(text));
	gzclose(file);
	stream = fopen(profile_path, "re");
	bytes = malloc(1u << 16);
	size = fread(bytes, 1, 1u << 16, stream);
	fclose(stream);
	again = read_bytes(bytes, size);
	assert_non_null(again);
	assert_int_equal(rps_profile_total(again, 0), rps_profile_total(profile, 0));
	rps_profile_destroy(again);
	for (size_t cut = 0; cut < size; cut++)
		assert_null(read_bytes(bytes, cut));
	bytes[size / 2] ^= 0x55;
	assert_null(read_bytes(bytes, size));
	rps_profile_destroy(profile);
	free(bytes);
	free(text);
}

/* ---- Hostile files ------------------------------------------------------------------------------- */

static void broken_lines(void **state)
{
	static const char nul[] = HEAD "fn=f\n1 \0\n";

	is_refused("", "a.prof:0: there is no line \"events:\"");
	is_refused("hello\n", "a.prof:1: this is no line of a callgrind file: \"hello\"");
	is_refused(HEAD "1 2\n", "a.prof:5: a cost before any function");
	is_refused("fn=f\n1 2\n", "a.prof:2: a cost before the line \"events:\"");
	is_refused(HEAD "fn=f\n1 2 3\n", "a.prof:6: more than the 1 costs");
	is_refused(HEAD "fn=f\n1 2.5\n", "a number is expected, not one that ends in \".5\"");
	is_refused(HEAD "fn=f\n1 -2\n", "a number is expected");
	is_refused(HEAD "fn=f\n1 18446744073709551616\n", "a number beyond 64 bits");
	is_refused(HEAD "fn=f\n4294967295 1\n", "a line number beyond 32 bits");
	is_refused(HEAD "fn=f\n-1 1\n", "a position below 0");
	is_refused(HEAD "fn=f\n1 18446744073709551615\n1 1\n", "the sum of costs is beyond 64 bits");
	is_refused(HEAD "fn=f\ncfn=g\ncalls=18446744073709551615 1\n1 1\ncfn=g\ncalls=1 1\n1 1\n",
		   "the count of calls is beyond 64 bits");
	is_refused(HEAD "fn=(3)\n", "no name was given to number 3");
	is_refused(HEAD "fn=(99999999999)\n", "no name was given to number 99999999999");
	is_refused(HEAD "fn=(3 f\n", "\")\" is missing");
	is_refused(HEAD "fn=f\ncalls=1 1\n", "calls= without a function that is called");
	is_refused(HEAD "cfn=f\ncalls=1 1\n", "a call before any function");
	is_refused(HEAD "fn=f\ncfn=g\ncalls=1 1\nfn=g\n", "a.prof:8: the cost of a call");
	is_refused(HEAD "fn=f\ncfn=g\ncalls=1 1\n", "cut off: the cost of a call is missing");
	is_refused(HEAD "fn=f\n1 1\n", "a.prof:6: the file is cut off: the line \"totals:\" is missing");
	is_refused(HEAD "fn=f\n1 1\ntotals: 1\n1 1\n", "\"totals:\" is missing at its end");
	is_refused(HEAD "fn=f\n1 1\ntotals: 2\n", "Ir is 1 in all, but \"totals:\" says 2");
	is_refused(HEAD "fn=f\n1 1\ntotals: 1", "cut off in the middle of a line");
	is_refused(HEAD "xy=1\n", "an unknown line: \"xy=1\"");
	is_refused("summary: 1\n", "a sum before the line \"events:\"");
	is_refused("events: a a\n", "event a stands there twice");
	is_refused("events: a b c d e f g h i j k l m n o p q\n", "more than 16 events");
	is_refused("events:\n", "names none");
	is_refused("positions: x\n", "positions other than");
	is_refused("events: a\nevents: b\n", "a second line \"events:\"");
	assert_null(read_bytes(nul, sizeof(nul) - 1));
	contains(why, "a.prof:6: there is a NUL byte");
}

static void huge_ids_need_no_memory(void **state)
{
	struct rps_profile *profile =
	    read_text(HEAD "fl=(18446744073709551615) a.c\nfn=(4000000000) f\n1 1\n"
			   "fn=(65536) g\n1 1\nfl=(18446744073709551615)\nfn=(4000000000)\n1 1\ntotals: 3\n");

	assert_int_equal(profile->nodes[node_of(profile, "f")].self[0], 2);
	assert_string_equal(function_of(profile, "g")->file, "a.c");
	rps_profile_destroy(profile);
}

static void a_line_without_end(void **state)
{
	size_t size = 3u << 20;
	char *text = malloc(size);

	memset(text, 'x', size);
	assert_null(read_bytes(text, size));
	contains(why, "a.prof:1: the line is too long");
	free(text);
}

/* 200 MB of the same line in 200 KB. */
static void a_bomb(void **state)
{
	static char block[1u << 20];
	gzFile file = gzopen(profile_path, "wb9");
	struct rps_profile *profile = NULL;
	struct rps_input *input;
	FILE *stream;

	memset(block, '\n', sizeof(block));
	gzputs(file, HEAD);
	for (int i = 0; i < 200; i++)
		gzwrite(file, block, sizeof(block));
	gzclose(file);
	stream = fopen(profile_path, "re");
	input = rps_input_create(stream, "bomb");
	assert_int_equal(rps_callgrind_read(input, &profile, why, sizeof(why)), -EBADMSG);
	contains(why, "it inflates to more than any profile would");
	rps_input_destroy(input);
	fclose(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(functions_calls_and_inlined_code),
	    cmocka_unit_test(a_function_is_in_the_last_fl),
	    cmocka_unit_test(addresses_and_relative_positions),
	    cmocka_unit_test(several_parts_and_events_are_summed_up),
	    cmocka_unit_test(xdebug),
	    cmocka_unit_test(converters_without_totals),
	    cmocka_unit_test(our_own_files_come_back_to_the_byte),
	    cmocka_unit_test(every_prefix_is_refused_with_its_line),
	    cmocka_unit_test(compressed_files),
	    cmocka_unit_test(broken_lines),
	    cmocka_unit_test(huge_ids_need_no_memory),
	    cmocka_unit_test(a_line_without_end),
	    cmocka_unit_test(a_bomb),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
