/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A profile without its contexts: each function one node below the root (rps_profile.is_flat). */
#ifndef RPS_PROFILE_FLATTEN_H
#define RPS_PROFILE_FLATTEN_H

#include "profile/model.h"

/* Adds the flat form of `profile` to `flat`, whose root is the same. 0, -ENOMEM, or -E2BIG: more than
 * RPS_EVENTS_MAX events in all. */
int rps_profile_flatten(const struct rps_profile *profile, struct rps_profile *flat);

#endif
