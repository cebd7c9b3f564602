/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cgi gateway (RFC 3875): each request starts a process, of one program or
 * of one below a directory, with the request in its environment and on its
 * stdin. A collector of its own listens to it, so requests run at the same time
 * and each profile is exact: all that the process and its children do.
 *
 * `prepare` runs on the main thread, the exchange on the client connection's. */
#include "server/app_log.h"
#include "server/beneath.h"
#include "server/cgi_variables.h"
#include "server/process.h"
#include "server/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KILL_GRACE_MS 1000
#define SETTLE_STEP_MS 10

struct cgi {
	struct rps_process *process;
	struct rps_app_log log;
	char *name;      /* SCRIPT_NAME: below the mount */
	char *path_info; /* what is left of the path */
	char *program;   /* absolute */
	char *directory; /* in which it lies, and runs */
};

/* ---- Choosing it ----------------------------------------------------------------------------- */

static int fits(const struct rps_app_elf *elf, const char **why)
{
	*why = "a directory of programs";
	return elf->kind == RPS_APP_DIRECTORY;
}

static int prepare(struct rps_app_command *command, const struct rps_options *options,
		   const struct rps_app_elf *elf, char *error, size_t error_size)
{
	int rc = rps_gateway_check_program(command, elf, 1, error, error_size);

	if (rc)
		return rc;
	if (elf->kind == RPS_APP_DIRECTORY && options->app[1]) {
		snprintf(error, error_size, "the programs of %s take no arguments (%s)", command->shown,
			 options->app[1]);
		return -EINVAL;
	}
	if (rps_app_command_set_argv(command, NULL, 0, options->app)) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	return 0;
}

/* ---- Which program ------------------------------------------------------------------------------ */

/* Below a directory it is the first component of the path that is a file. 0, -ENOENT, -ENOMEM. */
static int find_program(const struct rps_gateway_context *context, const char *path, struct cgi *cgi)
{
	const char *end = path;
	char *relative;
	int fd, is_file = 0;

	while (*end && !is_file) {
		struct stat st;

		end += strspn(end, "/");
		end += strcspn(end, "/");
		if (memchr(path, 0, (size_t)(end - path)))
			return -ENOENT;
		relative = strndup(path + strspn(path, "/"), (size_t)(end - path) - strspn(path, "/"));
		if (!relative)
			return -ENOMEM;
		fd = strstr(relative, "..") && (!strcmp(relative, "..") || strstr(relative, "../") ||
						!strcmp(relative + strlen(relative) - 3, "/.."))
			 ? -ENOENT
			 : rps_open_beneath(context->directory_fd, relative, O_PATH,
					    context->options->follow_links);
		free(relative);
		if (fd < 0)
			return fd == -ENOMEM ? fd : -ENOENT;
		is_file = !fstat(fd, &st) && S_ISREG(st.st_mode);
		close(fd);
	}
	if (!is_file)
		return -ENOENT;
	if (asprintf(&cgi->name, "%.*s", (int)(end - path), path) < 0)
		cgi->name = NULL;
	cgi->path_info = strdup(end);
	if (asprintf(&cgi->program, "%s%s%.*s", context->program, *path == '/' ? "" : "/", (int)(end - path),
		     path) < 0)
		cgi->program = NULL;
	return cgi->name && cgi->path_info && cgi->program ? 0 : -ENOMEM;
}

static int choose_program(const struct rps_gateway_context *context, const char *path, struct cgi *cgi)
{
	char *slash;
	int rc = 0;

	if (context->directory_fd >= 0) {
		rc = find_program(context, path, cgi);
	} else {
		cgi->name = strdup("");
		cgi->path_info = strdup(path);
		cgi->program = strdup(context->program);
	}
	if (rc)
		return rc;
	cgi->directory = cgi->program ? strdup(cgi->program) : NULL;
	if (!cgi->name || !cgi->path_info || !cgi->directory)
		return -ENOMEM;
	slash = strrchr(cgi->directory, '/');
	*(slash == cgi->directory ? slash + 1 : slash) = 0;
	return 0;
}

/* ---- Its environment ------------------------------------------------------------------------------- */

/* What a request's variables could be taken for is not handed on from our own environment. */
static int is_of_a_request(const char *variable)
{
	static const char *const prefixes[] = {
	    "HTTP_",         "CONTENT_",         "REMOTE_",       "SERVER_",
	    "REQUEST_",      "PATH_INFO=",       "SCRIPT_",       "AUTH_TYPE=",
	    "HTTPS=",        "PATH_TRANSLATED=", "QUERY_STRING=", "GATEWAY_INTERFACE=",
	    "DOCUMENT_ROOT="};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(variable, prefixes[i], strlen(prefixes[i])))
			return 1;
	return 0;
}

static int set_from_text(struct rps_cgi_variables *variables, const char *text)
{
	const char *equals = strchr(text, '=');
	char *name;
	int rc;

	if (!equals || equals == text)
		return 0;
	name = strndup(text, (size_t)(equals - text));
	rc = name ? rps_cgi_variables_set(variables, name, equals + 1) : -ENOMEM;
	free(name);
	return rc;
}

static int fill_environment(const struct rps_exchange *exchange, int64_t body_bytes,
			    struct rps_cgi_variables *variables)
{
	const struct rps_exchange_request *request = exchange->request;
	const struct cgi *cgi = exchange->own;
	struct rps_cgi_script script = {.path_info = cgi->path_info};
	char *name = NULL;
	int rc = 0;

	for (char **variable = environ; !rc && *variable; variable++)
		if (!is_of_a_request(*variable))
			rc = set_from_text(variables, *variable);
	for (size_t i = 0; !rc && request->environment && request->environment[i]; i++)
		rc = set_from_text(variables, request->environment[i]);
	if (rc || asprintf(&name, "%s%s", request->mount, cgi->name) < 0)
		return -ENOMEM;
	script.name = name;
	rc = rps_cgi_variables_fill(variables, request, exchange->context->options, &script, body_bytes);
	/* The file is known, wherever the document root is. */
	if (!rc)
		rc = rps_cgi_variables_set(variables, "SCRIPT_FILENAME", cgi->program);
	free(name);
	return rc;
}

/* ---- Running it --------------------------------------------------------------------------------------- */

static int start_program(struct rps_exchange *exchange, char **environment)
{
	struct cgi *cgi = exchange->own;
	char *alone[] = {cgi->program, NULL};
	int in[2] = {-1, -1}, out[2] = {-1, -1}, log[2] = {-1, -1}, rc;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(log, O_CLOEXEC)) {
		rc = -errno;
	} else {
		const struct rps_process_start start = {
		    .program = cgi->program,
		    .argv = exchange->context->argv ? exchange->context->argv : alone,
		    .environment = environment,
		    .directory = cgi->directory,
		    .fds = {in[0], out[1], log[1]},
		};

		rc = rps_process_start(&start, &cgi->process);
	}
	if (!rc) {
		exchange->write_fd = in[1];
		exchange->read_fd = out[0];
		exchange->log_fd = log[0];
		in[1] = out[0] = log[0] = -1;
	}
	for (int i = 0; i < 2; i++) {
		if (in[i] >= 0)
			close(in[i]);
		if (out[i] >= 0)
			close(out[i]);
		if (log[i] >= 0)
			close(log[i]);
	}
	return rc;
}

static int open_process(struct rps_exchange *exchange, int64_t body_bytes)
{
	struct rps_cgi_variables variables = {0};
	struct cgi *cgi = exchange->own;
	int rc = choose_program(exchange->context, exchange->request->path_info, cgi);

	if (rc == -ENOENT) {
		exchange->not_found = 1;
		return rps_stream_break(exchange, "has no program at this address");
	}
	if (!rc)
		rc = fill_environment(exchange, body_bytes, &variables);
	if (!rc) {
		rps_app_log_begin(&cgi->log, cgi->program);
		exchange->log = &cgi->log;
		rc = start_program(exchange, variables.items);
		if (rc)
			rps_stream_break(exchange, "could not run %s: %s%s", cgi->program, strerror(-rc),
					 rc == -EACCES ? " (chmod +x, if it is a program)" : "");
	}
	rps_cgi_variables_clear(&variables);
	return rc;
}

/* Its output has ended, but it may go on. */
static void settle(struct rps_exchange *exchange)
{
	struct cgi *cgi = exchange->own;
	unsigned waited_ms = 0;
	int status;

	if (!cgi->process)
		return;
	while (!rps_process_wait(cgi->process, SETTLE_STEP_MS, &status)) {
		waited_ms += SETTLE_STEP_MS;
		rps_stream_read_log(exchange);
		if (exchange->end == RPS_STREAM_COMPLETE &&
		    waited_ms < exchange->context->options->request_timeout_ms &&
		    !atomic_load(exchange->context->stopping))
			continue;
		if (exchange->end == RPS_STREAM_COMPLETE && !atomic_load(exchange->context->stopping))
			rps_app_log_put(&cgi->log, "killed: it went on too long after its answer\n", 45);
		rps_process_stop(cgi->process, KILL_GRACE_MS);
		break;
	}
	rps_stream_read_log(exchange);
	if (!*exchange->error && rps_process_wait(cgi->process, 0, &status))
		rps_process_describe_end(status, exchange->error, sizeof(exchange->error));
}

static void abort_process(struct rps_exchange *exchange)
{
	struct cgi *cgi = exchange->own;

	if (cgi->process)
		rps_process_stop(cgi->process, KILL_GRACE_MS);
}

static void close_process(struct rps_exchange *exchange)
{
	struct cgi *cgi = exchange->own;

	abort_process(exchange);
	rps_stream_read_log(exchange);
	rps_app_log_end(&cgi->log);
	rps_process_forget(cgi->process);
	free(cgi->name);
	free(cgi->path_info);
	free(cgi->program);
	free(cgi->directory);
}

static const struct rps_stream_protocol protocol = {
    .open = open_process,
    .settle = settle,
    .abort = abort_process,
    .close = close_process,
};

static struct rps_exchange *begin(const struct rps_gateway_context *context,
				  const struct rps_exchange_request *request)
{
	return rps_stream_begin(context, request, &protocol, sizeof(struct cgi));
}

static const struct rps_exchange_operations exchange = RPS_STREAM_OPERATIONS(begin);

const struct rps_gateway rps_gateway_cgi = {
    .name = "cgi",
    .is_per_request = 1,
    .fits = fits,
    .prepare = prepare,
    .exchange = &exchange,
};
