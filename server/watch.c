/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See watch.h. Called by supervisor.c.
 *
 * Directories are watched, not files: a linker makes a new file in the place of
 * the old. Only a file that was closed after writing, or renamed, counts; and
 * only when it is a whole ELF file again (or the script it was), and nothing has happened to it for a moment.
 */
#include "server/watch.h"

#include "server/app_elf.h"
#include "server/clock.h"
#include "server/message.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#define REST_MS 100 /* how long a file has to be left in peace */
#define EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO)
#define SOURCE_EVENTS (EVENTS | IN_MOVED_FROM | IN_DELETE | IN_CREATE)
#define DIRECTORIES_MAX 10000

/* A file of the application. */
struct file {
	char *path;
	struct stat st; /* as it was when the application was started */
	enum rps_app_kind kind;
	uint64_t touched_ms; /* 0: not since */
	struct file *next;
};

struct directory {
	int wd;
	char *path;
	int has_sources;
	struct directory *next;
};

struct rps_watch {
	int fd;
	char *program;
	struct file *files;
	struct directory *directories;
	unsigned n_directories;
	char changed[PATH_MAX];
};

/* ---- Directories ------------------------------------------------------------------------ */

static struct directory *find_directory(const struct rps_watch *watch, int wd)
{
	struct directory *directory;

	LL_SEARCH_SCALAR(watch->directories, directory, wd, wd);
	return directory;
}

static int add_directory(struct rps_watch *watch, const char *path, int has_sources)
{
	int wd = inotify_add_watch(watch->fd, path,
				   (has_sources ? SOURCE_EVENTS : EVENTS) | IN_ONLYDIR | IN_MASK_ADD);
	struct directory *directory;

	if (wd < 0)
		return -errno;
	directory = find_directory(watch, wd);
	if (directory) {
		directory->has_sources |= has_sources;
		return 0;
	}
	directory = calloc(1, sizeof(*directory));
	if (!directory)
		return -ENOMEM;
	directory->wd = wd;
	directory->path = strdup(path);
	directory->has_sources = has_sources;
	LL_PREPEND(watch->directories, directory);
	watch->n_directories++;
	return 0;
}

/* With all below it but what is hidden. */
static int add_tree(struct rps_watch *watch, const char *path)
{
	struct dirent *entry;
	DIR *list;
	int rc = watch->n_directories < DIRECTORIES_MAX ? add_directory(watch, path, 1) : -ENOSPC;

	list = rc ? NULL : opendir(path);
	while (list && !rc && (entry = readdir(list))) {
		char *below;
		struct stat st;

		if (*entry->d_name == '.' || asprintf(&below, "%s/%s", path, entry->d_name) < 0)
			continue;
		if (!lstat(below, &st) && S_ISDIR(st.st_mode))
			rc = add_tree(watch, below);
		free(below);
	}
	if (list)
		closedir(list);
	return rc == -ENOENT || rc == -ENOTDIR ? 0 : rc;
}

struct rps_watch *rps_watch_create(const struct rps_text_list *directories, const char *program)
{
	struct rps_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	watch->program = strdup(program);
	if (watch->fd < 0 || !watch->program) {
		rps_message_complain("changes of files can't be noticed: %s", strerror(errno));
		rps_watch_destroy(watch);
		return NULL;
	}
	for (size_t i = 0; i < directories->n; i++) {
		char *path = realpath(directories->items[i], NULL);
		int rc = path ? add_tree(watch, path) : -errno;

		if (rc)
			rps_message_complain("changes below %s can't all be noticed: %s%s",
					     directories->items[i], strerror(-rc),
					     rc == -ENOSPC ? " (fs.inotify.max_user_watches)" : "");
		free(path);
	}
	return watch;
}

static void forget_files(struct rps_watch *watch)
{
	struct file *file, *next;

	LL_FOREACH_SAFE (watch->files, file, next) {
		free(file->path);
		free(file);
	}
	watch->files = NULL;
}

void rps_watch_destroy(struct rps_watch *watch)
{
	struct directory *directory, *next;

	if (!watch)
		return;
	forget_files(watch);
	LL_FOREACH_SAFE (watch->directories, directory, next) {
		free(directory->path);
		free(directory);
	}
	if (watch->fd >= 0)
		close(watch->fd);
	free(watch->program);
	free(watch);
}

int rps_watch_fd(const struct rps_watch *watch)
{
	return watch->fd;
}

/* ---- The application's files ------------------------------------------------------------------ */

static struct file *find_file(const struct rps_watch *watch, const char *path)
{
	struct file *file;

	LL_FOREACH (watch->files, file)
		if (!strcmp(file->path, path))
			return file;
	return NULL;
}

static void add_file(struct rps_watch *watch, const char *path)
{
	struct rps_app_elf elf;
	struct file *file;
	char error[512], *slash;

	if (find_file(watch, path))
		return;
	file = calloc(1, sizeof(*file));
	if (!file)
		return;
	file->path = strdup(path);
	if (!file->path || stat(path, &file->st) || !S_ISREG(file->st.st_mode) ||
	    rps_app_elf_read(path, &elf, error, sizeof(error))) {
		free(file->path);
		free(file);
		return;
	}
	file->kind = elf.kind;
	LL_PREPEND(watch->files, file);
	slash = strrchr(file->path, '/');
	*slash = 0;
	add_directory(watch, slash == file->path ? "/" : file->path, 0);
	*slash = '/';
}

/* The system's own objects change with its packages, not with a build. */
static int is_of_the_system(const char *path)
{
	return !strncmp(path, "/usr/", 5) || !strncmp(path, "/lib", 4) || !strncmp(path, "/etc/", 5);
}

void rps_watch_set_app(struct rps_watch *watch, pid_t pid)
{
	char path[64], line[PATH_MAX + 256];
	FILE *maps;

	forget_files(watch);
	add_file(watch, watch->program);
	if (!pid)
		return;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	while (maps && fgets(line, sizeof(line), maps)) {
		char *name = strchr(line, '/');

		line[strcspn(line, "\n")] = 0;
		if (name && strstr(line, " r-xp ") && !is_of_the_system(name))
			add_file(watch, name);
	}
	if (maps)
		fclose(maps);
}

static int is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Is it another now, and a whole file of its kind? */
static int has_changed(const struct file *file)
{
	struct rps_app_elf elf;
	char error[512];
	struct stat st;

	return !stat(file->path, &st) && !is_same(&st, &file->st) &&
	       !rps_app_elf_read(file->path, &elf, error, sizeof(error)) && elf.kind == file->kind &&
	       elf.is_whole;
}

int rps_watch_is_waiting(const struct rps_watch *watch)
{
	const struct file *file;

	LL_FOREACH (watch->files, file)
		if (file->touched_ms)
			return 1;
	return 0;
}

const char *rps_watch_take_app_change(struct rps_watch *watch)
{
	const char *changed = NULL;
	uint64_t now = rps_clock_now_ms();
	struct file *file;

	LL_FOREACH (watch->files, file)
		if (file->touched_ms && now - file->touched_ms < REST_MS)
			return NULL;
	LL_FOREACH (watch->files, file) {
		if (!file->touched_ms)
			continue;
		file->touched_ms = 0;
		if (!has_changed(file))
			continue;
		snprintf(watch->changed, sizeof(watch->changed), "%s", file->path);
		changed = watch->changed;
	}
	return changed;
}

int rps_watch_app_has_changed(const struct rps_watch *watch)
{
	const struct file *file;

	LL_FOREACH (watch->files, file)
		if (has_changed(file))
			return 1;
	return 0;
}

/* ---- Sources --------------------------------------------------------------------------------------- */

static int has_ending(const char *name, const char *const *endings, size_t n)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < n; i++)
		if (!strcmp(dot, endings[i]))
			return 1;
	return 0;
}

static int is_surely_source(const char *name)
{
	static const char *const endings[] = {".c",  ".h",   ".cc",    ".cpp",   ".cxx", ".C",
					      ".hh", ".hpp", ".hxx",   ".ipp",   ".inl", ".S",
					      ".y",  ".l",   ".proto", ".cmake", ".mk",  ".am"};

	return has_ending(name, endings, sizeof(endings) / sizeof(endings[0])) || !strcmp(name, "Makefile") ||
	       !strcmp(name, "CMakeLists.txt") || !strcmp(name, "meson.build");
}

/* What builds and editors leave. */
static int is_no_source(const char *name)
{
	static const char *const endings[] = {".o",     ".so",         ".a",         ".d",   ".lo",   ".la",
					      ".gch",   ".tmp",        ".swp",       ".swx", ".orig", ".log",
					      ".ninja", ".ninja_deps", ".ninja_log", ".prof"};
	size_t size = strlen(name);

	return *name == '.' || name[size - 1] == '~' || !strcmp(name, "4913") ||
	       has_ending(name, endings, sizeof(endings) / sizeof(endings[0]));
}

static int is_elf(const char *path)
{
	char magic[4] = "";
	FILE *file = fopen(path, "re");
	size_t n = file ? fread(magic, 1, sizeof(magic), file) : 0;

	if (file)
		fclose(file);
	return n == sizeof(magic) && !memcmp(magic, "\177ELF", 4);
}

static int look_at_event(struct rps_watch *watch, const struct inotify_event *event, int is_building)
{
	struct directory *directory = find_directory(watch, event->wd);
	struct file *file;
	int changed = 0;
	char path[PATH_MAX + NAME_MAX + 2];

	if (event->mask & IN_IGNORED && directory) {
		LL_DELETE(watch->directories, directory);
		watch->n_directories--;
		free(directory->path);
		free(directory);
		return 0;
	}
	if (!directory || !event->len)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", strcmp(directory->path, "/") ? directory->path : "",
		 event->name);
	file = find_file(watch, path);
	if (file && (event->mask & EVENTS)) {
		file->touched_ms = rps_clock_now_ms();
		changed |= RPS_WATCH_APP;
	}
	if (!directory->has_sources)
		return changed;
	if (event->mask & IN_ISDIR) {
		if ((event->mask & (IN_CREATE | IN_MOVED_TO)) && *event->name != '.')
			add_tree(watch, path);
	} else if (!(event->mask & IN_CREATE) && !file && !is_no_source(event->name) &&
		   (is_surely_source(event->name) || (!is_building && !is_elf(path)))) {
		changed |= RPS_WATCH_SOURCES;
	}
	return changed;
}

int rps_watch_read(struct rps_watch *watch, int is_building)
{
	char buffer[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	int changed = 0;
	ssize_t n;

	while ((n = read(watch->fd, buffer, sizeof(buffer))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event =
			    (const struct inotify_event *)(const void *)(buffer + at);

			/* Too many at once: everything may have changed. */
			if (event->mask & IN_Q_OVERFLOW) {
				struct file *file;

				LL_FOREACH (watch->files, file)
					file->touched_ms = rps_clock_now_ms();
				changed |= RPS_WATCH_APP | (is_building ? 0 : RPS_WATCH_SOURCES);
			} else {
				changed |= look_at_event(watch, event, is_building);
			}
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
	return changed;
}
