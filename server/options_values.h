/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each option takes: options.c finds the option, these read its value.
 * Each takes a text (for a switch: "yes", "no", or NULL for yes) and returns 0,
 * -ENOMEM, or -EINVAL with `*hint` set to what it should have been. */
#ifndef RPS_SERVER_OPTIONS_VALUES_H
#define RPS_SERVER_OPTIONS_VALUES_H

#include "server/options.h"

#define RPS_OPTION(id, name, argument, help)                                                                 \
	int rps_option_set_##id(struct rps_options *options, const char *value, const char **hint);
#include "server/options.def"
#undef RPS_OPTION

#endif
