/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Marks at calls, see call-marks.cc. Numbers are indices there. */
#ifndef PROFCC_CALL_MARKS_H
#define PROFCC_CALL_MARKS_H

#include "gcc-compat.h"

enum rps_call_mark {
	RPS_CALL_UNMARKED,
	RPS_CALL_WANTED,
	RPS_CALL_OPAQUE,
	RPS_CALL_TRANSPARENT,
};

/* Is this function defined neither in this unit nor, at link time, in the program as far as LTO sees it? */
bool rps_callee_is_elsewhere(tree fndecl);

/* Does it call a function that GCC knows? (gimple_call_builtin_p() also wants the types to fit exactly.) */
bool rps_call_is_builtin(gcall *call);

/* Is this call, found at the end of `current`, one that the user wants to see? Sets its place in the source.
 */
bool rps_call_is_wanted(gcall *call, tree current, location_t *location);

#endif
