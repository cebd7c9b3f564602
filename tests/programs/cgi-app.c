/* SPDX-License-Identifier: MIT */
/* A CGI program. Its query's n= says how often it calls leaf(), and /fork lets a child of its own do so as often again. It
 * answers with its arguments, working directory, variables, and the body it reads.
 *
 *     /echo      the body alone        /crash     SIGSEGV             /hang     for ever
 *     /status    a Status line         /redirect  a Location line     /garbage  no head
 *     /stderr    complains             /late      works after its output has ended
 *     /endless   output without end    /deaf      reads nothing of the body
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static volatile unsigned long sink;

static __attribute__((noinline)) void leaf(unsigned long i)
{
	sink += i;
}

static void work(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		leaf(i);
}

static void work_in_child(unsigned long n)
{
	pid_t pid = fork();

	if (pid == 0) {
		work(n);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void copy_body(void)
{
	char buffer[65536];
	size_t n;

	while ((n = fread(buffer, 1, sizeof(buffer), stdin)) > 0)
		fwrite(buffer, 1, n, stdout);
}

int main(int argc, char **argv)
{
	const char *path = getenv("PATH_INFO"), *query = getenv("QUERY_STRING"), *n = strstr(query, "n=");
	unsigned long count = n != NULL ? strtoul(n + 2, NULL, 10) : 0;
	char directory[4096];

	work(count);
	if (strcmp(path, "/fork") == 0)
		work_in_child(count);
	if (strcmp(path, "/crash") == 0)
		raise(SIGSEGV);
	if (strcmp(path, "/hang") == 0)
		for (;;)
			pause();
	if (strcmp(path, "/stderr") == 0)
		fprintf(stderr, "a complaint\nin two lines\n");
	if (strcmp(path, "/garbage") == 0) {
		printf("no head\n\n");
		return 0;
	}
	if (strcmp(path, "/status") == 0)
		printf("Status: 404 Gone Astray\r\n");
	if (strcmp(path, "/redirect") == 0) {
		printf("Location: http://example.org/\r\n\r\n");
		return 0;
	}
	printf("Content-Type: text/plain\nX-One: 1\n\n");
	if (strcmp(path, "/endless") == 0)
		while (puts("and on") >= 0)
			;
	if (strcmp(path, "/late") == 0) {
		fclose(stdout);
		usleep(300000);
		work(7);
		return 0;
	}
	if (strcmp(path, "/deaf") == 0)
		return 0;
	if (strcmp(path, "/echo") != 0) {
		for (int i = 0; i < argc; i++)
			printf("argument %d: %s\n", i, argv[i]);
		printf("directory: %s\n", getcwd(directory, sizeof(directory)));
		for (char **variable = environ; *variable != NULL; variable++)
			printf("%s\n", *variable);
	}
	copy_body();
	return 0;
}
