/* SPDX-License-Identifier: MIT */
/* See environment.h. The exec family, posix_spawn, system and popen under their own names, in the shared runtime: they
 * add RUNPROFILE_ATTACH and LD_PRELOAD to the environment the application passes on, unless it has set the former itself.
 *
 * Async-signal-safe and good for a child of vfork, as the exec family must be: the longer environment lies on the caller's stack,
 * everything else was made in the constructor. The real functions are found there, too; before that (another library's
 * constructor starts a program) the calls pass through as they are.
 */
#include "runtime/environment.h"

#include <dlfcn.h>
#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ATTACH_MAX 256u
#define PRELOAD_MAX 4096u
#define PRELOAD "LD_PRELOAD="
#define ATTACH RPS_ATTACH_VARIABLE "="

extern char **environ;

static char attach_variable[ATTACH_MAX];   /* "RUNPROFILE_ATTACH=..."; empty: nothing to add */
static char preload_variable[PRELOAD_MAX]; /* "LD_PRELOAD=" and the runtime's path; empty: it was linked */

static int is_variable(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void remove_at(char **at)
{
	for (; at[0] != NULL; at++)
		at[0] = at[1];
}

static int is_ours(const char *path, size_t size)
{
	return size > 3 && strncmp(path + size - 3, ".so", 3) == 0 && memmem(path, size, "librunprofile", 13) != NULL;
}

/* Keeps the first paths of the list, which are the runtime's, and leaves the application the others. */
static void split_preload(char **at)
{
	char *list = *at + strlen(PRELOAD);
	size_t n_ours = 0, size = strcspn(list, ": ");

	/* The runtime itself, and what counts allocations. */
	for (int i = 0; i < 2 && is_ours(list + n_ours + (n_ours > 0), size); i++) {
		n_ours += (n_ours > 0) + size;
		size = list[n_ours] != '\0' ? strcspn(list + n_ours + 1, ": ") : 0;
	}
	if (n_ours == 0 || strlen(PRELOAD) + n_ours >= PRELOAD_MAX)
		return;
	memcpy(preload_variable, *at, strlen(PRELOAD) + n_ours);
	if (list[n_ours] == '\0')
		remove_at(at);
	else
		memmove(list, list + n_ours + 1, strlen(list + n_ours + 1) + 1);
}

void rps_environment_hide(void)
{
	for (char **at = environ; at != NULL && *at != NULL;) {
		char *here = *at;

		if (is_variable(here, ATTACH) && strlen(here) < ATTACH_MAX) {
			strcpy(attach_variable, here);
			remove_at(at);
		} else if (is_variable(here, PRELOAD)) {
			split_preload(at);
		}
		at += *at == here;
	}
}

/* ---- A longer environment ---------------------------------------------------------------- */

/* Bytes of room that `complete` needs; 0: there is nothing to add. */
static size_t room_for(char *const *envp)
{
	size_t n = 0, n_preload = 0;

	if (attach_variable[0] == '\0' || envp == NULL)
		return 0;
	for (; envp[n] != NULL; n++) {
		if (is_variable(envp[n], ATTACH))
			return 0;
		if (is_variable(envp[n], PRELOAD))
			n_preload = strlen(envp[n]) + 1;
	}
	return (n + 3) * sizeof(char *) + strlen(preload_variable) + n_preload + 1;
}

static char *const *complete(char *const *envp, size_t size, char **room)
{
	size_t n = 0;
	char *text;

	if (size == 0)
		return envp;
	while (envp[n] != NULL)
		n++;
	text = (char *)(room + n + 3);
	n = 0;
	strcpy(text, preload_variable);
	for (; *envp != NULL; envp++) {
		if (preload_variable[0] == '\0' || !is_variable(*envp, PRELOAD)) {
			room[n++] = *envp;
		} else if ((*envp)[strlen(PRELOAD)] != '\0') {
			strcat(text, ":");
			strcat(text, *envp + strlen(PRELOAD));
		}
	}
	if (preload_variable[0] != '\0')
		room[n++] = text;
	room[n++] = attach_variable;
	room[n] = NULL;
	return room;
}

/* Declares `completed`, which lies on this function's stack. */
#define COMPLETE(envp)                                                                                                    \
	size_t room_size = room_for(envp);                                                                                \
	char *const *completed = complete(envp, room_size, __builtin_alloca(room_size))

/* ---- The exec family ------------------------------------------------------------------------ */

static struct {
	int (*execve)(const char *path, char *const argv[], char *const envp[]);
	int (*execvpe)(const char *file, char *const argv[], char *const envp[]);
	int (*fexecve)(int fd, char *const argv[], char *const envp[]);
	int (*execveat)(int fd, const char *path, char *const argv[], char *const envp[], int flags);
	int (*posix_spawn)(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
			   const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]);
	int (*posix_spawnp)(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
			    const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]);
	int (*system)(const char *command);
	FILE *(*popen)(const char *command, const char *mode);
} real;

/* Also called by a function that comes before this constructor. */
static __attribute__((constructor(101))) void find_real_functions(void)
{
	if (real.execve != NULL)
		return;
#define FIND(name) *(void **)&real.name = dlsym(RTLD_NEXT, #name)
	FIND(execvpe);
	FIND(fexecve);
	FIND(execveat);
	FIND(posix_spawn);
	FIND(posix_spawnp);
	FIND(system);
	FIND(popen);
	FIND(execve);
#undef FIND
}

RPS_EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	COMPLETE(envp);

	find_real_functions();
	return real.execve(path, argv, completed);
}

RPS_EXPORT int execv(const char *path, char *const argv[])
{
	COMPLETE(environ);

	find_real_functions();
	return real.execve(path, argv, completed);
}

RPS_EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	COMPLETE(envp);

	find_real_functions();
	return real.execvpe(file, argv, completed);
}

RPS_EXPORT int execvp(const char *file, char *const argv[])
{
	COMPLETE(environ);

	find_real_functions();
	return real.execvpe(file, argv, completed);
}

RPS_EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	COMPLETE(envp);

	find_real_functions();
	return real.fexecve(fd, argv, completed);
}

RPS_EXPORT int execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags)
{
	COMPLETE(envp);

	find_real_functions();
	if (real.execveat == NULL) { /* glibc before 2.34 */
		errno = ENOSYS;
		return -1;
	}
	return real.execveat(fd, path, argv, completed, flags);
}

/* Arguments up to the NULL, `first` included. */
static size_t count_arguments(const char *first, va_list ap)
{
	size_t n = 0;

	for (const char *argument = first; argument != NULL; argument = va_arg(ap, const char *))
		n++;
	return n;
}

static void take_arguments(const char *first, va_list ap, size_t n, char **argv)
{
	argv[0] = (char *)(uintptr_t)first;
	for (size_t i = 1; i <= n; i++)
		argv[i] = va_arg(ap, char *);
}

#define ARGUMENTS(first)                                                                                                  \
	va_list ap;                                                                                                       \
	size_t n_arguments;                                                                                               \
	va_start(ap, first);                                                                                              \
	n_arguments = count_arguments(first, ap);                                                                         \
	va_end(ap);                                                                                                       \
	char **argv = __builtin_alloca((n_arguments + 1) * sizeof(*argv));                                                          \
	va_start(ap, first);                                                                                              \
	take_arguments(first, ap, n_arguments, argv)

RPS_EXPORT int execl(const char *path, const char *first, ...)
{
	ARGUMENTS(first);

	va_end(ap);
	return execv(path, argv);
}

RPS_EXPORT int execlp(const char *file, const char *first, ...)
{
	ARGUMENTS(first);

	va_end(ap);
	return execvp(file, argv);
}

RPS_EXPORT int execle(const char *path, const char *first, ...)
{
	char *const *envp;
	ARGUMENTS(first);

	envp = va_arg(ap, char *const *);
	va_end(ap);
	return execve(path, argv, envp);
}

RPS_EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
			   const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	COMPLETE(envp);

	find_real_functions();
	return real.posix_spawn(pid, path, actions, attributes, argv, completed);
}

RPS_EXPORT int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
			    const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	COMPLETE(envp);

	find_real_functions();
	return real.posix_spawnp(pid, file, actions, attributes, argv, completed);
}

/* ---- By a shell --------------------------------------------------------------------------------- */

/* The libc starts the shell by a function of its own, with the environment as it is; so the shell sets the variables. */
static size_t command_size(const char *command)
{
	if (attach_variable[0] == '\0' || command == NULL || strchr(preload_variable, '\'') != NULL)
		return 0;
	return strlen(command) + ATTACH_MAX + PRELOAD_MAX + 64;
}

static const char *complete_command(const char *command, size_t size, char *room)
{
	if (size == 0)
		return command;
	snprintf(room, size, "export %s", attach_variable);
	if (preload_variable[0] != '\0')
		snprintf(room + strlen(room), size - strlen(room), " " PRELOAD "'%s'\"${LD_PRELOAD:+:$LD_PRELOAD}\"",
			 preload_variable + strlen(PRELOAD));
	snprintf(room + strlen(room), size - strlen(room), "\n%s", command);
	return room;
}

RPS_EXPORT int system(const char *command)
{
	size_t size = command_size(command);
	char *room = __builtin_alloca(size + 1);

	find_real_functions();
	return real.system(complete_command(command, size, room));
}

RPS_EXPORT FILE *popen(const char *command, const char *mode)
{
	size_t size = command_size(command);
	char *room = __builtin_alloca(size + 1);

	find_real_functions();
	return real.popen(complete_command(command, size, room), mode);
}
