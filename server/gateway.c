/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of gateways, and the choice among them. Called by main.c, on the
 * main thread, at the start. */
#include "server/gateway.h"

#include "server/cgi_variables.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* In the order in which --gateway=auto asks them: the last takes anything. */
static const struct rps_gateway *const gateways[] = {
    &rps_gateway_module, &rps_gateway_cgi, &rps_gateway_fastcgi, &rps_gateway_scgi, &rps_gateway_http};

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

int rps_gateway_check_program(const struct rps_app_command *command, const struct rps_app_elf *elf,
			      int takes_directory, char *error, size_t error_size)
{
	if (elf->kind == RPS_APP_MODULE)
		snprintf(error, error_size, "%s is a shared object, not a program (--gateway=module runs it)",
			 command->shown);
	else if (elf->kind == RPS_APP_DIRECTORY && !takes_directory)
		snprintf(error, error_size,
			 "cannot run %s: it is a directory (--gateway=cgi runs its programs)",
			 command->shown);
	else
		return 0;
	return -EINVAL;
}

int rps_gateway_prepare_socket(struct rps_app_command *command, const struct rps_options *options,
			       int listens_itself, char *error, size_t error_size)
{
	command->listens_itself = listens_itself;
	command->port = options->app_port ? options->app_port : rps_app_port_pick();
	command->port_is_fixed = options->app_port != 0;
	command->address = options->app_address;
	if (rps_app_command_set_argv(command, NULL, 0, options->app)) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	if (command->address.size || options->app_port)
		return 0;
	command->listen_fd = rps_address_listen_anywhere(&command->address);
	if (command->listen_fd >= 0)
		return 0;
	snprintf(error, error_size, "cannot make a socket for %s: %s", command->shown,
		 strerror(-command->listen_fd));
	return -EIO;
}

int rps_gateway_fill_variables(const struct rps_gateway_context *context,
			       const struct rps_exchange_request *request, int64_t body_bytes,
			       struct rps_cgi_variables *variables)
{
	const struct rps_cgi_script script = {.name = request->mount, .path_info = request->path_info};
	char id[32];
	int rc = rps_cgi_variables_fill(variables, request, context->options, &script, body_bytes);

	if (rc)
		return rc;
	snprintf(id, sizeof(id), "%016" PRIx64, request->id);
	return rps_cgi_variables_set(variables, "RUNPROFILE_ID", id);
}
