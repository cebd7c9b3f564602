/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See options_values.h. Called by options.c, on the main thread, at the start. */
#include "server/options_values.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET_MAX 4096

/* ---- Kinds of values ------------------------------------------------------------------ */

static int replace(char **string, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*string);
	*string = copy;
	return 0;
}

static int append(struct rps_text_list *list, const char *value)
{
	char **items = reallocarray(list->items, list->n + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	list->items = items;
	items[list->n] = strdup(value);
	return items[list->n] ? (list->n++, 0) : -ENOMEM;
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

/* A number and its unit out of `units`, up to a bound that fits 63 bits many times over. */
struct unit {
	const char *name;
	double factor;
};

static int parse_with_unit(const char *text, const struct unit *units, size_t n_units, uint64_t *value)
{
	char *end;
	double number;

	if (*text < '0' || *text > '9' || text[strspn(text, "0123456789.")] == 'x')
		return -EINVAL;
	number = strtod(text, &end);
	for (size_t i = 0; i < n_units; i++) {
		if (strcmp(end, units[i].name))
			continue;
		number *= units[i].factor;
		if (!(number >= 0 && number < 1e17))
			return -EINVAL;
		*value = (uint64_t)number;
		return 0;
	}
	return -EINVAL;
}

static int parse_duration(const char *text, uint64_t *duration_us)
{
	static const struct unit units[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6}};

	return parse_with_unit(text, units, sizeof(units) / sizeof(units[0]), duration_us);
}

static int parse_size(const char *text, uint64_t *size_bytes)
{
	static const struct unit units[] = {
	    {"", 1}, {"K", 1024.0}, {"M", 1048576.0}, {"G", 1073741824.0}, {"T", 1099511627776.0}};

	return parse_with_unit(text, units, sizeof(units) / sizeof(units[0]), size_bytes);
}

/* ---- Profiles -------------------------------------------------------------------------------- */

int rps_option_set_prof_path(struct rps_options *options, const char *value, const char **hint)
{
	*hint = "give a directory";
	return *value ? replace(&options->prof_path, value) : -EINVAL;
}

int rps_option_set_prof_file(struct rps_options *options, const char *value, const char **hint)
{
	*hint = "give a template such as {path}.{time}";
	return *value ? replace(&options->prof_file, value) : -EINVAL;
}

int rps_option_set_kcachegrind(struct rps_options *options, const char *value, const char **hint)
{
	return set_switch(&options->kcachegrind, value);
}

int rps_option_set_meta(struct rps_options *options, const char *value, const char **hint)
{
	*hint = "give NAME=VALUE; it is written into every profile";
	return strcspn(value, "=:\n") && strchr(value, '=') == value + strcspn(value, "=:\n")
		   ? append(&options->meta, value)
		   : -EINVAL;
}

int rps_option_set_keep(struct rps_options *options, const char *value, const char **hint)
{
	unsigned long number;

	*hint = "give how many profiles to keep, 1 or more";
	if (parse_number(value, UINT32_MAX, &number) || !number)
		return -EINVAL;
	options->keep_n = (uint32_t)number;
	return 0;
}

int rps_option_set_keep_bytes(struct rps_options *options, const char *value, const char **hint)
{
	*hint = "give a size such as 500M or 2G";
	return parse_size(value, &options->keep_bytes) || !options->keep_bytes ? -EINVAL : 0;
}

/* ---- The front --------------------------------------------------------------------------------- */

int rps_option_set_addrport(struct rps_options *options, const char *value, const char **hint)
{
	const char *colon = strrchr(value, ':'), *port = value;
	char address[256] = "127.0.0.1";
	unsigned long number;

	*hint = "give [ADDR:]PORT, for example 8001, 0.0.0.0:8000 or [::1]:8000, or unix:PATH";
	if (!strncmp(value, "unix:", 5))
		return value[5] ? replace(&options->address, value) : -EINVAL;
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

int rps_option_set_cert(struct rps_options *options, const char *value, const char **hint)
{
	*hint = "give the certificate's file (PEM)";
	return *value ? replace(&options->cert, value) : -EINVAL;
}

int rps_option_set_key(struct rps_options *options, const char *value, const char **hint)
{
	*hint = "give the private key's file (PEM)";
	return *value ? replace(&options->key, value) : -EINVAL;
}

int rps_option_set_max_connections(struct rps_options *options, const char *value, const char **hint)
{
	unsigned long number;

	*hint = "give how many clients may be connected at once, 1 to 100000";
	if (parse_number(value, 100000, &number) || !number)
		return -EINVAL;
	options->max_connections = (uint32_t)number;
	return 0;
}

int rps_option_set_log(struct rps_options *options, const char *value, const char **hint)
{
	static const char *const names[] = {
	    [RPS_LOG_DJANGO] = "django", [RPS_LOG_COMBINED] = "combined", [RPS_LOG_JSON] = "json"};

	*hint = "give django, combined or json";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(value, names[i])) {
			options->log = (enum rps_log_format)i;
			return 0;
		}
	}
	return -EINVAL;
}

int rps_option_set_static(struct rps_options *options, const char *value, const char **hint)
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

int rps_option_set_follow_links(struct rps_options *options, const char *value, const char **hint)
{
	return set_switch(&options->follow_links, value);
}

int rps_option_set_nomedia(struct rps_options *options, const char *value, const char **hint)
{
	return set_switch(&options->nomedia, value);
}

int rps_option_set_verbose(struct rps_options *options, const char *value, const char **hint)
{
	return set_switch(&options->verbose, value);
}

int rps_option_set_help(struct rps_options *options, const char *value, const char **hint)
{
	return set_switch(&options->help, value);
}

int rps_option_set_version(struct rps_options *options, const char *value, const char **hint)
{
	return set_switch(&options->version, value);
}

/* ---- The application ------------------------------------------------------------------------------ */

int rps_option_set_gateway(struct rps_options *options, const char *value, const char **hint)
{
	*hint = "give auto, module, http, fastcgi, scgi or cgi";
	return *value ? replace(&options->gateway, value) : -EINVAL;
}

int rps_option_set_app_port(struct rps_options *options, const char *value, const char **hint)
{
	unsigned long number;

	*hint = "give a port, 1 to 65535";
	if (parse_number(value, 65535, &number) || !number)
		return -EINVAL;
	options->app_port = (uint16_t)number;
	return 0;
}

/* An address given is a gateway chosen. */
static int set_address(struct rps_options *options, const char *value, const char *gateway, const char **hint)
{
	*hint = "give where the application listens: HOST:PORT, PORT, or unix:PATH";
	if (rps_address_parse(&options->app_address, value))
		return -EINVAL;
	return replace(&options->gateway, gateway);
}

int rps_option_set_fastcgi(struct rps_options *options, const char *value, const char **hint)
{
	return set_address(options, value, "fastcgi", hint);
}

int rps_option_set_scgi(struct rps_options *options, const char *value, const char **hint)
{
	return set_address(options, value, "scgi", hint);
}

int rps_option_set_mount(struct rps_options *options, const char *value, const char **hint)
{
	size_t size = strlen(value);

	*hint = "give a path such as /shop";
	if (*value != '/' || strpbrk(value, "?#% \t") || strstr(value, "//"))
		return -EINVAL;
	if (replace(&options->mount, value))
		return -ENOMEM;
	while (size && options->mount[size - 1] == '/')
		options->mount[--size] = 0;
	return 0;
}

int rps_option_set_param(struct rps_options *options, const char *value, const char **hint)
{
	*hint = "give NAME=VALUE, a variable for cgi, scgi and fastcgi";
	return strchr(value, '=') && *value != '=' ? append(&options->params, value) : -EINVAL;
}

int rps_option_set_noreload(struct rps_options *options, const char *value, const char **hint)
{
	return set_switch(&options->noreload, value);
}

int rps_option_set_build(struct rps_options *options, const char *value, const char **hint)
{
	*hint = "give a command, for example make";
	return *value ? replace(&options->build, value) : -EINVAL;
}

int rps_option_set_watch(struct rps_options *options, const char *value, const char **hint)
{
	*hint = "give a directory with sources";
	return *value ? append(&options->watch, value) : -EINVAL;
}

/* ---- Which requests, and how many at a time --------------------------------------------------------- */

int rps_option_set_scope(struct rps_options *options, const char *value, const char **hint)
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

int rps_option_set_request(struct rps_options *options, const char *value, const char **hint)
{
	*hint = "give the name of a function, shorter than 256 characters";
	return *value && strlen(value) < RPS_REQUEST_FUNCTION_MAX ? replace(&options->request_function, value)
								  : -EINVAL;
}

static int set_time(struct rps_options *options, const char *value, enum rps_time time)
{
	int is_on = options->time == time, rc = set_switch(&is_on, value);

	if (!rc && (is_on || options->time == time))
		options->time = is_on ? time : RPS_TIME_SAMPLED;
	return rc;
}

int rps_option_set_exact_time(struct rps_options *options, const char *value, const char **hint)
{
	return set_time(options, value, RPS_TIME_EACH_CALL);
}

int rps_option_set_no_time(struct rps_options *options, const char *value, const char **hint)
{
	return set_time(options, value, RPS_TIME_NEVER);
}

int rps_option_set_events(struct rps_options *options, const char *value, const char **hint)
{
	static char why[512]; /* one thread, one message */

	*hint = why;
	return rps_events_parse(value, &options->events, why, sizeof(why));
}

int rps_option_set_settle(struct rps_options *options, const char *value, const char **hint)
{
	unsigned long number;

	*hint = "give milliseconds, 1 to 3600000";
	if (parse_number(value, 3600000, &number) || !number)
		return -EINVAL;
	options->settle_ms = (uint32_t)number;
	return 0;
}

int rps_option_set_nothreading(struct rps_options *options, const char *value, const char **hint)
{
	return set_switch(&options->nothreading, value);
}

/* A duration, or a number of seconds: `least_ms` to a day. */
static int set_timeout(uint32_t *timeout_ms, const char *value, uint64_t least_ms)
{
	uint64_t duration_us;
	unsigned long seconds;

	if (!parse_number(value, 86400, &seconds))
		duration_us = seconds * 1000000u;
	else if (parse_duration(value, &duration_us))
		return -EINVAL;
	if (duration_us < least_ms * 1000 || duration_us > 86400000000u)
		return -EINVAL;
	*timeout_ms = (uint32_t)(duration_us / 1000);
	return 0;
}

int rps_option_set_request_timeout(struct rps_options *options, const char *value, const char **hint)
{
	*hint = "give a duration such as 30s or 500ms, up to 24 hours";
	return set_timeout(&options->request_timeout_ms, value, 1);
}

int rps_option_set_client_timeout(struct rps_options *options, const char *value, const char **hint)
{
	int rc = set_timeout(&options->client_timeout_ms, value, 1000);

	*hint = "give a duration such as 60s, one second to 24 hours";
	if (!rc)
		options->client_timeout_ms = (options->client_timeout_ms + 999) / 1000 * 1000;
	return rc;
}

int rps_option_set_only(struct rps_options *options, const char *value, const char **hint)
{
	*hint = "give a pattern of paths such as '/api/*'";
	return *value ? append(&options->only, value) : -EINVAL;
}

int rps_option_set_skip(struct rps_options *options, const char *value, const char **hint)
{
	*hint = "give a pattern of paths such as '/health'";
	return *value ? append(&options->skip, value) : -EINVAL;
}

/* The first line of FILE: kept out of the process list. */
static int read_secret(struct rps_options *options, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[SECRET_MAX];
	ssize_t n;

	if (fd < 0)
		return -EINVAL;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -EINVAL;
	text[n] = 0;
	text[strcspn(text, "\r\n")] = 0;
	return *text ? replace(&options->trigger, text) : -EINVAL;
}

int rps_option_set_trigger(struct rps_options *options, const char *value, const char **hint)
{
	if (*value == '@') {
		*hint = "its first line is to be the secret, and it must be readable";
		return read_secret(options, value + 1);
	}
	*hint = "give a secret, or @FILE with one";
	return *value ? replace(&options->trigger, value) : -EINVAL;
}

int rps_option_set_every(struct rps_options *options, const char *value, const char **hint)
{
	unsigned long number;

	*hint = "give N, to profile one request in N";
	if (parse_number(value, UINT32_MAX, &number) || !number)
		return -EINVAL;
	options->every = (uint32_t)number;
	return 0;
}

int rps_option_set_slower_than(struct rps_options *options, const char *value, const char **hint)
{
	*hint = "give a duration with its unit: 250ms, 1.5s, 800us";
	return parse_duration(value, &options->slower_than_us);
}
