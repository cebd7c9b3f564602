/* SPDX-License-Identifier: MIT */
/* The library functions that may wait: for data, time, a lock, another thread or process. Most of their calls may be short; the one that
 * waits is what one looks for. So each is timed, where of other short calls only a sample is.
 */
#ifndef RPS_RUNTIME_WAITING_H
#define RPS_RUNTIME_WAITING_H

#include "runtime/thread.h"

/* Asked once for each place that calls: not from where only general registers may be used (veneer.h). */
RPS_HIDDEN int rps_waiting_is(const char *symbol);

#endif
