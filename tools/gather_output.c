/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes sums (gather_output.h). Called by gather_profile_stats when all inputs have been read, on its main
 * thread. */
#include "tools/complain.h"
#include "tools/gather_output.h"

#include "tools/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ATTEMPTS_MAX 10000u

/* rps_output_file_write's writers have no argument for it. */
static const struct rps_format *compressed_format;

static int write_compressed(const struct rps_profile *profile, FILE *out)
{
	return rps_format_write_compressed(compressed_format, profile, out);
}

/* ---- Names -------------------------------------------------------------------------------------- */

/* "DIR/{name}.agg.prof", with ".2" in the middle for a second attempt. malloc'ed. */
static char *attempt_path(const struct rps_gather_output *output, const struct rps_gather_group *group,
			  uint32_t attempt)
{
	const char *suffix = output->compress && !output->format->is_binary ? ".gz" : "";
	char number[16] = "", *path;

	if (attempt > 0)
		snprintf(number, sizeof(number), ".%" PRIu32, attempt + 1);
	if (asprintf(&path, "%s/%s%s.agg.prof%s", output->directory, group->name, number, suffix) < 0)
		return NULL;
	return path;
}

/* Whether the file may be replaced: it is this group's sum of last time. Then *existing is it, the caller's.
 */
static bool is_last_sum(const char *path, const struct rps_gather_group *group, struct rps_profile **existing)
{
	char why[256];
	const char *root;

	if (rps_format_read(path, existing, why, sizeof(why)) != 0)
		return false;
	root = (*existing)->functions[(*existing)->nodes[0].function].name;
	if (rps_profile_meta(*existing, RPS_AGGREGATE_KEY) != NULL &&
	    strcmp(root, rps_merge_root(group->merge)) == 0)
		return true;
	rps_profile_destroy(*existing);
	*existing = NULL;
	return false;
}

/* Makes the directories that a "/" in the template asks for. */
static int make_directories(char *path, size_t base_size)
{
	for (char *slash = strchr(path + base_size + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		int failed;

		*slash = '\0';
		failed = mkdir(path, 0700) != 0 && errno != EEXIST;
		*slash = '/';
		if (failed)
			return -errno;
	}
	return 0;
}

static char *choose_path(const struct rps_gather_output *output, const struct rps_gather_group *group,
			 struct rps_profile **existing)
{
	for (uint32_t attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
		char *path = attempt_path(output, group, attempt);

		if (path == NULL || access(path, F_OK) != 0 || is_last_sum(path, group, existing))
			return path;
		free(path);
	}
	return NULL;
}

/* ---- Writing ------------------------------------------------------------------------------------ */

/* The name itself, too, must be on the disk before inputs are deleted. */
static int flush_directory(const char *path)
{
	char *copy = strdup(path), *slash = copy != NULL ? strrchr(copy, '/') : NULL;
	int fd, error = 0;

	if (copy == NULL)
		return -ENOMEM;
	if (slash != NULL)
		slash[slash == copy] = '\0';
	fd = open(slash != NULL ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
		error = -errno;
	if (fd >= 0)
		close(fd);
	free(copy);
	return error;
}

static void keep_totals(struct rps_gather_group *group, const struct rps_profile *sum)
{
	group->n_events = sum->n_events;
	for (uint32_t i = 0; i < sum->n_events; i++) {
		snprintf(group->events[i].name, sizeof(group->events[i].name), "%s", sum->events[i].name);
		group->totals[i] = rps_profile_total(sum, i);
	}
}

static int write_sum(const struct rps_gather_output *output, struct rps_gather_group *group, const char *path)
{
	struct rps_profile *sum = rps_merge_finish(group->merge);
	int error = sum != NULL ? 0 : -ENOMEM;

	compressed_format = output->format;
	if (error == 0)
		keep_totals(group, sum);
	if (error == 0)
		error = rps_output_file_write(path, sum,
					      output->compress && !output->format->is_binary
						  ? write_compressed
						  : output->format->write);
	rps_profile_destroy(sum);
	if (error == 0 && strcmp(path, "-") != 0)
		error = flush_directory(path);
	return error;
}

/* The sum that is at output->file, if there is one. 0, or -1 after a message: something else is. */
static int read_existing(const struct rps_gather_output *output, const struct rps_gather_group *group,
			 struct rps_profile **existing)
{
	if (!output->add_to_existing || strcmp(output->file, "-") == 0 || access(output->file, F_OK) != 0 ||
	    is_last_sum(output->file, group, existing))
		return 0;
	rps_complain("%s is there, and is no sum that could be added to (name another file with -o)",
		     output->file);
	return -1;
}

/* A sum that was found in a directory was not read, so it may be written. */
static bool is_input(const struct rps_gather_output *output, const char *path)
{
	const struct rps_input_file *input = rps_inputs_find(output->inputs, path);

	return input != NULL && (input->is_named || input->group != UINT32_MAX);
}

int rps_gather_write(const struct rps_gather_output *output, struct rps_gather_group *group, char **path)
{
	struct rps_profile *existing = NULL;
	int error = 0;

	*path = NULL;
	if (output->file != NULL && read_existing(output, group, &existing) != 0)
		return -1;
	*path = output->file != NULL ? strdup(output->file) : choose_path(output, group, &existing);
	if (*path == NULL) {
		rps_complain("cannot find a free name for the sum of %s", rps_merge_root(group->merge));
		return -1;
	}
	if (strcmp(*path, "-") != 0 && is_input(output, *path)) {
		rps_complain("%s was read, so it is not overwritten (write elsewhere with -o or -d)", *path);
		rps_profile_destroy(existing);
		return -1;
	}
	if (existing != NULL && output->add_to_existing)
		error = rps_merge_add(group->merge, existing);
	rps_profile_destroy(existing);
	if (error == 0 && output->file == NULL)
		error = make_directories(*path, strlen(output->directory));
	if (error == 0)
		error = write_sum(output, group, *path);
	if (error == 0)
		return 0;
	rps_complain("cannot write %s: %s", *path, strerror(-error));
	return -1;
}
