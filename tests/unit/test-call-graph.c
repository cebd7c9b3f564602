/* SPDX-License-Identifier: GPL-3.0-or-later */
/* profile/call_graph.c, by way of the files written from it: trees flattened to functions and calls. Random
 * program runs whose calls and costs were counted in another way are held against what the files say. */
#include "tests/unit/callgrind-helpers.h"

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

/* ---- Programs that never were --------------------------------------------------------------------- */

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

static void callgrind_annotate_agrees(void **state)
{
	static struct program program;
	char expected[100], number[40];

	if (!has_callgrind_annotate())
		skip();
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
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(symbols_of_one_function_are_one),
	    cmocka_unit_test(collapsed_contexts),
	    cmocka_unit_test(random_programs),
	    cmocka_unit_test(equal_profiles_give_equal_bytes),
	    cmocka_unit_test(callgrind_annotate_agrees),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
