/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See processes.h. */
#include "collect/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Pauses between looks grow from the first to the last. */
#define PAUSE_FIRST_US 20
#define PAUSE_LAST_US 2000

/* Reads a small file below /proc. Its size, or -errno. */
static ssize_t read_proc(const char *path, char *text, size_t size)
{
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n;
}

/* From /proc/PID/stat or /proc/PID/task/TID/stat: field 3 and field 22. */
static int read_stat(const char *path, char *state, uint64_t *start_time)
{
	char text[1024];
	const char *at;

	if (read_proc(path, text, sizeof(text)) <= 0)
		return -ESRCH;
	at = strrchr(text, ')'); /* the name before it may hold anything */
	if (at == NULL || at[1] != ' ' || at[2] == '\0')
		return -EINVAL;
	*state = at[2];
	for (int field = 2; at != NULL && field < 22; field++)
		at = strchr(at + 1, ' ');
	*start_time = at != NULL ? strtoull(at + 1, NULL, 10) : 0;
	return 0;
}

int rps_process_is_alive(uint32_t pid, uint64_t start_time)
{
	char path[64], state;
	uint64_t started;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	if (pid == 0 || read_stat(path, &state, &started) != 0)
		return 0;
	return state != 'Z' && state != 'X' && (start_time == 0 || start_time == started);
}

/* ---- One look at everything ---------------------------------------------------------- */

struct look {
	uint64_t fingerprint; /* of all threads and their time slices */
	uint32_t n_threads;
	uint32_t n_busy;
	uint32_t busy_pid, busy_tid; /* one of them */
	uint32_t *pids; /* seen so far; grows while descendants are found */
	size_t n_pids, n_room;
};

static int add_pid(struct look *look, uint32_t pid)
{
	for (size_t i = 0; i < look->n_pids; i++)
		if (look->pids[i] == pid)
			return 0;
	if (look->n_pids == look->n_room) {
		size_t n_room = 2 * look->n_room + 16;
		uint32_t *pids = realloc(look->pids, n_room * sizeof(*pids));

		if (pids == NULL)
			return -ENOMEM;
		look->pids = pids;
		look->n_room = n_room;
	}
	look->pids[look->n_pids++] = pid;
	return 0;
}

static void mix(struct look *look, uint64_t value)
{
	look->fingerprint = (look->fingerprint ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	look->fingerprint ^= look->fingerprint >> 29;
}

/* The third number of schedstat: how often the thread was put on a processor. */
static uint64_t read_slices(const char *path)
{
	char text[128], *at = text;
	uint64_t slices = 0;

	if (read_proc(path, text, sizeof(text)) <= 0)
		return 0;
	for (int i = 0; i < 3; i++)
		slices = strtoull(at, &at, 10);
	return slices;
}

static void look_at_thread(struct look *look, uint32_t pid, uint32_t tid)
{
	char path[96], state, children[4096], *at = children;
	uint64_t start_time;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/stat", pid, tid);
	if (read_stat(path, &state, &start_time) != 0 || state == 'Z' || state == 'X')
		return;
	if (state == 'R' || state == 'D') {
		look->n_busy++;
		look->busy_pid = pid;
		look->busy_tid = tid;
	}
	snprintf(path, sizeof(path), "/proc/%u/task/%u/schedstat", pid, tid);
	mix(look, (uint64_t)tid << 32 ^ read_slices(path));
	look->n_threads++;
	snprintf(path, sizeof(path), "/proc/%u/task/%u/children", pid, tid);
	if (read_proc(path, children, sizeof(children)) <= 0)
		return;
	for (;;) {
		uint32_t child = (uint32_t)strtoul(at, &at, 10);

		if (child == 0 || add_pid(look, child) != 0)
			return;
	}
}

static void look_at_process(struct look *look, uint32_t pid)
{
	char path[64];
	struct dirent *entry;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	tasks = opendir(path);
	if (tasks == NULL)
		return;
	while ((entry = readdir(tasks)) != NULL)
		if (entry->d_name[0] != '.')
			look_at_thread(look, pid, (uint32_t)strtoul(entry->d_name, NULL, 10));
	closedir(tasks);
}

/* A forked child does not look for itself: it may be in a sandbox. */
static void note_start(struct rps_process_slot *slot)
{
	char path[64], state;
	uint64_t start_time;

	snprintf(path, sizeof(path), "/proc/%u/stat", slot->pid);
	if (read_stat(path, &state, &start_time) == 0)
		slot->start_time = start_time;
}

static void look_at_all(const struct rps_pool *pool, struct look *look)
{
	uint32_t n = rps_pool_n_processes(pool);

	look->fingerprint = look->n_threads = 0;
	look->n_busy = 0;
	look->n_pids = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct rps_process_slot *slot = rps_pool_process(pool, i);

		if (atomic_load_explicit(&slot->state, memory_order_acquire) != RPS_PROCESS_LIVE)
			continue;
		if (!rps_process_is_alive(slot->pid, slot->start_time))
			continue;
		if (slot->start_time == 0)
			note_start(slot);
		add_pid(look, slot->pid);
	}
	for (size_t i = 0; i < look->n_pids; i++)
		look_at_process(look, look->pids[i]);
	mix(look, look->n_threads);
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static void name_busy(const struct look *look, char *busy, size_t size)
{
	char path[96], name[32];
	ssize_t n;

	if (look->n_busy == 0) {
		snprintf(busy, size, "of %u threads some woke up again and again", look->n_threads);
		return;
	}
	snprintf(path, sizeof(path), "/proc/%u/task/%u/comm", look->busy_pid, look->busy_tid);
	n = read_proc(path, name, sizeof(name));
	name[n > 0 ? n - 1 : 0] = '\0';
	for (char *at = name; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	snprintf(busy, size, "%u of %u threads ran or waited for a disk, one of them %s, number %u", look->n_busy, look->n_threads,
		 name, look->busy_tid);
}

int rps_processes_wait_quiet(const struct rps_pool *pool, uint32_t timeout_ms, char *busy, size_t busy_size)
{
	uint64_t deadline_us = now_us() + (uint64_t)timeout_ms * 1000u;
	struct look look = {0};
	uint64_t last_fingerprint = 0;
	int was_calm = 0, is_quiet = 0;
	long pause_us = PAUSE_FIRST_US;

	for (;;) {
		look_at_all(pool, &look);
		is_quiet = look.n_busy == 0 && was_calm && look.fingerprint == last_fingerprint;
		if (is_quiet || now_us() > deadline_us)
			break;
		was_calm = look.n_busy == 0;
		last_fingerprint = look.fingerprint;
		if (!was_calm) {
			struct timespec pause = {0, pause_us * 1000};

			nanosleep(&pause, NULL);
			pause_us = pause_us * 2 < PAUSE_LAST_US ? pause_us * 2 : PAUSE_LAST_US;
		}
	}
	if (!is_quiet)
		name_busy(&look, busy, busy_size);
	free(look.pids);
	return is_quiet;
}
