/* SPDX-License-Identifier: GPL-3.0-or-later */
/* server/app_port.c: the kernel's tables of sockets, and our own processes. */
#include "server/app_port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(const char *line, int is_ipv6, const char *name, uint64_t inode)
{
	struct rps_listener listener;
	char text[80];

	assert_int_equal(rps_listener_parse(line, is_ipv6, &listener), 1);
	rps_listener_name(&listener, text, sizeof(text));
	assert_string_equal(text, name);
	assert_int_equal(listener.inode, inode);
}

/* As a little-endian machine prints them. */
static void listening_sockets_are_read(void **state)
{
	if (htonl(1) == 1)
		skip();
	check("   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 "
	      "12345 1 "
	      "0000000000000000 100 0 0 10 0",
	      0, "127.0.0.1:8080", 12345);
	check("  10: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
	      "18446744073709551615 1",
	      0, "127.0.0.1:80", UINT64_MAX);
	check(
	    "   1: 0501A8C0:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7 1",
	    0, "192.168.1.5:80", 7);
	check("   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A "
	      "00000000:00000000 00:00000000 00000000     0        0 99 1",
	      1, "[::1]:8080", 99);
	check("   0: 00000000000000000000000000000000:FFFF 00000000000000000000000000000000:0000 0A "
	      "00000000:00000000 00:00000000 00000000     0        0 99 1",
	      1, "[::1]:65535", 99);
}

static void other_lines_are_not(void **state)
{
	static const char *const lines[] = {
	    "",
	    "sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
	    "   0: 0100007F:1F90 0100007F:A1B2 01 00000000:00000000 00:00000000 00000000  1000        0 "
	    "12345 1",
	    "   0: 0100007F:1F90",
	    "   0: 0100007F:1F90 00000000:0000 0A",
	    "   0: zz00007F:1F90 00000000:0000 0A",
	    "   0: 0100007F:0000 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 "
	    "12345 1",
	};
	struct rps_listener listener;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(rps_listener_parse(lines[i], 0, &listener), 0);
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_port = htons(port);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 1))
		_exit(1);
	return fd;
}

/* A child that listens on `ports`, in a process of its own making (its child), then waits. */
static pid_t start_listener(const uint16_t *ports, size_t n, int *ready_fd)
{
	int ready[2];
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		alarm(20); /* whatever becomes of the test */
		if (fork()) {
			wait(NULL);
			_exit(0);
		}
		alarm(20);
		for (size_t i = 0; i < n; i++)
			listen_on(ports[i]);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		close(ready[1]);
		pause();
	}
	close(ready[1]);
	*ready_fd = ready[0];
	return pid;
}

static void socket_of_a_grandchild_is_found(void **state)
{
	uint16_t ports[2] = {rps_app_port_pick(), rps_app_port_pick()}, elsewhere = rps_app_port_pick();
	struct rps_listener listener;
	pid_t child, *pids;
	int ready_fd, own_fd;
	ssize_t n;
	char byte;

	assert_true(ports[0] && ports[1] && elsewhere);
	if (ports[0] == ports[1])
		ports[1] = rps_app_port_pick();
	assert_int_equal(rps_app_port_find(0, 0, &listener), 0);
	child = start_listener(ports, 2, &ready_fd);
	own_fd = listen_on(elsewhere); /* ours does not count */
	assert_int_equal(read(ready_fd, &byte, 1), 1);

	assert_int_equal(rps_app_port_find(0, 0, &listener), 1);
	assert_int_equal(listener.port, ports[0]); /* opened first */
	assert_int_equal(rps_app_port_find(ports[0], 0, &listener), 1);
	assert_int_equal(listener.port, ports[0]);
	assert_int_equal(rps_app_port_find(ports[1], 0, &listener), 1);
	assert_int_equal(listener.port, ports[1]); /* the wanted one */
	assert_int_equal(rps_app_port_find(1, 0, &listener), 1);
	assert_int_equal(listener.port, ports[0]); /* nobody listens there */
	assert_int_equal(rps_app_port_find(1, 1, &listener), 0);
	assert_int_equal(rps_app_port_find(elsewhere, 1, &listener), 1);

	n = rps_app_descendants(&pids);
	assert_int_equal(n, 2);
	for (ssize_t i = 0; i < n; i++)
		if (pids[i] != child)
			kill(pids[i], SIGKILL);
	free(pids);
	waitpid(child, NULL, 0);
	close(own_fd);
	close(ready_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(listening_sockets_are_read),
	    cmocka_unit_test(other_lines_are_not),
	    cmocka_unit_test(socket_of_a_grandchild_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
