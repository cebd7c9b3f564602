/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One sample of a pprof file: a stack with its values. Called by pprof_samples.c; one owner at a time. */
#ifndef RPS_PROFILE_PPROF_SAMPLE_H
#define RPS_PROFILE_PPROF_SAMPLE_H

#include "profile/pprof_wire.h"

#include <stdbool.h>

/* All zero is none yet. */
struct rps_pprof_sample {
	struct rps_wire_list locations;  /* ids, the leaf first */
	struct rps_wire_list values;     /* int64_t, by sample type */
	struct rps_wire_list label_keys; /* texts */
	/* Of files of ours: */
	struct rps_wire_list inclusive; /* by event */
	bool into_overflow;
};

/* Reads one in place of the last. 0, -EBADMSG, -ENOMEM or -E2BIG. */
int rps_pprof_sample_read(struct rps_pprof_sample *sample, struct rps_wire message);
void rps_pprof_sample_clear(struct rps_pprof_sample *sample);

#endif
