/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See process.h. Called by app.c, gateway_cgi.c and build.c. */
#include "server/process.h"

#include "server/clock.h"
#include "server/message.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4u
#endif

struct rps_process {
	pid_t pid;
	int status;
	int has_ended;
	struct rps_process *prev, *next;
};

/* Held over fork, so that none can be reaped before it stands in the list. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended;
static pthread_once_t ended_once = PTHREAD_ONCE_INIT;
static struct rps_process *processes;
static rlim_t original_n_files;

static void make_condition(void)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&ended, &attributes);
	pthread_condattr_destroy(&attributes);
}

void rps_process_raise_file_limit(void)
{
	struct rlimit limit;

	if (original_n_files || getrlimit(RLIMIT_NOFILE, &limit))
		return;
	original_n_files = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- Starting ------------------------------------------------------------------------ */

/* Puts the three in their places, whatever places they are in now. */
static int place_descriptors(const int *fds)
{
	int high[3];

	for (int i = 0; i < 3; i++) {
		high[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD, 3);
		if (fds[i] >= 0 && high[i] < 0)
			return -1;
	}
	for (int i = 0; i < 3; i++)
		if (high[i] >= 0 && dup2(high[i], i) < 0)
			return -1;
	return 0;
}

/* Between fork and exec of a process with threads: async-signal-safe calls only. */
static void run_child(const struct rps_process_start *start, pid_t server, int report_fd)
{
	struct rlimit limit;
	sigset_t none;
	int error;
	ssize_t n;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != server)
		_exit(127);
	if (place_descriptors(start->fds) || (start->directory && chdir(start->directory)))
		goto fail;
	syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC);
	if (original_n_files && !getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = original_n_files;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(start->program, start->argv, start->environment);
fail:
	error = errno;
	n = write(report_fd, &error, sizeof(error));
	_exit(n == sizeof(error) ? 127 : 126);
}

/* 0, or what the child could not do. */
static int read_report(int fd)
{
	int error = 0;
	ssize_t n;

	do
		n = read(fd, &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	return n == sizeof(error) ? -error : 0;
}

int rps_process_start(const struct rps_process_start *start, struct rps_process **process)
{
	struct rps_process *started = calloc(1, sizeof(*started));
	pid_t server = getpid();
	int report[2], rc;

	pthread_once(&ended_once, make_condition);
	if (!started || pipe2(report, O_CLOEXEC)) {
		rc = started ? -errno : -ENOMEM;
		free(started);
		return rc;
	}
	pthread_mutex_lock(&lock);
	started->pid = fork();
	if (!started->pid)
		run_child(start, server, report[1]);
	rc = started->pid < 0 ? -errno : 0;
	if (!rc) {
		setpgid(started->pid, started->pid);
		DL_APPEND(processes, started);
	}
	pthread_mutex_unlock(&lock);
	close(report[1]);
	if (!rc) {
		rc = read_report(report[0]);
		if (rc)
			rps_process_forget(started);
	} else {
		free(started);
	}
	close(report[0]);
	*process = rc ? NULL : started;
	return rc;
}

pid_t rps_process_pid(const struct rps_process *process)
{
	return process->pid;
}

/* ---- Watching ------------------------------------------------------------------------- */

/* With `lock` held: the one with that pid that has not ended. */
static struct rps_process *find(pid_t pid)
{
	for (struct rps_process *process = processes; process; process = process->next)
		if (process->pid == pid && !process->has_ended)
			return process;
	return NULL;
}

int rps_process_reap(void)
{
	struct rps_process *process;
	int status;
	pid_t pid;

	pthread_once(&ended_once, make_condition);
	pthread_mutex_lock(&lock);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		process = find(pid);
		if (process) {
			process->status = status;
			process->has_ended = 1;
		}
	}
	pthread_cond_broadcast(&ended);
	pthread_mutex_unlock(&lock);
	return !(pid < 0 && errno == ECHILD);
}

int rps_process_wait(struct rps_process *process, unsigned wait_ms, int *status)
{
	const struct timespec deadline = rps_clock_after(wait_ms);
	int has_ended;

	pthread_mutex_lock(&lock);
	while (!process->has_ended && wait_ms &&
	       pthread_cond_timedwait(&ended, &lock, &deadline) != ETIMEDOUT)
		;
	has_ended = process->has_ended;
	if (has_ended)
		*status = process->status;
	pthread_mutex_unlock(&lock);
	return has_ended;
}

void rps_process_forget(struct rps_process *process)
{
	if (!process)
		return;
	pthread_mutex_lock(&lock);
	DL_DELETE(processes, process);
	pthread_mutex_unlock(&lock);
	free(process);
}

int rps_process_is_known(pid_t pid)
{
	int is_known;

	pthread_mutex_lock(&lock);
	is_known = find(pid) != NULL;
	pthread_mutex_unlock(&lock);
	return is_known;
}

void rps_process_describe_end(int status, char *how, size_t how_size)
{
	char name[32];

	if (WIFSIGNALED(status))
		snprintf(how, how_size, "was killed by %s",
			 rps_message_signal_name(WTERMSIG(status), name, sizeof(name)));
	else
		snprintf(how, how_size, "has ended with exit status %d", WEXITSTATUS(status));
}

/* ---- Ending ----------------------------------------------------------------------------- */

/* As long as the leader is not reaped, its group can't be another's. */
static void signal_group(struct rps_process *process, int number)
{
	pthread_mutex_lock(&lock);
	if (!process->has_ended)
		kill(-process->pid, number);
	pthread_mutex_unlock(&lock);
}

void rps_process_stop(struct rps_process *process, unsigned grace_ms)
{
	int status;

	signal_group(process, SIGTERM);
	if (rps_process_wait(process, grace_ms, &status))
		return;
	signal_group(process, SIGKILL);
	rps_process_wait(process, 1000, &status);
}
