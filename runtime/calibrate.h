/* SPDX-License-Identifier: MIT */
/* What a pair of hooks costs in this process, measured once when it attaches. */
#ifndef RPS_RUNTIME_CALIBRATE_H
#define RPS_RUNTIME_CALIBRATE_H

#include "runtime/thread.h"

#include <stdint.h>

struct rps_calibration {
	uint32_t cost_inside;  /* stands in the callee's own time, in 1/256 tick */
	uint32_t cost_outside; /* stands in its caller's */
};

extern RPS_HIDDEN struct rps_calibration rps_calibration;

/* Runs the hooks a few thousand times on an arena of its own, which nobody
 * reads. Takes well below a millisecond. */
RPS_HIDDEN void rps_calibrate(void);

#endif
