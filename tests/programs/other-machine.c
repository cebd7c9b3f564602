/* SPDX-License-Identifier: MIT */
/* A little of everything whose counts depend on the machine: calls, threads, a forked child, signal handlers, jumps. The
 * counts are known. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define N_THREADS 4

static volatile int sink;
static jmp_buf env;

static NOINLINE int fib(int n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static NOINLINE void *in_thread(void *arg)
{
	sink = fib(15);
	return arg;
}

static NOINLINE void threads(void)
{
	pthread_t ids[N_THREADS];

	for (int i = 0; i < N_THREADS; i++)
		pthread_create(&ids[i], NULL, in_thread, NULL);
	for (int i = 0; i < N_THREADS; i++)
		pthread_join(ids[i], NULL);
}

static NOINLINE void leaf(void)
{
	sink++;
}

static void handle(int number)
{
	leaf();
}

static NOINLINE void signals(void)
{
	signal(SIGUSR1, handle);
	for (int i = 0; i < 100; i++)
		raise(SIGUSR1);
}

static NOINLINE void jump(int depth)
{
	if (depth == 0)
		longjmp(env, 1);
	jump(depth - 1);
	leaf(); /* never */
}

static NOINLINE void jumps(void)
{
	for (volatile int i = 0; i < 10; i++)
		if (setjmp(env) == 0)
			jump(4);
}

static NOINLINE void in_child(void)
{
	sink = fib(10);
	_exit(0);
}

int main(void)
{
	sink = fib(20);
	threads();
	signals();
	jumps();
	if (fork() == 0)
		in_child();
	wait(NULL);
	return 0;
}
