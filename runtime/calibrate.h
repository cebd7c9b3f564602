/* SPDX-License-Identifier: MIT */
/* What a pair of hooks costs in this process, measured once when it attaches: the inlined ones, where the machine has them. */
#ifndef RPS_RUNTIME_CALIBRATE_H
#define RPS_RUNTIME_CALIBRATE_H

#include "runtime/thread.h"

#include <stdint.h>

/* In 1/256 tick. */
struct rps_calibration {
	uint32_t cost_inside;  /* of a timed call, in the callee's own time */
	uint32_t cost_outside; /* of a timed call, in its caller's */
	uint32_t cost_inside_fenced, cost_outside_fenced; /* the same, with the clock read behind a fence */
	uint32_t cost_untimed; /* of a call that is not timed */
	uint32_t cost_leaf;    /* the same, of a leaf function's */
};

extern RPS_HIDDEN struct rps_calibration rps_calibration;

/* Runs the hooks a few thousand times on an arena of its own, which nobody
 * reads. Takes well below a millisecond. */
RPS_HIDDEN void rps_calibrate(void);

#endif
