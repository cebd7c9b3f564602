/* SPDX-License-Identifier: MIT */
/* Waits WAIT_MS milliseconds in each of many ways, each in a function of its own, so that the profile must show that long at the library
 * function that waited; by_read after 50,000 calls that did not wait.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 30
#define N_AT_ONCE 50000 /* a pipe has room for 65,536 bytes */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, taken = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int pipe_ends[2];
static volatile int is_waiting;

static struct timespec in_a_while(clockid_t clock)
{
	struct timespec at;

	clock_gettime(clock, &at);
	at.tv_nsec += WAIT_MS * 1000000L;
	at.tv_sec += at.tv_nsec / 1000000000L;
	at.tv_nsec %= 1000000000L;
	return at;
}

static void by_nanosleep(void)
{
	const struct timespec while_ = {0, WAIT_MS * 1000000L};

	nanosleep(&while_, NULL);
}

static void by_usleep(void)
{
	usleep(WAIT_MS * 1000);
}

static void by_poll(void)
{
	struct pollfd end = {pipe_ends[0], POLLIN, 0};

	poll(&end, 1, WAIT_MS);
}

static void by_select(void)
{
	struct timeval while_ = {0, WAIT_MS * 1000};

	select(0, NULL, NULL, NULL, &while_);
}

static void by_epoll(void)
{
	struct epoll_event event;
	int fd = epoll_create1(0);

	epoll_wait(fd, &event, 1, WAIT_MS);
	close(fd);
}

static void by_condition(void)
{
	struct timespec until = in_a_while(CLOCK_REALTIME);

	pthread_mutex_lock(&mutex);
	while (pthread_cond_timedwait(&condition, &mutex, &until) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&mutex);
}

static void by_semaphore(void)
{
	struct timespec until = in_a_while(CLOCK_REALTIME);
	sem_t semaphore;

	sem_init(&semaphore, 0, 0);
	while (sem_timedwait(&semaphore, &until) != 0 && errno == EINTR)
		;
}

/* A child that ends after a while. */
static pid_t make_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		usleep(WAIT_MS * 1000);
		_exit(0);
	}
	return pid;
}

static void by_waitpid(void)
{
	waitpid(make_child(), NULL, 0);
}

/* Waits until the other is about to wait itself, and a while more. */
static void let_wait(void)
{
	while (!is_waiting)
		usleep(100);
	usleep(2 * WAIT_MS * 1000);
}

static void *write_later(void *unused)
{
	let_wait();
	return write(pipe_ends[1], "x", 1) == 1 ? unused : NULL;
}

static void by_read(void)
{
	pthread_t writer;
	char text;

	for (int i = 0; i < N_AT_ONCE; i++)
		if (write(pipe_ends[1], "x", 1) != 1)
			exit(1);
	is_waiting = 0;
	pthread_create(&writer, NULL, write_later, NULL);
	for (int i = 0; i <= N_AT_ONCE; i++) {
		is_waiting = i == N_AT_ONCE;
		if (read(pipe_ends[0], &text, 1) != 1)
			exit(1);
	}
	pthread_join(writer, NULL);
}

static void *hold(void *has_it)
{
	pthread_mutex_lock(&taken);
	*(volatile int *)has_it = 1;
	let_wait();
	pthread_mutex_unlock(&taken);
	return NULL;
}

static void by_lock(void)
{
	volatile int has_it = 0;
	pthread_t holder;

	is_waiting = 0;
	pthread_create(&holder, NULL, hold, (void *)&has_it);
	while (!has_it)
		usleep(100);
	is_waiting = 1;
	pthread_mutex_lock(&taken);
	pthread_mutex_unlock(&taken);
	pthread_join(holder, NULL);
}

static void *nap(void *unused)
{
	usleep(WAIT_MS * 1000);
	return unused;
}

static void by_join(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, nap, NULL);
	pthread_join(thread, NULL);
}

int main(void)
{
	if (pipe(pipe_ends) != 0)
		return 1;
	by_nanosleep();
	by_usleep();
	by_poll();
	by_select();
	by_epoll();
	by_condition();
	by_semaphore();
	by_waitpid();
	by_read();
	by_lock();
	by_join();
	return 0;
}
