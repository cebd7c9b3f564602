/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The application's processes as /proc shows them: who is alive, and whether all
 * of them are quiet.
 *
 * Quiet is found by double collect: the state and the number of time slices of
 * every thread of every process, read twice. If nobody runs or waits for a disk, and
 * nothing has changed between the two, nothing has run in between, so nothing can run until something from outside
 * comes in. A single look is not enough: a thread seen asleep first may have been woken by one seen asleep later.
 */
#ifndef RPS_COLLECT_PROCESSES_H
#define RPS_COLLECT_PROCESSES_H

#include "collect/pool.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Is this the process that started at `start_time` (field 22 of stat; 0: any)? Zombies are dead. */
int rps_process_is_alive(uint32_t pid, uint64_t start_time);

/* Waits until the processes registered in the pool and all their descendants are quiet, at most `timeout_ms`. 1:
 * quiet (or all dead), 0: still busy; then `busy` says who. */
int rps_processes_wait_quiet(const struct rps_pool *pool, uint32_t timeout_ms, char *busy, size_t busy_size);

#endif
