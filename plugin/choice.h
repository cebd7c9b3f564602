/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which functions are instrumented, and which calls are wrapped, by the user's options and by what is
 * possible. */
#ifndef PROFCC_CHOICE_H
#define PROFCC_CHOICE_H

#include "gcc-compat.h"

enum rps_reason {
	RPS_REASON_NONE,
#define REASON(id, text) RPS_REASON_##id,
#include "plugin/reasons.def"
#undef REASON
};

/* Reads the plugin's argument as profcc made it. Returns false if it is not of that form. */
bool rps_choice_begin(const char *plugin_name, const char *argument);

/* Why this function, whose body is before us, is not to be instrumented; RPS_REASON_NONE if it is.
 * `glob` becomes the one that decided, or "". */
rps_reason rps_choice_of_function(tree fndecl, const char **glob);

/* The reason why GCC has placed no hooks in a function that the above has nothing against. */
rps_reason rps_choice_of_gcc(tree fndecl);

/* --profcc-explain: a line on stderr. */
void rps_choice_explain(tree fndecl, rps_reason reason, const char *glob);
bool rps_choice_is_explained();

/* Are calls to this function, which is defined elsewhere, to be seen? The globs are compared with its name,
 * and with the file that declares it. */
bool rps_choice_of_callee(tree fndecl);

/* --profcc-no-external */
bool rps_choice_has_externals();

/* --profcc-small-code */
bool rps_choice_is_small_code();

bool rps_choice_is_in_system_header(tree fndecl);

/* Where the function is defined, or else declared. */
location_t rps_choice_location(tree fndecl);

#endif
