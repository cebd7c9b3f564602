/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time that never jumps, for waiting. Any thread. */
#ifndef RPS_SERVER_CLOCK_H
#define RPS_SERVER_CLOCK_H

#include <stdint.h>
#include <time.h>

uint64_t rps_clock_now_ms(void);
/* The moment `wait_ms` from now, for pthread_cond_clockwait and its like, on CLOCK_MONOTONIC. */
struct timespec rps_clock_after(unsigned wait_ms);

#endif
