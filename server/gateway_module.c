/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The module gateway: the application is a shared object that exports
 * runprofile_app (include/runprofile.h). It runs in runprofile-module-host, a
 * process of its own, so that its crash is not ours; requests reach it by HTTP.
 * Called on the main thread, at the start. */
#include "server/gateway_http.h"
#include "collect/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fits(const struct rps_app_elf *elf, const char **why)
{
	*why = "a shared object";
	return elf->kind == RPS_APP_MODULE;
}

static int prepare(struct rps_app_command *command, const struct rps_options *options,
		   const struct rps_app_elf *elf, char *error, size_t error_size)
{
	const char *before[1];
	char *host;

	if (elf->kind != RPS_APP_MODULE) {
		snprintf(error, error_size,
			 "%s is not a module (a shared object linked with -shared); "
			 "--gateway=http runs a program",
			 command->shown);
		return -EINVAL;
	}
	if (!elf->has_entry) {
		snprintf(
		    error, error_size,
		    elf->has_mangled_entry
			? "%s has a C++ function runprofile_app, but a module exports it as a C function "
			  "(#include <runprofile.h> where it is defined)"
			: "%s does not export runprofile_app, the function a module is called by "
			  "(see runprofile.h; to run a program, name the program)",
		    command->shown);
		return -EINVAL;
	}
	if (options->app_port) {
		snprintf(error, error_size, "--app-port is for programs; a module's port is our own choice");
		return -EINVAL;
	}
	host = rps_path_module_host(error, error_size);
	if (!host)
		return -ENOENT;
	command->port = rps_app_port_pick();
	/* The host is what is executed; the module becomes its first argument. */
	before[0] = host;
	if (rps_app_command_set_argv(command, before, 1, options->app)) {
		free(host);
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	/* dlopen looks for a name without slash elsewhere: hand over the path that was found. */
	free(command->argv[1]);
	command->argv[1] = command->program;
	command->program = host;
	return 0;
}

const struct rps_gateway rps_gateway_module = {
    .name = "module",
    .adapter = "libmicrohttpd",
    .fits = fits,
    .prepare = prepare,
    .exchange = &rps_exchange_http,
};
