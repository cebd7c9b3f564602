/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See callgrind_rules_names.h. */
#include "profile/callgrind_rules_names.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool number_equal(const void *owner, uint32_t id, const void *key)
{
	return ((const struct rps_rules_names *)owner)->names[id].number == *(const uint64_t *)key;
}

static uint32_t hash_of(uint64_t number)
{
	return (uint32_t)(rps_hash_mix(0, number) >> 32);
}

static uint32_t find(const struct rps_rules_names *names, uint64_t number)
{
	return rps_id_table_find(&names->table, hash_of(number), number_equal, names, &number);
}

static int make_room(struct rps_rules_names *names)
{
	const uint32_t room = names->room == 0 ? 64 : names->room * 2;
	struct rps_rules_name *grown;

	if (names->n_names < names->room)
		return rps_id_table_reserve(&names->table);
	grown = realloc(names->names, room * sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	names->names = grown;
	names->room = room;
	return rps_id_table_reserve(&names->table);
}

static int give(struct rps_rules_names *names, const struct rps_why *why, uint64_t number, const char *text)
{
	char *copy = make_room(names) == 0 ? strdup(text) : NULL;

	if (copy == NULL)
		return rps_why_fail(why, -ENOMEM, "out of memory");
	rps_id_table_put(&names->table, hash_of(number), names->n_names);
	names->names[names->n_names++] = (struct rps_rules_name){
	    .number = number, .text = copy, .line = rps_input_line_number(why->input)};
	if (names->highest < number)
		names->highest = number;
	return 0;
}

int rps_rules_names_read(struct rps_rules_names *names, const struct rps_why *why, const char *text,
			 uint32_t *index)
{
	uint64_t number;
	char *end;

	if (text[0] != '(' || !isdigit((unsigned char)text[1]))
		return rps_why_fail(why, -EBADMSG, "a name without a number");
	errno = 0;
	number = strtoull(text + 1, &end, 10);
	if (end[0] != ')')
		return rps_why_fail(why, -EBADMSG, "a number without \")\"");
	if (number == 0 || text[1] == '0' || errno != 0)
		return rps_why_fail(why, -EBADMSG, "\"%.24s\" is no number of a name", text);
	*index = find(names, number);
	if (end[1] == '\0')
		return *index != UINT32_MAX
			   ? 0
			   : rps_why_fail(why, -EBADMSG, "number %" PRIu64 " has no name yet", number);
	if (end[1] != ' ' || end[2] == ' ' || end[2] == '\0')
		return rps_why_fail(why, -EBADMSG, "one space and a name are expected behind the number");
	if (end[2] == '(' && isdigit((unsigned char)end[3]))
		return rps_why_fail(why, -EBADMSG, "a name that looks like a number of one");
	if (*index != UINT32_MAX)
		return rps_why_fail(why, -EBADMSG, "number %" PRIu64 " has a name already", number);
	*index = names->n_names;
	return give(names, why, number, end + 2);
}

int rps_rules_names_place(struct rps_rules_names *functions, const struct rps_why *why, uint32_t function,
			  uint32_t file, uint32_t object)
{
	struct rps_rules_name *name = &functions->names[function];

	if (name->has_place && (name->file != file || name->object != object))
		return rps_why_fail(
		    why, -EBADMSG,
		    "%.80s has another file or object than before, which makes it two functions", name->text);
	name->has_place = true;
	name->file = file;
	name->object = object;
	return 0;
}

/* ---- At the end --------------------------------------------------------------------------------- */

int rps_rules_names_check_dense(const struct rps_rules_names *names, const struct rps_why *why)
{
	return names->highest == names->n_names
		   ? 0
		   : rps_why_fail(why, -EBADMSG, "%s have numbers up to %" PRIu64 ", but there are %" PRIu32,
				  names->what, names->highest, names->n_names);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strcmp(path, "???") == 0 ? "" : slash != NULL ? slash + 1 : path;
}

/* What KCacheGrind knows a function by, and its line. */
struct identity {
	char *text;
	uint64_t line;
};

static int compare_identities(const void *a, const void *b)
{
	const struct identity *left = a, *right = b;
	const int order = strcmp(left->text, right->text);

	return order != 0 ? order : left->line < right->line ? -1 : left->line > right->line;
}

static int check_identities(struct identity *identities, uint32_t n, struct rps_why *why)
{
	qsort(identities, n, sizeof(*identities), compare_identities);
	for (uint32_t i = 1; i < n; i++) {
		if (strcmp(identities[i - 1].text, identities[i].text) != 0)
			continue;
		why->line = identities[i].line;
		return rps_why_fail(why, -EBADMSG, "to KCacheGrind this is the function of line %" PRIu64,
				    identities[i - 1].line);
	}
	return 0;
}

int rps_rules_names_check_functions(const struct rps_rules_names *functions,
				    const struct rps_rules_names *files,
				    const struct rps_rules_names *objects, struct rps_why *why)
{
	struct identity *identities = calloc((size_t)functions->n_names + 1, sizeof(*identities));
	int error = identities != NULL ? 0 : -ENOMEM;
	uint32_t n = 0;

	for (; n < functions->n_names && error == 0; n++) {
		const struct rps_rules_name *name = &functions->names[n];

		identities[n].line = name->line;
		why->line = name->line;
		if (!name->has_body)
			error = rps_why_fail(why, -EBADMSG, "%.80s is called, but has no cost of its own",
					     name->text);
		else if (asprintf(&identities[n].text, "%s%s%s", name->text,
				  base_name(files->names[name->file].text),
				  base_name(objects->names[name->object].text)) < 0)
			error = -ENOMEM;
	}
	if (error == 0)
		error = check_identities(identities, n, why);
	if (error == -ENOMEM)
		rps_why_fail(why, error, "out of memory");
	for (uint32_t i = 0; i < functions->n_names && identities != NULL; i++)
		free(identities[i].text);
	free(identities);
	return error;
}

void rps_rules_names_clear(struct rps_rules_names *names)
{
	for (uint32_t i = 0; i < names->n_names; i++)
		free(names->names[i].text);
	free(names->names);
	rps_id_table_clear(&names->table);
	*names = (struct rps_rules_names){0};
}
