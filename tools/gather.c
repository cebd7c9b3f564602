/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads and adds up (gather.h). Each thread takes the next file that nobody has taken, reads it, and adds it
 * to groups of its own; when all are done, the threads' groups are joined. The order in which files come does
 * not matter to a sum (profile/merge.h). */
#include "tools/gather.h"

#include "profile/format.h"
#include "tools/complain.h"

#include <errno.h>
#include <fnmatch.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 64

struct worker {
	uint32_t number;
	const struct rps_gather_options *options;
	struct rps_inputs *inputs;
	struct rps_gather_progress *progress;
	struct rps_gather_groups groups;
	int error;
};

/* ---- Groups ------------------------------------------------------------------------------------- */

static void clear_group(struct rps_gather_group *group)
{
	free(group->name);
	free(group->path);
	free(group->durations_us.numbers);
	free(group->calls.numbers);
	rps_merge_destroy(group->merge);
}

void rps_gather_groups_clear(struct rps_gather_groups *groups)
{
	for (uint32_t i = 0; i < groups->n_groups; i++)
		clear_group(&groups->groups[i]);
	free(groups->groups);
	rps_id_table_clear(&groups->table);
	*groups = (struct rps_gather_groups){0};
}

struct group_key {
	const char *name, *path;
};

static bool group_equal(const void *owner, uint32_t id, const void *key)
{
	const struct rps_gather_group *have = &((const struct rps_gather_groups *)owner)->groups[id];
	const struct group_key *wanted = key;

	return strcmp(have->name, wanted->name) == 0 && strcmp(have->path, wanted->path) == 0;
}

/* Two paths may share a name: /a/b and /a.b. */
static uint32_t find_group(struct rps_gather_groups *groups, const char *name, const char *path,
			   const char *root)
{
	const struct group_key key = {name, path};
	const uint32_t hash =
	    (uint32_t)(rps_hash_mix(rps_hash_bytes(name, strlen(name)), rps_hash_bytes(path, strlen(path))) >>
		       32);
	struct rps_gather_group *group;
	uint32_t at = rps_id_table_find(&groups->table, hash, group_equal, groups, &key);

	if (at != UINT32_MAX)
		return at;
	if (groups->n_groups == groups->room) {
		uint32_t room = groups->room == 0 ? 16 : groups->room * 2;
		struct rps_gather_group *grown = realloc(groups->groups, room * sizeof(*grown));

		if (grown == NULL)
			return UINT32_MAX;
		groups->groups = grown;
		groups->room = room;
	}
	if (rps_id_table_reserve(&groups->table) != 0)
		return UINT32_MAX;
	group = &groups->groups[groups->n_groups];
	*group = (struct rps_gather_group){
	    .name = strdup(name), .path = strdup(path), .merge = rps_merge_create(root)};
	if (group->name == NULL || group->path == NULL || group->merge == NULL) {
		clear_group(group);
		return UINT32_MAX;
	}
	rps_id_table_put(&groups->table, hash, groups->n_groups);
	return groups->n_groups++;
}

static int add_number(struct rps_gather_numbers *numbers, uint64_t number)
{
	if (numbers->n == numbers->room) {
		size_t room = numbers->room == 0 ? 16 : numbers->room * 2;
		uint64_t *grown = realloc(numbers->numbers, room * sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		numbers->numbers = grown;
		numbers->room = room;
	}
	numbers->numbers[numbers->n++] = number;
	return 0;
}

/* ---- What a profile says of itself -------------------------------------------------------------- */

static uint64_t number_of(const struct rps_profile *profile, const char *key)
{
	const char *text = rps_profile_meta(profile, key);

	return text != NULL ? strtoull(text, NULL, 10) : 0;
}

static const char *text_of(const struct rps_profile *profile, const char *key)
{
	const char *text = rps_profile_meta(profile, key);

	return text != NULL ? text : "";
}

static uint64_t time_of(const struct rps_profile *profile)
{
	struct tm tm = {0};
	const char *text = rps_profile_meta(profile, "Time");

	if (text == NULL || strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) == NULL)
		return 0;
	return (uint64_t)timegm(&tm);
}

/* The path, the route it matches, or, for programs that know none, their name. `path` has `size` bytes. */
static void find_path(const struct rps_gather_options *options, const struct rps_profile *profile, char *path,
		      size_t size)
{
	const char *text = rps_profile_meta(profile, "Path");
	size_t length;

	if (text != NULL) {
		for (size_t i = 0; i < options->n_routes; i++)
			if (fnmatch(options->routes[i], text, FNM_PATHNAME) == 0)
				text = options->routes[i];
		snprintf(path, size, "%s", text);
		return;
	}
	text = profile->command;
	length = strcspn(text, " ");
	for (size_t i = length; i > 0; i--)
		if (text[i - 1] == '/') {
			text += i;
			length -= i;
			break;
		}
	snprintf(path, size, "%.*s", (int)length, length > 0 ? text : "unknown");
}

static uint32_t group_of(struct worker *worker, const struct rps_profile *profile)
{
	const struct rps_gather_options *options = worker->options;
	const char *question_mark = strchr(text_of(profile, "URL"), '?');
	char path[4096], name[4096];
	struct rps_name_values values = {
	    .path = path,
	    .query = question_mark != NULL ? question_mark + 1 : "",
	    .method = text_of(profile, "Method"),
	    .status = (uint32_t)number_of(profile, "Status"),
	    .pid = profile->pid,
	    .duration_us = number_of(profile, "Duration us"),
	    .time_s = time_of(profile),
	};
	size_t size;

	if (options->by == NULL)
		return find_group(&worker->groups, "", "", "all");
	find_path(options, profile, path, sizeof(path));
	values.path_size = strlen(path);
	if (rps_name_template_render(options->by, &values, 0, name, sizeof(name)) != 0)
		return UINT32_MAX;
	size = strlen(name) - strlen(RPS_NAME_SUFFIX);
	name[size] = '\0';
	return find_group(&worker->groups, name, options->by_path ? path : "",
			  options->by_path ? path : name);
}

/* ---- Work --------------------------------------------------------------------------------------- */

static int add_profile(struct worker *worker, struct rps_input_file *input, const struct rps_profile *profile)
{
	struct rps_gather_group *group;
	uint32_t at = group_of(worker, profile);
	uint64_t n_calls;
	int error;

	if (at == UINT32_MAX)
		return -ENOMEM;
	group = &worker->groups.groups[at];
	error = rps_merge_add(group->merge, profile);
	if (error == -EOVERFLOW || error == -E2BIG) {
		rps_complain("skipped %s: %s", input->path,
			     error == -E2BIG ? "too many different events in all"
					     : "the sum would be beyond 64 bits");
		atomic_fetch_add(&worker->progress->n_broken, 1);
		return 0;
	}
	if (error != 0)
		return error;
	input->group = at;
	n_calls = rps_profile_count_calls(profile);
	group->n_calls = rps_cost_add(group->n_calls, n_calls);
	/* How the requests of a sum vary is not known any more. */
	if (rps_profile_meta(profile, RPS_AGGREGATE_KEY) == NULL)
		error = add_number(&group->calls, n_calls);
	if (error == 0 && rps_profile_meta(profile, "Duration us") != NULL)
		error = add_number(&group->durations_us, number_of(profile, "Duration us"));
	return error;
}

static int take_input(struct worker *worker, struct rps_input_file *input)
{
	struct rps_profile *profile = NULL;
	char why[1024];
	int error = rps_format_read(input->path, &profile, why, sizeof(why));

	if (error != 0) {
		rps_complain("skipped %s", why);
		atomic_fetch_add(&worker->progress->n_broken, 1);
		return 0;
	}
	if (!input->is_named && !worker->options->with_aggregates &&
	    rps_profile_meta(profile, RPS_AGGREGATE_KEY) != NULL)
		atomic_fetch_add(&worker->progress->n_skipped, 1);
	else
		error = add_profile(worker, input, profile);
	rps_profile_destroy(profile);
	return error;
}

static void *work(void *cls)
{
	struct worker *worker = cls;

	for (;;) {
		size_t i = atomic_fetch_add(&worker->progress->n_taken, 1);

		if (i >= worker->inputs->n_inputs || worker->error != 0)
			return NULL;
		worker->inputs->inputs[i].worker = worker->number;
		worker->error = take_input(worker, &worker->inputs->inputs[i]);
		atomic_fetch_add(&worker->progress->n_done, 1);
	}
}

/* ---- Joining ------------------------------------------------------------------------------------ */

/* `into` gets the groups of `from`; map[i]: what group i became. */
static int join_groups(struct rps_gather_groups *into, struct rps_gather_groups *from, uint32_t *map)
{
	for (uint32_t i = 0; i < from->n_groups; i++) {
		struct rps_gather_group *source = &from->groups[i], *target;
		int error;

		map[i] = find_group(into, source->name, source->path, rps_merge_root(source->merge));
		if (map[i] == UINT32_MAX)
			return -ENOMEM;
		target = &into->groups[map[i]];
		error = rps_merge_join(target->merge, source->merge);
		if (error != 0)
			return error;
		rps_merge_destroy(source->merge);
		source->merge = NULL;
		target->n_calls = rps_cost_add(target->n_calls, source->n_calls);
		for (size_t j = 0; j < source->durations_us.n; j++)
			if (add_number(&target->durations_us, source->durations_us.numbers[j]) != 0)
				return -ENOMEM;
		for (size_t j = 0; j < source->calls.n; j++)
			if (add_number(&target->calls, source->calls.numbers[j]) != 0)
				return -ENOMEM;
	}
	return 0;
}

static int join_workers(struct worker *workers, uint32_t n_workers, struct rps_inputs *inputs,
			struct rps_gather_groups *groups)
{
	int error = 0;

	for (uint32_t i = 0; i < n_workers && error == 0; i++) {
		uint32_t *map = calloc((size_t)workers[i].groups.n_groups + 1, sizeof(*map));

		error = map != NULL ? join_groups(groups, &workers[i].groups, map) : -ENOMEM;
		for (size_t j = 0; j < inputs->n_inputs && error == 0; j++)
			if (inputs->inputs[j].worker == i && inputs->inputs[j].group != UINT32_MAX)
				inputs->inputs[j].group = map[inputs->inputs[j].group];
		free(map);
	}
	return error;
}

static int compare_groups(const void *a, const void *b)
{
	const struct rps_gather_group *left = a, *right = b;
	int order = strcmp(left->path, right->path);

	return order != 0 ? order : strcmp(left->name, right->name);
}

/* Which thread saw a group first must not show. */
static int sort_groups(struct rps_inputs *inputs, struct rps_gather_groups *groups)
{
	uint32_t *map = calloc((size_t)groups->n_groups + 1, sizeof(*map));

	if (map == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < groups->n_groups; i++)
		groups->groups[i].number = i;
	if (groups->n_groups > 0)
		qsort(groups->groups, groups->n_groups, sizeof(*groups->groups), compare_groups);
	for (uint32_t i = 0; i < groups->n_groups; i++)
		map[groups->groups[i].number] = i;
	for (size_t i = 0; i < inputs->n_inputs; i++)
		if (inputs->inputs[i].group != UINT32_MAX)
			inputs->inputs[i].group = map[inputs->inputs[i].group];
	free(map);
	return 0;
}

static uint32_t count_processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (uint32_t)n;
}

int rps_gather_run(const struct rps_gather_options *options, struct rps_inputs *inputs,
		   struct rps_gather_groups *groups, struct rps_gather_progress *progress)
{
	struct worker workers[THREADS_MAX];
	pthread_t threads[THREADS_MAX];
	uint32_t n_workers = count_processors(), n_started = 0;
	int error = 0;

	if (n_workers > inputs->n_inputs)
		n_workers = inputs->n_inputs > 0 ? (uint32_t)inputs->n_inputs : 1;
	for (uint32_t i = 0; i < n_workers; i++)
		workers[i] =
		    (struct worker){.number = i, .options = options, .inputs = inputs, .progress = progress};
	/* This thread works too, and alone if there are to be no others. */
	for (uint32_t i = 1; i < n_workers; i++, n_started++)
		if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
			break;
	work(&workers[0]);
	for (uint32_t i = 1; i <= n_started; i++)
		pthread_join(threads[i], NULL);
	for (uint32_t i = 0; i < n_workers && error == 0; i++)
		error = workers[i].error;
	if (error == 0)
		error = join_workers(workers, n_workers, inputs, groups);
	if (error == 0)
		error = sort_groups(inputs, groups);
	for (uint32_t i = 0; i < n_workers; i++)
		rps_gather_groups_clear(&workers[i].groups);
	return error;
}
