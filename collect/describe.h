/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The `desc:` lines that say how far a profile's numbers can be trusted: how times were measured, what was subtracted, what is
 * missing. */
#ifndef RPS_COLLECT_DESCRIBE_H
#define RPS_COLLECT_DESCRIBE_H

#include "collect/gather.h"

/* 0 or -ENOMEM. */
int rps_describe(const struct rps_collection *collection, struct rps_profile *profile, const struct rps_gathering *gathering,
		 const struct rps_collect_info *info);

#endif
