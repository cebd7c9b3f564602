/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command gather_profile_stats: options, the progress bar, and the order of steps: find files, read them
 * all, write the sums, and only then, if it was asked for, delete what is in them. Exit statuses: 0 done, 1
 * something was left out or could not be written, 2 misused. */
#include "tools/complain.h"
#include "tools/gather.h"
#include "tools/inputs.h"
#include "tools/gather_output.h"
#include "tools/gather_summary.h"
#include "tools/text.h"

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH 30
#define ROUTES_MAX 1000

struct run {
	struct rps_gather_options options;
	struct rps_gather_output output;
	struct rps_inputs inputs;
	struct rps_gather_groups groups;
	struct rps_gather_progress progress;
	struct rps_view view;
	enum rps_summary summary;
	char *routes[ROUTES_MAX];
	bool remove, is_quiet, shows_bar;
	atomic_bool is_done;
};

static pthread_mutex_t terminal_lock = PTHREAD_MUTEX_INITIALIZER;
static bool bar_is_shown;

/* ---- Messages ----------------------------------------------------------------------------------- */

static void clear_bar(void)
{
	if (bar_is_shown)
		fputs("\r\033[K", stderr);
	bar_is_shown = false;
}

void rps_complain(const char *format, ...)
{
	va_list arguments;
	char *text = NULL;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	pthread_mutex_lock(&terminal_lock);
	clear_bar();
	fputs("gather_profile_stats: ", stderr);
	rps_text_put_safe(stderr, text != NULL ? text : format);
	fputc('\n', stderr);
	pthread_mutex_unlock(&terminal_lock);
	free(text);
}

static void draw_bar(const struct run *run)
{
	size_t n = run->inputs.n_inputs, n_done = atomic_load(&run->progress.n_done);
	int filled = n > 0 ? (int)(n_done * BAR_WIDTH / n) : 0;

	pthread_mutex_lock(&terminal_lock);
	fprintf(stderr, "\r[%.*s%*s] %zu of %zu files", filled, "##############################",
		BAR_WIDTH - filled, "", n_done, n);
	fflush(stderr);
	bar_is_shown = true;
	pthread_mutex_unlock(&terminal_lock);
}

static void *show_progress(void *cls)
{
	const struct timespec step = {.tv_nsec = 50 * 1000000};
	struct run *run = cls;

	while (!atomic_load(&run->is_done)) {
		draw_bar(run);
		nanosleep(&step, NULL);
	}
	pthread_mutex_lock(&terminal_lock);
	clear_bar();
	pthread_mutex_unlock(&terminal_lock);
	return NULL;
}

static void help(FILE *out)
{
	fprintf(out, "Usage: gather_profile_stats [OPTION]... FILE|DIR...\n\n"
		     "Adds profiles up: one file for each path, PATH.agg.prof, in the first DIR; or\n"
		     "all into one with -o. Directories are searched through; sums of earlier runs\n"
		     "that are found there are left out.\n\n"
		     "  -o, --output=FILE    all into FILE (- is the standard output)\n"
		     "  -d, --directory=DIR  write the sums to DIR\n"
		     "  -b, --by=TEMPLATE    one sum for each value of TEMPLATE, which is also the name\n"
		     "                       of its file; {path} by default; {time:%%Y%%m%%d-%%H}: one\n"
		     "                       an hour; fields: path, method, status, time ...\n"
		     "  -R, --route=PATTERN  paths that match, as in '/item/*', are one; repeatable\n"
		     "      --kcachegrind    write the callgrind format (default: pprof)\n"
		     "  -z, --compress       gzip the files\n"
		     "      --remove         delete what was added up, when the sums are safely on the\n"
		     "                       disk; a sum that is there already is added to\n"
		     "  -S, --summary=WHAT   the table shows percentiles of durations (default), or\n"
		     "                       costs: mean, or sum\n"
		     "      --json           the table for machines\n"
		     "  -q, --quiet          no table, no progress bar\n"
		     "  -h, --help           this text\n"
		     "      --version        the version\n");
}

/* ---- Steps -------------------------------------------------------------------------------------- */

static int check_output(const struct run *run)
{
	const struct rps_input_file *input;

	if (run->output.file == NULL || strcmp(run->output.file, "-") == 0)
		return 0;
	input = rps_inputs_find(&run->inputs, run->output.file);
	if (input == NULL || !input->is_named)
		return 0;
	rps_complain("%s is to be read and to be written (name another file with -o)", run->output.file);
	return 2;
}

static int read_all(struct run *run)
{
	pthread_t bar;
	bool has_bar = false;
	int error;

	if (run->shows_bar) {
		draw_bar(run);
		has_bar = pthread_create(&bar, NULL, show_progress, run) == 0;
	}
	error = rps_gather_run(&run->options, &run->inputs, &run->groups, &run->progress);
	atomic_store(&run->is_done, true);
	if (has_bar)
		pthread_join(bar, NULL);
	if (error != 0)
		rps_complain("%s", strerror(-error));
	return error;
}

/* An output that was found as an input is a sum, or it would have been refused; and it is not deleted. */
static int remove_inputs(const struct run *run, uint32_t group, const char *written)
{
	int status = 0;
	struct stat sum, file;

	if (stat(written, &sum) != 0)
		return 1;
	for (size_t i = 0; i < run->inputs.n_inputs; i++) {
		const struct rps_input_file *input = &run->inputs.inputs[i];

		if (input->group != group || strcmp(input->path, "-") == 0 || stat(input->path, &file) != 0 ||
		    (file.st_dev == sum.st_dev && file.st_ino == sum.st_ino))
			continue;
		if (unlink(input->path) != 0) {
			rps_complain("cannot delete %s: %s", input->path, strerror(errno));
			status = 1;
		}
	}
	return status;
}

static int make_directory(const char *path)
{
	if (mkdir(path, 0777) == 0 || errno == EEXIST)
		return 0;
	rps_complain("cannot make the directory %s: %s", path, strerror(errno));
	return -1;
}

static int write_all(struct run *run)
{
	int status = 0;

	if (run->output.file == NULL && make_directory(run->output.directory) != 0)
		return 1;
	for (uint32_t i = 0; i < run->groups.n_groups; i++) {
		char *path = NULL;

		if (rps_gather_write(&run->output, &run->groups.groups[i], &path) != 0)
			status = 1;
		else if (run->remove && strcmp(path, "-") != 0)
			status |= remove_inputs(run, i, path);
		free(path);
	}
	return status;
}

/* Beside a sum on the standard output there is no room for it. */
static int print_summary(struct run *run)
{
	const bool uses_stdout = run->output.file == NULL || strcmp(run->output.file, "-") != 0;
	int status;

	run->view.no_pager = true;
	rps_view_open(&run->view);
	if (!uses_stdout)
		run->view.out = stderr;
	status = rps_summary_print(run->summary, &run->groups, &run->view) != 0;
	if (status != 0)
		rps_complain("out of memory");
	return rps_view_close(&run->view) != 0 || status;
}

static int gather(struct run *run)
{
	int status = check_output(run);

	if (status != 0)
		return status;
	if (read_all(run) != 0)
		return 1;
	if (run->groups.n_groups == 0) {
		rps_complain("there is nothing to add up, so nothing was written");
		return 1;
	}
	status = write_all(run);
	if (!run->is_quiet)
		status |= print_summary(run);
	if (atomic_load(&run->progress.n_broken) > 0 || run->inputs.n_unreadable > 0)
		status = status != 0 ? status : 1;
	return status;
}

/* ---- Options ------------------------------------------------------------------------------------ */

/* Where the sums go if nothing says it: the first directory that was named, or where the first file is.
 * malloc'ed. */
static char *default_directory(char *const *paths)
{
	struct stat status;
	char *copy, *slash;

	for (size_t i = 0; paths[i] != NULL; i++)
		if (stat(paths[i], &status) == 0 && S_ISDIR(status.st_mode))
			return strdup(paths[i]);
	copy = strdup(paths[0]);
	slash = copy != NULL ? strrchr(copy, '/') : NULL;
	if (slash == NULL) {
		free(copy);
		return strdup(".");
	}
	slash[slash == copy] = '\0';
	return copy;
}

static int run_on(struct run *run, char *const *paths, const char *by)
{
	char error[512], *directory = NULL;
	struct rps_name_template *name_template = NULL;
	int status = 2;

	if (run->output.file == NULL) {
		name_template = rps_name_template_parse(by, error, sizeof(error));
		if (name_template == NULL) {
			rps_complain("cannot use --by=%s: %s", by, error);
			return 2;
		}
		run->options.by = name_template;
		run->options.by_path = strcmp(by, "{path}") == 0;
		if (run->output.directory == NULL)
			run->output.directory = directory = default_directory(paths);
	}
	run->options.routes = run->routes;
	for (size_t i = 0; paths[i] != NULL; i++)
		if (rps_inputs_add(&run->inputs, paths[i]) != 0) {
			rps_complain("out of memory");
			goto out;
		}
	run->output.add_to_existing = run->remove;
	run->output.inputs = &run->inputs;
	status = gather(run);
out:
	rps_gather_groups_clear(&run->groups);
	rps_inputs_clear(&run->inputs);
	rps_name_template_destroy(name_template);
	free(directory);
	return status;
}

static int choose_summary(struct run *run, const char *name)
{
	int summary = rps_summary_find(name);

	if (summary < 0) {
		rps_complain("--summary=%s: percentiles, mean or sum is expected", name);
		return -1;
	}
	run->summary = (enum rps_summary)summary;
	return 0;
}

int main(int argc, char **argv)
{
	enum { OPTION_KCACHEGRIND = 256, OPTION_REMOVE, OPTION_VERSION };
	static const struct option options[] = {{"output", required_argument, NULL, 'o'},
						{"directory", required_argument, NULL, 'd'},
						{"by", required_argument, NULL, 'b'},
						{"route", required_argument, NULL, 'R'},
						{"kcachegrind", no_argument, NULL, OPTION_KCACHEGRIND},
						{"compress", no_argument, NULL, 'z'},
						{"remove", no_argument, NULL, OPTION_REMOVE},
						{"summary", required_argument, NULL, 'S'},
						{"json", no_argument, NULL, RPS_VIEW_OPTION_JSON},
						{"quiet", no_argument, NULL, 'q'},
						{"help", no_argument, NULL, 'h'},
						{"version", no_argument, NULL, OPTION_VERSION},
						{NULL, 0, NULL, 0}};
	static struct run run;
	const char *by = "{path}";
	int option;

	/* Each file's arrays come and go: from the heap, not as fresh pages of the kernel's each time. */
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	run.output.format = rps_format_find("pprof");
	while ((option = getopt_long(argc, argv, "o:d:b:R:zS:qh", options, NULL)) != -1) {
		switch (option) {
		case 'o':
			run.output.file = optarg;
			break;
		case 'd':
			run.output.directory = optarg;
			break;
		case 'b':
			by = optarg;
			break;
		case 'R':
			if (run.options.n_routes == ROUTES_MAX) {
				rps_complain("more than %d routes", ROUTES_MAX);
				return 2;
			}
			run.routes[run.options.n_routes++] = optarg;
			break;
		case OPTION_KCACHEGRIND:
			run.output.format = rps_format_find("callgrind");
			break;
		case 'z':
			run.output.compress = true;
			break;
		case OPTION_REMOVE:
			run.remove = true;
			break;
		case 'S':
			if (choose_summary(&run, optarg) != 0)
				return 2;
			break;
		case RPS_VIEW_OPTION_JSON:
			run.view.json = true;
			break;
		case 'q':
			run.is_quiet = true;
			break;
		case 'h':
			help(stdout);
			return 0;
		case OPTION_VERSION:
			puts("gather_profile_stats (RunProfileServer) " PACKAGE_VERSION);
			return 0;
		default:
			fputs("gather_profile_stats --help lists the options\n", stderr);
			return 2;
		}
	}
	if (optind == argc) {
		help(stderr);
		return 2;
	}
	run.shows_bar = !run.is_quiet && isatty(STDERR_FILENO);
	return run_on(&run, argv + optind, by);
}
