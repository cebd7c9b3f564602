/* SPDX-License-Identifier: MIT */
/* What a pair of hooks costs in this process, measured once when it attaches. */
#ifndef RPS_RUNTIME_CALIBRATE_H
#define RPS_RUNTIME_CALIBRATE_H

#include "runtime/thread.h"

extern RPS_HIDDEN struct rps_hook_costs rps_calibration;

/* Runs the hooks a few thousand times on an arena of its own, which nobody
 * reads. Takes well below a millisecond. */
RPS_HIDDEN void rps_calibrate(void);

#endif
