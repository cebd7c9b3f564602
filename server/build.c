/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See build.h. Called by supervisor.c. */
#include "server/build.h"

#include "server/app_log.h"
#include "server/clock.h"
#include "server/message.h"
#include "server/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REST_MS 100
#define TAIL_BYTES 12000 /* of the output: what the page shows */
#define STEP_MS 10
#define PATIENCE_MS 2000 /* with a command that has closed its output, and goes on */

struct rps_build {
	const char *command;
	struct rps_process *process;
	int fd;
	uint64_t wanted_ms; /* 0: it is not */
	int status;
	struct rps_app_log log;
	char tail[TAIL_BYTES + 1];
	size_t tail_size;
};

struct rps_build *rps_build_create(const char *command)
{
	struct rps_build *build = calloc(1, sizeof(*build));

	if (!build)
		return NULL;
	build->command = command;
	build->fd = -1;
	return build;
}

void rps_build_destroy(struct rps_build *build)
{
	if (!build)
		return;
	if (build->fd >= 0)
		close(build->fd);
	rps_process_forget(build->process);
	free(build);
}

void rps_build_want(struct rps_build *build)
{
	build->wanted_ms = rps_clock_now_ms();
}

int rps_build_is_wanted(const struct rps_build *build)
{
	return build->wanted_ms && !build->process;
}

int rps_build_is_due(const struct rps_build *build)
{
	return rps_build_is_wanted(build) && rps_clock_now_ms() - build->wanted_ms >= REST_MS;
}

int rps_build_is_running(const struct rps_build *build)
{
	return build->process != NULL;
}

int rps_build_fd(const struct rps_build *build)
{
	return build->fd;
}

void rps_build_start(struct rps_build *build)
{
	const char *argv[] = {"/bin/sh", "-c", build->command, NULL};
	int out[2], null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC), rc;

	build->wanted_ms = 0;
	build->tail_size = 0;
	rps_app_log_begin(&build->log, "build");
	if (pipe2(out, O_CLOEXEC)) {
		rc = -errno;
	} else {
		const struct rps_process_start start = {
		    .program = argv[0],
		    .argv = (char *const *)(uintptr_t)argv,
		    .environment = environ,
		    .fds = {null_fd, out[1], out[1]},
		};

		rc = rps_process_start(&start, &build->process);
		close(out[1]);
		if (rc)
			close(out[0]);
		else
			build->fd = out[0];
	}
	if (null_fd >= 0)
		close(null_fd);
	if (rc) {
		rps_message_complain("cannot run the build %s: %s", build->command, strerror(-rc));
		return;
	}
	fcntl(build->fd, F_SETFL, O_NONBLOCK);
	rps_message_say("Building: %s", build->command);
}

/* The last of it counts. */
static void keep(struct rps_build *build, const char *data, size_t size)
{
	size_t drop = build->tail_size + size > TAIL_BYTES ? build->tail_size + size - TAIL_BYTES : 0;

	if (drop >= build->tail_size) {
		size_t skip = size > TAIL_BYTES ? size - TAIL_BYTES : 0;

		build->tail_size = 0;
		data += skip;
		size -= skip;
	} else if (drop) {
		memmove(build->tail, build->tail + drop, build->tail_size - drop);
		build->tail_size -= drop;
	}
	memcpy(build->tail + build->tail_size, data, size);
	build->tail_size += size;
	build->tail[build->tail_size] = 0;
}

int rps_build_read(struct rps_build *build)
{
	char data[4096];
	ssize_t n;

	while ((n = read(build->fd, data, sizeof(data))) > 0) {
		rps_app_log_put(&build->log, data, (size_t)n);
		keep(build, data, (size_t)n);
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	close(build->fd);
	build->fd = -1;
	rps_app_log_end(&build->log);
	/* Its output has ended, and so does it. */
	for (unsigned waited_ms = 0; !rps_process_wait(build->process, 0, &build->status);
	     waited_ms += STEP_MS) {
		const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};

		if (waited_ms == PATIENCE_MS)
			kill(-rps_process_pid(build->process), SIGKILL);
		nanosleep(&step, NULL);
		rps_process_reap();
	}
	rps_process_forget(build->process);
	build->process = NULL;
	return 1;
}

int rps_build_has_succeeded(const struct rps_build *build)
{
	return !build->status;
}

char *rps_build_page(const struct rps_build *build)
{
	char how[128], *text;

	rps_process_describe_end(build->status, how, sizeof(how));
	if (asprintf(&text, "The build %s %s.\n\n%s", build->command, how,
		     build->tail_size ? build->tail : "") < 0)
		return NULL;
	return text;
}

void rps_build_stop(struct rps_build *build)
{
	if (build->process)
		kill(-rps_process_pid(build->process), SIGTERM);
}
