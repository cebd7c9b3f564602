/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes a flame graph of the first event as an SVG image that needs nothing else: it can be searched and
 * zoomed in a browser, printed, and looked at without scripts. */
#ifndef RPS_PROFILE_SVG_WRITE_H
#define RPS_PROFILE_SVG_WRITE_H

#include "profile/model.h"

#include <stdio.h>

/* Writes and flushes. 0 or -errno. */
int rps_svg_write(const struct rps_profile *profile, FILE *out);

#endif
