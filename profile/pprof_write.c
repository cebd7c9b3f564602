/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See pprof_write.h. Called by the server for each finished request, on the thread that ends it, and by
 * tools.
 *
 * A call tree as stacks, each with its counts (pprof.proto has the format):
 *
 *     edge walk -> parse, router.c:41, 3 calls     [parse:12, walk:41, handle:30, GET /cart]   3   900
 *     the edge handle -> walk that recursion folds [walk:25, walk:27, handle:30, GET /cart]    2     0
 *     a line of parse's own that costs             [parse:14, walk:41, handle:30, GET /cart]   0   250
 *
 * So each call's count stands exactly where it was made. A node's self cost is divided among the edges that
 * lead to it, in the ratio of their inclusive costs. Where a function further out was entered from several
 * places, its frames name the one that cost most.
 *
 * The message is written in pieces, which protobuf allows: each is a Profile of which only a few fields are
 * set. Texts come last, since only then all are known; a file that is cut off in the middle lacks some.
 */
#include "profile/pprof_write.h"

#include "profile/gzip.h"
#include "profile/id_table.h"
#include "profile/order.h"
#include "profile/pprof.pb-c.h"
#include "profile/pprof_units.h"
#include "profile/unfold.h"
#include "profile/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LABELS_MAX 3

struct location {
	uint32_t function;
	uint32_t line;
	const char *file; /* of the profile's texts: the function's, or one that is included or inlined */
};

struct writer {
	const struct rps_profile *profile; /* with contexts */
	const struct rps_profile *flat;    /* what it was made of, NULL: nothing */
	uint32_t *flat_edge;
	FILE *out;
	int error; /* 0 or -errno: the first */
	char **texts;
	uint32_t n_texts, texts_room;
	uint32_t *function_ids; /* of each of the profile's; 0: not used so far */
	uint32_t *functions;    /* those used, by id - 1 */
	uint32_t n_functions;
	struct location *locations; /* ids are indices + 1 */
	uint32_t n_locations, locations_room;
	struct rps_id_table text_table, location_table;
	uint32_t *edges_to, *first_edge_to; /* edges by target */
	uint32_t *main_edge;                /* of each node: the one that cost most, RPS_NONE */
	uint32_t *order;                    /* nodes, as they are written */
	uint32_t *place;                    /* of each node in that order */
	bool root_is_title;
	Rps__Pprof__Label labels[LABELS_MAX], *label_pointers[LABELS_MAX];
	size_t n_labels;
	uint64_t *stack; /* locations of the sample in work */
	size_t n_stack, stack_room;
	bool *flat_edge_done;
	uint8_t *bytes;
	size_t bytes_room;
};

static uint32_t fail(struct writer *writer, int error)
{
	if (writer->error == 0)
		writer->error = error;
	return 0;
}

/* Room for element n; NULL, after fail, when out of memory. */
static void *grow(struct writer *writer, void *array, uint32_t *room, uint32_t n, size_t size)
{
	uint32_t wanted = *room < 32 ? 64 : *room * 2;
	void *grown;

	if (n < *room)
		return array;
	grown = wanted > *room ? realloc(array, wanted * size) : NULL;
	if (grown == NULL)
		fail(writer, -ENOMEM);
	else
		*room = wanted;
	return grown;
}

static void emit(struct writer *writer, const Rps__Pprof__Profile *piece)
{
	const size_t size = rps__pprof__profile__get_packed_size(piece);

	if (size > writer->bytes_room) {
		uint8_t *grown = realloc(writer->bytes, size * 2);

		if (grown == NULL) {
			fail(writer, -ENOMEM);
			return;
		}
		writer->bytes = grown;
		writer->bytes_room = size * 2;
	}
	rps__pprof__profile__pack(piece, writer->bytes);
	if (writer->error == 0 && fwrite(writer->bytes, 1, size, writer->out) != size)
		fail(writer, errno != 0 ? -errno : -EIO);
}

static int64_t positive(struct writer *writer, uint64_t number)
{
	return number <= INT64_MAX ? (int64_t)number : (int64_t)fail(writer, -EOVERFLOW);
}

/* ---- Texts, functions, locations ---------------------------------------------------------------- */

static bool text_equal(const void *owner, uint32_t id, const void *key)
{
	return strcmp(((const struct writer *)owner)->texts[id], key) == 0;
}

/* Its index in the string table. What is not UTF-8 is escaped: strings of protobuf have to be. */
static int64_t text(struct writer *writer, const char *from)
{
	char *escaped = rps_utf8_repair(from), **texts;
	uint32_t hash, id;

	if (escaped == NULL)
		return fail(writer, -ENOMEM);
	hash = (uint32_t)(rps_hash_bytes(escaped, strlen(escaped)) >> 32);
	id = rps_id_table_find(&writer->text_table, hash, text_equal, writer, escaped);
	if (id != RPS_NONE) {
		free(escaped);
		return id;
	}
	texts = grow(writer, writer->texts, &writer->texts_room, writer->n_texts, sizeof(*texts));
	if (texts != NULL)
		writer->texts = texts;
	if (texts == NULL || rps_id_table_reserve(&writer->text_table) != 0) {
		free(escaped);
		return fail(writer, -ENOMEM);
	}
	writer->texts[writer->n_texts] = escaped;
	rps_id_table_put(&writer->text_table, hash, writer->n_texts);
	return writer->n_texts++;
}

static uint64_t function_id(struct writer *writer, uint32_t function)
{
	if (writer->function_ids[function] == 0) {
		writer->functions[writer->n_functions++] = function;
		writer->function_ids[function] = writer->n_functions;
	}
	return writer->function_ids[function];
}

static bool location_equal(const void *owner, uint32_t id, const void *key)
{
	const struct location *have = &((const struct writer *)owner)->locations[id], *wanted = key;

	return have->function == wanted->function && have->line == wanted->line && have->file == wanted->file;
}

/* The id of a place in a function. */
static uint64_t location(struct writer *writer, uint32_t function, const char *file, uint32_t line)
{
	const struct location key = {function, line, file};
	uint64_t hash = rps_hash_mix(rps_hash_mix(function, line), (uintptr_t)file);
	uint32_t id =
	    rps_id_table_find(&writer->location_table, (uint32_t)(hash >> 32), location_equal, writer, &key);
	struct location *locations;

	if (id != RPS_NONE)
		return (uint64_t)id + 1;
	locations =
	    grow(writer, writer->locations, &writer->locations_room, writer->n_locations, sizeof(*locations));
	if (locations == NULL)
		return 0;
	writer->locations = locations;
	if (rps_id_table_reserve(&writer->location_table) != 0)
		return fail(writer, -ENOMEM);
	locations[writer->n_locations] = key;
	rps_id_table_put(&writer->location_table, (uint32_t)(hash >> 32), writer->n_locations);
	return ++writer->n_locations;
}

/* ---- The order of things ------------------------------------------------------------------------ */

static int sort_nodes(struct writer *writer)
{
	writer->order = rps_profile_order(writer->profile);
	writer->place = malloc(writer->profile->n_nodes * sizeof(*writer->place));
	if (writer->order == NULL || writer->place == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < writer->profile->n_nodes; i++)
		writer->place[writer->order[i]] = i;
	return 0;
}

static int compare_edges(const void *a, const void *b, void *cls)
{
	const struct writer *writer = cls;
	const struct rps_edge *left = &writer->profile->edges[*(const uint32_t *)a];
	const struct rps_edge *right = &writer->profile->edges[*(const uint32_t *)b];
	int order;

	if (left->to != right->to)
		return left->to < right->to ? -1 : 1;
	order = left->site_file == right->site_file ? 0 : strcmp(left->site_file, right->site_file);
	if (order != 0)
		return order;
	if (left->site_line != right->site_line)
		return left->site_line < right->site_line ? -1 : 1;
	return writer->place[left->from] < writer->place[right->from] ? -1 : left->from != right->from;
}

static bool costs_more(const struct rps_edge *edge, const struct rps_edge *than)
{
	if (edge->inclusive[0] != than->inclusive[0])
		return edge->inclusive[0] > than->inclusive[0];
	return edge->calls > than->calls;
}

static int sort_edges(struct writer *writer)
{
	const struct rps_profile *profile = writer->profile;

	writer->edges_to = malloc((size_t)(profile->n_edges + 1) * sizeof(*writer->edges_to));
	writer->first_edge_to = malloc(((size_t)profile->n_nodes + 1) * sizeof(*writer->first_edge_to));
	writer->main_edge = malloc(profile->n_nodes * sizeof(*writer->main_edge));
	if (writer->edges_to == NULL || writer->first_edge_to == NULL || writer->main_edge == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < profile->n_edges; i++)
		writer->edges_to[i] = i;
	qsort_r(writer->edges_to, profile->n_edges, sizeof(*writer->edges_to), compare_edges, writer);
	for (uint32_t node = 0, at = 0; node <= profile->n_nodes; node++) {
		while (at < profile->n_edges && profile->edges[writer->edges_to[at]].to < node)
			at++;
		writer->first_edge_to[node] = at;
	}
	for (uint32_t node = 0; node < profile->n_nodes; node++) {
		uint32_t *best = &writer->main_edge[node];

		*best = RPS_NONE;
		for (uint32_t i = writer->first_edge_to[node]; i < writer->first_edge_to[node + 1]; i++) {
			const struct rps_edge *edge = &profile->edges[writer->edges_to[i]];

			if (edge->from == profile->nodes[node].parent &&
			    (*best == RPS_NONE || costs_more(edge, &profile->edges[*best])))
				*best = writer->edges_to[i];
		}
	}
	return 0;
}

/* ---- Samples ------------------------------------------------------------------------------------ */

static void push(struct writer *writer, uint64_t id)
{
	if (writer->n_stack == writer->stack_room) {
		size_t room = writer->stack_room == 0 ? 256 : writer->stack_room * 2;
		uint64_t *grown = realloc(writer->stack, room * sizeof(*grown));

		if (grown == NULL) {
			fail(writer, -ENOMEM);
			return;
		}
		writer->stack = grown;
		writer->stack_room = room;
	}
	writer->stack[writer->n_stack++] = id;
}

static const char *file_of_node(const struct writer *writer, uint32_t node)
{
	return writer->profile->functions[writer->profile->nodes[node].function].file;
}

/* The frame of `node`, at the place from which it makes the call `edge` (RPS_NONE: not known). */
static void push_caller(struct writer *writer, uint32_t node, uint32_t edge)
{
	const struct rps_profile *profile = writer->profile;
	const struct rps_edge *call = edge != RPS_NONE ? &profile->edges[edge] : NULL;
	const bool has_site = call != NULL && call->site_line != 0;

	if (node == 0 && writer->root_is_title)
		return;
	push(writer, location(writer, profile->nodes[node].function,
			      has_site ? call->site_file : file_of_node(writer, node),
			      has_site ? call->site_line : 0));
}

/* All frames below the leaf: the one that calls it by `edge`, and those above. */
static void push_callers(struct writer *writer, uint32_t node, uint32_t edge)
{
	const struct rps_profile *profile = writer->profile;

	push_caller(writer, node, edge);
	for (; node != 0; node = profile->nodes[node].parent)
		push_caller(writer, profile->nodes[node].parent, writer->main_edge[node]);
}

/* Which costs the call by `edge` has in a file of ours; NULL: another sample tells. */
static const uint64_t *exact_inclusive(struct writer *writer, uint32_t edge)
{
	uint32_t flat_edge;

	if (writer->flat == NULL)
		return writer->profile->edges[edge].inclusive;
	flat_edge = writer->flat_edge[edge];
	if (flat_edge == RPS_NONE || writer->flat_edge_done[flat_edge])
		return NULL;
	writer->flat_edge_done[flat_edge] = true;
	return writer->flat->edges[flat_edge].inclusive;
}

static void put_sample(struct writer *writer, uint64_t calls, const uint64_t *costs, uint32_t edge,
		       bool into_overflow)
{
	const uint32_t n_events = writer->profile->n_events;
	Rps__Pprof__Profile piece = RPS__PPROF__PROFILE__INIT;
	Rps__Pprof__Sample sample = RPS__PPROF__SAMPLE__INIT, *samples = &sample;
	int64_t values[RPS_EVENTS_MAX + 1];
	const uint64_t *inclusive = edge != RPS_NONE ? exact_inclusive(writer, edge) : NULL;

	values[0] = positive(writer, calls);
	for (uint32_t event = 0; event < n_events; event++)
		values[event + 1] = costs != NULL ? positive(writer, costs[event]) : 0;
	sample.n_location_id = writer->n_stack;
	sample.location_id = writer->stack;
	sample.n_value = n_events + 1;
	sample.value = values;
	sample.n_label = writer->n_labels;
	sample.label = writer->label_pointers;
	sample.into_overflow = into_overflow;
	if (inclusive != NULL) {
		sample.n_inclusive = n_events;
		sample.inclusive = (uint64_t *)(uintptr_t)inclusive;
	}
	piece.n_sample = 1;
	piece.sample = &samples;
	if (writer->error == 0)
		emit(writer, &piece);
}

static bool any(const uint64_t *costs, uint32_t n_events)
{
	for (uint32_t event = 0; event < n_events; event++)
		if (costs[event] != 0)
			return true;
	return false;
}

/* A sample for the place in `node` itself, below the path that cost most. */
static void put_own(struct writer *writer, uint32_t node, const char *file, uint32_t line,
		    const uint64_t *costs)
{
	const struct rps_profile *profile = writer->profile;

	writer->n_stack = 0;
	if (node != 0 || !writer->root_is_title)
		push(writer, location(writer, profile->nodes[node].function, file, line));
	if (node != 0)
		push_callers(writer, profile->nodes[node].parent, writer->main_edge[node]);
	put_sample(writer, 0, costs, RPS_NONE, false);
}

/* What of `left` falls to an edge with `weight`, of `*weights` in all that is still to come. */
static uint64_t share(uint64_t *left, uint64_t weight, uint64_t *weights)
{
	uint64_t part = *weights == weight ? *left : (uint64_t)((unsigned __int128)*left * weight / *weights);

	*weights -= weight;
	*left -= part;
	return part;
}

static void put_edges(struct writer *writer, uint32_t node, uint64_t *own)
{
	const struct rps_profile *profile = writer->profile;
	const struct rps_function *function = &profile->functions[profile->nodes[node].function];
	const bool is_overflow =
	    profile->overflow != RPS_NONE && node != 0 && profile->nodes[node].parent == profile->overflow;
	uint64_t weights[RPS_EVENTS_MAX] = {0};

	for (uint32_t i = writer->first_edge_to[node]; i < writer->first_edge_to[node + 1]; i++) {
		const struct rps_edge *edge = &profile->edges[writer->edges_to[i]];

		for (uint32_t event = 0; event < profile->n_events; event++)
			if (edge->from == profile->nodes[node].parent && !is_overflow)
				weights[event] = rps_cost_add(weights[event], edge->inclusive[event]);
	}
	for (uint32_t i = writer->first_edge_to[node]; i < writer->first_edge_to[node + 1]; i++) {
		const uint32_t at = writer->edges_to[i];
		const struct rps_edge *edge = &profile->edges[at];
		uint64_t costs[RPS_EVENTS_MAX] = {0};

		for (uint32_t event = 0; event < profile->n_events; event++)
			if (edge->from == profile->nodes[node].parent && weights[event] != 0 &&
			    weights[event] != UINT64_MAX)
				costs[event] = share(&own[event], edge->inclusive[event], &weights[event]);
		writer->n_stack = 0;
		push(writer, location(writer, profile->nodes[node].function, function->file, function->line));
		push_callers(writer, edge->from, at);
		put_sample(writer, edge->calls, costs, at, is_overflow);
	}
}

static void put_node(struct writer *writer, uint32_t node)
{
	const struct rps_profile *profile = writer->profile;
	const struct rps_function *function = &profile->functions[profile->nodes[node].function];
	uint64_t own[RPS_EVENTS_MAX];

	memcpy(own, profile->nodes[node].self, sizeof(own));
	for (uint32_t at = profile->nodes[node].first_line; at != RPS_NONE; at = profile->lines[at].next) {
		const struct rps_line_cost *line = &profile->lines[at];

		for (uint32_t event = 0; event < profile->n_events; event++)
			own[event] -= line->self[event];
		if (any(line->self, profile->n_events))
			put_own(writer, node, line->file, line->line, line->self);
	}
	put_edges(writer, node, own);
	if (any(own, profile->n_events))
		put_own(writer, node, function->file, function->line, own);
}

/* ---- About the profile -------------------------------------------------------------------------- */

static void put_types(struct writer *writer)
{
	const struct rps_profile *profile = writer->profile;
	Rps__Pprof__Profile piece = RPS__PPROF__PROFILE__INIT;
	Rps__Pprof__ValueType types[RPS_EVENTS_MAX + 1], *pointers[RPS_EVENTS_MAX + 1];
	char type[128];

	for (uint32_t i = 0; i <= profile->n_events; i++) {
		const char *unit = "count";

		rps__pprof__value_type__init(&types[i]);
		pointers[i] = &types[i];
		if (i == 0) {
			snprintf(type, sizeof(type), "calls");
		} else {
			unit = rps_pprof_unit_of_event(profile->events[i - 1].name, type, sizeof(type));
			types[i].long_name = text(writer, profile->events[i - 1].long_name);
		}
		types[i].type = text(writer, type);
		types[i].unit = text(writer, unit);
	}
	piece.n_sample_type = profile->n_events + 1;
	piece.sample_type = pointers;
	piece.default_sample_type = types[1].type;
	emit(writer, &piece);
}

static void set_labels(struct writer *writer)
{
	static const struct {
		const char *meta, *label;
	} labels[LABELS_MAX] = {{"Method", "method"}, {"Path", "path"}, {"Status", "status"}};

	for (size_t i = 0; i < LABELS_MAX; i++) {
		const char *value = rps_profile_meta(writer->profile, labels[i].meta);
		Rps__Pprof__Label *label = &writer->labels[writer->n_labels];

		if (value == NULL)
			continue;
		rps__pprof__label__init(label);
		label->key = text(writer, labels[i].label);
		label->str = text(writer, value);
		writer->label_pointers[writer->n_labels++] = label;
	}
}

static void put_comment(struct writer *writer, const char *key, const char *value)
{
	Rps__Pprof__Profile piece = RPS__PPROF__PROFILE__INIT;
	int64_t comment;
	char *line;

	if (asprintf(&line, "%s: %s", key, value) < 0) {
		fail(writer, -ENOMEM);
		return;
	}
	comment = text(writer, line);
	free(line);
	piece.n_comment = 1;
	piece.comment = &comment;
	if (writer->error == 0)
		emit(writer, &piece);
}

static bool has_folded(const struct rps_profile *profile)
{
	for (uint32_t i = 0; i < profile->n_edges; i++)
		if (profile->nodes[profile->edges[i].to].parent != profile->edges[i].from)
			return true;
	return false;
}

static void put_comments(struct writer *writer)
{
	const struct rps_profile *profile = writer->profile;
	char pid[16];

	if (profile->volatile_headers && profile->command[0] != '\0')
		put_comment(writer, "cmd", profile->command);
	snprintf(pid, sizeof(pid), "%" PRIu32, profile->pid);
	if (profile->volatile_headers && profile->pid != 0)
		put_comment(writer, "pid", pid);
	for (uint32_t i = 0; i < profile->n_metas; i++)
		if (profile->volatile_headers || !profile->metas[i].is_volatile)
			put_comment(writer, profile->metas[i].key, profile->metas[i].value);
	if (writer->flat != NULL)
		put_comment(writer, "Note",
			    "made of a file without call paths: counts and self costs are exact, cumulative "
			    "costs are estimated");
	else if (has_folded(profile))
		put_comment(
		    writer, "Note",
		    "recursion is folded: a function's cumulative cost is a lower bound inside a cycle");
}

/* The end of the request and its duration give its beginning. */
static void set_times(const struct writer *writer, Rps__Pprof__Profile *piece)
{
	const char *duration = rps_profile_meta(writer->profile, "Duration us");
	const char *when = rps_profile_meta(writer->profile, "Time");
	struct tm tm = {0};

	if (duration != NULL && strtoull(duration, NULL, 10) < INT64_MAX / 1000)
		piece->duration_nanos = (int64_t)strtoull(duration, NULL, 10) * 1000;
	else if (strcmp(writer->profile->events[0].name, "Wall_ns") == 0 &&
		 rps_profile_total(writer->profile, 0) <= INT64_MAX)
		piece->duration_nanos = (int64_t)rps_profile_total(writer->profile, 0);
	if (when != NULL && strptime(when, "%Y-%m-%dT%H:%M:%SZ", &tm) != NULL && tm.tm_year < 300)
		piece->time_nanos = (int64_t)timegm(&tm) * 1000000000 - piece->duration_nanos;
}

/* ---- Tables ------------------------------------------------------------------------------------- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Objects, sorted, each once. The count; *objects is to be freed. */
static uint32_t collect_objects(struct writer *writer, const char ***objects)
{
	const struct rps_profile *profile = writer->profile;
	const char **found = malloc(((size_t)writer->n_functions + 1) * sizeof(*found));
	uint32_t n_found = 0, n_kept = 0;

	*objects = found;
	if (found == NULL)
		return fail(writer, -ENOMEM);
	for (uint32_t i = 0; i < writer->n_functions; i++)
		if (profile->functions[writer->functions[i]].object[0] != '\0')
			found[n_found++] = profile->functions[writer->functions[i]].object;
	qsort(found, n_found, sizeof(*found), compare_texts);
	for (uint32_t i = 0; i < n_found; i++)
		if (n_kept == 0 || strcmp(found[n_kept - 1], found[i]) != 0)
			found[n_kept++] = found[i];
	return n_kept;
}

static void put_mappings(struct writer *writer, const char **objects, uint32_t n_objects)
{
	for (uint32_t i = 0; i < n_objects && writer->error == 0; i++) {
		Rps__Pprof__Profile piece = RPS__PPROF__PROFILE__INIT;
		Rps__Pprof__Mapping mapping = RPS__PPROF__MAPPING__INIT, *mappings = &mapping;

		mapping.id = (uint64_t)i + 1;
		mapping.filename = text(writer, objects[i]);
		/* All there is is here: pprof need not look for symbols. */
		mapping.has_functions = mapping.has_filenames = mapping.has_line_numbers =
		    mapping.has_inline_frames = 1;
		piece.n_mapping = 1;
		piece.mapping = &mappings;
		emit(writer, &piece);
	}
}

static void put_location(struct writer *writer, uint32_t id, uint64_t mapping)
{
	const struct location *from = &writer->locations[id - 1];
	const struct rps_function *function = &writer->profile->functions[from->function];
	Rps__Pprof__Profile piece = RPS__PPROF__PROFILE__INIT;
	Rps__Pprof__Location to = RPS__PPROF__LOCATION__INIT, *locations = &to;
	Rps__Pprof__Line line = RPS__PPROF__LINE__INIT, *lines = &line;
	Rps__Pprof__Place elsewhere = RPS__PPROF__PLACE__INIT;

	line.function_id = function_id(writer, from->function);
	line.line = from->line;
	if (from->file != function->file) {
		elsewhere.file = text(writer, from->file);
		elsewhere.line = from->line;
		line.elsewhere = &elsewhere;
		line.line = 0; /* others would look for it in the wrong file */
	}
	to.id = id;
	to.mapping_id = mapping;
	to.n_line = 1;
	to.line = &lines;
	piece.n_location = 1;
	piece.location = &locations;
	emit(writer, &piece);
}

static void put_locations(struct writer *writer, const char **objects, uint32_t n_objects)
{
	for (uint32_t i = 0; i < writer->n_locations && writer->error == 0; i++) {
		const char *object = writer->profile->functions[writer->locations[i].function].object;
		const char **found = bsearch(&object, objects, n_objects, sizeof(*objects), compare_texts);

		put_location(writer, i + 1, found != NULL ? (uint64_t)(found - objects) + 1 : 0);
	}
}

static void put_functions(struct writer *writer)
{
	for (uint32_t i = 0; i < writer->n_functions && writer->error == 0; i++) {
		const struct rps_function *function = &writer->profile->functions[writer->functions[i]];
		Rps__Pprof__Profile piece = RPS__PPROF__PROFILE__INIT;
		Rps__Pprof__Function to = RPS__PPROF__FUNCTION__INIT, *functions = &to;

		to.id = (uint64_t)i + 1;
		to.name = text(writer, function->name);
		to.system_name = text(writer, function->symbol);
		to.filename = text(writer, function->file);
		to.start_line = function->line;
		piece.n_function = 1;
		piece.function = &functions;
		emit(writer, &piece);
	}
}

static void put_texts(struct writer *writer)
{
	for (uint32_t i = 0; i < writer->n_texts && writer->error == 0; i++) {
		Rps__Pprof__Profile piece = RPS__PPROF__PROFILE__INIT;
		ProtobufCBinaryData bytes = {strlen(writer->texts[i]), (uint8_t *)writer->texts[i]};

		piece.n_string_table = 1;
		piece.string_table = &bytes;
		emit(writer, &piece);
	}
}

/* Last of all: a file that has it is whole. */
static void put_end(struct writer *writer)
{
	const struct rps_profile *profile = writer->profile;
	Rps__Pprof__Profile piece = RPS__PPROF__PROFILE__INIT;
	Rps__Pprof__Exact exact = RPS__PPROF__EXACT__INIT;

	exact.version = 1;
	exact.root_function = function_id(writer, profile->nodes[0].function);
	exact.root_is_title = writer->root_is_title;
	exact.is_flat = writer->flat != NULL;
	if (profile->overflow != RPS_NONE)
		exact.overflow_function = function_id(writer, profile->nodes[profile->overflow].function);
	set_times(writer, &piece);
	piece.exact = &exact;
	if (writer->error == 0)
		emit(writer, &piece);
}

static void put_all(struct writer *writer)
{
	const struct rps_profile *profile = writer->profile;
	const char **objects;
	uint32_t n_objects;

	text(writer, "");
	put_types(writer);
	set_labels(writer);
	for (uint32_t i = 0; i < profile->n_nodes && writer->error == 0; i++)
		put_node(writer, writer->order[i]);
	/* Those that locations and the end name are in the table, too. */
	for (uint32_t i = 0; i < writer->n_locations; i++)
		function_id(writer, writer->locations[i].function);
	function_id(writer, profile->nodes[0].function);
	if (profile->overflow != RPS_NONE)
		function_id(writer, profile->nodes[profile->overflow].function);
	n_objects = collect_objects(writer, &objects);
	put_mappings(writer, objects, n_objects);
	put_locations(writer, objects, n_objects);
	put_functions(writer);
	free(objects);
	put_comments(writer);
	put_texts(writer);
	put_end(writer);
}

/* ---- Life --------------------------------------------------------------------------------------- */

static bool root_is_title(const struct rps_profile *profile)
{
	return profile->is_flat && profile->nodes[0].first_edge == RPS_NONE &&
	       !any(profile->nodes[0].self, profile->n_events);
}

static void clear(struct writer *writer)
{
	for (uint32_t i = 0; i < writer->n_texts; i++)
		free(writer->texts[i]);
	free(writer->texts);
	free(writer->function_ids);
	free(writer->functions);
	free(writer->locations);
	rps_id_table_clear(&writer->text_table);
	rps_id_table_clear(&writer->location_table);
	free(writer->edges_to);
	free(writer->first_edge_to);
	free(writer->main_edge);
	free(writer->order);
	free(writer->place);
	free(writer->stack);
	free(writer->flat_edge_done);
	free(writer->bytes);
}

int rps_pprof_write(const struct rps_profile *profile, FILE *out)
{
	struct rps_unfolded unfolded;
	struct writer writer = {.profile = rps_profile_with_contexts(profile, &unfolded)};

	errno = 0;
	writer.root_is_title = root_is_title(profile);
	if (profile->is_flat) {
		writer.flat = profile;
		writer.flat_edge = unfolded.flat_edge;
		writer.flat_edge_done = calloc((size_t)profile->n_edges + 1, sizeof(bool));
	}
	writer.out = rps_gzip_open(out);
	if (writer.profile != NULL) {
		writer.function_ids = calloc(writer.profile->n_functions, sizeof(*writer.function_ids));
		writer.functions = malloc(writer.profile->n_functions * sizeof(*writer.functions));
	}
	if (writer.profile == NULL || writer.out == NULL || writer.function_ids == NULL ||
	    writer.functions == NULL || (writer.flat != NULL && writer.flat_edge_done == NULL) ||
	    sort_nodes(&writer) != 0 || sort_edges(&writer) != 0)
		fail(&writer, -ENOMEM);
	if (writer.error == 0)
		put_all(&writer);
	if (writer.out != NULL && fclose(writer.out) != 0)
		fail(&writer, errno != 0 ? -errno : -EIO);
	clear(&writer);
	rps_unfolded_destroy(&unfolded);
	return writer.error;
}
