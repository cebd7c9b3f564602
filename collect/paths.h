/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where our own files are: beside this program in the build tree, or where
 * they were installed, wherever the installation has been moved to. Main
 * thread, at the start. */
#ifndef RPS_COLLECT_PATHS_H
#define RPS_COLLECT_PATHS_H

#include <stddef.h>

/* librunprofile.so, to preload; the variable RUNPROFILE_RUNTIME names another.
 * Allocated; NULL if there is none, with a line in `error`. */
char *rps_path_runtime(char *error, size_t error_size);

/* runprofile-module-host. Likewise; the variable is RUNPROFILE_MODULE_HOST. */
char *rps_path_module_host(char *error, size_t error_size);

/* The file that `name`, as a shell would find it, stands for: `name` itself
 * with a slash in it, else looked for in PATH. Allocated; NULL if there is none, with a line in `error`. */
char *rps_path_program(const char *name, char *error, size_t error_size);

#endif
