/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plugin's passes, as its entry point knows them. */
#ifndef PROFCC_PASSES_H
#define PROFCC_PASSES_H

void rps_hooks_pass_register(const char *plugin_name);
void rps_sites_pass_register(const char *plugin_name);

#endif
