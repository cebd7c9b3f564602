/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Student's t distribution: how far the mean of a few measurements may be off. */
#ifndef RPS_TOOLS_STUDENT_H
#define RPS_TOOLS_STUDENT_H

#include <stdint.h>

#define RPS_STUDENT_FREEDOM_MAX 1000u /* beyond, it is the normal distribution to three digits */

/* The bound that |t| exceeds with probability `p_outside` (0.05 for 95 %), with `freedom` degrees of freedom,
 * 1 or more. */
double rps_student_bound(double p_outside, uint32_t freedom);

/* Remembers bounds of one probability: finding one takes long. All zero is empty. */
struct rps_student_cache {
	double p_outside;
	double bounds[RPS_STUDENT_FREEDOM_MAX + 1];
};
double rps_student_cached_bound(struct rps_student_cache *cache, double p_outside, uint32_t freedom);

#endif
