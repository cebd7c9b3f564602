/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See paths.h. RPS_BINDIR, RPS_LIBDIR
 * and RPS_PKGLIBEXECDIR come from the Makefile. */
#include "collect/paths.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The directory this program lies in. 0 or -errno. */
static int own_directory(char *directory, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", directory, size - 1);
	char *slash;

	if (n <= 0)
		return -errno;
	directory[n] = 0;
	slash = strrchr(directory, '/');
	if (!slash)
		return -ENOENT;
	*slash = 0;
	return 0;
}

/* `installed` (a directory configure chose) as it would be called if the whole
 * installation had been moved so that RPS_BINDIR became `bin`: the part that both
 * share is replaced. */
static void move_along(const char *installed, const char *bin, char *moved, size_t size)
{
	const char *configured = RPS_BINDIR;
	size_t common = 0, bin_size = strlen(bin), tail;

	for (size_t i = 0; configured[i] == installed[i]; i++) {
		if (!configured[i])
			break;
		if (configured[i] == '/')
			common = i;
	}
	tail = strlen(configured + common);
	if (bin_size < tail || strcmp(bin + bin_size - tail, configured + common))
		snprintf(moved, size, "%s", installed);
	else
		snprintf(moved, size, "%.*s%s", (int)(bin_size - tail), bin, installed + common);
}

static char *find(const char *variable, const char *name, const char *const *beside, size_t n_beside,
		  const char *installed, const char *what, char *error, size_t error_size)
{
	char directory[PATH_MAX], moved[PATH_MAX], path[2 * PATH_MAX];
	const char *named = secure_getenv(variable);

	if (named && *named) {
		char *absolute = realpath(named, NULL);

		if (!absolute)
			snprintf(error, error_size, "cannot find %s, which the variable %s names", named,
				 variable);
		return absolute;
	}
	if (own_directory(directory, sizeof(directory))) {
		snprintf(error, error_size, "cannot read /proc/self/exe: is /proc mounted?");
		return NULL;
	}
	for (size_t i = 0; i < n_beside; i++) {
		snprintf(path, sizeof(path), "%s%s/%s", directory, beside[i], name);
		if (!access(path, R_OK))
			return realpath(path, NULL);
	}
	move_along(installed, directory, moved, sizeof(moved));
	snprintf(path, sizeof(path), "%s/%s", moved, name);
	if (!access(path, R_OK))
		return realpath(path, NULL);
	snprintf(error, error_size,
		 "cannot find %s (%s; neither beside this program nor in %s; %s=PATH names it)", name, what,
		 moved, variable);
	return NULL;
}

char *rps_path_runtime(char *error, size_t error_size)
{
	static const char *const beside[] = {"/.libs", "/runtime/.libs"};

	return find("RUNPROFILE_RUNTIME", "librunprofile.so", beside, 2, RPS_LIBDIR, "the runtime", error,
		    error_size);
}

char *rps_path_module_host(char *error, size_t error_size)
{
	static const char *const beside[] = {"", "/server"};

	return find("RUNPROFILE_MODULE_HOST", "runprofile-module-host", beside, 2, RPS_PKGLIBEXECDIR,
		    "it runs modules", error, error_size);
}

static int is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

char *rps_path_program(const char *name, char *error, size_t error_size)
{
	const char *directories = getenv("PATH");
	char path[PATH_MAX];
	struct stat st;

	if (strchr(name, '/')) {
		if (!stat(name, &st))
			return strdup(name);
		snprintf(error, error_size, "cannot find %s: %s", name, strerror(errno));
		return NULL;
	}
	while (directories && *directories) {
		size_t size = strcspn(directories, ":");

		/* An empty entry means the working directory; nobody wants that by accident. */
		if (size &&
		    (size_t)snprintf(path, sizeof(path), "%.*s/%s", (int)size, directories, name) <
			sizeof(path) &&
		    is_program(path))
			return strdup(path);
		directories += size + (directories[size] == ':');
	}
	if (!stat(name, &st))
		snprintf(error, error_size, "%s is not in PATH (to run the one in this directory: ./%s)",
			 name, name);
	else
		snprintf(error, error_size,
			 "cannot find %s: there is no such file, and no such program in PATH", name);
	return NULL;
}
