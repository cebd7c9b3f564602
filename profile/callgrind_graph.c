/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Functions and calls by their keys (callgrind_graph.h). Called by callgrind_read.c only, on its thread. */
#include "profile/callgrind_graph.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int rps_callgrind_graph_init(struct rps_callgrind_graph *graph)
{
	*graph = (struct rps_callgrind_graph){0};
	graph->profile = rps_profile_create("(profile)");
	if (graph->profile == NULL)
		return -ENOMEM;
	graph->profile->is_flat = 1;
	return 0;
}

void rps_callgrind_graph_clear(struct rps_callgrind_graph *graph)
{
	rps_profile_destroy(graph->profile);
	free(graph->functions);
	free(graph->calls);
	free(graph->lines);
	rps_id_table_clear(&graph->function_table);
	rps_id_table_clear(&graph->call_table);
	rps_id_table_clear(&graph->line_table);
	*graph = (struct rps_callgrind_graph){0};
}

static void *grow(void *array, uint32_t *room, uint32_t n, size_t element_size)
{
	uint32_t wanted = *room == 0 ? 64 : *room * 2;
	void *grown;

	if (n < *room)
		return array;
	if (*room > RPS_NONE / 2)
		return NULL;
	grown = realloc(array, wanted * element_size);
	if (grown != NULL)
		*room = wanted;
	return grown;
}

/* ---- Functions and calls ------------------------------------------------------------------------ */

static bool function_equal(const void *owner, uint32_t id, const void *key)
{
	const struct rps_read_function *have = &((const struct rps_callgrind_graph *)owner)->functions[id];
	const struct rps_read_function *wanted = key;

	return have->name == wanted->name && have->file == wanted->file && have->object == wanted->object;
}

uint32_t rps_callgrind_graph_function(struct rps_callgrind_graph *graph, const char *name, const char *file,
				      const char *object)
{
	const struct rps_read_function key = {.name = name, .file = file, .object = object};
	struct rps_read_function *functions;
	uint64_t hash = rps_hash_mix(rps_hash_mix((uintptr_t)name, (uintptr_t)file), (uintptr_t)object);
	uint32_t id =
	    rps_id_table_find(&graph->function_table, (uint32_t)(hash >> 32), function_equal, graph, &key);

	if (id != RPS_NONE)
		return id;
	functions = grow(graph->functions, &graph->functions_room, graph->n_functions, sizeof(key));
	if (functions == NULL)
		return RPS_NONE;
	graph->functions = functions;
	if (rps_id_table_reserve(&graph->function_table) != 0)
		return RPS_NONE;
	functions[graph->n_functions] = key;
	rps_id_table_put(&graph->function_table, (uint32_t)(hash >> 32), graph->n_functions);
	return graph->n_functions++;
}

static bool call_equal(const void *owner, uint32_t id, const void *key)
{
	const struct rps_edge *have = &((const struct rps_callgrind_graph *)owner)->calls[id];
	const struct rps_edge *wanted = key;

	return have->from == wanted->from && have->to == wanted->to && have->site_line == wanted->site_line &&
	       have->site_file == wanted->site_file;
}

uint32_t rps_callgrind_graph_call(struct rps_callgrind_graph *graph, uint32_t from, uint32_t to,
				  const char *site_file, uint32_t site_line)
{
	struct rps_edge *calls;
	const struct rps_edge key = {.from = from, .to = to, .site_file = site_file, .site_line = site_line};
	uint64_t hash = rps_hash_mix(rps_hash_mix(rps_hash_mix(from, to), site_line), (uintptr_t)site_file);
	uint32_t id = rps_id_table_find(&graph->call_table, (uint32_t)(hash >> 32), call_equal, graph, &key);

	if (id != RPS_NONE)
		return id;
	calls = grow(graph->calls, &graph->calls_room, graph->n_calls, sizeof(key));
	if (calls == NULL)
		return RPS_NONE;
	graph->calls = calls;
	if (rps_id_table_reserve(&graph->call_table) != 0)
		return RPS_NONE;
	calls[graph->n_calls] = key;
	graph->functions[to].is_called = true;
	rps_id_table_put(&graph->call_table, (uint32_t)(hash >> 32), graph->n_calls);
	return graph->n_calls++;
}

static bool line_equal(const void *owner, uint32_t id, const void *key)
{
	const struct rps_line_cost *have = &((const struct rps_callgrind_graph *)owner)->lines[id];
	const struct rps_line_cost *wanted = key;

	return have->node == wanted->node && have->line == wanted->line && have->file == wanted->file;
}

uint32_t rps_callgrind_graph_line(struct rps_callgrind_graph *graph, uint32_t function, const char *file,
				  uint32_t line)
{
	struct rps_line_cost *lines;
	const struct rps_line_cost key = {.node = function, .line = line, .file = file};
	uint64_t hash = rps_hash_mix(rps_hash_mix(function, line), (uintptr_t)file);
	uint32_t id = rps_id_table_find(&graph->line_table, (uint32_t)(hash >> 32), line_equal, graph, &key);

	if (id != RPS_NONE)
		return id;
	lines = grow(graph->lines, &graph->lines_room, graph->n_lines, sizeof(key));
	if (lines == NULL)
		return RPS_NONE;
	graph->lines = lines;
	if (rps_id_table_reserve(&graph->line_table) != 0)
		return RPS_NONE;
	lines[graph->n_lines] = key;
	rps_id_table_put(&graph->line_table, (uint32_t)(hash >> 32), graph->n_lines);
	return graph->n_lines++;
}

uint64_t rps_callgrind_graph_size(const struct rps_callgrind_graph *graph)
{
	/* Twice for calls and functions: they become edges and nodes while they are still here. */
	return (uint64_t)graph->calls_room * sizeof(*graph->calls) * 2 +
	       (uint64_t)graph->lines_room * sizeof(*graph->lines) * 2 +
	       (uint64_t)graph->functions_room * (sizeof(*graph->functions) + sizeof(struct rps_node));
}

/* ---- The end ------------------------------------------------------------------------------------ */

/* Whether `text` is the end of `path`, from some component on. Sets *size: of the matching text. */
static bool is_path_tail(const char *text, size_t text_size, const char *path)
{
	size_t path_size = strlen(path);

	return text_size > 0 && text_size <= path_size &&
	       memcmp(path + path_size - text_size, text, text_size) == 0 &&
	       (text_size == path_size || path[path_size - text_size - 1] == '/');
}

/* "[a/util.c]", "[shop.cc:40]", "[a/app]", "[a/util.c a/app]": whether our writer made it for this function.
 */
static bool is_own_suffix(const struct rps_read_function *function, const char *text, size_t size)
{
	char line[16];
	int line_size = snprintf(line, sizeof(line), ":%u", function->line);

	if (is_path_tail(text, size, function->object))
		return true;
	for (size_t file_size = size; file_size > 0; file_size--) {
		size_t without_line = file_size;

		if (file_size != size && text[file_size] != ' ')
			continue;
		if (file_size != size &&
		    !is_path_tail(text + file_size + 1, size - file_size - 1, function->object))
			continue;
		if (file_size > (size_t)line_size &&
		    memcmp(text + file_size - line_size, line, (size_t)line_size) == 0)
			without_line -= (size_t)line_size;
		if (is_path_tail(text, file_size, function->file) ||
		    is_path_tail(text, without_line, function->file))
			return true;
	}
	return false;
}

/* The name without what tells it apart in the file; the writer puts it back where it must. malloc'ed, or
 * NULL. */
static char *plain_name(const struct rps_read_function *function)
{
	const size_t size = strlen(function->name);
	const char *bracket = NULL;

	if (size < 4 || function->name[size - 1] != ']')
		return NULL;
	for (const char *at = strstr(function->name, " ["); at != NULL; at = strstr(at + 1, " ["))
		bracket = at;
	if (bracket == NULL || bracket == function->name)
		return NULL;
	if (!is_own_suffix(function, bracket + 2, size - (size_t)(bracket + 2 - function->name) - 1))
		return NULL;
	return strndup(function->name, (size_t)(bracket - function->name));
}

static int define_functions(struct rps_callgrind_graph *graph, uint32_t *ids, bool own_names)
{
	struct rps_profile *profile = graph->profile;
	const char *empty = rps_profile_text(profile, "");
	struct rps_function *functions;
	int error = 0;

	for (uint32_t i = 0; i < graph->n_functions; i++) {
		const struct rps_read_function *read = &graph->functions[i];

		/* New by their names; the root of a profile that has none yet has no name. */
		ids[i] = read->name[0] == '\0' && read->file[0] == '\0' && read->object[0] == '\0'
			     ? 0
			     : rps_profile_append_function(profile,
							   &(struct rps_function){.name = read->name,
										  .symbol = empty,
										  .file = read->file,
										  .object = read->object});
		if (ids[i] == RPS_NONE)
			return -ENOMEM;
	}
	functions = malloc(profile->n_functions * sizeof(*functions));
	if (functions == NULL)
		return -ENOMEM;
	memcpy(functions, profile->functions, profile->n_functions * sizeof(*functions));
	for (uint32_t i = 0; i < graph->n_functions && error == 0; i++) {
		char *plain = own_names ? plain_name(&graph->functions[i]) : NULL;

		functions[ids[i]].line = graph->functions[i].line;
		if (plain == NULL)
			continue;
		functions[ids[i]].name = rps_profile_text(profile, plain);
		error = functions[ids[i]].name != NULL ? 0 : -ENOMEM;
		free(plain);
	}
	if (error == 0)
		error = rps_profile_redefine_functions(profile, functions);
	free(functions);
	return error;
}

/* The one function that nothing calls, if it costs, with what it calls, all there is. */
static uint32_t find_root(const struct rps_callgrind_graph *graph)
{
	uint64_t total[RPS_EVENTS_MAX] = {0}, inclusive[RPS_EVENTS_MAX];
	uint32_t root = RPS_NONE;

	for (uint32_t i = 0; i < graph->n_functions; i++) {
		for (uint32_t event = 0; event < RPS_EVENTS_MAX; event++)
			total[event] = rps_cost_add(total[event], graph->functions[i].self[event]);
		if (graph->functions[i].is_called)
			continue;
		if (root != RPS_NONE)
			return RPS_NONE;
		root = i;
	}
	if (root == RPS_NONE)
		return RPS_NONE;
	memcpy(inclusive, graph->functions[root].self, sizeof(inclusive));
	for (uint32_t i = 0; i < graph->n_calls; i++)
		for (uint32_t event = 0; event < RPS_EVENTS_MAX && graph->calls[i].from == root; event++)
			inclusive[event] = rps_cost_add(inclusive[event], graph->calls[i].inclusive[event]);
	return memcmp(inclusive, total, sizeof(total)) == 0 ? root : RPS_NONE;
}

struct rps_profile *rps_callgrind_graph_finish(struct rps_callgrind_graph *graph, bool has_root,
					       bool own_names)
{
	struct rps_profile *profile = graph->profile;
	uint32_t *ids = malloc(((size_t)graph->n_functions + 1) * sizeof(*ids));
	uint32_t root = has_root ? find_root(graph) : RPS_NONE;

	if (ids == NULL || define_functions(graph, ids, own_names) != 0)
		goto failed;
	if (root != RPS_NONE)
		profile->nodes[0].function = ids[root];
	/* From here on ids are nodes. */
	for (uint32_t i = 0; i < graph->n_functions; i++) {
		ids[i] = i == root ? 0 : rps_profile_append_node(profile, 0, ids[i]);
		if (ids[i] == RPS_NONE)
			goto failed;
		memcpy(profile->nodes[ids[i]].self, graph->functions[i].self,
		       sizeof(graph->functions[i].self));
	}
	for (uint32_t i = 0; i < graph->n_calls; i++) {
		struct rps_edge *call = &graph->calls[i];

		call->from = ids[call->from];
		call->to = ids[call->to];
		if (rps_profile_append_edge(profile, call) == RPS_NONE)
			goto failed;
	}
	for (uint32_t i = 0; i < graph->n_lines; i++) {
		struct rps_line_cost *line = &graph->lines[i];

		line->node = ids[line->node];
		if (rps_profile_append_line(profile, line) == RPS_NONE)
			goto failed;
	}
	free(ids);
	graph->profile = NULL;
	return profile;
failed:
	free(ids);
	return NULL;
}
