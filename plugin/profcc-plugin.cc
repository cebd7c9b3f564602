/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entry point of the GCC plugin: checks that it was built for the compiler that
 * loads it, and registers its passes. Loaded by the compiler proper (cc1, cc1plus, and
 * lto1 at link time) on profcc's behalf.
 */
#include "gcc-compat.h"
#include "passes.h"
#include "records.h"

/* GCC looks for this name: a promise about the licence. */
__attribute__((visibility("default"))) int plugin_is_GPL_compatible;

static struct plugin_info info = {"1", "profcc: exact call hooks for RunProfileServer"};

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
	register_callback(args->base_name, PLUGIN_INFO, NULL, &info);
	rps_records_begin(args->base_name);
	rps_hooks_pass_register(args->base_name);
	rps_sites_pass_register(args->base_name);
	return 0;
}
