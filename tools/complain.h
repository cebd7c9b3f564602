/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages of the tools to their user; each program defines it for itself. */
#ifndef RPS_TOOLS_COMPLAIN_H
#define RPS_TOOLS_COMPLAIN_H

/* "PROGRAM: ..." on stderr. Any thread. */
void rps_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
