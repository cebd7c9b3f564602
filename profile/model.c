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
	/* The tables hold this many; what was appended since is put in when it is first looked for. */
	uint32_t n_functions_indexed, n_nodes_indexed, n_edges_indexed, n_lines_indexed;
	/* What was found last. Profiles that are added up have much in the same order: what comes next is a
	 * good guess. */
	uint32_t last_string, last_function, last_node, last_edge;
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

/* ---- Strings ------------------------------------------------------------------------------------ */

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
	const char **strings;
	uint32_t hash, id;
	size_t size;
	char *copy;

	if (text == NULL)
		text = "";
	/* Often it is one of ours already. */
	if (index->n_strings > 0 && text == index->strings[index->last_string])
		return text;
	if (index->n_strings > 0 && strcmp(index->strings[index->last_string], text) == 0)
		return index->strings[index->last_string];
	size = strlen(text);
	hash = (uint32_t)(rps_hash_bytes(text, size) >> 32);
	id = rps_id_table_find(&index->string_table, hash, string_equal, index, text);
	if (id != RPS_NONE) {
		index->last_string = id;
		return index->strings[id];
	}
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

/* ---- Life --------------------------------------------------------------------------------------- */

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

/* ---- Functions, nodes, edges -------------------------------------------------------------------- */

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

static int index_functions(struct rps_profile *profile)
{
	struct rps_profile_index *index = profile->index;

	for (; index->n_functions_indexed < profile->n_functions; index->n_functions_indexed++) {
		if (rps_id_table_reserve(&index->function_table) != 0)
			return -ENOMEM;
		rps_id_table_put(&index->function_table,
				 hash_function(&profile->functions[index->n_functions_indexed]),
				 index->n_functions_indexed);
	}
	return 0;
}

uint32_t rps_profile_append_function(struct rps_profile *profile, const struct rps_function *function)
{
	struct rps_function *functions = grow(profile->functions, &profile->index->functions_room,
					      profile->n_functions, sizeof(*function));

	if (functions == NULL)
		return RPS_NONE;
	profile->functions = functions;
	profile->functions[profile->n_functions] = *function;
	return profile->n_functions++;
}

static bool is_text(const char *have, const char *text)
{
	return strcmp(have, text != NULL ? text : "") == 0;
}

static bool is_function(const struct rps_function *have, const struct rps_function *wanted)
{
	return have->line == wanted->line && is_text(have->name, wanted->name) &&
	       is_text(have->file, wanted->file) && is_text(have->symbol, wanted->symbol) &&
	       is_text(have->object, wanted->object);
}

uint32_t rps_profile_function(struct rps_profile *profile, const struct rps_function *function)
{
	struct rps_profile_index *index = profile->index;
	struct rps_function key = {.line = function->line};
	uint32_t id, hash, guess = index->last_function + 1;

	if (guess < profile->n_functions && is_function(&profile->functions[guess], function))
		return index->last_function = guess;
	key.name = intern(index, function->name);
	key.symbol = intern(index, function->symbol);
	key.file = intern(index, function->file);
	key.object = intern(index, function->object);
	if (key.name == NULL || key.symbol == NULL || key.file == NULL || key.object == NULL ||
	    index_functions(profile) != 0)
		return RPS_NONE;
	hash = hash_function(&key);
	id = rps_id_table_find(&index->function_table, hash, function_equal, profile, &key);
	if (id != RPS_NONE)
		return index->last_function = id;
	if (rps_id_table_reserve(&index->function_table) != 0)
		return RPS_NONE;
	id = rps_profile_append_function(profile, &key);
	if (id == RPS_NONE)
		return RPS_NONE;
	rps_id_table_put(&index->function_table, hash, id);
	index->n_functions_indexed++;
	return index->last_function = id;
}

/* `text` as the profile's own, which it is already if it is `own`. */
static const char *intern_unless(struct rps_profile_index *index, const char *text, const char *own)
{
	return text == own ? own : intern(index, text);
}

int rps_profile_redefine_functions(struct rps_profile *profile, const struct rps_function *functions)
{
	struct rps_profile_index *index = profile->index;
	struct rps_id_table table = {0};

	for (uint32_t i = 0; i < profile->n_functions; i++) {
		struct rps_function *have = &profile->functions[i], old = *have;
		struct rps_function key = {.line = functions[i].line};
		uint32_t hash;

		key.name = intern_unless(index, functions[i].name, old.name);
		key.symbol = intern_unless(index, functions[i].symbol, old.symbol);
		key.file = intern_unless(index, functions[i].file, old.file);
		key.object = intern_unless(index, functions[i].object, old.object);
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
	index->n_functions_indexed = profile->n_functions;
	return 0;
}

static bool node_equal(const void *owner, uint32_t id, const void *key)
{
	const struct rps_node *have = &((const struct rps_profile *)owner)->nodes[id];
	const struct rps_node *wanted = key;

	return have->parent == wanted->parent && have->function == wanted->function;
}

static uint32_t hash_node(const struct rps_node *key)
{
	return (uint32_t)(rps_hash_mix(rps_hash_mix(0, key->parent), key->function) >> 32);
}

static int index_nodes(struct rps_profile *profile)
{
	struct rps_profile_index *index = profile->index;

	for (; index->n_nodes_indexed < profile->n_nodes; index->n_nodes_indexed++) {
		if (rps_id_table_reserve(&index->node_table) != 0)
			return -ENOMEM;
		/* The root is nobody's child. */
		if (index->n_nodes_indexed > 0)
			rps_id_table_put(&index->node_table,
					 hash_node(&profile->nodes[index->n_nodes_indexed]),
					 index->n_nodes_indexed);
	}
	return 0;
}

uint32_t rps_profile_append_node(struct rps_profile *profile, uint32_t parent, uint32_t function)
{
	struct rps_node *nodes =
	    grow(profile->nodes, &profile->index->nodes_room, profile->n_nodes, sizeof(*nodes));

	assert(parent < profile->n_nodes && function < profile->n_functions);
	if (nodes == NULL)
		return RPS_NONE;
	profile->nodes = nodes;
	profile->nodes[profile->n_nodes] = (struct rps_node){
	    .function = function, .parent = parent, .first_edge = RPS_NONE, .first_line = RPS_NONE};
	return profile->n_nodes++;
}

uint32_t rps_profile_node(struct rps_profile *profile, uint32_t parent, uint32_t function)
{
	struct rps_profile_index *index = profile->index;
	const struct rps_node key = {.function = function, .parent = parent};
	uint32_t id, hash, guess = index->last_node + 1;

	assert(parent < profile->n_nodes && function < profile->n_functions);
	if (guess < profile->n_nodes && node_equal(profile, guess, &key))
		return index->last_node = guess;
	if (index_nodes(profile) != 0)
		return RPS_NONE;
	hash = hash_node(&key);
	id = rps_id_table_find(&index->node_table, hash, node_equal, profile, &key);
	if (id != RPS_NONE)
		return index->last_node = id;
	if (rps_id_table_reserve(&index->node_table) != 0)
		return RPS_NONE;
	id = rps_profile_append_node(profile, parent, function);
	if (id == RPS_NONE)
		return RPS_NONE;
	rps_id_table_put(&index->node_table, hash, id);
	index->n_nodes_indexed++;
	return index->last_node = id;
}

static bool edge_equal(const void *owner, uint32_t id, const void *key)
{
	const struct rps_edge *have = &((const struct rps_profile *)owner)->edges[id];
	const struct rps_edge *wanted = key;

	return have->from == wanted->from && have->to == wanted->to && have->site_line == wanted->site_line &&
	       have->site_file == wanted->site_file;
}

static uint32_t hash_edge(const struct rps_edge *key)
{
	const uint64_t hash = rps_hash_mix(rps_hash_mix(key->from, key->to), key->site_line);

	return (uint32_t)(hash_pointer(hash, key->site_file) >> 32);
}

static int index_edges(struct rps_profile *profile)
{
	struct rps_profile_index *index = profile->index;

	for (; index->n_edges_indexed < profile->n_edges; index->n_edges_indexed++) {
		if (rps_id_table_reserve(&index->edge_table) != 0)
			return -ENOMEM;
		rps_id_table_put(&index->edge_table, hash_edge(&profile->edges[index->n_edges_indexed]),
				 index->n_edges_indexed);
	}
	return 0;
}

uint32_t rps_profile_append_edge(struct rps_profile *profile, const struct rps_edge *edge)
{
	struct rps_edge *edges =
	    grow(profile->edges, &profile->index->edges_room, profile->n_edges, sizeof(*edges));

	assert(edge->from < profile->n_nodes && edge->to < profile->n_nodes);
	if (edges == NULL)
		return RPS_NONE;
	profile->edges = edges;
	profile->edges[profile->n_edges] = *edge;
	profile->edges[profile->n_edges].next = profile->nodes[edge->from].first_edge;
	profile->nodes[edge->from].first_edge = profile->n_edges;
	return profile->n_edges++;
}

uint32_t rps_profile_edge(struct rps_profile *profile, uint32_t from, uint32_t to, const char *site_file,
			  uint32_t site_line)
{
	struct rps_profile_index *index = profile->index;
	struct rps_edge key = {.from = from, .to = to, .site_line = site_line};
	uint32_t id, hash, guess = index->last_edge + 1;

	assert(from < profile->n_nodes && to < profile->n_nodes);
	key.site_file = intern(index, site_file);
	if (key.site_file == NULL)
		return RPS_NONE;
	if (guess < profile->n_edges && edge_equal(profile, guess, &key))
		return index->last_edge = guess;
	if (index_edges(profile) != 0)
		return RPS_NONE;
	hash = hash_edge(&key);
	id = rps_id_table_find(&index->edge_table, hash, edge_equal, profile, &key);
	if (id != RPS_NONE)
		return index->last_edge = id;
	if (rps_id_table_reserve(&index->edge_table) != 0)
		return RPS_NONE;
	id = rps_profile_append_edge(profile, &key);
	if (id == RPS_NONE)
		return RPS_NONE;
	rps_id_table_put(&index->edge_table, hash, id);
	index->n_edges_indexed++;
	return index->last_edge = id;
}

static bool line_equal(const void *owner, uint32_t id, const void *key)
{
	const struct rps_line_cost *have = &((const struct rps_profile *)owner)->lines[id];
	const struct rps_line_cost *wanted = key;

	return have->node == wanted->node && have->line == wanted->line && have->file == wanted->file;
}

static uint32_t hash_line(const struct rps_line_cost *key)
{
	return (uint32_t)(hash_pointer(rps_hash_mix(key->node, key->line), key->file) >> 32);
}

static int index_lines(struct rps_profile *profile)
{
	struct rps_profile_index *index = profile->index;

	for (; index->n_lines_indexed < profile->n_lines; index->n_lines_indexed++) {
		if (rps_id_table_reserve(&index->line_table) != 0)
			return -ENOMEM;
		rps_id_table_put(&index->line_table, hash_line(&profile->lines[index->n_lines_indexed]),
				 index->n_lines_indexed);
	}
	return 0;
}

uint32_t rps_profile_append_line(struct rps_profile *profile, const struct rps_line_cost *line)
{
	struct rps_line_cost *lines =
	    grow(profile->lines, &profile->index->lines_room, profile->n_lines, sizeof(*lines));

	assert(line->node < profile->n_nodes);
	if (lines == NULL)
		return RPS_NONE;
	profile->lines = lines;
	profile->lines[profile->n_lines] = *line;
	profile->lines[profile->n_lines].next = profile->nodes[line->node].first_line;
	profile->nodes[line->node].first_line = profile->n_lines;
	return profile->n_lines++;
}

uint32_t rps_profile_line(struct rps_profile *profile, uint32_t node, const char *file, uint32_t line)
{
	struct rps_profile_index *index = profile->index;
	struct rps_line_cost key = {.node = node, .line = line};
	uint32_t id, hash;

	assert(node < profile->n_nodes);
	key.file = intern(index, file);
	if (key.file == NULL || index_lines(profile) != 0)
		return RPS_NONE;
	hash = hash_line(&key);
	id = rps_id_table_find(&index->line_table, hash, line_equal, profile, &key);
	if (id != RPS_NONE)
		return id;
	if (rps_id_table_reserve(&index->line_table) != 0)
		return RPS_NONE;
	id = rps_profile_append_line(profile, &key);
	if (id == RPS_NONE)
		return RPS_NONE;
	rps_id_table_put(&index->line_table, hash, id);
	index->n_lines_indexed++;
	return id;
}

/* ---- Texts and events --------------------------------------------------------------------------- */

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

/* ---- About the profile -------------------------------------------------------------------------- */

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
