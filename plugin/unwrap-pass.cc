/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pass that takes the wraps off calls that are none. Runs inside the compiler, once a function, right
 * behind the expander, when the instructions still stand in the order of the statements they come from.
 *
 *   before     call __runprofile_external_enter_v2; movdqu, movups; call __runprofile_external_exit_v2
 *   after      movdqu, movups                                                     what memcpy became
 *
 * The hooks' arguments stay behind for those who remove dead code. Where the expansion holds a call on one of
 * its paths, the wrap stays.
 */
#include "passes.h"

/* The function that is called, as long as no pass has touched the call. (get_call_fndecl() knows it only
 * where -fipa-ra is on.) */
static tree callee_of(rtx_insn *insn)
{
	rtx call = get_call_rtx_from(insn);
	tree callee = call && MEM_P(XEXP(call, 0)) ? MEM_EXPR(XEXP(call, 0)) : NULL_TREE;

	return callee && TREE_CODE(callee) == FUNCTION_DECL ? callee : NULL_TREE;
}

static unsigned unwrap()
{
	rtx_insn *insn, *next, *enter = NULL;

	for (insn = get_insns(); insn; insn = next) {
		tree callee;

		next = NEXT_INSN(insn);
		if (!CALL_P(insn))
			continue;
		callee = callee_of(insn);
		if (rps_is_doubtful_enter(callee)) {
			enter = insn;
			continue;
		}
		if (enter && rps_is_doubtful_exit(callee)) {
			delete_insn(enter);
			delete_insn(insn);
		}
		enter = NULL;
	}
	return 0;
}

namespace
{

const pass_data unwrap_pass_data = {
    RTL_PASS, "profcc_unwrap", OPTGROUP_NONE, TV_NONE, PROP_rtl, 0, 0, 0, 0,
};

class unwrap_pass : public rtl_opt_pass
{
      public:
	unwrap_pass() : rtl_opt_pass(unwrap_pass_data, g)
	{
	}

	unsigned execute(function *) final override
	{
		return unwrap();
	}
};

} /* namespace */

void rps_unwrap_pass_register(const char *plugin_name)
{
	struct register_pass_info info;

	info.pass = new unwrap_pass;
	info.reference_pass_name = "expand";
	info.ref_pass_instance_number = 1;
	info.pos_op = PASS_POS_INSERT_AFTER;
	register_callback(plugin_name, PLUGIN_PASS_MANAGER_SETUP, NULL, &info);
}
