/* SPDX-License-Identifier: MIT */
/* An application that does everything wrong an HTTP server can do, to see what the front makes of it. One
 * process per connection, so that the next request finds it alive; one request per connection.
 *
 *     server-broken [PORT|::1|any]   (default: the PORT of the environment; "any": one of its own choice)
 *
 *   /close       closes without an answer          /reset     resets without an answer
 *   /garbage     something that is not HTTP        /nohead    a head without an end
 *   /short       less than Content-Length says     /long      more than it says
 *   /two         two Content-Length                /negative  a negative one
 *   /chunk       a chunk that is cut off           /badchunk  a chunk whose size is no number
 *   /die         dies in the middle of the body    /hang      resets with the client's body unread
 *   /silent      no answer, ever                   /stall     half an answer, and no more
 *   /flood       a head that does not end          /early     answers before it has read the client's body
 *   /100         100 Continue, then the answer     /101       an upgrade nobody asked for
 *   any other    a correct answer
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		_exit(0);
}

static void reset(int fd)
{
	struct linger linger = {1, 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
	_exit(0);
}

/* Reads until the client closes: to leave something unread would reset the connection, and the answer with
 * it. */
static void finish(int fd)
{
	char rest[4096];

	shutdown(fd, SHUT_WR);
	while (read(fd, rest, sizeof(rest)) > 0)
		;
	_exit(0);
}

static void flood(int fd)
{
	say(fd, "HTTP/1.1 200 OK\r\n");
	for (;;)
		say(fd,
		    "X-Field: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n");
}

static void answer(int fd)
{
	static const struct {
		const char *path, *text;
	} texts[] = {
	    {"/close", ""},
	    {"/garbage", "\001\002garbage\r\n\r\n\377"},
	    {"/nohead", "HTTP/1.1 200 OK\r\nX-Field: value\r\n"},
	    {"/short", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort"},
	    {"/long", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlong and longer"},
	    {"/two", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 7\r\n\r\nlong and longer"},
	    {"/negative", "HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nlong"},
	    {"/chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf"},
	    {"/badchunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nhalf"},
	    {"/early", "HTTP/1.1 413 Too Large\r\nContent-Length: 6\r\n\r\nearly\n"},
	    {"/100", "HTTP/1.1 100 Continue\r\nX-Interim: yes\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
		     "3\r\n\r\nok\n"},
	    {"/101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nraw"},
	};
	char head[8192] = "", path[64] = "";
	ssize_t size = 0, n;

	do {
		n = read(fd, head + size, sizeof(head) - 1 - (size_t)size);
		size += n > 0 ? n : 0;
		head[size] = '\0';
	} while (n > 0 && !strstr(head, "\r\n\r\n"));
	sscanf(head, "%*s %63s", path);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(path, texts[i].path) != 0)
			continue;
		say(fd, texts[i].text);
		finish(fd);
	}
	if (!strcmp(path, "/reset") || !strcmp(path, "/hang"))
		reset(fd);
	if (!strcmp(path, "/flood"))
		flood(fd);
	if (!strcmp(path, "/stall"))
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
	if (!strcmp(path, "/silent") || !strcmp(path, "/stall"))
		while (read(fd, head, sizeof(head)) > 0)
			;
	if (!strcmp(path, "/die")) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
		raise(SIGKILL);
	}
	say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n");
	finish(fd);
}

static int listen_on(const char *where)
{
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	struct sockaddr_in ipv4 = {.sin_family = AF_INET};
	int is_ipv6 = where && !strcmp(where, "::1"), is_any = where && !strcmp(where, "any");
	const char *port = where && !is_ipv6 && !is_any ? where : getenv("PORT");
	int fd = socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0), rc, on = 1;

	ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ipv4.sin_port = ipv6.sin6_port = htons((uint16_t)(port && !is_any ? atoi(port) : 0));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	rc = is_ipv6 ? bind(fd, (struct sockaddr *)&ipv6, sizeof(ipv6))
		     : bind(fd, (struct sockaddr *)&ipv4, sizeof(ipv4));
	if (rc || listen(fd, 64)) {
		perror("server-broken");
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	int listen_fd = listen_on(argc > 1 ? argv[1] : NULL);

	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listen_fd, NULL, NULL);

		if (fd < 0)
			continue;
		if (fork() == 0)
			answer(fd);
		close(fd);
	}
}
