/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See clock.h. Called by whoever waits. */
#include "server/clock.h"

uint64_t rps_clock_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

struct timespec rps_clock_after(unsigned wait_ms)
{
	struct timespec moment;

	clock_gettime(CLOCK_MONOTONIC, &moment);
	moment.tv_sec += wait_ms / 1000;
	moment.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (moment.tv_nsec >= 1000000000) {
		moment.tv_nsec -= 1000000000;
		moment.tv_sec++;
	}
	return moment;
}
