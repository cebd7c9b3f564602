/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of gateways, and the choice among them. Called by main.c, on the
 * main thread, at the start. */
#include "server/gateway.h"

#include <stdio.h>
#include <string.h>

/* In the order in which --gateway=auto asks them: the last takes anything. */
static const struct rps_gateway *const gateways[] = {&rps_gateway_module, &rps_gateway_http};

#define N_GATEWAYS (sizeof(gateways) / sizeof(gateways[0]))

const char *rps_gateway_names(void)
{
	static char names[128];

	if (!*names) {
		strcpy(names, "auto");
		for (size_t i = 0; i < N_GATEWAYS; i++) {
			strcat(names, ", ");
			strcat(names, gateways[i]->name);
		}
	}
	return names;
}

const struct rps_gateway *rps_gateway_choose(const char *name, const struct rps_app_elf *elf,
					     const char **why, char *error, size_t error_size)
{
	for (size_t i = 0; i < N_GATEWAYS; i++) {
		*why = "as --gateway says";
		if (!strcmp(name, gateways[i]->name))
			return gateways[i];
		if (!strcmp(name, "auto") && gateways[i]->fits(elf, why))
			return gateways[i];
	}
	snprintf(error, error_size, "unknown gateway '%.100s' (--gateway takes %s)", name,
		 rps_gateway_names());
	return NULL;
}
