/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See front_screen.h. Called by front.c and request*.c.
 *
 * libmicrohttpd hands out a head only when it has taken it apart. To see the bytes as they came, this program
 * has functions by the names of those that libmicrohttpd reads with, recv and, for TLS, gnutls_record_recv:
 * the dynamic linker takes the program's own first. They do what the real ones do, and show what was read to
 * the connection's screen. Calls for other descriptors (libcurl's) just pass. Should a libmicrohttpd read in
 * some other way, its requests were not screened, and are refused with a message that says so; every test of
 * the server would notice.
 */
#include "server/front_screen.h"

#include "server/clock.h"
#include "server/head_screen.h"
#include "server/message.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

#define DESCRIPTORS_MAX (1 << 20) /* Linux' own limit; pages never touched take no memory */

struct rps_front_screen {
	int fd;
	struct rps_head_screen head;
	unsigned n_requests; /* that libmicrohttpd has begun */
	uint64_t last_ms;    /* when something came */
	uint64_t head_ms;    /* when the head that is being read began */
	int is_late;
	int is_stopped;
};

static struct rps_front_screen *_Atomic screens[DESCRIPTORS_MAX];
static int has_tls;
static uint32_t timeout_ms;

/* ---- What is read ------------------------------------------------------------------------------ */

static struct rps_front_screen *screen_of(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS_MAX ? atomic_load_explicit(&screens[fd], memory_order_acquire)
					       : NULL;
}

/* 0, or -1: it has taken too long. */
static int take(struct rps_front_screen *screen, const void *data, size_t size)
{
	int was_in_head = screen->head.is_in_head;

	if (screen->is_stopped)
		return 0;
	screen->last_ms = rps_clock_now_ms();
	rps_head_screen_take(&screen->head, data, size);
	if (!was_in_head)
		screen->head_ms = screen->last_ms;
	if (!screen->head.is_in_head || screen->head.fault_status ||
	    screen->last_ms - screen->head_ms < timeout_ms)
		return 0;
	screen->is_late = 1;
	return -1;
}

__attribute__((visibility("default"))) ssize_t recv(int fd, void *data, size_t size, int flags)
{
	struct rps_front_screen *screen = screen_of(fd);
	ssize_t n = recvfrom(fd, data, size, flags, NULL, NULL);

	/* Other threads are here before the front is: has_tls only counts where there is a connection. */
	if (n <= 0 || !screen || has_tls || (flags & MSG_PEEK) || !take(screen, data, (size_t)n))
		return n;
	errno = ENOTCONN;
	return -1;
}

__attribute__((visibility("default"))) ssize_t gnutls_record_recv(void *session, void *data, size_t size);

/* The session's transport is its descriptor. */
__attribute__((visibility("default"))) ssize_t gnutls_record_recv(void *session, void *data, size_t size)
{
	ssize_t (*receive)(void *, void *, size_t) =
	    (ssize_t(*)(void *, void *, size_t))dlsym(RTLD_NEXT, "gnutls_record_recv");
	void *(*transport)(void *) = (void *(*)(void *))dlsym(RTLD_NEXT, "gnutls_transport_get_ptr");
	struct rps_front_screen *screen = transport ? screen_of((int)(intptr_t)transport(session)) : NULL;
	ssize_t n = receive ? receive(session, data, size) : -1;

	return n <= 0 || !screen || !take(screen, data, (size_t)n) ? n : -1;
}

/* ---- Connections ----------------------------------------------------------------------------------- */

void rps_front_screen_configure(int is_tls, uint32_t head_timeout_ms)
{
	has_tls = is_tls;
	timeout_ms = head_timeout_ms;
}

struct rps_front_screen *rps_front_screen_open(int fd)
{
	struct rps_front_screen *screen = fd < DESCRIPTORS_MAX ? calloc(1, sizeof(*screen)) : NULL;

	if (!screen)
		return NULL;
	screen->fd = fd;
	screen->last_ms = rps_clock_now_ms();
	atomic_store_explicit(&screens[fd], screen, memory_order_release);
	return screen;
}

void rps_front_screen_close(struct rps_front_screen *screen, const char *client)
{
	const struct rps_head_screen *head = &screen->head;
	int is_told = screen->n_requests > head->n_heads || screen->is_stopped;

	atomic_store_explicit(&screens[screen->fd], NULL, memory_order_release);
	if (is_told || !head->is_in_head)
		;
	else if (head->fault_status)
		rps_message_complain("a request from %s was refused: %s", client, head->fault);
	else if (screen->is_late || rps_clock_now_ms() - screen->last_ms >= timeout_ms)
		rps_message_complain(
		    "a request from %s was broken off: its head was not complete after %" PRIu32
		    " s (--client-timeout)",
		    client, timeout_ms / 1000);
	else
		rps_message_complain("a request from %s ended before its head was complete", client);
	free(screen);
}

static struct rps_front_screen *screen_of_connection(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

unsigned rps_front_screen_next(struct MHD_Connection *connection)
{
	struct rps_front_screen *screen = screen_of_connection(connection);

	return screen ? screen->n_requests++ : 0;
}

int rps_front_screen_refuses(struct MHD_Connection *connection, unsigned number, const char **why)
{
	const struct rps_front_screen *screen = screen_of_connection(connection);

	if (screen && (screen->head.n_heads || screen->head.fault_status))
		return rps_head_screen_refuses(&screen->head, number, why);
	*why = screen ? "The server can't check it: its libmicrohttpd reads in an unknown way."
		      : "The server is out of memory.";
	return MHD_HTTP_INTERNAL_SERVER_ERROR;
}

int rps_front_screen_is_late(struct MHD_Connection *connection)
{
	const struct rps_front_screen *screen = screen_of_connection(connection);

	return screen && screen->is_late;
}

void rps_front_screen_stop(struct MHD_Connection *connection)
{
	struct rps_front_screen *screen = screen_of_connection(connection);

	if (screen)
		screen->is_stopped = 1;
}
