/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Folded stacks and speedscope's JSON: what they can hold comes back, others' files are understood, broken
 * ones are refused with their place. */
#include "profile/folded_write.h"
#include "profile/speedscope_write.h"
#include "tests/unit/format-helpers.h"

/* Functions have names in these formats, and files and lines at most: f0 to f11 differ by them. */
static uint64_t sum_of_calls(const struct rps_profile *profile)
{
	uint64_t calls = 0;

	for (uint32_t i = 0; i < profile->n_edges; i++)
		calls += profile->edges[i].calls;
	return calls;
}

static uint64_t self_of(const struct rps_profile *profile, const char *name)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < profile->n_nodes; i++)
		if (strcmp(profile->functions[profile->nodes[i].function].name, name) == 0)
			sum += profile->nodes[i].self[0];
	return sum;
}

static void round_trips(int (*writer)(const struct rps_profile *profile, FILE *out), int has_calls)
{
	for (uint64_t seed = 1; seed <= 120; seed++) {
		struct rps_profile *profile = some_profile(seed, seed % 2 == 0), *again, *third;
		struct text file = bytes_of(profile, writer), second, last;
		char name[8];

		again = profile_of(file.bytes, file.size);
		assert_string_equal(why, "");
		assert_int_equal(rps_profile_total(again, 0), rps_profile_total(profile, 0));
		assert_string_equal(again->events[0].name, "Wall_ns");
		assert_string_equal(again->functions[again->nodes[0].function].name, "GET /cart");
		assert_null(rps_profile_meta(again, "Unverified"));
		for (int i = 0; i < 12; i++) {
			snprintf(name, sizeof(name), "f%d", i);
			assert_int_equal(self_of(again, name), self_of(profile, name));
		}
		if (has_calls)
			assert_int_equal(sum_of_calls(again), sum_of_calls(profile));
		/* What was lost once is not lost again. */
		second = bytes_of(again, writer);
		third = profile_of(second.bytes, second.size);
		assert_string_equal(why, "");
		last = bytes_of(third, writer);
		assert_same_bytes(second, last);
		if (seed < 8)
			/* Without its line feed JSON is whole. */
			assert_prefixes_fail(file, has_calls ? profile : NULL);
		free(file.bytes);
		free(second.bytes);
		free(last.bytes);
		rps_profile_destroy(profile);
		rps_profile_destroy(again);
		rps_profile_destroy(third);
	}
}

static void test_folded_round_trip(void **state)
{
	round_trips(rps_folded_write, 0);
}

static void test_speedscope_round_trip(void **state)
{
	round_trips(rps_speedscope_write, 1);
}

/* All that is in it but the line feed at its end. */
static void test_hostile_names(void **state)
{
	struct rps_profile *profile = rps_profile_create("root; #1 \"</script>\n"), *again;
	struct text file;

	leaf(profile, 0, function(profile, "a;b \x01\xff 12"), 5);
	leaf(profile, 0, function(profile, ""), 6);
	leaf(profile, 0, function(profile, "#;\\\"'<&"), 7);
	for (int i = 0; i < 2; i++) {
		file = bytes_of(profile, i == 0 ? rps_folded_write : rps_speedscope_write);
		again = profile_of(file.bytes, file.size);
		assert_string_equal(why, "");
		assert_int_equal(again->n_nodes, 4);
		assert_int_equal(rps_profile_total(again, 0), 18);
		assert_int_equal(self_of(again, i == 0 ? "a\\x3bb \\x01\\xff 12" : "a;b \\x01\\xff 12"), 5);
		if (i == 1)
			assert_null(strpbrk(file.bytes, "<>&"));
		free(file.bytes);
		rps_profile_destroy(again);
		if (i == 0)
			profile->functions[0].name = rps_profile_text(profile, "plain");
	}
	rps_profile_destroy(profile);
}

static struct rps_profile *read_text(const char *text)
{
	return profile_of(text, strlen(text));
}

static void test_foreign_folded(void **state)
{
	struct rps_profile *profile =
	    read_text("# made by hand\r\nmain;parse (x) 12\r\n\nmain;parse (x);main 5\nmain 3\n");

	assert_string_equal(why, "");
	assert_int_equal(rps_profile_total(profile, 0), 20);
	assert_int_equal(self_of(profile, "main"), 8);
	assert_int_equal(self_of(profile, "parse (x)"), 12);
	assert_string_equal(profile->events[0].name, "Samples");
	assert_non_null(rps_profile_meta(profile, "Unverified"));
	/* main twice is one node; what it costs below itself is no more of the outer one. */
	assert_int_equal(profile->n_nodes, 3);
	assert_int_equal(profile->edges[profile->nodes[0].first_edge].inclusive[0], 20);
	rps_profile_destroy(profile);
}

/* Deep and mutual recursion, as real stacks have it: all is taken, and each function's inclusive costs are
 * those of the stacks it is in, once. */
static void test_recursive_stacks(void **state)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		uint64_t expected[12] = {0}, inclusive[12] = {0}, total = 0;
		struct rps_profile *profile;
		char *text;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		random_state = seed;
		for (int line = 0; line < 60; line++) {
			uint32_t depth = 1 + random_below(14), cost = random_below(1000), seen = 0;

			for (uint32_t i = 0; i < depth; i++) {
				uint32_t function = random_below(12);

				fprintf(out, "%sf%u", i > 0 ? ";" : "", function);
				if (!(seen >> function & 1))
					expected[function] += cost;
				seen |= 1u << function;
			}
			fprintf(out, " %u\n", cost);
			total += cost;
		}
		fclose(out);
		profile = read_text(text);
		assert_string_equal(why, "");
		assert_int_equal(rps_profile_total(profile, 0), total);
		for (uint32_t i = 0; i < profile->n_edges; i++) {
			const uint32_t to = profile->nodes[profile->edges[i].to].function;

			inclusive[atoi(profile->functions[to].name + 1)] += profile->edges[i].inclusive[0];
		}
		assert_memory_equal(inclusive, expected, sizeof(expected));
		rps_profile_destroy(profile);
		free(text);
	}
}

static void test_foreign_speedscope(void **state)
{
	struct rps_profile *profile = read_text(
	    "{\"profiles\":[{\"type\":\"evented\",\"unit\":\"microseconds\",\"name\":\"t1\",\"startValue\":0,"
	    "\"endValue\":9,"
	    "\"events\":[{\"type\":\"O\",\"frame\":0,\"at\":0.5},{\"type\":\"O\",\"frame\":1,\"at\":2},"
	    "{\"type\":\"C\",\"frame\":1,\"at\":3},{\"type\":\"O\",\"frame\":1,\"at\":3},{\"type\":\"C\","
	    "\"frame\":1,\"at\":4.25},"
	    "{\"type\":\"C\",\"frame\":0,\"at\":9}]},{\"type\":\"sampled\",\"unit\":\"milliseconds\","
	    "\"name\":\"t2\","
	    "\"weights\":[1],\"samples\":[[1]]}],\"name\":\"two\","
	    "\"shared\":{\"frames\":[{\"name\":\"a\"},{\"name\":\"b\",\"file\":\"b.c\",\"line\":3,\"col\":1}]"
	    ",\"x\":[[[[[[[1]]]]]]]},"
	    "\"$schema\":\"https://www.speedscope.app/file-format-schema.json\"}\n");

	assert_string_equal(why, "");
	assert_int_equal(self_of(profile, "a"), 6250);
	assert_int_equal(self_of(profile, "b"), 2250 + 1000000);
	assert_int_equal(sum_of_calls(profile), 3);
	assert_string_equal(rps_profile_meta(profile, "Profiles added up"), "2");
	rps_profile_destroy(profile);
}

#define HEAD                                                                                                 \
	"{\"$schema\":\"https://www.speedscope.app/"                                                         \
	"file-format-schema.json\",\"shared\":{\"frames\":[{\"name\":\"a\"}]},\"profiles\":["
#define SAMPLED(samples, weights)                                                                            \
	HEAD "{\"type\":\"sampled\",\"unit\":\"none\",\"samples\":" samples ",\"weights\":" weights "}]}"
#define EVENTED(events) HEAD "{\"type\":\"evented\",\"unit\":\"none\",\"events\":[" events "]}]}"

static void test_broken(void **state)
{
	static const struct {
		const char *text, *complaint;
	} files[] = {
	    {"a;b 1\na;b\n", ":2: this is no stack"},
	    {"a;b 1\na;b 99999999999999999999\n", ":2: a number beyond 64 bits"},
	    {"a;b 18446744073709551615\na 1\n", ":2: the sum of costs is beyond 64 bits"},
	    {"a;b 1\na;b 1.5\n", ":2: a whole number"},
	    {"a;b 1\na;;b 1\n", ":2: a frame without a name"},
	    {"a;b 1\na;b 1", ":2: the file is cut off"},
	    {"# RunProfileServer folded stacks, rooted=0 event=X total=3\na 2\n",
	     ":2: the file is cut off or damaged"},
	    {"# RunProfileServer folded stacks, rooted=1 event=X total=3\na 2\nb 1\n",
	     ":3: the stack does not begin"},
	    {"# RunProfileServer folded stacks, event\n", ":1: the first line"},
	    {"# RunProfileServer folded stacks, rooted=0 event=1 2 total=0\n", ": event 0: bad name"},
	    {"{\"a\":1}", "is no speedscope file"},
	    {"{\"a\":[1,}", "byte 9: this is no JSON"},
	    {SAMPLED("[[0]]", "[1,2]"), "1 samples, but 2 weights"},
	    {SAMPLED("[[1]]", "[1]"), "frame 1, which is not there"},
	    {SAMPLED("[[0.5]]", "[1]"), "no index"},
	    {SAMPLED("[[0]]", "[-1]"), "below 0"},
	    {SAMPLED("[[0]]", "[1e30]"), "beyond 64 bits"},
	    {SAMPLED("[[0],[0]]", "[18446744073709551615,1]"), "beyond 64 bits"},
	    {SAMPLED("[[\"0\"]]", "[1]"), "not a text"},
	    {SAMPLED("[[[0]]]", "[1]"), "a number is expected"},
	    {SAMPLED("[[0]]", "[1],\"weights\":[1]"), "twice"},
	    {EVENTED("{\"type\":\"O\",\"frame\":0,\"at\":0}"), "never closed"},
	    {EVENTED("{\"type\":\"C\",\"frame\":0,\"at\":0}"), "not the innermost"},
	    {EVENTED("{\"type\":\"O\",\"frame\":0,\"at\":5},{\"type\":\"C\",\"frame\":0,\"at\":4}"),
	     "order of time"},
	    {HEAD "]}", "no profiles"},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_null(read_text(files[i].text));
		if (strstr(why, files[i].complaint) == NULL)
			fail_msg("\"%s\" instead of \"%s\"", why, files[i].complaint);
	}
}

/* Which reader a file is given to. */
static void test_recognised(void **state)
{
	static const struct {
		const char *text, *complaint;
	} files[] = {
	    {"version: 1\n", "callgrind"},
	    {"# callgrind format\nversion: 1\n", "callgrind"},
	    {"cmd: x 5\n", "callgrind"},
	    {"fn=(1) x;y 5\n", "callgrind"},
	    {"", "callgrind"},
	    {"\n\n", "callgrind"},
	    {"a b c\n", "callgrind"},
	    {"\n\x04\x08\x01\x10", "byte 0: the file is cut off"},
	    {" \n{", "cut off"},
	    {"\n", "callgrind"},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_null(read_text(files[i].text));
		if (strstr(why, files[i].complaint) == NULL)
			fail_msg("%zu: \"%s\" instead of \"%s\"", i, why, files[i].complaint);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_folded_round_trip),
	    cmocka_unit_test(test_speedscope_round_trip),
	    cmocka_unit_test(test_hostile_names),
	    cmocka_unit_test(test_foreign_folded),
	    cmocka_unit_test(test_foreign_speedscope),
	    cmocka_unit_test(test_recursive_stacks),
	    cmocka_unit_test(test_broken),
	    cmocka_unit_test(test_recognised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
