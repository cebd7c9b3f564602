/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds files (inputs.h). Called by tools before their threads start. */
#include "tools/inputs.h"

#include "tools/complain.h"

#include <errno.h>
#include <fnmatch.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What profilers call their files. A name given on the command line may be any. */
static const char *const patterns[] = {"*.prof",      "*.prof.gz",      "callgrind.out*", "cachegrind.out*",
				       "*.callgrind", "*.callgrind.gz", "*.pprof",        "*.pb.gz"};

static bool looks_like_profile(const char *name)
{
	/* Half-written files have dot names. */
	if (name[0] == '.')
		return false;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		if (fnmatch(patterns[i], name, 0) == 0)
			return true;
	return false;
}

static int add(struct rps_inputs *inputs, const char *path, bool is_named)
{
	char *copy = strdup(path);

	if (inputs->n_inputs == inputs->room) {
		size_t room = inputs->room == 0 ? 64 : inputs->room * 2;
		struct rps_input_file *grown = realloc(inputs->inputs, room * sizeof(*grown));

		if (grown == NULL) {
			free(copy);
			return -ENOMEM;
		}
		inputs->inputs = grown;
		inputs->room = room;
	}
	if (copy == NULL)
		return -ENOMEM;
	inputs->inputs[inputs->n_inputs++] =
	    (struct rps_input_file){.path = copy, .is_named = is_named, .group = UINT32_MAX};
	return 0;
}

static int compare_entries(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int add_directory(struct rps_inputs *inputs, const char *path)
{
	char *copy = strdup(path);
	char *const roots[] = {copy, NULL};
	const size_t n_before = inputs->n_inputs;
	FTS *fts = copy != NULL ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, compare_entries) : NULL;
	FTSENT *entry;
	int error = fts != NULL ? 0 : -ENOMEM;

	while (error == 0 && (entry = fts_read(fts)) != NULL) {
		switch (entry->fts_info) {
		case FTS_F:
			if (looks_like_profile(entry->fts_name))
				error = add(inputs, entry->fts_path, false);
			break;
		case FTS_DNR:
		case FTS_ERR:
		case FTS_NS:
			rps_complain("cannot look into %s: %s", entry->fts_path, strerror(entry->fts_errno));
			inputs->n_unreadable++;
			break;
		default:
			break;
		}
	}
	if (fts != NULL)
		fts_close(fts);
	free(copy);
	if (error == 0 && inputs->n_inputs == n_before)
		rps_complain("there are no profiles in %s", path);
	return error;
}

int rps_inputs_add(struct rps_inputs *inputs, const char *path)
{
	struct stat status;

	if (strcmp(path, "-") == 0)
		return add(inputs, path, true);
	if (stat(path, &status) != 0) {
		rps_complain("cannot read %s: %s", path, strerror(errno));
		inputs->n_unreadable++;
		return 0;
	}
	return S_ISDIR(status.st_mode) ? add_directory(inputs, path) : add(inputs, path, true);
}

void rps_inputs_clear(struct rps_inputs *inputs)
{
	for (size_t i = 0; i < inputs->n_inputs; i++)
		free(inputs->inputs[i].path);
	free(inputs->inputs);
	*inputs = (struct rps_inputs){0};
}

const struct rps_input_file *rps_inputs_find(const struct rps_inputs *inputs, const char *path)
{
	struct stat wanted, status;

	if (stat(path, &wanted) != 0)
		return NULL;
	for (size_t i = 0; i < inputs->n_inputs; i++)
		if (stat(inputs->inputs[i].path, &status) == 0 && status.st_dev == wanted.st_dev &&
		    status.st_ino == wanted.st_ino)
			return &inputs->inputs[i];
	return NULL;
}
