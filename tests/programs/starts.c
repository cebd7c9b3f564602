/* SPDX-License-Identifier: MIT */
/* Every way to start a program: `starts WAY`. The child is this program again and makes 3 calls of leaf(); where the way takes an
 * environment, it gets one variable only. Says "seen" if the runtime's variables can be seen, in the parent or in the child. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int sink;
static char self[4096], command[5000];
static char *const argv_child[] = {(char *)"starts", (char *)"child", NULL};
static char *const environment[] = {(char *)"ONLY=one", NULL};

static __attribute__((noinline)) void leaf(void)
{
	sink++;
}

static void look(void)
{
	extern char **environ;
	const char *preload = getenv("LD_PRELOAD");

	if (getenv("RUNPROFILE_ATTACH") != NULL || (preload != NULL && strstr(preload, "librunprofile") != NULL))
		puts("seen");
	for (char **variable = environ; variable != NULL && *variable != NULL; variable++)
		if (strstr(*variable, "unprofile.so") != NULL)
			puts("seen");
	if (preload != NULL && strstr(preload, "libc.so.6") != NULL)
		puts("own preload kept");
}

static void by_execve(void)
{
	execve(self, argv_child, environment);
}

static void by_execv(void)
{
	execv(self, argv_child);
}

static void by_execvp(void)
{
	execvp(self, argv_child);
}

static void by_execvpe(void)
{
	execvpe(self, argv_child, environment);
}

static void by_execl(void)
{
	execl(self, "starts", "child", (char *)NULL);
}

static void by_execlp(void)
{
	execlp(self, "starts", "child", (char *)NULL);
}

static void by_execle(void)
{
	execle(self, "starts", "child", (char *)NULL, environment);
}

static void by_fexecve(void)
{
	fexecve(open(self, O_RDONLY | O_CLOEXEC), argv_child, environment);
}

static void by_execveat(void)
{
	execveat(AT_FDCWD, self, argv_child, environment, 0);
}

static void spawn(int (*how)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
			     char *const[], char *const[]))
{
	pid_t pid;
	int status = 1;

	if (how(&pid, self, NULL, NULL, argv_child, environment) == 0)
		waitpid(pid, &status, 0);
	_exit(status != 0);
}

static void by_posix_spawn(void)
{
	spawn(posix_spawn);
}

static void by_posix_spawnp(void)
{
	spawn(posix_spawnp);
}

static void by_system(void)
{
	_exit(system(command) != 0);
}

static void by_popen(void)
{
	FILE *pipe = popen(command, "r");
	char line[64];

	while (pipe != NULL && fgets(line, sizeof(line), pipe) != NULL)
		fputs(line, stdout);
	fflush(stdout);
	_exit(pipe == NULL || pclose(pipe) != 0);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*start)(void);
	} ways[] = {{"execve", by_execve},	       {"execv", by_execv},
		    {"execvp", by_execvp},	       {"execvpe", by_execvpe},
		    {"execl", by_execl},	       {"execlp", by_execlp},
		    {"execle", by_execle},	       {"fexecve", by_fexecve},
		    {"execveat", by_execveat},	       {"posix_spawn", by_posix_spawn},
		    {"posix_spawnp", by_posix_spawnp}, {"system", by_system},
		    {"popen", by_popen}};
	const char *way = argc > 1 ? argv[1] : "";
	int is_vfork = argc > 2;

	look();
	fflush(stdout);
	if (strcmp(way, "child") == 0) {
		for (int i = 0; i < 3; i++)
			leaf();
		return 0;
	}
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 2;
	snprintf(command, sizeof(command), "ONLY=one '%s' child", self);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		pid_t pid;
		int status = 1;

		if (strcmp(way, ways[i].name) != 0)
			continue;
		pid = is_vfork ? vfork() : fork();
		if (pid == 0) {
			ways[i].start();
			_exit(1);
		}
		waitpid(pid, &status, 0);
		return status != 0;
	}
	return 2;
}
