/* SPDX-License-Identifier: MIT */
/* A program with an HTTP server of its own, a thread per connection, whose answers may go on: what must not keep the
 * others waiting.
 *
 *     stream-app PORT
 *
 *   /events      an event stream: a line now, and one each 100 ms, without end
 *   /poll        no answer for two seconds
 *   /upgrade     agrees to the protocol "echo": what comes goes back, doubled; greets at once, behind the head
 *   /refuse      does not agree, in chunks
 *   any other    as many calls of leaf() as the number behind the last '=' says
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile unsigned long sink;

static __attribute__((noinline)) void leaf(unsigned long i)
{
	sink += i;
}

static int say(int fd, const char *text)
{
	return send(fd, text, strlen(text), MSG_NOSIGNAL) < 0;
}

static void echo(int fd)
{
	char data[1000];
	ssize_t n;

	say(fd, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nhello\n");
	while ((n = read(fd, data, sizeof(data))) > 0)
		if (send(fd, data, (size_t)n, MSG_NOSIGNAL) < 0 || send(fd, data, (size_t)n, MSG_NOSIGNAL) < 0)
			break;
}

static void *serve(void *arg)
{
	int fd = (int)(long)arg;
	char head[8192] = "", *equals;
	size_t size = 0;

	while (!strstr(head, "\r\n\r\n")) {
		ssize_t n = read(fd, head + size, sizeof(head) - 1 - size);

		if (n <= 0)
			goto out;
		size += (size_t)n;
		head[size] = 0;
	}
	if (strstr(head, "GET /events")) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
		while (!say(fd, "data: tick\n\n"))
			usleep(100000);
		goto out;
	}
	if (strstr(head, "GET /poll"))
		sleep(2);
	if (strstr(head, "GET /upgrade") && strstr(head, "Upgrade: echo")) {
		echo(fd);
		goto out;
	}
	if (strstr(head, "GET /refuse")) {
		say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno \r\n5\r\nthank\r\n0\r\n\r\n");
		goto out;
	}
	*strchr(head, '\r') = 0;
	equals = strrchr(head, '=');
	for (unsigned long i = equals ? strtoul(equals + 1, NULL, 10) : 0; i > 0; i--)
		leaf(i);
	say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n");
out:
	close(fd);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[argc - 1]))};
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	pthread_t thread;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 64))
		return 1;
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0 && !pthread_create(&thread, NULL, serve, (void *)(long)fd))
			pthread_detach(thread);
	}
}
