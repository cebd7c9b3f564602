/* SPDX-License-Identifier: MIT */
/* libmicrohttpd's daemon options by the types of their arguments: what is needed to walk
 * the variadic list of MHD_start_daemon. Numbers, not names: newer ones are known even
 * where an older header is installed.
 */
#ifndef RPS_RUNTIME_MHD_OPTIONS_H
#define RPS_RUNTIME_MHD_OPTIONS_H

#include <microhttpd.h>
#include <stdarg.h>
#include <stddef.h>

#include "runtime/thread.h"

/* Flattens the options from `ap` up to MHD_OPTION_END, arrays within included, into a malloc'ed array that ends in
 * MHD_OPTION_END and has `n_spare` unused items behind it. NULL when out of memory, or at an option not in the table (*unknown is its
 * number then, else 0). */
RPS_HIDDEN struct MHD_OptionItem *rps_mhd_options_flatten(va_list ap, size_t n_spare, size_t *n_items, int *unknown);

#endif
