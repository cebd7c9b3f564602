/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See pprof_write.h. Called by the server for each finished request, on the thread that ends it, and by
 * tools.
 *
 * The message is written in pieces, which protobuf allows: each is a Profile of which only a few fields are
 * set. Texts come last, since only then all are known; a file that is cut off in the middle lacks some.
 */
#include "profile/pprof_write.h"

#include "profile/gzip.h"
#include "profile/pprof_units.h"
#include "profile/pprof_writer.h"
#include "profile/unfold.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint32_t rps_pprof_writer_fail(struct rps_pprof_writer *writer, int error)
{
	if (writer->error == 0)
		writer->error = error;
	return 0;
}

void *rps_pprof_writer_grow(struct rps_pprof_writer *writer, void *array, uint32_t *room, uint32_t n,
			    size_t size)
{
	uint32_t wanted = *room < 32 ? 64 : *room * 2;
	void *grown;

	if (n < *room)
		return array;
	grown = wanted > *room ? realloc(array, wanted * size) : NULL;
	if (grown == NULL)
		rps_pprof_writer_fail(writer, -ENOMEM);
	else
		*room = wanted;
	return grown;
}

void rps_pprof_writer_emit(struct rps_pprof_writer *writer, const Rps__Pprof__Profile *piece)
{
	const size_t size = rps__pprof__profile__get_packed_size(piece);

	if (size > writer->bytes_room) {
		uint8_t *grown = realloc(writer->bytes, size * 2);

		if (grown == NULL) {
			rps_pprof_writer_fail(writer, -ENOMEM);
			return;
		}
		writer->bytes = grown;
		writer->bytes_room = size * 2;
	}
	rps__pprof__profile__pack(piece, writer->bytes);
	if (writer->error == 0 && fwrite(writer->bytes, 1, size, writer->out) != size)
		rps_pprof_writer_fail(writer, errno != 0 ? -errno : -EIO);
}

int64_t rps_pprof_writer_positive(struct rps_pprof_writer *writer, uint64_t number)
{
	return number <= INT64_MAX ? (int64_t)number : (int64_t)rps_pprof_writer_fail(writer, -EOVERFLOW);
}

/* ---- About the profile -------------------------------------------------------------------------- */

static void put_types(struct rps_pprof_writer *writer)
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
			types[i].long_name = rps_pprof_writer_text(writer, profile->events[i - 1].long_name);
		}
		types[i].type = rps_pprof_writer_text(writer, type);
		types[i].unit = rps_pprof_writer_text(writer, unit);
	}
	piece.n_sample_type = profile->n_events + 1;
	piece.sample_type = pointers;
	piece.default_sample_type = types[1].type;
	rps_pprof_writer_emit(writer, &piece);
}

static void set_labels(struct rps_pprof_writer *writer)
{
	static const struct {
		const char *meta, *label;
	} labels[RPS_PPROF_LABELS_MAX] = {{"Method", "method"}, {"Path", "path"}, {"Status", "status"}};

	for (size_t i = 0; i < RPS_PPROF_LABELS_MAX; i++) {
		const char *value = rps_profile_meta(writer->profile, labels[i].meta);
		Rps__Pprof__Label *label = &writer->labels[writer->n_labels];

		if (value == NULL)
			continue;
		rps__pprof__label__init(label);
		label->key = rps_pprof_writer_text(writer, labels[i].label);
		label->str = rps_pprof_writer_text(writer, value);
		writer->label_pointers[writer->n_labels++] = label;
	}
}

static void put_comment(struct rps_pprof_writer *writer, const char *key, const char *value)
{
	Rps__Pprof__Profile piece = RPS__PPROF__PROFILE__INIT;
	int64_t comment;
	char *line;

	if (asprintf(&line, "%s: %s", key, value) < 0) {
		rps_pprof_writer_fail(writer, -ENOMEM);
		return;
	}
	comment = rps_pprof_writer_text(writer, line);
	free(line);
	piece.n_comment = 1;
	piece.comment = &comment;
	if (writer->error == 0)
		rps_pprof_writer_emit(writer, &piece);
}

static bool has_folded(const struct rps_profile *profile)
{
	for (uint32_t i = 0; i < profile->n_edges; i++)
		if (profile->nodes[profile->edges[i].to].parent != profile->edges[i].from)
			return true;
	return false;
}

static void put_comments(struct rps_pprof_writer *writer)
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
static void set_times(const struct rps_pprof_writer *writer, Rps__Pprof__Profile *piece)
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

static void put_end(struct rps_pprof_writer *writer)
{
	const struct rps_profile *profile = writer->profile;
	Rps__Pprof__Profile piece = RPS__PPROF__PROFILE__INIT;
	Rps__Pprof__Exact exact = RPS__PPROF__EXACT__INIT;

	exact.version = 1;
	exact.root_function = rps_pprof_writer_function(writer, profile->nodes[0].function);
	exact.root_is_title = writer->root_is_title;
	exact.is_flat = writer->flat != NULL;
	if (profile->overflow != RPS_NONE)
		exact.overflow_function =
		    rps_pprof_writer_function(writer, profile->nodes[profile->overflow].function);
	set_times(writer, &piece);
	piece.exact = &exact;
	if (writer->error == 0)
		rps_pprof_writer_emit(writer, &piece);
}

static void put_all(struct rps_pprof_writer *writer)
{
	const struct rps_profile *profile = writer->profile;

	rps_pprof_writer_text(writer, "");
	put_types(writer);
	set_labels(writer);
	for (uint32_t i = 0; i < profile->n_nodes && writer->error == 0; i++)
		rps_pprof_writer_put_node(writer, writer->order[i]);
	rps_pprof_writer_put_tables(writer);
	put_comments(writer);
	rps_pprof_writer_put_texts(writer);
	put_end(writer);
}

/* ---- Life --------------------------------------------------------------------------------------- */

static bool root_is_title(const struct rps_profile *profile)
{
	return profile->is_flat && profile->nodes[0].first_edge == RPS_NONE &&
	       !rps_pprof_any_cost(profile->nodes[0].self, profile->n_events);
}

static void clear(struct rps_pprof_writer *writer)
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
	struct rps_pprof_writer writer = {.profile = rps_profile_with_contexts(profile, &unfolded)};

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
	    rps_pprof_writer_sort(&writer) != 0)
		rps_pprof_writer_fail(&writer, -ENOMEM);
	if (writer.error == 0)
		put_all(&writer);
	if (writer.out != NULL && fclose(writer.out) != 0)
		rps_pprof_writer_fail(&writer, errno != 0 ? -errno : -EIO);
	clear(&writer);
	rps_unfolded_destroy(&unfolded);
	return writer.error;
}
