/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See app.h. The server is the subreaper of the application's processes: one
 * that makes itself a daemon becomes our child again, so "the application has
 * ended" is "we have no children". */
#include "server/app.h"

#include "server/message.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4u
#endif

struct rps_app {
	const struct rps_app_command *command;
	const char *const *added_environment;
	int stdin_fd; /* our end of its stdin: never written, open as long as it runs */
	struct rps_listener listener;
	char address[80];

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t ended;
	pid_t pid;
	int is_running;
	int main_status; /* of the process we started, as waitpid gives it */
};

/* ---- The command ------------------------------------------------------------------- */

void rps_app_command_clear(struct rps_app_command *command)
{
	free(command->program);
	free(command->shown);
	for (char **argument = command->argv; argument && *argument; argument++)
		free(*argument);
	free(command->argv);
	memset(command, 0, sizeof(*command));
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

struct rps_app *rps_app_create(const struct rps_app_command *command, const char *const *environment)
{
	struct rps_app *app = calloc(1, sizeof(*app));
	pthread_condattr_t attributes;

	if (!app)
		return NULL;
	app->command = command;
	app->added_environment = environment;
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

struct start {
	const char *program;
	char *const *argv;
	char *const *environment;
	int stdin_fd;  /* read end */
	int report_fd; /* closed by a successful exec; else errno is written to it */
	pid_t server;
	rlim_t n_files_soft; /* the server raised its own limit */
};

/* Between fork and exec of a process with threads: async-signal-safe calls only. */
static void run_child(const struct start *start)
{
	struct rlimit limit;
	sigset_t none;
	int error;
	ssize_t n;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != start->server)
		_exit(127);
	if (dup2(start->stdin_fd, STDIN_FILENO) < 0)
		goto fail;
	syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC);
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = start->n_files_soft;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(start->program, start->argv, start->environment);
fail:
	error = errno;
	n = write(start->report_fd, &error, sizeof(error));
	_exit(n == sizeof(error) ? 127 : 126);
}

static rlim_t original_n_files;

/* Each request needs a handful of descriptors. The application keeps the limit we were started with. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (original_n_files || getrlimit(RLIMIT_NOFILE, &limit))
		return;
	original_n_files = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int rps_app_start(struct rps_app *app, char *error, size_t error_size)
{
	int stdin_pipe[2] = {-1, -1}, report_pipe[2] = {-1, -1}, child_errno = 0, rc;
	const char **environment = NULL;
	char port[32];
	pid_t pid = -1;
	ssize_t n;

	raise_file_limit();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	*app->address = 0;
	snprintf(port, sizeof(port), "PORT=%u", app->command->port);
	environment = build_environment(app->added_environment, port);
	if (!environment || pipe2(stdin_pipe, O_CLOEXEC) || pipe2(report_pipe, O_CLOEXEC)) {
		rc = environment ? -errno : -ENOMEM;
		goto out;
	}
	{
		const struct start start = {
		    .program = app->command->program,
		    .argv = app->command->argv,
		    .environment = (char *const *)(uintptr_t)environment,
		    .stdin_fd = stdin_pipe[0],
		    .report_fd = report_pipe[1],
		    .server = getpid(),
		    .n_files_soft = original_n_files,
		};

		pid = fork();
		if (!pid)
			run_child(&start);
	}
	if (pid < 0) {
		rc = -errno;
		goto out;
	}
	setpgid(pid, pid);
	close(report_pipe[1]);
	report_pipe[1] = -1;
	do
		n = read(report_pipe[0], &child_errno, sizeof(child_errno));
	while (n < 0 && errno == EINTR);
	if (n == sizeof(child_errno)) {
		waitpid(pid, NULL, 0);
		rc = -child_errno;
		goto out;
	}
	pthread_mutex_lock(&app->lock);
	app->pid = pid;
	app->is_running = 1;
	app->main_status = 0;
	pthread_mutex_unlock(&app->lock);
	if (app->stdin_fd >= 0)
		close(app->stdin_fd);
	app->stdin_fd = stdin_pipe[1];
	stdin_pipe[1] = -1;
	rc = 0;
out:
	for (int i = 0; i < 2; i++) {
		if (stdin_pipe[i] >= 0)
			close(stdin_pipe[i]);
		if (report_pipe[i] >= 0)
			close(report_pipe[i]);
	}
	free(environment);
	if (rc)
		snprintf(error, error_size, "cannot run %s: %s%s", app->command->shown, strerror(-rc),
			 rc == -ENOEXEC ? " (a script needs a first line such as #!/bin/sh)"
			 : rc == -ENOENT
			     ? " (the interpreter that its first line or its headers name is missing)"
			     : "");
	return rc;
}

int rps_app_find_port(struct rps_app *app)
{
	int rc = rps_app_port_find(app->command->port, app->command->port_is_fixed, &app->listener);

	if (rc == 1)
		rps_listener_name(&app->listener, app->address, sizeof(app->address));
	return rc;
}

int rps_app_took_port(const struct rps_app *app)
{
	return app->listener.port == app->command->port;
}

int rps_app_connect(const struct rps_app *app)
{
	return rps_listener_connect(&app->listener);
}

/* ---- Watching ------------------------------------------------------------------------- */

int rps_app_reap(struct rps_app *app)
{
	int status, has_ended = 0;
	pid_t pid;

	pthread_mutex_lock(&app->lock);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == app->pid)
			app->main_status = status;
	if (pid < 0 && errno == ECHILD && app->is_running) {
		app->is_running = 0;
		has_ended = 1;
		pthread_cond_broadcast(&app->ended);
	}
	pthread_mutex_unlock(&app->lock);
	return has_ended;
}

static void describe_end(int status, char *how, size_t how_size)
{
	char name[32];

	if (WIFSIGNALED(status))
		snprintf(how, how_size, "was killed by %s",
			 rps_message_signal_name(WTERMSIG(status), name, sizeof(name)));
	else
		snprintf(how, how_size, "has ended with exit status %d", WEXITSTATUS(status));
}

static struct timespec deadline_after(unsigned wait_ms)
{
	struct timespec deadline;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += wait_ms / 1000;
	deadline.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (deadline.tv_nsec >= 1000000000) {
		deadline.tv_nsec -= 1000000000;
		deadline.tv_sec++;
	}
	return deadline;
}

int rps_app_has_ended(struct rps_app *app, unsigned wait_ms, char *how, size_t how_size)
{
	struct timespec deadline = deadline_after(wait_ms);
	int has_ended;

	pthread_mutex_lock(&app->lock);
	while (app->is_running && wait_ms &&
	       pthread_cond_timedwait(&app->ended, &app->lock, &deadline) != ETIMEDOUT)
		;
	has_ended = !app->is_running;
	if (has_ended)
		describe_end(app->main_status, how, how_size);
	pthread_mutex_unlock(&app->lock);
	return has_ended;
}

pid_t rps_app_pid(const struct rps_app *app)
{
	return app->pid;
}

const char *rps_app_address(const struct rps_app *app)
{
	return app->address;
}

const char *rps_app_shown(const struct rps_app *app)
{
	return app->command->shown;
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

void rps_app_stop(struct rps_app *app, unsigned grace_ms, const sigset_t *signals)
{
	struct timespec deadline = deadline_after(grace_ms), now;
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
	if (app->stdin_fd >= 0)
		close(app->stdin_fd);
	pthread_cond_destroy(&app->ended);
	pthread_mutex_destroy(&app->lock);
	free(app);
}
