/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See options.h. Called by main.c, on the main thread, at the start. The
 * configuration file is read by options_file.c. */
#include "server/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
#define RPS_OPTION(id, name, argument, help) option_##id,
#include "server/options.def"
#undef RPS_OPTION
	N_OPTIONS
};

/* ---- Values ------------------------------------------------------------------------ */

static int replace(char **string, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*string);
	*string = copy;
	return 0;
}

/* 0..max, all of `text`. */
static int parse_number(const char *text, unsigned long max, unsigned long *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*number = strtoul(text, &end, 10);
	return *end || errno || *number > max ? -EINVAL : 0;
}

static int set_switch(int *flag, const char *value)
{
	if (!value || !strcmp(value, "yes") || !strcmp(value, "true") || !strcmp(value, "on") ||
	    !strcmp(value, "1"))
		*flag = 1;
	else if (!strcmp(value, "no") || !strcmp(value, "false") || !strcmp(value, "off") ||
		 !strcmp(value, "0"))
		*flag = 0;
	else
		return -EINVAL;
	return 0;
}

/* Each takes a value (for a switch: "yes", "no", or NULL for yes); -EINVAL sets `hint` to what it should be.
 */

static int set_prof_path(struct rps_options *options, const char *value, const char **hint)
{
	*hint = "give a directory";
	return *value ? replace(&options->prof_path, value) : -EINVAL;
}

static int set_prof_file(struct rps_options *options, const char *value, const char **hint)
{
	*hint = "give a template such as {path}.{time}";
	return *value ? replace(&options->prof_file, value) : -EINVAL;
}

static int set_kcachegrind(struct rps_options *options, const char *value, const char **hint)
{
	return set_switch(&options->kcachegrind, value);
}

static int set_addrport(struct rps_options *options, const char *value, const char **hint)
{
	const char *colon = strrchr(value, ':'), *port = value;
	char address[256] = "127.0.0.1";
	unsigned long number;

	*hint = "give [ADDR:]PORT, for example 8001, 0.0.0.0:8000 or [::1]:8000";
	if (colon) {
		const char *start = value, *end = colon;

		port = colon + 1;
		if (*start == '[' && end > start && end[-1] == ']') {
			start++;
			end--;
		} else if (memchr(start, ':', (size_t)(end - start))) {
			return -EINVAL; /* IPv6 without brackets */
		}
		if (end <= start || (size_t)(end - start) >= sizeof(address))
			return -EINVAL;
		memcpy(address, start, (size_t)(end - start));
		address[end - start] = 0;
	}
	if (parse_number(port, 65535, &number))
		return -EINVAL;
	options->port = (uint16_t)number;
	return replace(&options->address, address);
}

static int set_gateway(struct rps_options *options, const char *value, const char **hint)
{
	*hint = "give auto, module or http";
	return *value ? replace(&options->gateway, value) : -EINVAL;
}

static int set_app_port(struct rps_options *options, const char *value, const char **hint)
{
	unsigned long number;

	*hint = "give a port, 1 to 65535";
	if (parse_number(value, 65535, &number) || !number)
		return -EINVAL;
	options->app_port = (uint16_t)number;
	return 0;
}

static int set_scope(struct rps_options *options, const char *value, const char **hint)
{
	static const char *const names[] = {[RPS_SCOPE_AUTO] = "auto",
					    [RPS_SCOPE_REQUEST] = "request",
					    [RPS_SCOPE_APPLICATION] = "application"};

	*hint = "give auto, request or application";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(value, names[i])) {
			options->scope = (enum rps_scope)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_request(struct rps_options *options, const char *value, const char **hint)
{
	*hint = "give the name of a function, shorter than 256 characters";
	return *value && strlen(value) < RPS_REQUEST_FUNCTION_MAX ? replace(&options->request_function, value) : -EINVAL;
}

static int set_settle(struct rps_options *options, const char *value, const char **hint)
{
	unsigned long number;

	*hint = "give milliseconds, 1 to 3600000";
	if (parse_number(value, 3600000, &number) || !number)
		return -EINVAL;
	options->settle_ms = (uint32_t)number;
	return 0;
}

static int set_static(struct rps_options *options, const char *value, const char **hint)
{
	const char *equals = strchr(value, '=');
	struct rps_static_mount *mounts;
	size_t size;

	*hint = "give URL=DIR, for example /static=./htdocs";
	if (!equals || *value != '/' || !equals[1])
		return -EINVAL;
	size = (size_t)(equals - value);
	while (size && value[size - 1] == '/')
		size--;
	mounts = reallocarray(options->mounts, options->n_mounts + 1, sizeof(*mounts));
	if (!mounts)
		return -ENOMEM;
	options->mounts = mounts;
	mounts[options->n_mounts].url = strndup(value, size);
	mounts[options->n_mounts].directory = strdup(equals + 1);
	options->n_mounts++;
	return mounts[options->n_mounts - 1].url && mounts[options->n_mounts - 1].directory ? 0 : -ENOMEM;
}

static int set_time(struct rps_options *options, const char *value, enum rps_time time)
{
	int is_on = options->time == time, error = set_switch(&is_on, value);

	if (error == 0 && (is_on || options->time == time))
		options->time = is_on ? time : RPS_TIME_SAMPLED;
	return error;
}

static int set_exact_time(struct rps_options *options, const char *value, const char **hint)
{
	return set_time(options, value, RPS_TIME_EACH_CALL);
}

static int set_no_time(struct rps_options *options, const char *value, const char **hint)
{
	return set_time(options, value, RPS_TIME_NEVER);
}

static int set_nomedia(struct rps_options *options, const char *value, const char **hint)
{
	return set_switch(&options->nomedia, value);
}

static int set_verbose(struct rps_options *options, const char *value, const char **hint)
{
	return set_switch(&options->verbose, value);
}

static int set_help(struct rps_options *options, const char *value, const char **hint)
{
	return set_switch(&options->help, value);
}

static int set_version(struct rps_options *options, const char *value, const char **hint)
{
	return set_switch(&options->version, value);
}

/* ---- The table ------------------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *argument;
	const char *help;
	int (*set)(struct rps_options *options, const char *value, const char **hint);
} table[N_OPTIONS] = {
#define RPS_OPTION(id, name, argument, help) [option_##id] = {name, argument, help, set_##id},
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
	options->prof_path = strdup("/tmp");
	options->prof_file = strdup("{path}.{duration:06d}ms.{time}");
	options->address = strdup("127.0.0.1");
	options->gateway = strdup("auto");
	if (options->prof_path && options->prof_file && options->address && options->gateway)
		return 0;
	rps_options_clear(options);
	return -ENOMEM;
}

void rps_options_clear(struct rps_options *options)
{
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
	fputs("Usage: runprofileserver [OPTION]... [--] APP [ARG]...\n"
	      "Runs the web application APP (a program, or a module APP.so) behind a development\n"
	      "server, and writes one profile per request. Without APP: ./" RPS_OPTIONS_FILE ".\n\n",
	      out);
	for (int i = 0; i < N_OPTIONS; i++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s", table[i].name, table[i].argument ? "=" : "",
			 table[i].argument ? table[i].argument : "");
		fprintf(out, "  %-24s %s\n", left, table[i].help);
	}
	fputs("\nExample: runprofileserver --kcachegrind --prof-path=/tmp/profiles ./shop\n", out);
}
