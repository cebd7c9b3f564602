/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See app_port.h. Called by app.c. */
#include "server/app_port.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TCP_LISTEN_STATE 0x0a

/* "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 12345 ..." :
 * each 32-bit word of an address stands in the machine's byte order. */
int rps_listener_parse(const char *line, int is_ipv6, struct rps_listener *listener)
{
	const size_t n_words = is_ipv6 ? 4 : 1;
	unsigned port, state;
	const char *p;
	int used = 0;

	memset(listener, 0, sizeof(*listener));
	listener->is_ipv6 = is_ipv6;
	p = strchr(line, ':');
	if (!p)
		return 0;
	p += 1 + strspn(p + 1, " ");
	for (size_t i = 0; i < n_words; i++) {
		uint32_t word;

		if (strspn(p, "0123456789abcdefABCDEF") < 8 || sscanf(p, "%8" SCNx32, &word) != 1)
			return 0;
		memcpy(listener->address + 4 * i, &word, 4);
		p += 8;
	}
	if (sscanf(p, ":%4x %*[0-9A-Fa-f]:%*4x %2x%n", &port, &state, &used) != 2 ||
	    state != TCP_LISTEN_STATE)
		return 0;
	p += used;
	if (sscanf(p, " %*s %*s %*s %*s %*s %" SCNu64, &listener->inode) != 1)
		return 0;
	listener->port = (uint16_t)port;
	return port != 0;
}

static int is_wildcard(const struct rps_listener *listener)
{
	static const uint8_t any[16];

	return !memcmp(listener->address, any, listener->is_ipv6 ? 16 : 4);
}

void rps_listener_name(const struct rps_listener *listener, char *name, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	strcpy(text, listener->is_ipv6 ? "::1" : "127.0.0.1");
	if (!is_wildcard(listener))
		inet_ntop(listener->is_ipv6 ? AF_INET6 : AF_INET, listener->address, text, sizeof(text));
	snprintf(name, size, listener->is_ipv6 ? "[%s]:%u" : "%s:%u", text, (unsigned)listener->port);
}

void rps_listener_address(const struct rps_listener *listener, struct rps_address *address)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)&address->socket;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&address->socket;

	memset(address, 0, sizeof(*address));
	if (listener->is_ipv6) {
		ipv6->sin6_family = AF_INET6;
		ipv6->sin6_port = htons(listener->port);
		ipv6->sin6_addr = in6addr_loopback;
		if (!is_wildcard(listener))
			memcpy(&ipv6->sin6_addr, listener->address, 16);
		address->size = sizeof(*ipv6);
	} else {
		ipv4->sin_family = AF_INET;
		ipv4->sin_port = htons(listener->port);
		ipv4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		if (!is_wildcard(listener))
			memcpy(&ipv4->sin_addr, listener->address, 4);
		address->size = sizeof(*ipv4);
	}
}

/* ---- Processes ----------------------------------------------------------------- */

struct process {
	pid_t pid, parent;
	int ours;
};

static int read_parent(pid_t pid, pid_t *parent)
{
	char path[64], text[512], *end;
	size_t size;
	FILE *file;
	int number;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = 0;
	/* The command's name may hold anything, ") " too: the last one ends it. */
	end = strrchr(text, ')');
	if (!end || sscanf(end + 1, " %*c %d", &number) != 1)
		return -EINVAL;
	*parent = number;
	return 0;
}

static ssize_t read_processes(struct process **processes)
{
	DIR *directory = opendir("/proc");
	size_t n = 0, n_allocated = 0;
	struct dirent *entry;

	*processes = NULL;
	if (!directory)
		return -errno;
	while ((entry = readdir(directory))) {
		struct process process = {.pid = (pid_t)atol(entry->d_name)};

		if (process.pid <= 0 || read_parent(process.pid, &process.parent))
			continue;
		if (n == n_allocated) {
			struct process *larger;

			n_allocated = n_allocated ? 2 * n_allocated : 128;
			larger = reallocarray(*processes, n_allocated, sizeof(*larger));
			if (!larger) {
				closedir(directory);
				free(*processes);
				*processes = NULL;
				return -ENOMEM;
			}
			*processes = larger;
		}
		(*processes)[n++] = process;
	}
	closedir(directory);
	return (ssize_t)n;
}

static int is_ours(const struct process *processes, ssize_t n, pid_t pid)
{
	if (pid == getpid())
		return 1;
	for (ssize_t i = 0; i < n; i++)
		if (processes[i].pid == pid)
			return processes[i].ours;
	return 0;
}

ssize_t rps_app_descendants(pid_t **pids)
{
	struct process *processes;
	ssize_t n = read_processes(&processes), n_ours = 0;
	int changed = 1;

	*pids = NULL;
	if (n < 0)
		return n;
	/* Parents may stand behind their children (pids wrap around): until nothing is new. */
	while (changed) {
		changed = 0;
		for (ssize_t i = 0; i < n; i++) {
			if (processes[i].ours || !is_ours(processes, n, processes[i].parent))
				continue;
			processes[i].ours = changed = 1;
			n_ours++;
		}
	}
	*pids = calloc((size_t)n_ours + 1, sizeof(**pids));
	if (!*pids) {
		free(processes);
		return -ENOMEM;
	}
	n_ours = 0;
	for (ssize_t i = 0; i < n; i++)
		if (processes[i].ours)
			(*pids)[n_ours++] = processes[i].pid;
	free(processes);
	return n_ours;
}

/* ---- Sockets --------------------------------------------------------------------- */

/* Which socket is the oldest can't be read anywhere (inodes are dealt out per
 * processor); the lowest descriptor is the next best sign of it. */
#define NOT_OURS INT_MAX

struct listeners {
	struct rps_listener *items;
	int *fds; /* lowest descriptor a descendant has of each, or NOT_OURS */
	size_t n, n_allocated;
};

static int add_listener(struct listeners *listeners, const struct rps_listener *listener)
{
	if (listeners->n == listeners->n_allocated) {
		size_t n_allocated = listeners->n_allocated ? 2 * listeners->n_allocated : 32;
		struct rps_listener *items =
		    reallocarray(listeners->items, n_allocated, sizeof(*listeners->items));

		if (!items)
			return -ENOMEM;
		listeners->items = items;
		listeners->n_allocated = n_allocated;
	}
	listeners->items[listeners->n++] = *listener;
	return 0;
}

static int read_table(const char *path, int is_ipv6, struct listeners *listeners)
{
	FILE *file = fopen(path, "re");
	char line[512];
	int rc = 0;

	if (!file)
		return errno == ENOENT ? 0 : -errno;
	while (!rc && fgets(line, sizeof(line), file)) {
		struct rps_listener listener;

		if (rps_listener_parse(line, is_ipv6, &listener))
			rc = add_listener(listeners, &listener);
	}
	fclose(file);
	return rc;
}

static void mark_owned(pid_t pid, struct listeners *listeners)
{
	char path[512], target[64];
	struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	directory = opendir(path);
	if (!directory)
		return;
	while ((entry = readdir(directory))) {
		ssize_t size = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);
		uint64_t inode;

		if (size <= 0)
			continue;
		target[size] = 0;
		if (sscanf(target, "socket:[%" SCNu64 "]", &inode) != 1)
			continue;
		for (size_t i = 0; i < listeners->n; i++)
			if (listeners->items[i].inode == inode && atoi(entry->d_name) < listeners->fds[i])
				listeners->fds[i] = atoi(entry->d_name);
	}
	closedir(directory);
}

static int mark_all_owned(struct listeners *listeners)
{
	pid_t *pids;
	ssize_t n_pids = rps_app_descendants(&pids);

	if (n_pids < 0)
		return (int)n_pids;
	listeners->fds = calloc(listeners->n + 1, sizeof(*listeners->fds));
	if (!listeners->fds) {
		free(pids);
		return -ENOMEM;
	}
	for (size_t i = 0; i < listeners->n; i++)
		listeners->fds[i] = NOT_OURS;
	for (ssize_t i = 0; i < n_pids; i++)
		mark_owned(pids[i], listeners);
	free(pids);
	return 0;
}

/* The better of the sockets `a` and `b` (indices, -1: none). */
static ssize_t better(const struct listeners *listeners, uint16_t wanted_port, ssize_t a, ssize_t b)
{
	int a_is_wanted, b_is_wanted;

	if (a < 0)
		return b;
	a_is_wanted = listeners->items[a].port == wanted_port;
	b_is_wanted = listeners->items[b].port == wanted_port;
	if (a_is_wanted != b_is_wanted)
		return b_is_wanted ? b : a;
	return listeners->fds[b] < listeners->fds[a] ? b : a;
}

int rps_app_port_find(uint16_t wanted_port, int only_wanted, struct rps_listener *listener)
{
	struct listeners listeners = {0};
	ssize_t best = -1;
	int rc;

	rc = read_table("/proc/net/tcp", 0, &listeners);
	if (!rc)
		rc = read_table("/proc/net/tcp6", 1, &listeners);
	if (!rc)
		rc = mark_all_owned(&listeners);
	if (rc)
		goto out;
	for (size_t i = 0; i < listeners.n; i++) {
		int is_wanted = wanted_port && listeners.items[i].port == wanted_port;

		/* The wanted port counts whoever holds it: it was free, or was named by the user. */
		if (is_wanted || (!only_wanted && listeners.fds[i] != NOT_OURS))
			best = better(&listeners, wanted_port, best, (ssize_t)i);
	}
	if (best >= 0) {
		*listener = listeners.items[best];
		rc = 1;
	}
out:
	free(listeners.items);
	free(listeners.fds);
	return rc;
}

uint16_t rps_app_port_pick(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	uint16_t port = 0;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	if (!bind(fd, (struct sockaddr *)&address, sizeof(address)) &&
	    !getsockname(fd, (struct sockaddr *)&address, &size))
		port = ntohs(address.sin_port);
	close(fd);
	return port;
}
