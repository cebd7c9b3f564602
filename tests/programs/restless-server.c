/* SPDX-License-Identifier: MIT */
/* A server of its own kind, one request at a time, N calls of leaf() each (the number behind the last '='), that makes it hard to
 * say when it has finished with one: `restless-server MODE PORT`
 *
 *   spin      a thread that never stops computing
 *   tick      a thread that wakes up a hundred times a second, and calls ticked()
 *   blocked   answers, and goes on after a pause of half a second: 3 calls of late_leaf()
 *   threads   three threads do the work; one of them is not waited for
 *   exec      a program of its own for each request
 *   timer     a timer's signal every 10 ms, whose handler calls ticked()
 *   stream    an answer that never ends, to /stream
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

static volatile unsigned long sink;
static const char *mode;

static NOINLINE void leaf(void)
{
	sink++;
}

static NOINLINE void late_leaf(void)
{
	sink++;
}

static NOINLINE void ticked(void)
{
	sink++;
}

static NOINLINE void work(unsigned long count)
{
	for (unsigned long i = 0; i < count; i++)
		leaf();
}

static void *work_in_thread(void *count)
{
	work((unsigned long)count);
	return NULL;
}

static void *tick_for_ever(void *arg)
{
	for (;;) {
		usleep(10000);
		ticked();
	}
	return arg;
}

static void *spin_for_ever(void *arg)
{
	for (;;)
		sink++;
	return arg;
}

static void on_alarm(int number)
{
	(void)number;
	ticked();
}

static NOINLINE void go_on_later(void)
{
	usleep(500000);
	for (int i = 0; i < 3; i++)
		late_leaf();
}

/* A third of the work each; the last thread may end after the answer. */
static void work_in_threads(unsigned long count)
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, work_in_thread, (void *)(count / 3));
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	pthread_detach(threads[2]);
}

static void work_in_program(unsigned long count)
{
	char number[32];
	pid_t pid;

	snprintf(number, sizeof(number), "%lu", count);
	pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", "restless-server", "program", number, (char *)NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
}

static void send_all(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		perror("write");
}

static void stream(int fd)
{
	send_all(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	while (write(fd, "tick\n", 5) == 5) {
		ticked();
		usleep(100000);
	}
}

static void answer(int fd)
{
	char head[4096];
	ssize_t size = 0, n;
	const char *number;
	unsigned long count;

	do {
		n = read(fd, head + size, sizeof(head) - 1 - (size_t)size);
		size += n > 0 ? n : 0;
		head[size] = '\0';
	} while (n > 0 && strstr(head, "\r\n\r\n") == NULL);
	if (size == 0)
		return;
	number = strstr(head, "n=");
	count = number != NULL ? strtoul(number + 2, NULL, 10) : 0;
	if (strncmp(head, "GET /stream", 11) == 0) {
		stream(fd);
		return;
	}
	if (strcmp(mode, "threads") == 0)
		work_in_threads(count);
	else if (strcmp(mode, "exec") == 0)
		work_in_program(count);
	else
		work(count);
	send_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n");
	if (strcmp(mode, "blocked") == 0)
		go_on_later();
}

static void *answer_in_thread(void *arg)
{
	answer((int)(long)arg);
	close((int)(long)arg);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argc > 2 ? argv[2] : "8080"))};
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	struct itimerval every = {{0, 10000}, {0, 10000}};
	int listen_fd, one = 1;
	pthread_t thread;

	mode = argc > 1 ? argv[1] : "";
	if (strcmp(mode, "program") == 0) {
		work(strtoul(argv[2], NULL, 10));
		return 0;
	}
	listen_fd = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listen_fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listen_fd, 64) != 0) {
		perror("restless-server");
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(mode, "spin") == 0)
		pthread_create(&thread, NULL, spin_for_ever, NULL);
	if (strcmp(mode, "tick") == 0)
		pthread_create(&thread, NULL, tick_for_ever, NULL);
	if (strcmp(mode, "timer") == 0) {
		sigaction(SIGALRM, &action, NULL);
		setitimer(ITIMER_REAL, &every, NULL);
	}
	for (;;) {
		int fd = accept(listen_fd, NULL, NULL);

		if (fd < 0)
			continue;
		if (strcmp(mode, "stream") == 0) {
			pthread_create(&thread, NULL, answer_in_thread, (void *)(long)fd);
			pthread_detach(thread);
		} else {
			answer_in_thread((void *)(long)fd);
		}
	}
}
