/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See attach.h. */
#include "collect/attach.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PEER_TIMEOUT_MS 1000

static int fill_hex(char *text, size_t n_digits)
{
	uint8_t bytes[RPS_TOKEN_SIZE / 2];

	if (getrandom(bytes, n_digits / 2, 0) != (ssize_t)(n_digits / 2))
		return -EIO;
	for (size_t i = 0; i < n_digits / 2; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

/* In constant time, as one compares secrets. */
static int token_is(const struct rps_attach *attach, const char *token)
{
	unsigned char difference = 0;

	for (int i = 0; i < RPS_TOKEN_SIZE; i++)
		difference |= (unsigned char)(attach->token[i] ^ token[i]);
	return difference == 0;
}

/* Can the process be timed with what the pool's clock is, or becomes as long as nobody else uses it? One that runs in an
 * emulator can't read our processor's counter; the system's clock is the same for all. */
static int agree_on_clock(const struct rps_attach *attach, const struct rps_hello *hello)
{
	uint32_t clock = attach->pool->header->clock;

	if (clock < 32 && (hello->clocks & 1u << clock))
		return 1;
	if (atomic_load_explicit(&attach->n_attached, memory_order_relaxed) > 0 || !(hello->clocks & 1u << RPS_CLOCK_MONOTONIC))
		return 0;
	rps_pool_set_clock(attach->pool, RPS_CLOCK_MONOTONIC, 1.0);
	return 1;
}

/* The second part of an answer: the memory. */
static void attach_pool(const struct rps_attach *attach, struct msghdr *message, void *room, size_t room_size)
{
	struct cmsghdr *attached;

	message->msg_control = room;
	message->msg_controllen = room_size;
	attached = CMSG_FIRSTHDR(message);
	attached->cmsg_level = SOL_SOCKET;
	attached->cmsg_type = SCM_RIGHTS;
	attached->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(attached), &attach->pool->fd, sizeof(int));
}

static void answer(struct rps_attach *attach, int fd)
{
	struct timeval timeout = {.tv_usec = PEER_TIMEOUT_MS % 1000 * 1000, .tv_sec = PEER_TIMEOUT_MS / 1000};
	struct rps_hello hello;
	struct rps_welcome welcome = {RPS_WIRE_VERSION, attach->pool->n_arenas, RPS_POOL_SIZE(attach->pool->n_arenas)};
	struct iovec part = {.iov_base = &welcome, .iov_len = sizeof(welcome)};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.room = {0}};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (recv(fd, &hello, sizeof(hello), 0) != sizeof(hello) || hello.version != RPS_WIRE_VERSION ||
	    !token_is(attach, hello.token))
		return;
	if (agree_on_clock(attach, &hello))
		attach_pool(attach, &message, &control, sizeof(control));
	else
		welcome.n_arenas = 0;
	if (sendmsg(fd, &message, MSG_NOSIGNAL) == sizeof(welcome) && welcome.n_arenas != 0)
		atomic_fetch_add_explicit(&attach->n_attached, 1, memory_order_relaxed);
}

static void *serve(void *arg)
{
	struct rps_attach *attach = arg;
	struct pollfd wait[2] = {{.fd = attach->listen_fd, .events = POLLIN}, {.fd = attach->stop_fd, .events = POLLIN}};

	for (;;) {
		int fd;

		if (poll(wait, 2, -1) < 0 && errno != EINTR)
			return NULL;
		if (wait[1].revents != 0)
			return NULL;
		if ((wait[0].revents & POLLIN) == 0)
			continue;
		fd = accept4(attach->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		answer(attach, fd);
		close(fd);
	}
}

int rps_attach_start(struct rps_attach *attach, const struct rps_pool *pool)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	sigset_t all, old;
	int error;

	memset(attach, 0, sizeof(*attach));
	attach->pool = pool;
	attach->listen_fd = attach->stop_fd = -1;
	memcpy(attach->name, "runprofile-", 11);
	error = fill_hex(attach->name + 11, 16);
	if (error == 0)
		error = fill_hex(attach->token, RPS_TOKEN_SIZE);
	if (error != 0)
		return error;
	memcpy(address.sun_path + 1, attach->name, strlen(attach->name));
	attach->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	attach->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (attach->listen_fd < 0 || attach->stop_fd < 0 ||
	    bind(attach->listen_fd, (struct sockaddr *)&address,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(attach->name))) != 0 ||
	    listen(attach->listen_fd, 64) != 0) {
		error = -errno;
		goto fail;
	}
	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	error = -pthread_create(&attach->thread, NULL, serve, attach);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error == 0)
		return 0;
fail:
	if (attach->listen_fd >= 0)
		close(attach->listen_fd);
	if (attach->stop_fd >= 0)
		close(attach->stop_fd);
	return error;
}

void rps_attach_stop(struct rps_attach *attach)
{
	eventfd_write(attach->stop_fd, 1);
	pthread_join(attach->thread, NULL);
	close(attach->listen_fd);
	close(attach->stop_fd);
}
