/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plugin's passes, as its entry point knows them, and what they share. */
#ifndef PROFCC_PASSES_H
#define PROFCC_PASSES_H

#include "gcc-compat.h"

void rps_hooks_pass_register(const char *plugin_name);
void rps_sites_pass_register(const char *plugin_name);
void rps_externals_pass_register(const char *plugin_name);
void rps_inline_pass_register(const char *plugin_name);
void rps_unwrap_pass_register(const char *plugin_name);

/* A hook of the runtime: does not call back, does not throw. */
tree rps_hook_declare(const char *name, tree type);

/* __builtin_dwarf_cfa */
tree rps_cfa_function();

/* Notes at each call of a function whether externals-pass.cc is to wrap it if it is still there in the end.
 */
void rps_calls_mark(function *fun, bool is_instrumented);

/* The hooks around a call that is a call for certain. */
bool rps_is_external_enter(tree fndecl);
bool rps_is_external_exit(tree fndecl);

/* Are these the hooks around a call that GCC might expand inline? */
bool rps_is_doubtful_enter(tree fndecl);
bool rps_is_doubtful_exit(tree fndecl);

#endif
