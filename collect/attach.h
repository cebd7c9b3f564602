/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hands the pool to the application's processes: a thread that answers on an
 * abstract Unix socket. Only who knows the token gets it.
 */
#ifndef RPS_COLLECT_ATTACH_H
#define RPS_COLLECT_ATTACH_H

#include "collect/pool.h"
#include "wire/layout.h"

#include <pthread.h>
#include <stdatomic.h>

struct rps_attach {
	const struct rps_pool *pool;
	int listen_fd;
	int stop_fd; /* eventfd */
	char name[32]; /* of the socket, without the leading NUL */
	char token[RPS_TOKEN_SIZE + 1];
	_Atomic uint32_t n_attached;
	pthread_t thread;
};

/* 0 or -errno. */
int rps_attach_start(struct rps_attach *attach, const struct rps_pool *pool);
void rps_attach_stop(struct rps_attach *attach);

#endif
