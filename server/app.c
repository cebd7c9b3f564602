/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See app.h. The server is the subreaper of the application's processes: one
 * that makes itself a daemon becomes our child again, so "the application has
 * ended" is "we have no children". */
#include "server/app.h"

#include "server/clock.h"
#include "server/process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

struct rps_app {
	const char *shown; /* its name, as long as the options: requests read it while it restarts */
	const struct rps_app_command *command;
	int stdin_fd; /* our end of its stdin: never written, open as long as it runs */
	uint16_t found_port;

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t ended;
	struct rps_address where; /* size 0: not known */
	struct rps_process *process; /* the one we started */
	pid_t pid;
	int is_running;
	int main_status; /* of the process we started, as waitpid gives it */
};

/* ---- The command ------------------------------------------------------------------- */

void rps_app_command_clear(struct rps_app_command *command)
{
	free(command->program);
	for (char **argument = command->argv; argument && *argument; argument++)
		free(*argument);
	free(command->argv);
	if (command->listen_fd >= 0)
		close(command->listen_fd);
	memset(command, 0, sizeof(*command));
	command->listen_fd = -1;
}

static char *replace_port(const char *text, uint16_t port)
{
	static const char mark[] = "{port}";
	size_t size = 0;
	FILE *out;
	char *result = NULL;

	out = open_memstream(&result, &size);
	if (!out)
		return NULL;
	for (;;) {
		const char *found = strstr(text, mark);

		if (!found)
			break;
		fwrite(text, 1, (size_t)(found - text), out);
		fprintf(out, "%u", port);
		text = found + sizeof(mark) - 1;
	}
	fputs(text, out);
	if (fclose(out)) {
		free(result);
		return NULL;
	}
	return result;
}

int rps_app_command_set_argv(struct rps_app_command *command, const char *const *before, size_t n_before,
			     char *const *argv)
{
	size_t n = 0, used = 0;

	while (argv[n])
		n++;
	command->argv = calloc(n_before + n + 1, sizeof(char *));
	if (!command->argv)
		return -ENOMEM;
	for (size_t i = 0; i < n_before + n; i++) {
		char *copy =
		    i < n_before ? strdup(before[i]) : replace_port(argv[i - n_before], command->port);

		if (!copy)
			return -ENOMEM;
		command->argv[used++] = copy;
	}
	return 0;
}

/* ---- Starting ------------------------------------------------------------------------ */

struct rps_app *rps_app_create(const struct rps_app_command *command)
{
	struct rps_app *app = calloc(1, sizeof(*app));
	pthread_condattr_t attributes;

	if (!app)
		return NULL;
	app->command = command;
	app->shown = command->shown;
	app->stdin_fd = -1;
	pthread_mutex_init(&app->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&app->ended, &attributes);
	pthread_condattr_destroy(&attributes);
	return app;
}

static int is_same_variable(const char *a, const char *b)
{
	size_t size = strcspn(a, "=");

	return !strncmp(a, b, size) && b[size] == '=';
}

/* Our environment, with `added` and `port` in place of what has the same name. */
static const char **build_environment(const char *const *added, const char *port)
{
	size_t n_ours = 0, n_added = 0, used = 0;
	const char **result;

	while (environ[n_ours])
		n_ours++;
	while (added && added[n_added])
		n_added++;
	result = calloc(n_ours + n_added + 2, sizeof(*result));
	if (!result)
		return NULL;
	for (size_t i = 0; i < n_ours; i++) {
		int replaced = is_same_variable(port, environ[i]);

		for (size_t k = 0; k < n_added; k++)
			replaced |= is_same_variable(added[k], environ[i]);
		if (!replaced)
			result[used++] = environ[i];
	}
	for (size_t k = 0; k < n_added; k++)
		result[used++] = added[k];
	result[used] = port;
	return result;
}

void rps_app_become_subreaper(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static const char *advice(int error)
{
	if (error == ENOEXEC)
		return " (a script needs a first line such as #!/bin/sh)";
	if (error == ENOENT)
		return " (the interpreter that its first line or its headers name is missing)";
	return "";
}

/* Requests may be looking for the one before. */
static void set_address(struct rps_app *app, const struct rps_address *address)
{
	pthread_mutex_lock(&app->lock);
	app->where = *address;
	pthread_mutex_unlock(&app->lock);
}

static struct rps_address address_of(struct rps_app *app)
{
	struct rps_address address;

	pthread_mutex_lock(&app->lock);
	address = app->where;
	pthread_mutex_unlock(&app->lock);
	return address;
}

int rps_app_start(struct rps_app *app, const char *const *added, char *error, size_t error_size)
{
	static const struct rps_address nowhere;
	const struct rps_app_command *command = app->command;
	const char **environment = NULL;
	struct rps_process *process;
	int stdin_pipe[2] = {-1, -1}, rc;
	char port[32];

	rps_process_raise_file_limit();
	rps_app_become_subreaper();
	set_address(app, &nowhere);
	snprintf(port, sizeof(port), "PORT=%u", command->port);
	environment = build_environment(added, port);
	if (!environment || (command->listen_fd < 0 && pipe2(stdin_pipe, O_CLOEXEC))) {
		rc = environment ? -errno : -ENOMEM;
		goto out;
	}
	{
		const struct rps_process_start start = {
		    .program = command->program,
		    .argv = command->argv,
		    .environment = (char *const *)(uintptr_t)environment,
		    .fds = {command->listen_fd < 0 ? stdin_pipe[0] : command->listen_fd, -1, -1},
		};

		rc = rps_process_start(&start, &process);
	}
	if (rc)
		goto out;
	rps_process_forget(app->process);
	pthread_mutex_lock(&app->lock);
	app->process = process;
	app->pid = rps_process_pid(process);
	app->is_running = 1;
	app->main_status = 0;
	pthread_mutex_unlock(&app->lock);
	if (app->stdin_fd >= 0)
		close(app->stdin_fd);
	app->stdin_fd = stdin_pipe[1];
	stdin_pipe[1] = -1;
out:
	for (int i = 0; i < 2; i++)
		if (stdin_pipe[i] >= 0)
			close(stdin_pipe[i]);
	free(environment);
	if (rc)
		snprintf(error, error_size, "cannot run %s: %s%s", command->shown, strerror(-rc),
			 advice(-rc));
	return rc;
}

void rps_app_take_given_socket(struct rps_app *app)
{
	app->found_port = app->command->port;
	set_address(app, &app->command->address);
}

/* An address that the user named: somebody answers there, or not yet. */
static int try_address(struct rps_app *app)
{
	int fd = rps_address_connect(&app->command->address);

	if (fd < 0)
		return fd == -ECONNREFUSED || fd == -ENOENT ? 0 : fd;
	close(fd);
	rps_app_take_given_socket(app);
	return 1;
}

int rps_app_find_port(struct rps_app *app)
{
	const struct rps_app_command *command = app->command;
	struct rps_listener listener;
	struct rps_address address;
	int rc;

	if (command->listen_fd < 0 && command->address.size)
		return try_address(app);
	if (command->listen_fd >= 0 && !command->listens_itself) {
		rps_app_take_given_socket(app);
		return 1;
	}
	rc = rps_app_port_find(command->port, command->port_is_fixed, &listener);
	if (rc == 1) {
		rps_listener_address(&listener, &address);
		app->found_port = listener.port;
		set_address(app, &address);
	}
	return rc;
}

int rps_app_took_port(const struct rps_app *app)
{
	return app->found_port == app->command->port;
}

int rps_app_connect(struct rps_app *app)
{
	struct rps_address address = address_of(app);

	return rps_address_connect(&address);
}

/* ---- Watching ------------------------------------------------------------------------- */

/* Is a child of ours left that nobody else has started: one of the application's, come to us as its
 * subreaper? */
static int has_other_children(void)
{
	char path[64], pids[4096], *at = pids;
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)gettid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, pids, sizeof(pids) - 1);
	if (fd >= 0)
		close(fd);
	pids[size > 0 ? size : 0] = 0;
	for (;;) {
		pid_t pid = (pid_t)strtol(at, &at, 10);

		if (!pid)
			return 0;
		if (!rps_process_is_known(pid))
			return 1;
	}
}

int rps_app_reap(struct rps_app *app)
{
	int has_children = rps_process_reap(), status, has_ended = 0;

	pthread_mutex_lock(&app->lock);
	if (app->is_running && rps_process_wait(app->process, 0, &status)) {
		app->main_status = status;
		has_ended = !has_children || !has_other_children();
	}
	if (has_ended) {
		app->is_running = 0;
		pthread_cond_broadcast(&app->ended);
	}
	pthread_mutex_unlock(&app->lock);
	return has_ended;
}

int rps_app_has_ended(struct rps_app *app, unsigned wait_ms, char *how, size_t how_size)
{
	struct timespec deadline = rps_clock_after(wait_ms);
	int has_ended;

	pthread_mutex_lock(&app->lock);
	while (app->is_running && wait_ms &&
	       pthread_cond_timedwait(&app->ended, &app->lock, &deadline) != ETIMEDOUT)
		;
	has_ended = !app->is_running;
	if (has_ended)
		rps_process_describe_end(app->main_status, how, how_size);
	pthread_mutex_unlock(&app->lock);
	return has_ended;
}

pid_t rps_app_pid(const struct rps_app *app)
{
	return app->pid;
}

const char *rps_app_address(struct rps_app *app, char text[RPS_ADDRESS_TEXT_MAX])
{
	struct rps_address address = address_of(app);

	rps_address_format(&address, text, RPS_ADDRESS_TEXT_MAX);
	return text;
}

int rps_app_has_address(struct rps_app *app)
{
	return address_of(app).size != 0;
}

const char *rps_app_shown(const struct rps_app *app)
{
	return app->shown;
}

/* ---- Ending ---------------------------------------------------------------------------- */

static void signal_all(const struct rps_app *app, int number)
{
	pid_t *pids;
	ssize_t n;

	kill(-app->pid, number);
	n = rps_app_descendants(&pids);
	for (ssize_t i = 0; i < n; i++)
		if (getpgid(pids[i]) != app->pid)
			kill(pids[i], number);
	free(pids);
}

void rps_app_kill_descendants(void)
{
	pid_t *pids;
	ssize_t n = rps_app_descendants(&pids);

	for (ssize_t i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	free(pids);
}

void rps_app_stop(struct rps_app *app, unsigned grace_ms, const sigset_t *signals)
{
	struct timespec deadline = rps_clock_after(grace_ms), now;
	sigset_t awaited = *signals;

	sigaddset(&awaited, SIGCHLD);
	rps_app_reap(app);
	if (app->is_running)
		signal_all(app, SIGTERM);
	while (app->is_running) {
		const struct timespec step = {.tv_nsec = 50 * 1000000};
		int number;

		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec > deadline.tv_sec ||
		    (now.tv_sec == deadline.tv_sec && now.tv_nsec >= deadline.tv_nsec))
			break;
		number = sigtimedwait(&awaited, NULL, &step);
		rps_app_reap(app);
		if (number > 0 && number != SIGCHLD)
			break;
	}
	/* Again and again: what forks while it is being killed leaves a child to us. */
	while (app->is_running) {
		const struct timespec step = {.tv_nsec = 10 * 1000000};

		signal_all(app, SIGKILL);
		sigtimedwait(&awaited, NULL, &step);
		rps_app_reap(app);
	}
}

void rps_app_destroy(struct rps_app *app)
{
	sigset_t none;

	if (!app)
		return;
	sigemptyset(&none);
	rps_app_stop(app, 0, &none);
	rps_process_forget(app->process);
	if (app->stdin_fd >= 0)
		close(app->stdin_fd);
	pthread_cond_destroy(&app->ended);
	pthread_mutex_destroy(&app->lock);
	free(app);
}
