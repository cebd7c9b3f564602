/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Builds a profile (model.h): arrays of functions, nodes and edges, each with
 * a table that finds what is there already, and one pool of strings. Called
 * by the collector, and by whatever else makes profiles, in the server's or a tool's process;
 * by one thread at a time for one profile. */
#include "profile/model.h"

#include "profile/id_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Strings are short and many: they are packed into chunks and freed together. */
#define CHUNK_SIZE (16u << 10)

struct chunk {
	struct chunk *next;
	size_t used, size;
	char text[];
};

struct rps_profile_index {
	struct rps_id_table string_table, function_table, node_table, edge_table, line_table;
	const char **strings;
	struct chunk *chunks; /* the one in use first */
	uint32_t n_strings;
	uint32_t strings_room, functions_room, nodes_room, edges_room, lines_room, metas_room;
};

/* The array with room for element `n` (*room: for how many there is), perhaps
 * moved; NULL when out of memory, it then stays as it is. RPS_NONE is never an index. */
static void *grow(void *array, uint32_t *room, uint32_t n, size_t element_size)
{
	uint32_t wanted = *room < 16 ? 16 : *room > RPS_NONE / 2 ? RPS_NONE : *room * 2;
	void *grown;

	if (n < *room)
		return array;
	if (n == RPS_NONE || wanted > SIZE_MAX / element_size)
		return NULL;
	grown = realloc(array, wanted * element_size);
	if (grown != NULL)
		*room = wanted;
	return grown;
}

/* ---- Strings ------------------------------------------------------------------ */

static bool string_equal(const void *owner, uint32_t id, const void *key)
{
	return strcmp(((const struct rps_profile_index *)owner)->strings[id], key) == 0;
}

static char *copy_text(struct rps_profile_index *index, const char *text, size_t size)
{
	struct chunk *chunk = index->chunks;
	char *copy;

	if (chunk == NULL || chunk->size - chunk->used < size + 1) {
		size_t chunk_size = size + 1 > CHUNK_SIZE ? size + 1 : CHUNK_SIZE;

		chunk = malloc(sizeof(*chunk) + chunk_size);
		if (chunk == NULL)
			return NULL;
		chunk->size = chunk_size;
		chunk->used = 0;
		chunk->next = index->chunks;
		index->chunks = chunk;
	}
	copy = chunk->text + chunk->used;
	memcpy(copy, text, size);
	copy[size] = '\0';
	chunk->used += size + 1;
	return copy;
}

/* The one copy of `text` that belongs to the profile, or NULL when out of memory. */
static const char *intern(struct rps_profile_index *index, const char *text)
{
	const size_t size = text != NULL ? strlen(text) : 0;
	const char **strings;
	uint32_t hash, id;
	char *copy;

	if (text == NULL)
		text = "";
	hash = (uint32_t)(rps_hash_bytes(text, size) >> 32);
	id = rps_id_table_find(&index->string_table, hash, string_equal, index, text);
	if (id != RPS_NONE)
		return index->strings[id];
	strings = grow(index->strings, &index->strings_room, index->n_strings, sizeof(*strings));
	if (strings == NULL)
		return NULL;
	index->strings = strings;
	if (rps_id_table_reserve(&index->string_table) != 0)
		return NULL;
	copy = copy_text(index, text, size);
	if (copy == NULL)
		return NULL;
	index->strings[index->n_strings] = copy;
	rps_id_table_put(&index->string_table, hash, index->n_strings++);
	return copy;
}

/* ---- Life ----------------------------------------------------------------------- */

struct rps_profile *rps_profile_create(const char *root_name)
{
	struct rps_function root = {.name = root_name};
	struct rps_profile *profile = calloc(1, sizeof(*profile));

	if (profile == NULL)
		return NULL;
	profile->index = calloc(1, sizeof(*profile->index));
	profile->command = strdup("");
	if (profile->index == NULL || profile->command == NULL)
		goto out;
	profile->events[0] = (struct rps_event){"Wall_ns", "Wall time (ns)"};
	profile->n_events = 1;
	profile->overflow = RPS_NONE;
	profile->volatile_headers = 1;
	profile->nodes = grow(NULL, &profile->index->nodes_room, 0, sizeof(*profile->nodes));
	if (profile->nodes == NULL || rps_profile_function(profile, &root) == RPS_NONE)
		goto out;
	profile->nodes[0] = (struct rps_node){
	    .function = 0, .parent = RPS_NONE, .first_edge = RPS_NONE, .first_line = RPS_NONE};
	profile->n_nodes = 1;
	return profile;
out:
	rps_profile_destroy(profile);
	return NULL;
}

void rps_profile_destroy(struct rps_profile *profile)
{
	if (profile == NULL)
		return;
	if (profile->index != NULL) {
		struct chunk *next;

		for (struct chunk *chunk = profile->index->chunks; chunk != NULL; chunk = next) {
			next = chunk->next;
			free(chunk);
		}
		rps_id_table_clear(&profile->index->string_table);
		rps_id_table_clear(&profile->index->function_table);
		rps_id_table_clear(&profile->index->node_table);
		rps_id_table_clear(&profile->index->edge_table);
		rps_id_table_clear(&profile->index->line_table);
		free(profile->index->strings);
		free(profile->index);
	}
	free(profile->functions);
	free(profile->nodes);
	free(profile->edges);
	free(profile->lines);
	free(profile->metas);
	free(profile->command);
	free(profile);
}

/* ---- Functions, nodes, edges ------------------------------------------------------ */

static uint64_t hash_pointer(uint64_t hash, const char *pointer)
{
	return rps_hash_mix(hash, (uintptr_t)pointer);
}

static bool function_equal(const void *owner, uint32_t id, const void *key)
{
	const struct rps_function *have = &((const struct rps_profile *)owner)->functions[id];
	const struct rps_function *wanted = key;

	return have->name == wanted->name && have->file == wanted->file && have->line == wanted->line &&
	       have->symbol == wanted->symbol && have->object == wanted->object;
}

static uint32_t hash_function(const struct rps_function *key)
{
	uint64_t hash = hash_pointer(hash_pointer(key->line, key->name), key->symbol);

	return (uint32_t)(hash_pointer(hash_pointer(hash, key->file), key->object) >> 32);
}

uint32_t rps_profile_function(struct rps_profile *profile, const struct rps_function *function)
{
	struct rps_profile_index *index = profile->index;
	struct rps_function key = {.line = function->line};
	struct rps_function *functions;
	uint32_t id, hash;

	key.name = intern(index, function->name);
	key.symbol = intern(index, function->symbol);
	key.file = intern(index, function->file);
	key.object = intern(index, function->object);
	if (key.name == NULL || key.symbol == NULL || key.file == NULL || key.object == NULL)
		return RPS_NONE;
	hash = hash_function(&key);
	id = rps_id_table_find(&index->function_table, hash, function_equal, profile, &key);
	if (id != RPS_NONE)
		return id;
	functions = grow(profile->functions, &index->functions_room, profile->n_functions, sizeof(key));
	if (functions == NULL)
		return RPS_NONE;
	profile->functions = functions;
	if (rps_id_table_reserve(&index->function_table) != 0)
		return RPS_NONE;
	profile->functions[profile->n_functions] = key;
	rps_id_table_put(&index->function_table, hash, profile->n_functions);
	return profile->n_functions++;
}

int rps_profile_redefine_functions(struct rps_profile *profile, const struct rps_function *functions)
{
	struct rps_profile_index *index = profile->index;
	struct rps_id_table table = {0};

	for (uint32_t i = 0; i < profile->n_functions; i++) {
		struct rps_function *have = &profile->functions[i], old = *have;
		struct rps_function key = {.line = functions[i].line};
		uint32_t hash;

		key.name = intern(index, functions[i].name);
		key.symbol = intern(index, functions[i].symbol);
		key.file = intern(index, functions[i].file);
		key.object = intern(index, functions[i].object);
		if (key.name == NULL || key.symbol == NULL || key.file == NULL || key.object == NULL ||
		    rps_id_table_reserve(&table) != 0) {
			rps_id_table_clear(&table);
			return -ENOMEM;
		}
		hash = hash_function(&key);
		if (rps_id_table_find(&table, hash, function_equal, profile, &key) != RPS_NONE) {
			key = old;
			hash = hash_function(&key);
		}
		*have = key;
		rps_id_table_put(&table, hash, i);
	}
	rps_id_table_clear(&index->function_table);
	index->function_table = table;
	return 0;
}

static bool node_equal(const void *owner, uint32_t id, const void *key)
{
	const struct rps_node *have = &((const struct rps_profile *)owner)->nodes[id];
	const struct rps_node *wanted = key;

	return have->parent == wanted->parent && have->function == wanted->function;
}

uint32_t rps_profile_node(struct rps_profile *profile, uint32_t parent, uint32_t function)
{
	struct rps_profile_index *index = profile->index;
	struct rps_node *nodes;
	struct rps_node key = {
	    .function = function, .parent = parent, .first_edge = RPS_NONE, .first_line = RPS_NONE};
	uint32_t hash = (uint32_t)(rps_hash_mix(rps_hash_mix(0, parent), function) >> 32);
	uint32_t id;

	assert(parent < profile->n_nodes && function < profile->n_functions);
	id = rps_id_table_find(&index->node_table, hash, node_equal, profile, &key);
	if (id != RPS_NONE)
		return id;
	nodes = grow(profile->nodes, &index->nodes_room, profile->n_nodes, sizeof(key));
	if (nodes == NULL)
		return RPS_NONE;
	profile->nodes = nodes;
	if (rps_id_table_reserve(&index->node_table) != 0)
		return RPS_NONE;
	profile->nodes[profile->n_nodes] = key;
	rps_id_table_put(&index->node_table, hash, profile->n_nodes);
	return profile->n_nodes++;
}

static bool edge_equal(const void *owner, uint32_t id, const void *key)
{
	const struct rps_edge *have = &((const struct rps_profile *)owner)->edges[id];
	const struct rps_edge *wanted = key;

	return have->from == wanted->from && have->to == wanted->to && have->site_line == wanted->site_line &&
	       have->site_file == wanted->site_file;
}

uint32_t rps_profile_edge(struct rps_profile *profile, uint32_t from, uint32_t to, const char *site_file,
			  uint32_t site_line)
{
	struct rps_profile_index *index = profile->index;
	struct rps_edge *edges;
	struct rps_edge key = {.from = from, .to = to, .site_line = site_line};
	uint32_t id, hash;

	assert(from < profile->n_nodes && to < profile->n_nodes);
	key.site_file = intern(index, site_file);
	if (key.site_file == NULL)
		return RPS_NONE;
	hash = (uint32_t)(hash_pointer(rps_hash_mix(rps_hash_mix(from, to), site_line), key.site_file) >> 32);
	id = rps_id_table_find(&index->edge_table, hash, edge_equal, profile, &key);
	if (id != RPS_NONE)
		return id;
	edges = grow(profile->edges, &index->edges_room, profile->n_edges, sizeof(key));
	if (edges == NULL)
		return RPS_NONE;
	profile->edges = edges;
	if (rps_id_table_reserve(&index->edge_table) != 0)
		return RPS_NONE;
	key.next = profile->nodes[from].first_edge;
	profile->nodes[from].first_edge = profile->n_edges;
	profile->edges[profile->n_edges] = key;
	rps_id_table_put(&index->edge_table, hash, profile->n_edges);
	return profile->n_edges++;
}

static bool line_equal(const void *owner, uint32_t id, const void *key)
{
	const struct rps_line_cost *have = &((const struct rps_profile *)owner)->lines[id];
	const struct rps_line_cost *wanted = key;

	return have->node == wanted->node && have->line == wanted->line && have->file == wanted->file;
}

uint32_t rps_profile_line(struct rps_profile *profile, uint32_t node, const char *file, uint32_t line)
{
	struct rps_profile_index *index = profile->index;
	struct rps_line_cost *lines;
	struct rps_line_cost key = {.node = node, .line = line};
	uint32_t id, hash;

	assert(node < profile->n_nodes);
	key.file = intern(index, file);
	if (key.file == NULL)
		return RPS_NONE;
	hash = (uint32_t)(hash_pointer(rps_hash_mix(node, line), key.file) >> 32);
	id = rps_id_table_find(&index->line_table, hash, line_equal, profile, &key);
	if (id != RPS_NONE)
		return id;
	lines = grow(profile->lines, &index->lines_room, profile->n_lines, sizeof(key));
	if (lines == NULL)
		return RPS_NONE;
	profile->lines = lines;
	if (rps_id_table_reserve(&index->line_table) != 0)
		return RPS_NONE;
	key.next = profile->nodes[node].first_line;
	profile->nodes[node].first_line = profile->n_lines;
	profile->lines[profile->n_lines] = key;
	rps_id_table_put(&index->line_table, hash, profile->n_lines);
	return profile->n_lines++;
}

/* ---- Texts and events --------------------------------------------------------------- */

const char *rps_profile_text(struct rps_profile *profile, const char *text)
{
	return intern(profile->index, text);
}

int rps_profile_set_events(struct rps_profile *profile, const struct rps_event *events, uint32_t n_events)
{
	if (n_events > RPS_EVENTS_MAX)
		return -E2BIG;
	for (uint32_t i = 0; i < n_events; i++) {
		const char *name = intern(profile->index, events[i].name);
		const char *long_name = intern(profile->index, events[i].long_name);

		if (name == NULL || long_name == NULL)
			return -ENOMEM;
		profile->events[i] = (struct rps_event){name, long_name};
	}
	profile->n_events = n_events;
	return 0;
}

/* ---- About the profile -------------------------------------------------------------- */

static int add_meta(struct rps_profile *profile, const char *key, const char *value, int is_volatile)
{
	struct rps_profile_index *index = profile->index;
	struct rps_meta meta = {intern(index, key), intern(index, value), is_volatile};
	struct rps_meta *metas = grow(profile->metas, &index->metas_room, profile->n_metas, sizeof(meta));

	if (metas == NULL)
		return -ENOMEM;
	profile->metas = metas;
	if (meta.key == NULL || meta.value == NULL)
		return -ENOMEM;
	profile->metas[profile->n_metas++] = meta;
	return 0;
}

int rps_profile_add_meta(struct rps_profile *profile, const char *key, const char *value)
{
	return add_meta(profile, key, value, 0);
}

int rps_profile_add_volatile_meta(struct rps_profile *profile, const char *key, const char *value)
{
	return add_meta(profile, key, value, 1);
}

const char *rps_profile_meta(const struct rps_profile *profile, const char *key)
{
	for (uint32_t i = 0; i < profile->n_metas; i++)
		if (strcmp(profile->metas[i].key, key) == 0)
			return profile->metas[i].value;
	return NULL;
}

int rps_profile_set_command(struct rps_profile *profile, const char *command)
{
	char *copy = strdup(command != NULL ? command : "");

	if (copy == NULL)
		return -ENOMEM;
	free(profile->command);
	profile->command = copy;
	return 0;
}

uint64_t rps_cost_add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

uint64_t rps_profile_total(const struct rps_profile *profile, uint32_t event)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < profile->n_nodes; i++)
		total = rps_cost_add(total, profile->nodes[i].self[event]);
	return total;
}
