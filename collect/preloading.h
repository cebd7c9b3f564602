/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether the runtime can be preloaded into a program: what profcc has not linked gets it that way only. */
#ifndef RPS_COLLECT_PRELOADING_H
#define RPS_COLLECT_PRELOADING_H

/* Why not, and what to do: the end of a sentence about the program. NULL: nothing is known against it. */
const char *rps_preloading_hindrance(const char *path);

#endif
