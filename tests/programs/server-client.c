/* SPDX-License-Identifier: MIT */
/* A client without manners: sends its standard input byte by byte as it is to 127.0.0.1, and then
 *
 *     server-client PORT read        prints all that comes back
 *     server-client PORT close MS    closes after MS milliseconds, without having read anything
 *     server-client PORT reset MS    resets instead
 *     server-client PORT taste MS    closes after it has read a little, MS milliseconds later
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int send_input(int fd)
{
	char buffer[65536];
	ssize_t n, sent;

	while ((n = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
		for (ssize_t used = 0; used < n; used += sent) {
			sent = write(fd, buffer + used, (size_t)(n - used));
			if (sent < 0)
				return -1; /* the server has had enough; it may have answered */
		}
	return 0;
}

static void print_answer(int fd)
{
	char buffer[65536];
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		if (write(STDOUT_FILENO, buffer, (size_t)n) != n)
			return;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct timeval patience = {20, 0};
	struct linger linger = {1, 0};
	const char *then = argc > 2 ? argv[2] : "read";
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char little[100];

	address.sin_port = htons((uint16_t)atoi(argc > 1 ? argv[1] : "8000"));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	signal(SIGPIPE, SIG_IGN);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		perror("server-client");
		return 1;
	}
	send_input(fd);
	if (!strcmp(then, "read")) {
		print_answer(fd);
		return 0;
	}
	if (!strcmp(then, "taste") && read(fd, little, sizeof(little)) < 0)
		return 1;
	usleep((useconds_t)(argc > 3 ? atoi(argv[3]) : 0) * 1000);
	if (!strcmp(then, "reset"))
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
	return 0;
}
