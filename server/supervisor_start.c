/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See supervisor_start.h. Called by supervisor.c. */
#include "server/supervisor_start.h"

#include "collect/paths.h"
#include "server/message.h"
#include "server/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PORT_WAIT_MS 10000u /* for the application to listen */
#define PORT_GRACE_MS 50    /* for the port it was offered, once it listens on another */
#define PORT_TELL_MS 3000   /* how often the wait is mentioned */
#define SOCKET_GRACE_MS 500 /* for an application that was given a socket to show what it does with it */
#define APP_GRACE_MS 1000

/* ---- What it is -------------------------------------------------------------------------- */

/* A directory is named, never looked for in PATH. */
static char *find_program(const char *name, char *error, size_t error_size)
{
	struct stat st;

	if (!stat(name, &st) && S_ISDIR(st.st_mode))
		return realpath(name, NULL);
	return rps_path_program(name, error, error_size);
}

static int prepare_command(struct rps_supervisor *supervisor, char *error, size_t error_size)
{
	struct rps_server *server = supervisor->server;
	const struct rps_options *options = server->options;
	struct rps_app_command *command = &supervisor->command;

	rps_app_command_clear(command);
	command->shown = options->app[0];
	command->program = find_program(options->app[0], error, error_size);
	if (!command->program)
		return -ENOENT;
	if (rps_app_elf_read(command->program, &supervisor->elf, error, error_size))
		return -ENOEXEC;
	server->gateway = rps_gateway_choose(options->gateway, &supervisor->elf, &supervisor->gateway_why,
					     error, error_size);
	if (!server->gateway)
		return -EINVAL;
	if (supervisor->elf.kind != RPS_APP_MODULE && access(command->program, X_OK)) {
		snprintf(error, error_size, "cannot run %s: %s (chmod +x %s, if it is a program)",
			 command->shown, strerror(errno), command->shown);
		return -EACCES;
	}
	return server->gateway->prepare(command, options, &supervisor->elf, error, error_size);
}

int rps_supervisor_prepare(struct rps_supervisor *supervisor, struct rps_server *server, char *error,
			   size_t error_size)
{
	struct rps_gateway_context *context = &server->context;
	int rc;

	supervisor->server = server;
	supervisor->command.listen_fd = -1;
	context->directory_fd = -1;
	context->shown = server->options->app[0];
	context->options = server->options;
	context->stopping = &server->stopping;
	rc = prepare_command(supervisor, error, error_size);
	if (rc)
		return rc;
	context->program = realpath(server->options->app[0], NULL);
	if (!context->program)
		context->program = strdup(supervisor->command.program);
	context->times_out = server->gateway->is_per_request;
	if (supervisor->elf.kind == RPS_APP_DIRECTORY) {
		context->directory_fd = open(context->program, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (context->directory_fd < 0) {
			snprintf(error, error_size, "cannot open %s: %s", context->shown, strerror(errno));
			return -EACCES;
		}
	} else if (server->gateway->is_per_request) {
		context->argv = supervisor->command.argv;
	}
	return context->program ? 0 : -ENOMEM;
}

/* ---- Waiting for it ------------------------------------------------------------------------- */

/* 1 when a signal said to end. */
static int pause_for(struct rps_supervisor *supervisor, unsigned step_ms)
{
	const struct timespec step = {.tv_nsec = (long)step_ms * 1000000};
	int number = sigtimedwait(&supervisor->signals, NULL, &step);

	if (number == SIGCHLD)
		rps_app_reap(supervisor->server->context.app);
	return rps_supervisor_is_end_signal(number);
}

static int has_adapter(const struct rps_supervisor *supervisor)
{
	struct rps_collector_stats stats;

	rps_collector_get_stats(supervisor->session->collector, &stats);
	return stats.n_adapters > 0;
}

/* Does it take requests by now? 1, 0, or -errno. */
static int is_ready(struct rps_supervisor *supervisor, unsigned waited_ms, unsigned found_ms)
{
	const struct rps_app_command *command = &supervisor->command;
	struct rps_app *app = supervisor->server->context.app;
	int rc;

	/* The socket that it was given takes connections before it does; whether the runtime sees its
	 * requests shows a little later. */
	if (command->listen_fd >= 0 && !command->listens_itself) {
		rps_app_find_port(app);
		return has_adapter(supervisor) ||
		       (waited_ms >= SOCKET_GRACE_MS && !supervisor->elf.needs_fcgi) ||
		       waited_ms >= PORT_WAIT_MS / 2;
	}
	rc = rps_app_find_port(app);
	if (!rc && command->listens_itself && command->listen_fd >= 0 && waited_ms >= SOCKET_GRACE_MS) {
		rps_app_take_given_socket(app);
		return 1;
	}
	/* Of several sockets the one with the offered port is meant: it may come last. */
	return rc == 1 ? rps_app_took_port(app) || found_ms >= PORT_GRACE_MS : rc;
}

static int wait_for_app(struct rps_supervisor *supervisor, char *why, size_t why_size)
{
	const struct rps_options *options = supervisor->server->options;
	struct rps_app *app = supervisor->server->context.app;
	unsigned waited_ms = 0, step_ms = 2, told_ms = 0, found_ms = 0;

	for (;;) {
		char how[128];
		int rc;

		if (rps_app_has_ended(app, 0, how, sizeof(how))) {
			snprintf(why, why_size, "%s before it listened%s", how,
				 supervisor->command.listen_fd < 0 ? " on a port" : "");
			return -ECHILD;
		}
		rc = is_ready(supervisor, waited_ms, found_ms);
		if (rc == 1)
			return 0;
		if (rps_app_has_address(app))
			found_ms += step_ms;
		if (rc < 0) {
			snprintf(
			    why, why_size,
			    "listens somewhere, but where can't be found out: %s (name it with --app-port=N)",
			    strerror(-rc));
			return rc;
		}
		if (waited_ms >= PORT_WAIT_MS) {
			snprintf(why, why_size, "listens on %s after %u s (%s)",
				 options->app_port           ? "another port than --app-port says"
				 : options->app_address.size ? "another address than it was said to"
							     : "no port",
				 PORT_WAIT_MS / 1000,
				 options->app_port || options->app_address.size
				     ? "leave the option out"
				     : "give it PORT or {port}, or name its port with --app-port=N");
			return -ETIMEDOUT;
		}
		if (waited_ms >= told_ms + PORT_TELL_MS) {
			told_ms = waited_ms;
			rps_message_say("Waiting for %s to listen on a port ...", supervisor->command.shown);
		}
		if (pause_for(supervisor, step_ms))
			return 1;
		waited_ms += step_ms;
		if (step_ms < 50)
			step_ms *= 2;
	}
}

/* The first connection makes an application do what it does once (bind
 * symbols, start a thread): not within the first request, where the whole
 * application counts. It carries no request; many an application does not even
 * notice it. */
static void warm_up(struct rps_supervisor *supervisor)
{
	struct rps_collector *collector = supervisor->session->collector;
	struct rps_app *app = supervisor->server->context.app;
	struct rps_collection *collection;
	struct rps_collect_info info;
	struct rps_profile *profile;
	char address[RPS_ADDRESS_TEXT_MAX];
	uint64_t id;
	int fd;

	if (rps_collector_scope(collector) != RPS_SCOPE_APPLICATION)
		return;
	if (getrandom(&id, sizeof(id), 0) != sizeof(id) || !id)
		id = 1;
	collection = rps_collector_begin(collector, id);
	if (!collection)
		return;
	fd = rps_app_connect(app);
	if (fd >= 0)
		close(fd);
	else
		rps_message_complain("cannot connect to %s: %s", rps_app_address(app, address), strerror(-fd));
	/* Not abandoned: its end waits until the application is quiet. */
	if (!rps_collector_end(collection, "warm-up", &profile, &info))
		rps_profile_destroy(profile);
	rps_collector_leave(collection);
}

/* ---- Starting it -------------------------------------------------------------------------------- */

static int make_session(struct rps_supervisor *supervisor, char *why, size_t why_size)
{
	char error[512] = "out of memory";
	struct rps_session *session = rps_session_create(&supervisor->server->sessions, error, sizeof(error));

	if (!session) {
		snprintf(why, why_size, "can't be recorded: %s", error);
		return -ENOMEM;
	}
	rps_session_put(supervisor->session);
	supervisor->session = session;
	return 0;
}

int rps_supervisor_start_app(struct rps_supervisor *supervisor, char *why, size_t why_size)
{
	struct rps_gateway_context *context = &supervisor->server->context;
	int rc;

	if (supervisor->server->gateway->is_per_request) {
		rps_process_raise_file_limit();
		rps_app_become_subreaper();
		return 0;
	}
	/* Again: its file may be another, its last port may still be busy. */
	if (context->app && prepare_command(supervisor, why, why_size))
		return -ENOEXEC;
	rc = make_session(supervisor, why, why_size);
	if (rc)
		return rc;
	if (!context->app)
		context->app = rps_app_create(&supervisor->command);
	if (!context->app)
		return -ENOMEM;
	if (rps_app_start(context->app, rps_collector_environ(supervisor->session->collector), why, why_size))
		return -ENOEXEC;
	rc = wait_for_app(supervisor, why, why_size);
	if (rc) {
		rps_app_stop(context->app, APP_GRACE_MS, &supervisor->signals);
		return rc;
	}
	warm_up(supervisor);
	return 0;
}
