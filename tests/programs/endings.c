/* SPDX-License-Identifier: MIT */
/* Every way a process can end, each within three instrumented calls: endings return|exit|_exit|abort|kill|thread|exec|fork|daemon */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int sink;

static __attribute__((noinline)) void leaf(void)
{
	sink++;
}

static __attribute__((noinline)) void *thread(void *arg)
{
	leaf();
	pthread_exit(arg);
}

static __attribute__((noinline)) void child(void)
{
	leaf();
	leaf();
	_exit(0);
}

static __attribute__((noinline)) void daemon_child(void)
{
	setsid();
	usleep(200000);
	leaf();
	leaf();
	leaf();
	_exit(0);
}

static __attribute__((noinline)) void third(const char *how)
{
	pthread_t id;

	leaf();
	if (strcmp(how, "exit") == 0)
		exit(3);
	if (strcmp(how, "_exit") == 0)
		_exit(4);
	if (strcmp(how, "abort") == 0)
		abort();
	if (strcmp(how, "kill") == 0)
		raise(SIGKILL);
	if (strcmp(how, "exec") == 0)
		execl("/proc/self/exe", "endings", "return", NULL);
	if (strcmp(how, "thread") == 0) {
		pthread_create(&id, NULL, thread, NULL);
		pthread_join(id, NULL);
	}
	if (strcmp(how, "fork") == 0) {
		for (int i = 0; i < 2; i++)
			if (fork() == 0)
				child();
		while (wait(NULL) > 0)
			;
	}
	if (strcmp(how, "daemon") == 0 && fork() == 0)
		daemon_child();
}

static __attribute__((noinline)) void second(const char *how)
{
	third(how);
}

static __attribute__((constructor)) void early(void)
{
	leaf();
}

static __attribute__((destructor)) void late(void)
{
	leaf();
}

int main(int argc, char **argv)
{
	second(argc > 1 ? argv[1] : "return");
	return 0;
}
