/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The subcommands of runprofile: each is a function like main, in a file of its
 * own, listed in runprofile.c. Exit statuses: 0 done, 1 failed, 2 misused. */
#ifndef RPS_TOOLS_COMMAND_H
#define RPS_TOOLS_COMMAND_H

#include "tools/complain.h"

int rps_command_annotate(int argc, char **argv);
int rps_command_callees(int argc, char **argv);
int rps_command_callers(int argc, char **argv);
int rps_command_convert(int argc, char **argv);
int rps_command_diff(int argc, char **argv);
int rps_command_list(int argc, char **argv);
int rps_command_record(int argc, char **argv);
int rps_command_top(int argc, char **argv);
int rps_command_tree(int argc, char **argv);
int rps_command_validate(int argc, char **argv);

#endif
