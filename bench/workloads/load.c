/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sends an exact number of requests over some connections that are kept open, each by a thread of its own,
 * and tells how long it took. What is not answered with 200 and the length that was announced is counted as
 * failed.
 *
 *     load PORT PATH REQUESTS CONNECTIONS
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64

static atomic_long n_left, n_failed;
static uint16_t port;
static char request[512];

static int connect_to(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* The length of the body, or -1; *head_size is that of what stands before it. */
static long content_length(const char *text, size_t *head_size)
{
	const char *end = strstr(text, "\r\n\r\n"), *field = strcasestr(text, "\r\nContent-Length:");

	if (end == NULL || field == NULL || field > end || strncmp(text, "HTTP/1.1 200 ", 13) != 0)
		return -1;
	*head_size = (size_t)(end - text) + 4;
	return strtol(field + 17, NULL, 10);
}

/* 0, or -1 when the connection is of no more use. */
static int exchange(int fd)
{
	char bytes[65536];
	size_t size = 0, head_size = 0;
	long length = -1;

	if (write(fd, request, strlen(request)) != (ssize_t)strlen(request))
		return -1;
	for (;;) {
		ssize_t n = read(fd, bytes + size, sizeof(bytes) - 1 - size);

		if (n <= 0)
			return -1;
		size += (size_t)n;
		bytes[size] = '\0';
		if (length < 0 && strstr(bytes, "\r\n\r\n") != NULL) {
			length = content_length(bytes, &head_size);
			if (length < 0)
				return -1;
		}
		if (length >= 0 && size >= head_size + (size_t)length)
			return size == head_size + (size_t)length ? 0 : -1;
	}
}

static void *work(void *cls)
{
	int fd = connect_to();

	(void)cls;
	while (atomic_fetch_sub(&n_left, 1) > 0) {
		if (fd >= 0 && exchange(fd) == 0)
			continue;
		atomic_fetch_add(&n_failed, 1);
		close(fd);
		fd = connect_to();
	}
	close(fd);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[CONNECTIONS_MAX];
	struct timespec start, end;
	int n_connections;

	if (argc != 5)
		return 2;
	port = (uint16_t)atoi(argv[1]);
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", argv[2], port);
	n_left = atol(argv[3]);
	n_connections = atoi(argv[4]);
	if (n_connections < 1 || n_connections > CONNECTIONS_MAX)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < n_connections; i++)
		if (pthread_create(&threads[i], NULL, work, NULL) != 0)
			return 1;
	for (int i = 0; i < n_connections; i++)
		pthread_join(threads[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("wall_s %.4f\nfailed %ld\n",
	       (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9,
	       (long)n_failed);
	return 0;
}
