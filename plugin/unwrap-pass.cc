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
#include "pass.h"
#include "passes.h"

/* The function that is called, as long as no pass has touched the call. (get_call_fndecl() knows it only
 * where -fipa-ra is on.) */
static tree callee_of(rtx_insn *insn)
{
	rtx call = get_call_rtx_from(insn);
	tree callee = call && MEM_P(XEXP(call, 0)) ? MEM_EXPR(XEXP(call, 0)) : NULL_TREE;

	return callee && TREE_CODE(callee) == FUNCTION_DECL ? callee : NULL_TREE;
}

static unsigned unwrap(function *)
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

void rps_unwrap_pass_register(const char *plugin_name)
{
	rps_pass_register(plugin_name, new rps_rtl_pass("profcc_unwrap", PROP_rtl, unwrap), PASS_POS_INSERT_AFTER,
			  "expand", 1);
}
