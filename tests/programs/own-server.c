/* SPDX-License-Identifier: MIT */
/* A program with an HTTP server of its own, of which the runtime knows nothing:
 * whole-application scope. Each request makes N calls of leaf() (the number behind the last '='), and after the
 * answer has been sent, 10 of afterthought().
 *
 *     own-server loop|thread|fork|prefork|pool PORT
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile unsigned long sink;

static __attribute__((noinline)) void leaf(unsigned long i)
{
	sink += i;
}

static __attribute__((noinline)) void afterthought(void)
{
	sink++;
}

static unsigned long parse(const char *head)
{
	const char *end = strchr(head, '\r'), *at = end;

	while (at != NULL && at > head && *at != '=')
		at--;
	return at != NULL ? strtoul(at + 1, NULL, 10) : 0;
}

static void answer(int fd)
{
	char head[4096], text[128];
	ssize_t size = 0, n;
	unsigned long count;

	do {
		n = read(fd, head + size, sizeof(head) - 1 - (size_t)size);
		size += n > 0 ? n : 0;
		head[size] = '\0';
	} while (n > 0 && strstr(head, "\r\n\r\n") == NULL);
	count = parse(head);
	for (unsigned long i = 0; i < count; i++)
		leaf(i);
	n = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n");
	if (size > 0 && write(fd, text, (size_t)n) != n)
		perror("write");
	if (size > 0)
		for (int i = 0; i < 10; i++)
			afterthought();
	close(fd);
}

static void *answer_in_thread(void *arg)
{
	answer((int)(long)arg);
	return NULL;
}

static void accept_for_ever(int listen_fd)
{
	for (;;) {
		int fd = accept(listen_fd, NULL, NULL);

		if (fd >= 0)
			answer(fd);
	}
}

static void *accept_in_thread(void *arg)
{
	accept_for_ever((int)(long)arg);
	return NULL;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "loop";
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argc > 2 ? argv[2] : "8080"))};
	int listen_fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	pthread_t thread;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listen_fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listen_fd, 64) != 0) {
		perror("own-server");
		return 1;
	}
	signal(SIGCHLD, SIG_IGN);
	if (strcmp(mode, "loop") == 0)
		accept_for_ever(listen_fd);
	for (int i = 0; i < 3 && strcmp(mode, "prefork") == 0; i++)
		if (fork() == 0)
			accept_for_ever(listen_fd);
	for (int i = 0; i < 3 && strcmp(mode, "pool") == 0; i++)
		pthread_create(&thread, NULL, accept_in_thread, (void *)(long)listen_fd);
	if (strcmp(mode, "prefork") == 0 || strcmp(mode, "pool") == 0)
		for (;;)
			pause();
	for (;;) {
		int fd = accept(listen_fd, NULL, NULL);

		if (fd < 0)
			continue;
		if (strcmp(mode, "thread") == 0) {
			pthread_create(&thread, NULL, answer_in_thread, (void *)(long)fd);
			pthread_detach(thread);
			continue;
		}
		if (fork() == 0) {
			answer(fd);
			_exit(0);
		}
		close(fd);
	}
}
