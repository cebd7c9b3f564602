/* SPDX-License-Identifier: GPL-3.0-or-later */
/* profile/merge.c: sums are exact, in any order, with contexts and without. */
#include "callgrind-helpers.h"
#include "random-profile.h"

#include "profile/callgrind_read.h"
#include "profile/folded_write.h"
#include "profile/merge.h"

#include <errno.h>

#define N_PROFILES 7
#define N_ROUNDS 60

/* As a file would have it. */
static struct rps_profile *flat_form(const struct rps_profile *profile)
{
	char *text = written(profile), why[300];
	FILE *stream = fmemopen(text, strlen(text), "r");
	struct rps_input *input = rps_input_create(stream, "memory");
	struct rps_profile *flat = NULL;

	if (rps_callgrind_read(input, &flat, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	rps_input_destroy(input);
	fclose(stream);
	free(text);
	return flat;
}

/* Which of random_profile's functions this is; RANDOM_FUNCTIONS: a root. RPS_NONE: the sum's root. */
static uint32_t number_of(const struct rps_profile *profile, uint32_t node, uint32_t build)
{
	const struct rps_function *function = &profile->functions[profile->nodes[node].function];

	if (node == 0)
		return RPS_NONE;
	if (function->name[0] == 'f')
		return (uint32_t)atoi(function->name + 1);
	if (strcmp(function->name, "twin") == 0)
		return function->line / 10 - 1;
	return RANDOM_FUNCTIONS;
}

static void agrees(const struct rps_profile *profile, const struct random_sums *expected, uint64_t n_requests)
{
	static struct random_sums sums;
	uint64_t n_called = 0;

	memset(&sums, 0, sizeof(sums));
	assert_int_equal(profile->nodes[0].self[0], 0);
	for (uint32_t i = 1; i < profile->n_nodes; i++)
		sums.self[number_of(profile, i, 0)] += profile->nodes[i].self[0];
	for (uint32_t i = 0; i < profile->n_edges; i++) {
		const struct rps_edge *edge = &profile->edges[i];
		uint32_t from = number_of(profile, edge->from, 0), to = number_of(profile, edge->to, 0);
		uint32_t site = edge->site_line == 0 ? 0 : edge->site_line - 1000;

		if (edge->from == 0) {
			assert_int_equal(to, RANDOM_FUNCTIONS);
			n_called += edge->calls;
			continue;
		}
		assert_in_range(to, 0, RANDOM_FUNCTIONS - 1);
		sums.calls[from][to][site] += edge->calls;
		sums.inclusive[from][to][site] += edge->inclusive[0];
	}
	assert_int_equal(n_called, n_requests);
	assert_memory_equal(&sums, expected, sizeof(sums));
}

static char *folded(const struct rps_profile *profile)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(rps_folded_write(profile, out), 0);
	fclose(out);
	return text;
}

static struct rps_profile *sum_of(struct rps_profile *const *profiles, const uint32_t *order,
				  uint32_t n_threads)
{
	struct rps_merge *merges[3];
	struct rps_profile *result;

	for (uint32_t i = 0; i < n_threads; i++)
		merges[i] = rps_merge_create("/all");
	for (uint32_t i = 0; i < N_PROFILES; i++)
		assert_int_equal(rps_merge_add(merges[i % n_threads], profiles[order[i]]), 0);
	for (uint32_t i = 1; i < n_threads; i++) {
		assert_int_equal(rps_merge_join(merges[0], merges[i]), 0);
		rps_merge_destroy(merges[i]);
	}
	result = rps_merge_finish(merges[0]);
	assert_non_null(result);
	rps_merge_destroy(merges[0]);
	return result;
}

/* kind 0: all with contexts; 1: all flat; 2: either. */
static void check_sums(int kind)
{
	static struct random_sums expected;

	for (uint32_t round = 0; round < N_ROUNDS; round++) {
		struct rps_profile *profiles[N_PROFILES];
		uint32_t order[N_PROFILES];
		char *first = NULL, *first_stacks = NULL;

		memset(&expected, 0, sizeof(expected));
		for (uint32_t i = 0; i < N_PROFILES; i++) {
			/* With both twins in each, their lines must not be taken for one function's. */
			profiles[i] = random_profile(i % 3 == 0 ? "POST /a" : "GET /a", random_below(5),
						     50 + random_below(400), &expected);
			if (kind == 1 || (kind == 2 && random_below(2) == 0)) {
				struct rps_profile *flat = flat_form(profiles[i]);

				rps_profile_destroy(profiles[i]);
				profiles[i] = flat;
			}
			order[i] = i;
		}
		for (uint32_t attempt = 0; attempt < 4; attempt++) {
			struct rps_profile *sum = sum_of(profiles, order, 1 + attempt % 3);
			char *text = written(sum), *stacks = folded(sum);

			agrees(sum, &expected, N_PROFILES);
			assert_string_equal(rps_profile_meta(sum, "Aggregate"), "7");
			if (first == NULL) {
				first = strdup(text);
				first_stacks = strdup(stacks);
			}
			assert_string_equal(text, first);
			/* What a flat sum's stacks are guessed to be goes by the order of its edges. */
			assert_string_equal(stacks, first_stacks);
			free(text);
			free(stacks);
			rps_profile_destroy(sum);
			for (uint32_t i = N_PROFILES; i-- > 1;) {
				uint32_t other = random_below(i + 1), swap = order[i];

				order[i] = order[other];
				order[other] = swap;
			}
		}
		free(first);
		free(first_stacks);
		for (uint32_t i = 0; i < N_PROFILES; i++)
			rps_profile_destroy(profiles[i]);
	}
}

static void sums_with_contexts(void **state)
{
	check_sums(0);
}

static void sums_of_flat_profiles(void **state)
{
	check_sums(1);
}

static void sums_of_both(void **state)
{
	check_sums(2);
}

static void sums_of_sums_are_sums(void **state)
{
	static struct random_sums expected;
	struct rps_profile *profiles[N_PROFILES], *all, *nested;
	struct rps_merge *left = rps_merge_create("/left"), *right = rps_merge_create("/all"),
			 *both = rps_merge_create("/all");
	const uint32_t order[N_PROFILES] = {0, 1, 2, 3, 4, 5, 6};
	char *text, *nested_text;

	memset(&expected, 0, sizeof(expected));
	for (uint32_t i = 0; i < N_PROFILES; i++) {
		profiles[i] = random_profile("GET /a", 0, 300, &expected);
		rps_merge_add(i < 3 ? left : right, profiles[i]);
	}
	nested = rps_merge_finish(left);
	assert_int_equal(rps_merge_add(both, nested), 0);
	rps_profile_destroy(nested);
	nested = rps_merge_finish(right);
	assert_int_equal(rps_merge_add(both, nested), 0);
	rps_profile_destroy(nested);
	nested = rps_merge_finish(both);
	all = sum_of(profiles, order, 1);
	agrees(nested, &expected, N_PROFILES);
	text = written(all);
	nested_text = written(nested);
	assert_string_equal(text, nested_text);
	free(text);
	free(nested_text);
	rps_profile_destroy(all);
	rps_profile_destroy(nested);
	rps_merge_destroy(left);
	rps_merge_destroy(right);
	rps_merge_destroy(both);
	for (uint32_t i = 0; i < N_PROFILES; i++)
		rps_profile_destroy(profiles[i]);
}

static struct rps_profile *one_call(const char *event, uint32_t line, uint64_t cost)
{
	struct rps_profile *profile = rps_profile_create("r");
	const struct rps_event events[] = {{event, ""}};

	leaf(profile, 0, function_at(profile, "f", "/a.c", line, ""), cost);
	rps_profile_set_events(profile, events, 1);
	return profile;
}

static void functions_are_matched_across_rebuilds(void **state)
{
	struct rps_merge *merge = rps_merge_create("sum");
	struct rps_profile *sum;

	for (uint32_t line = 12; line >= 10; line--) {
		struct rps_profile *profile = one_call("Wall_ns", line, 5);

		assert_int_equal(rps_merge_add(merge, profile), 0);
		rps_profile_destroy(profile);
	}
	sum = rps_merge_finish(merge);
	assert_int_equal(sum->n_nodes, 3);
	assert_int_equal(sum->functions[sum->nodes[2].function].line, 10);
	assert_int_equal(sum->nodes[2].self[0], 15);
	rps_profile_destroy(sum);
	rps_merge_destroy(merge);
}

static void events_are_matched_by_name(void **state)
{
	struct rps_merge *merge = rps_merge_create("sum");
	const char *const events[] = {"Wall_ns", "Allocs", "Wall_ns"};
	struct rps_profile *sum;

	for (uint32_t i = 0; i < 3; i++) {
		struct rps_profile *profile = one_call(events[i], 1, 10 * (i + 1));

		assert_int_equal(rps_merge_add(merge, profile), 0);
		rps_profile_destroy(profile);
	}
	sum = rps_merge_finish(merge);
	assert_int_equal(sum->n_events, 2);
	assert_string_equal(sum->events[0].name, "Allocs");
	assert_int_equal(rps_profile_total(sum, 0), 20);
	assert_int_equal(rps_profile_total(sum, 1), 40);
	rps_profile_destroy(sum);
	rps_merge_destroy(merge);
}

static void what_does_not_fit_is_left_out_whole(void **state)
{
	struct rps_merge *merge = rps_merge_create("sum");
	struct rps_profile *profile = one_call("Wall_ns", 1, UINT64_MAX / 2),
			   *other = one_call("B", 1, UINT64_MAX / 2), *sum;

	assert_int_equal(rps_merge_add(merge, other), 0);
	assert_int_equal(rps_merge_add(merge, profile), 0);
	profile->nodes[1].self[0] += 2;
	profile->edges[0].inclusive[0] += 2;
	assert_int_equal(rps_merge_add(merge, profile), -EOVERFLOW);
	assert_int_equal(rps_merge_count(merge), 2);
	sum = rps_merge_finish(merge);
	assert_int_equal(rps_profile_total(sum, 1), UINT64_MAX / 2);
	rps_profile_destroy(sum);
	rps_profile_destroy(profile);
	rps_profile_destroy(other);
	rps_merge_destroy(merge);
}

/* A request whose contexts were too many: f calls g, which is below the overflow node. */
static struct rps_profile *with_overflow(const char *root)
{
	struct rps_profile *profile = rps_profile_create(root);
	uint32_t f = rps_profile_node(profile, 0, function(profile, "f")), g;

	profile->overflow = rps_profile_node(profile, 0, function(profile, "(overflow)"));
	g = rps_profile_node(profile, profile->overflow, function(profile, "g"));
	profile->nodes[f].self[0] = 1;
	profile->nodes[g].self[0] = 2;
	call(profile, 0, f, "", 0, 1, 3);
	call(profile, f, g, "/src/a.c", 5, 4, 2);
	return profile;
}

static void collapsed_contexts(void **state)
{
	struct rps_merge *merge = rps_merge_create("sum");
	struct rps_profile *profiles[] = {with_overflow("GET /"), with_overflow("POST /")}, *sum;
	char why[200];

	for (int i = 0; i < 2; i++)
		assert_int_equal(rps_merge_add(merge, profiles[i]), 0);
	sum = rps_merge_finish(merge);
	if (rps_profile_check(sum, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	assert_int_equal(rps_profile_total(sum, 0), 6);
	assert_int_not_equal(sum->overflow, RPS_NONE);
	/* root, two requests, f in each, overflow, g */
	assert_int_equal(sum->n_nodes, 7);
	for (int i = 0; i < 2; i++)
		rps_profile_destroy(profiles[i]);
	rps_profile_destroy(sum);
	rps_merge_destroy(merge);
}

static void what_all_have_in_common_is_kept(void **state)
{
	struct rps_merge *merge = rps_merge_create("sum");
	struct rps_profile *sum;

	for (int i = 0; i < 2; i++) {
		struct rps_profile *profile = one_call("Wall_ns", 1, 1);

		rps_profile_add_meta(profile, "Path", "/cart");
		if (i == 1)
			rps_profile_add_meta(profile, "Cut off", "yes");
		rps_profile_add_meta(profile, "Id", i == 0 ? "1" : "2");
		rps_profile_set_command(profile, "shop");
		rps_merge_add(merge, profile);
		rps_profile_destroy(profile);
	}
	sum = rps_merge_finish(merge);
	assert_string_equal(rps_profile_meta(sum, "Path"), "/cart");
	assert_null(rps_profile_meta(sum, "Id"));
	assert_string_equal(rps_profile_meta(sum, "Inputs with Cut off"), "1");
	assert_string_equal(sum->command, "shop");
	assert_int_equal(rps_profile_aggregate_count(sum), 2);
	rps_profile_destroy(sum);
	rps_merge_destroy(merge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sums_with_contexts),
	    cmocka_unit_test(sums_of_flat_profiles),
	    cmocka_unit_test(sums_of_both),
	    cmocka_unit_test(sums_of_sums_are_sums),
	    cmocka_unit_test(functions_are_matched_across_rebuilds),
	    cmocka_unit_test(events_are_matched_by_name),
	    cmocka_unit_test(what_does_not_fit_is_left_out_whole),
	    cmocka_unit_test(collapsed_contexts),
	    cmocka_unit_test(what_all_have_in_common_is_kept),
	};
	const char *seed = getenv("RPS_TEST_SEED");

	random_state = seed != NULL ? strtoull(seed, NULL, 10) : 20;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
