/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See options.h. Called by main.c, on the main thread, at the start. The
 * configuration file is read by options_file.c, values by options_values.c. */
#include "server/options_values.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define USAGE_WIDTH 79

enum {
#define RPS_OPTION(id, name, argument, help) option_##id,
#include "server/options.def"
#undef RPS_OPTION
	N_OPTIONS
};

/* ---- The table ------------------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *argument;
	const char *help;
	int (*set)(struct rps_options *options, const char *value, const char **hint);
} table[N_OPTIONS] = {
#define RPS_OPTION(id, name, argument, help) [option_##id] = {name, argument, help, rps_option_set_##id},
#include "server/options.def"
#undef RPS_OPTION
};

static int set_by_index(struct rps_options *options, int index, const char *value, char *error,
			size_t error_size)
{
	const char *hint = "give yes or no";
	int rc;

	if (table[index].argument && !value) {
		snprintf(error, error_size, "option --%s needs a value: --%s=%s", table[index].name,
			 table[index].name, table[index].argument);
		return -EINVAL;
	}
	rc = table[index].set(options, value, &hint);
	if (rc == -EINVAL)
		snprintf(error, error_size, "bad value '%.200s' for --%s: %s", value ? value : "",
			 table[index].name, hint);
	else if (rc)
		snprintf(error, error_size, "%s", strerror(-rc));
	return rc;
}

int rps_options_set(struct rps_options *options, const char *name, const char *value, char *error,
		    size_t error_size)
{
	for (int i = 0; i < N_OPTIONS; i++)
		if (!strcmp(table[i].name, name))
			return set_by_index(options, i, value, error, error_size);
	snprintf(error, error_size, "unknown option '%.200s' (see runprofileserver --help)", name);
	return -ENOENT;
}

int rps_options_init(struct rps_options *options)
{
	memset(options, 0, sizeof(*options));
	options->port = 8000;
	options->every = 1;
	options->request_timeout_ms = 30000;
	options->client_timeout_ms = 60000;
	options->prof_path = strdup("/tmp");
	options->prof_file = strdup("{path}.{duration:06d}ms.{time}");
	options->address = strdup("127.0.0.1");
	options->gateway = strdup("auto");
	options->mount = strdup("");
	if (options->prof_path && options->prof_file && options->address && options->gateway &&
	    options->mount)
		return 0;
	rps_options_clear(options);
	return -ENOMEM;
}

static void clear_list(struct rps_text_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
}

void rps_options_clear(struct rps_options *options)
{
	if (options->trigger)
		explicit_bzero(options->trigger, strlen(options->trigger));
	free(options->trigger);
	free(options->mount);
	free(options->build);
	free(options->cert);
	free(options->key);
	clear_list(&options->only);
	clear_list(&options->skip);
	clear_list(&options->params);
	clear_list(&options->meta);
	clear_list(&options->watch);
	free(options->prof_path);
	free(options->prof_file);
	free(options->address);
	free(options->gateway);
	free(options->request_function);
	for (size_t i = 0; i < options->n_mounts; i++) {
		free(options->mounts[i].url);
		free(options->mounts[i].directory);
	}
	free(options->mounts);
	for (char **argument = options->app; argument && *argument; argument++)
		free(*argument);
	free(options->app);
	memset(options, 0, sizeof(*options));
}

/* ---- The command line -------------------------------------------------------------------- */

static int set_app(struct rps_options *options, char **argv)
{
	size_t n = 0;

	while (argv[n])
		n++;
	options->app = calloc(n + 1, sizeof(char *));
	if (!options->app)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		options->app[i] = strdup(argv[i]);
		if (!options->app[i])
			return -ENOMEM;
	}
	return 0;
}

int rps_options_parse(struct rps_options *options, int argc, char **argv, char *error, size_t error_size)
{
	struct option longs[N_OPTIONS + 1] = {0};
	int index;

	for (int i = 0; i < N_OPTIONS; i++) {
		longs[i].name = table[i].name;
		longs[i].has_arg = table[i].argument ? required_argument : no_argument;
		longs[i].val = CHAR_MAX + 1 + i;
	}
	opterr = 0;
	optind = 0; /* the command line may be read twice */
	for (;;) {
		/* "+": options end at APP; what follows is its own. */
		int found = getopt_long(argc, argv, "+:h", longs, NULL), rc;

		if (found < 0)
			break;
		if (found == 'h')
			found = CHAR_MAX + 1 + option_help;
		if (found == ':') {
			index = optopt - CHAR_MAX - 1;
			snprintf(error, error_size, "option --%s needs a value: --%s=%s", table[index].name,
				 table[index].name, table[index].argument);
			return -EINVAL;
		}
		if (found == '?') {
			if (optopt > CHAR_MAX)
				snprintf(error, error_size, "option --%s takes no value",
					 table[optopt - CHAR_MAX - 1].name);
			else if (optopt)
				snprintf(error, error_size,
					 "unknown option -%c (see runprofileserver --help)", optopt);
			else
				snprintf(error, error_size,
					 "unknown option %.200s (see runprofileserver --help)",
					 argv[optind - 1]);
			return -EINVAL;
		}
		rc = set_by_index(options, found - CHAR_MAX - 1, optarg, error, error_size);
		if (rc)
			return rc;
	}
	if (optind < argc && set_app(options, argv + optind)) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	return 0;
}

void rps_options_print_usage(FILE *out)
{
	size_t column = 0;

	fputs("Usage: runprofileserver [OPTION]... [--] APP [ARG]...\n"
	      "Runs the web application APP (a program, a module, a directory of CGI programs) behind\n"
	      "a development server; writes one profile per request. Without APP: ./" RPS_OPTIONS_FILE "\n\n",
	      out);
	for (int i = 0; i < N_OPTIONS; i++) {
		char left[64];

		if (table[i].help) {
			snprintf(left, sizeof(left), "--%s%s%s", table[i].name, table[i].argument ? "=" : "",
				 table[i].argument ? table[i].argument : "");
			fprintf(out, "  %-24s %s\n", left, table[i].help);
			continue;
		}
		if (!column || column + strlen(table[i].name) + 3 > USAGE_WIDTH)
			column = (size_t)fprintf(out, column ? "\n        " : "  More: ") - 1;
		column += (size_t)fprintf(out, " --%s", table[i].name);
	}
	fputs("\n\nman runprofileserver says what they do.\n"
	      "Example: runprofileserver --kcachegrind --prof-path=/tmp/profiles ./shop\n",
	      out);
}
