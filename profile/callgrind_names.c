/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names for the callgrind writer (callgrind_names.h). KCacheGrind takes two
 * functions for one if name, base name of the file and base name of the
 * object, written one after the other, are the same text. Such functions get
 * what tells them apart in brackets behind the name (the class is looked for before the
 * first parenthesis only):
 *
 *     init                 a/util.c, b/util.c       init [a/util.c]   init [b/util.c]
 *     operator()(int)      shop.cc lines 40, 52     operator()(int) [shop.cc:40] ...
 *     main                 bin/a/app, bin/b/app     main [a/app]      main [b/app]
 */
#include "profile/callgrind_names.h"

#include "profile/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Characters --------------------------------------------------------------------------------- */

/* A name must not be empty, nor look like a compressed one: "(7)". Loaders skip spaces before it. */
static char *escape_name(const char *text)
{
	char *escaped = rps_utf8_escape(text[0] != '\0' ? text : "???", RPS_UTF8_CONTROLS);
	char *guarded = NULL;

	if (escaped == NULL ||
	    (escaped[0] != ' ' && (escaped[0] != '(' || escaped[1] < '0' || escaped[1] > '9')))
		return escaped;
	if (asprintf(&guarded, "\\x%02x%s", (unsigned char)escaped[0], escaped + 1) < 0)
		guarded = NULL;
	free(escaped);
	return guarded;
}

/* ---- Telling functions apart -------------------------------------------------------------------- */

/* A function and the text it would be known by. */
struct identity {
	char *text;
	uint32_t function;
};

struct naming {
	const struct rps_call_graph *graph;
	struct rps_callgrind_names *names;
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	/* The loader takes "???" for no name. */
	return strcmp(path, "???") == 0 ? "" : slash != NULL ? slash + 1 : path;
}

/* The last n components of a path. */
static const char *path_tail(const char *path, uint32_t n_components)
{
	const char *at = path + strlen(path);

	for (; at > path; at--)
		if (at[-1] == '/' && --n_components == 0)
			return at;
	return path;
}

static int compare_identities(const void *a, const void *b)
{
	const struct identity *left = a, *right = b;
	int order = strcmp(left->text, right->text);

	if (order != 0)
		return order;
	return left->function == right->function ? 0 : left->function < right->function ? -1 : 1;
}

/* Of a group: paths of files or of objects. */
struct paths {
	const char **paths;
	uint32_t n_paths;
	uint32_t n_components; /* of the tails being compared */
};

static int compare_tails(const void *a, const void *b, void *paths)
{
	const char *left = *(const char *const *)a, *right = *(const char *const *)b;
	const uint32_t n_components = ((struct paths *)paths)->n_components;
	int order = strcmp(path_tail(left, n_components), path_tail(right, n_components));

	return order != 0 ? order : strcmp(left, right);
}

static bool tails_differ(struct paths *paths)
{
	qsort_r(paths->paths, paths->n_paths, sizeof(*paths->paths), compare_tails, paths);
	for (uint32_t i = 1; i < paths->n_paths; i++) {
		const char *left = paths->paths[i - 1], *right = paths->paths[i];

		if (strcmp(left, right) != 0 &&
		    strcmp(path_tail(left, paths->n_components), path_tail(right, paths->n_components)) == 0)
			return false;
	}
	return true;
}

/* How many components it takes until no two different paths look alike. */
static void choose_tails(struct paths *paths)
{
	/* Whole paths differ, if nothing less: no path has more components than this. */
	for (paths->n_components = 1; paths->n_components < 4096; paths->n_components++)
		if (tails_differ(paths))
			return;
}

struct group {
	const struct identity *members;
	uint32_t n_members;
	bool files_differ, lines_differ, objects_differ;
	struct paths files, objects;
};

/* Members stand in the graph's order, by name, file, line and object, so neighbours show what differs. */
static void compare_members(const struct naming *naming, struct group *group)
{
	for (uint32_t i = 1; i < group->n_members; i++) {
		const struct rps_graph_function *left =
		    &naming->graph->functions[group->members[i - 1].function];
		const struct rps_graph_function *right =
		    &naming->graph->functions[group->members[i].function];

		if (left->file != right->file)
			group->files_differ = true;
		else if (left->line != right->line)
			group->lines_differ = true;
		else if (left->object != right->object)
			group->objects_differ = true;
	}
}

static char *suffixed_name(const struct naming *naming, const struct group *group, uint32_t member)
{
	const uint32_t place = group->members[member].function;
	const struct rps_graph_function *function = &naming->graph->functions[place];
	const char *name = naming->names->functions[place];
	const char *file = "", *object = "";
	char line[16] = "", *suffixed = NULL;
	int n_written;

	if (group->files_differ || group->lines_differ)
		file = path_tail(naming->names->files[function->file], group->files.n_components);
	if (group->lines_differ)
		snprintf(line, sizeof(line), ":%u", function->line);
	if (group->objects_differ)
		object = path_tail(naming->names->objects[function->object], group->objects.n_components);
	if (file[0] == '\0' && object[0] == '\0')
		n_written = asprintf(&suffixed, "%s #%u", name, member + 1);
	else
		n_written = asprintf(&suffixed, "%s [%s%s%s%s]", name, file, line,
				     file[0] != '\0' && object[0] != '\0' ? " " : "", object);
	return n_written < 0 ? NULL : suffixed;
}

/* Gives each member of a group of equals a name of its own. */
static int rename_group(const struct naming *naming, const struct identity *members, uint32_t n_members,
			uint32_t round)
{
	struct group group = {.members = members, .n_members = n_members};
	int error = -1;

	group.files.paths = calloc(n_members, sizeof(*group.files.paths));
	group.objects.paths = calloc(n_members, sizeof(*group.objects.paths));
	if (group.files.paths == NULL || group.objects.paths == NULL)
		goto out;
	/* A second round means that a function has by chance the name that was made for another: number them.
	 */
	if (round == 0)
		compare_members(naming, &group);
	for (uint32_t i = 0; i < n_members; i++) {
		const struct rps_graph_function *function = &naming->graph->functions[members[i].function];

		group.files.paths[group.files.n_paths++] = naming->names->files[function->file];
		group.objects.paths[group.objects.n_paths++] = naming->names->objects[function->object];
	}
	choose_tails(&group.files);
	choose_tails(&group.objects);
	for (uint32_t i = 0; i < n_members; i++) {
		char **name = &naming->names->functions[members[i].function], *suffixed;

		if (i == 0 && !group.files_differ && !group.lines_differ && !group.objects_differ)
			continue;
		suffixed = suffixed_name(naming, &group, i);
		if (suffixed == NULL)
			goto out;
		free(*name);
		*name = suffixed;
	}
	error = 0;
out:
	free(group.files.paths);
	free(group.objects.paths);
	return error;
}

/* Renames groups of equals once; the number of groups, or -1 when out of memory. */
static int rename_equals(const struct naming *naming, struct identity *identities, uint32_t round)
{
	const struct rps_callgrind_names *names = naming->names;
	int n_groups = 0;

	for (uint32_t i = 0; i < names->n_functions; i++) {
		const struct rps_graph_function *function = &naming->graph->functions[i];

		free(identities[i].text);
		identities[i].function = i;
		if (asprintf(&identities[i].text, "%s%s%s", names->functions[i],
			     base_name(names->files[function->file]),
			     base_name(names->objects[function->object])) < 0) {
			identities[i].text = NULL;
			return -1;
		}
	}
	qsort(identities, names->n_functions, sizeof(*identities), compare_identities);
	for (uint32_t first = 0, end; first < names->n_functions; first = end) {
		for (end = first + 1; end < names->n_functions; end++)
			if (strcmp(identities[first].text, identities[end].text) != 0)
				break;
		if (end - first == 1)
			continue;
		if (rename_group(naming, &identities[first], end - first, round) != 0)
			return -1;
		n_groups++;
	}
	return n_groups;
}

static int tell_apart(const struct naming *naming)
{
	struct identity *identities = calloc(naming->names->n_functions, sizeof(*identities));
	int n_groups = 1;

	if (identities == NULL)
		return -1;
	/* Names only get longer, so this ends: usually at the first or the second round. */
	for (uint32_t round = 0; n_groups > 0; round++)
		n_groups = rename_equals(naming, identities, round);
	for (uint32_t i = 0; i < naming->names->n_functions; i++)
		free(identities[i].text);
	free(identities);
	return n_groups;
}

/* ---- Life --------------------------------------------------------------------------------------- */

struct rps_callgrind_names *rps_callgrind_names_create(const struct rps_call_graph *graph)
{
	struct rps_callgrind_names *names = calloc(1, sizeof(*names));
	struct naming naming = {graph, names};

	if (names == NULL)
		return NULL;
	names->functions = calloc(graph->n_functions, sizeof(*names->functions));
	names->files = calloc(graph->n_files, sizeof(*names->files));
	names->objects = calloc(graph->n_objects, sizeof(*names->objects));
	if (names->functions == NULL || names->files == NULL || names->objects == NULL)
		goto out;
	for (; names->n_files < graph->n_files; names->n_files++) {
		names->files[names->n_files] = escape_name(graph->files[names->n_files]);
		if (names->files[names->n_files] == NULL)
			goto out;
	}
	for (; names->n_objects < graph->n_objects; names->n_objects++) {
		names->objects[names->n_objects] = escape_name(graph->objects[names->n_objects]);
		if (names->objects[names->n_objects] == NULL)
			goto out;
	}
	for (; names->n_functions < graph->n_functions; names->n_functions++) {
		names->functions[names->n_functions] = escape_name(graph->functions[names->n_functions].name);
		if (names->functions[names->n_functions] == NULL)
			goto out;
	}
	if (tell_apart(&naming) != 0)
		goto out;
	return names;
out:
	rps_callgrind_names_destroy(names);
	return NULL;
}

void rps_callgrind_names_destroy(struct rps_callgrind_names *names)
{
	if (names == NULL)
		return;
	for (uint32_t i = 0; i < names->n_functions; i++)
		free(names->functions[i]);
	for (uint32_t i = 0; i < names->n_files; i++)
		free(names->files[i]);
	for (uint32_t i = 0; i < names->n_objects; i++)
		free(names->objects[i]);
	free(names->functions);
	free(names->files);
	free(names->objects);
	free(names);
}
