/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nodes by what they are called, not by when they were first seen: so equal profiles make equal files, and
 * threads are not the same twice. Used by the writers of formats of stacks. */
#ifndef RPS_PROFILE_ORDER_H
#define RPS_PROFILE_ORDER_H

#include "profile/model.h"

/* All nodes, each before its children, siblings by name, file, line, object, symbol: n_nodes of them, to be
 * freed. NULL when out of memory. */
uint32_t *rps_profile_order(const struct rps_profile *profile);

#endif
