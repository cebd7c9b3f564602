/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pprof files: what is written is read back, to the unit; what others write is understood; what is broken is
 * refused. The independent decoders are in tests/e2e/formats. */
#include "profile/gzip.h"
#include "profile/pprof.pb-c.h"
#include "profile/pprof_units.h"
#include "profile/pprof_write.h"
#include "profile/unfold.h"
#include "tests/unit/format-helpers.h"

#include <errno.h>

#include <zlib.h>

/* The message in a file of ours. */
static struct text inflated(struct text file)
{
	struct text plain = {malloc(1 << 22), 1 << 22};
	z_stream stream = {.next_in = (Bytef *)file.bytes, .avail_in = (uInt)file.size};

	stream.next_out = (Bytef *)plain.bytes;
	stream.avail_out = 1 << 22;
	assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	plain.size = stream.total_out;
	inflateEnd(&stream);
	return plain;
}

static void test_round_trip(void **state)
{
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct rps_profile *profile = some_profile(seed, seed % 2 == 0), *again;
		struct text file = bytes_of(profile, rps_pprof_write), second;

		again = profile_of(file.bytes, file.size);
		assert_string_equal(why, "");
		assert_int_equal(again->is_flat, profile->is_flat);
		assert_int_equal(again->n_nodes, profile->n_nodes);
		assert_int_equal(again->n_edges, profile->n_edges);
		assert_same_graph(profile, again);
		/* Contexts are no part of a graph; but files are sorted, so the second is the first, byte by
		 * byte (what is estimated for flat ones depends on the order of their edges). */
		second = bytes_of(again, rps_pprof_write);
		if (!profile->is_flat)
			assert_same_bytes(file, second);
		free(file.bytes);
		free(second.bytes);
		rps_profile_destroy(profile);
		rps_profile_destroy(again);
	}
}

/* Without our own fields it is what others see of it. */
static struct rps_profile *as_others_see_it(struct text file)
{
	struct text plain = inflated(file);
	Rps__Pprof__Profile *message =
	    rps__pprof__profile__unpack(NULL, plain.size, (const uint8_t *)plain.bytes);
	struct rps_profile *profile;
	uint8_t *packed;

	assert_non_null(message);
	rps__pprof__exact__free_unpacked(message->exact, NULL);
	message->exact = NULL;
	for (size_t i = 0; i < message->n_sample; i++)
		message->sample[i]->n_inclusive = 0;
	packed = malloc(rps__pprof__profile__get_packed_size(message));
	profile = profile_of(packed, rps__pprof__profile__pack(message, packed));
	free(packed);
	for (size_t i = 0; i < message->n_sample; i++)
		message->sample[i]->n_inclusive = 1;
	rps__pprof__profile__free_unpacked(message, NULL);
	free(plain.bytes);
	return profile;
}

static void test_without_own_fields(void **state)
{
	for (uint64_t seed = 1; seed <= 100; seed++) {
		struct rps_profile *profile = some_profile(seed, seed % 2 == 0), *others;
		struct text file = bytes_of(profile, rps_pprof_write);
		uint64_t calls = 0, others_calls = 0;

		others = as_others_see_it(file);
		assert_string_equal(why, "");
		assert_int_equal(rps_profile_total(others, 0), rps_profile_total(profile, 0));
		for (uint32_t i = 0; i < profile->n_edges; i++)
			calls += profile->edges[i].calls;
		for (uint32_t i = 0; i < others->n_edges; i++)
			others_calls += others->edges[i].calls;
		assert_int_equal(calls, others_calls);
		free(file.bytes);
		rps_profile_destroy(profile);
		rps_profile_destroy(others);
	}
}

/* Exact sums, function by function and call by call, whatever is estimated between them. */
static void test_unfolding_keeps_sums(void **state)
{
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct rps_profile *flat = some_profile(seed, 1);
		struct rps_profile *again = rps_profile_create("GET /cart");
		struct rps_unfolded unfolded;
		char problem[200] = "";

		assert_int_equal(rps_profile_unfold(flat, &unfolded), 0);
		rps_profile_check(unfolded.profile, problem, sizeof(problem));
		assert_string_equal(problem, "");
		again->is_flat = 1;
		assert_int_equal(rps_profile_flatten(unfolded.profile, again), 0);
		assert_int_equal(again->n_nodes, flat->n_nodes);
		assert_int_equal(again->n_edges, flat->n_edges);
		for (uint32_t i = 0; i < again->n_nodes; i++) {
			uint32_t function =
			    rps_profile_function(flat, &again->functions[again->nodes[i].function]);
			uint32_t node = i == 0 ? 0 : rps_profile_node(flat, 0, function);

			assert_int_equal(again->nodes[i].self[0], flat->nodes[node].self[0]);
		}
		for (uint32_t i = 0; i < again->n_edges; i++) {
			const struct rps_edge *edge = &again->edges[i];
			uint32_t ends[2] = {edge->from, edge->to}, same;

			for (int end = 0; end < 2; end++)
				if (ends[end] != 0)
					ends[end] = rps_profile_node(
					    flat, 0,
					    rps_profile_function(
						flat, &again->functions[again->nodes[ends[end]].function]));
			same = rps_profile_edge(flat, ends[0], ends[1], edge->site_file, edge->site_line);
			assert_int_equal(edge->calls, flat->edges[same].calls);
		}
		rps_unfolded_destroy(&unfolded);
		rps_profile_destroy(flat);
		rps_profile_destroy(again);
	}
}

static void test_collapsed_contexts(void **state)
{
	struct rps_profile *profile = rps_profile_create("root"), *again;
	uint32_t a = leaf(profile, 0, function(profile, "a"), 10), overflow, b, c;
	struct text file, second;

	overflow = rps_profile_node(profile, 0, function(profile, "[contexts collapsed]"));
	profile->overflow = overflow;
	b = rps_profile_node(profile, overflow, function(profile, "b"));
	c = rps_profile_node(profile, overflow, function(profile, "c"));
	profile->nodes[b].self[0] = 5;
	profile->nodes[c].self[0] = 7;
	profile->edges[0].inclusive[0] = 22;
	call(profile, a, b, "/src/a.c", 3, 2, 12);
	call(profile, b, c, "/src/a.c", 4, 9, 7);
	call(profile, c, b, "/src/a.c", 5, 8, 0);
	file = bytes_of(profile, rps_pprof_write);
	again = profile_of(file.bytes, file.size);
	assert_string_equal(why, "");
	assert_int_not_equal(again->overflow, RPS_NONE);
	assert_int_equal(again->n_edges, profile->n_edges);
	assert_same_graph(profile, again);
	second = bytes_of(again, rps_pprof_write);
	assert_same_bytes(file, second);
	free(file.bytes);
	free(second.bytes);
	rps_profile_destroy(profile);
	rps_profile_destroy(again);
}

/* Lines in other files, several events, names that are hostile. */
static void test_lines_events_and_names(void **state)
{
	const struct rps_event events[] = {{"Ir", "Instructions"}, {"Wall_ns", ""}, {"heap_bytes", "Heap"}};
	struct rps_profile *profile = rps_profile_create("root\nb"), *again;
	uint32_t a = rps_profile_node(profile, 0, function(profile, "a \"<&>;\\\x01 \xc3\xa9")), line, edge;
	FILE *null = fopen("/dev/null", "w");
	struct text file;

	rps_profile_set_events(profile, events, 3);
	for (uint32_t event = 0; event < 3; event++)
		profile->nodes[a].self[event] = 100 + event;
	edge = rps_profile_edge(profile, 0, a, "", 0);
	profile->edges[edge].calls = UINT32_MAX * (uint64_t)1000;
	memcpy(profile->edges[edge].inclusive, profile->nodes[a].self, sizeof(profile->nodes[a].self));
	line = rps_profile_line(profile, a, "/inc/x.h", 7);
	profile->lines[line].self[0] = 60;
	line = rps_profile_line(profile, a, "/src/a.c", 9);
	profile->lines[line].self[2] = 50;
	file = bytes_of(profile, rps_pprof_write);
	again = profile_of(file.bytes, file.size);
	assert_string_equal(why, "");
	assert_same_graph(profile, again);
	free(file.bytes);
	rps_profile_destroy(again);
	profile->nodes[a].self[0] = UINT64_MAX;
	assert_int_equal(rps_pprof_write(profile, null), -EOVERFLOW);
	fclose(null);
	rps_profile_destroy(profile);
}

static void test_units(void **state)
{
	static const char *const events[] = {"Wall_ns",           "cpu_ns", "Ir",
					     "inuse_space_bytes", "_ns",    "samples"};
	char type[100], event[100];

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		const char *unit = rps_pprof_unit_of_event(events[i], type, sizeof(type));

		rps_pprof_event_of_unit(type, unit, event, sizeof(event));
		assert_string_equal(event, events[i]);
	}
	rps_pprof_event_of_unit("9 lives/x", "cats", event, sizeof(event));
	assert_string_equal(event, "_9_lives_x");
}

static void test_cut_off(void **state)
{
	for (int is_flat = 0; is_flat < 2; is_flat++) {
		struct rps_profile *profile = some_profile(5, is_flat);
		struct text file = bytes_of(profile, rps_pprof_write), plain = inflated(file);

		assert_prefixes_fail(file, NULL);
		/* Cut behind the last text, only facts are missing. */
		assert_prefixes_fail(plain, profile);
		free(file.bytes);
		free(plain.bytes);
		rps_profile_destroy(profile);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_without_own_fields),
	    cmocka_unit_test(test_unfolding_keeps_sums),
	    cmocka_unit_test(test_collapsed_contexts),
	    cmocka_unit_test(test_lines_events_and_names),
	    cmocka_unit_test(test_units),
	    cmocka_unit_test(test_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
