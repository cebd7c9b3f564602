/* SPDX-License-Identifier: MIT */
/* The library functions that may wait: for data, time, a lock, another thread or process. Most of their calls may be short; the one that
 * waits is what one looks for. So each is timed, where of other short calls only a sample is. Not those that hardly ever leave the
 * process (locks that are free, buffered input): SQLite takes a mutex a million times in 0.2 s, and timing each made
 * it a quarter slower. Of these the sample tells.
 */
#ifndef RPS_RUNTIME_WAITING_H
#define RPS_RUNTIME_WAITING_H

#include "runtime/thread.h"

/* Asked once for each place that calls: not from where only general registers may be used (veneer.h). */
RPS_HIDDEN int rps_waiting_is(const char *symbol);

#endif
