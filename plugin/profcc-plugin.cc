/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entry point of the GCC plugin: checks that it was built for the compiler that
 * loads it, and registers its passes. Loaded by the compiler proper (cc1, cc1plus, and
 * lto1 at link time) on profcc's behalf.
 */
#include "gcc-compat.h"
#include "choice.h"
#include "passes.h"
#include "records.h"

/* GCC looks for this name: a promise about the licence. */
__attribute__((visibility("default"))) int plugin_is_GPL_compatible;

static struct plugin_info info = {"1", "profcc: exact call hooks for RunProfileServer"};

/* -fplugin-arg-NAME-options=...; the driver always gives it, "." when there is nothing to say. */
static const char *options_of(const struct plugin_name_args *args)
{
	for (int i = 0; i < args->argc; i++) {
		if (strcmp(args->argv[i].key, "options") == 0 && args->argv[i].value)
			return args->argv[i].value;
	}
	return ".";
}

extern "C" __attribute__((visibility("default"))) int plugin_init(struct plugin_name_args *args,
								  struct plugin_gcc_version *version)
{
	/* Between releases even inner structures change. Without us the plain hooks are left in the code,
	 * so that the program is profiled all the same. */
	if (strcmp(version->basever, gcc_version.basever) != 0) {
		warning(0,
			"the profcc plugin was built for GCC %s and this is %s: using plain hooks "
			"(build RunProfileServer again)",
			gcc_version.basever, version->basever);
		return 0;
	}
	if (!rps_choice_begin(args->base_name, options_of(args))) {
		error("the profcc plugin does not understand its argument (only profcc makes it)");
		return 0;
	}
	register_callback(args->base_name, PLUGIN_INFO, NULL, &info);
	rps_records_begin(args->base_name);
	rps_hooks_pass_register(args->base_name);
	rps_sites_pass_register(args->base_name);
	rps_externals_pass_register(args->base_name);
	rps_inline_pass_register(args->base_name); /* behind the externals' pass: at the same place, in this order */
	rps_unwrap_pass_register(args->base_name);
	return 0;
}
