/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stream that is gzip'd on its way into another: what pprof files always are, and other formats on
 * demand. One owner at a time. */
#ifndef RPS_PROFILE_GZIP_H
#define RPS_PROFILE_GZIP_H

#include <stdio.h>

/* A stream for writing, to be closed with fclose, whose failure says that not all of it reached `out`. `out`
 * is not closed. The same bytes make the same file: there is no time in it. NULL when out of memory. */
FILE *rps_gzip_open(FILE *out);

#endif
