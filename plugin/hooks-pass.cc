/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pass that gives GCC's own hook calls our arguments. Runs inside the
 * compiler, once a function.
 *
 *   before                                     after
 *     _1 = __builtin_return_address(0);          _3 = __builtin_dwarf_cfa();
 *     __cyg_profile_func_enter(&f, _1);          __runprofile_enter_v2(&record, _3, 0);
 *     ...                                        ...
 *     _2 = __builtin_return_address(0);          _4 = __builtin_dwarf_cfa();
 *     __cyg_profile_func_exit(&f, _2);           __runprofile_exit_v2(&record, _4);
 *
 * and after each call that may return twice:     __runprofile_resync_v2(&record, _5);
 *
 * On x86 the return address has its place below the CFA. Elsewhere it has none that the runtime could know, so the enter hook
 * keeps it:                                      __runprofile_enter_v2(&record, _3, 0, _1);
 *
 * It sits right behind "cfg": the hooks' places have been settled (try/finally
 * is lowered), there is a control flow graph to put a statement on an edge, but
 * no SSA form and no call graph edges to keep right, and nothing has been inlined
 * yet: later copies of the body are copies of our hooks. To see its work:
 * -fdump-tree-all.
 *
 * Our hooks are declared leaf and nothrow, which GCC's own are not: that is what
 * makes less of a barrier of them, and why edges have to be purged.
 */
#include "choice.h"
#include "pass.h"
#include "passes.h"
#include "records.h"

static tree enter_fn, exit_fn, resync_fn, cfa_fn;

/* "fn spec": reads and writes nothing of the program's, and keeps no pointer; but is there for a purpose. */
tree rps_hook_declare(const char *name, tree type)
{
	static const char spec[] = ". cX X X X ";
	tree text = build_string(sizeof spec - 1, spec), decl;

	type = build_type_attribute_variant(type, tree_cons(get_identifier("fn spec"),
							     build_tree_list(NULL_TREE, text), NULL_TREE));
	decl = build_fn_decl(name, type);

	DECL_ARTIFICIAL(decl) = 1;
	TREE_NOTHROW(decl) = 1;
	DECL_ATTRIBUTES(decl) = tree_cons(get_identifier("leaf"), NULL_TREE, DECL_ATTRIBUTES(decl));
	rps_tree_keep(decl);
	return decl;
}

static void declare_hooks()
{
	tree two, enter;

	if (enter_fn)
		return;
	two = build_function_type_list(void_type_node, ptr_type_node, ptr_type_node, NULL_TREE);
	enter = build_function_type_list(void_type_node, ptr_type_node, ptr_type_node, const_ptr_type_node,
					 PROFCC_TARGET_IS_X86 ? NULL_TREE : ptr_type_node, NULL_TREE);
	enter_fn = rps_hook_declare("__runprofile_enter_v2", enter);
	exit_fn = rps_hook_declare("__runprofile_exit_v2", two);
	resync_fn = rps_hook_declare("__runprofile_resync_v2", two);
}

/* Not every front end declares this builtin. */
tree rps_cfa_function()
{
	if (!cfa_fn)
		cfa_fn = builtin_decl_implicit(BUILT_IN_DWARF_CFA);
	if (!cfa_fn) {
		cfa_fn = add_builtin_function("__builtin_dwarf_cfa",
					      build_function_type_list(ptr_type_node, NULL_TREE),
					      BUILT_IN_DWARF_CFA, BUILT_IN_NORMAL, NULL, NULL_TREE);
		set_builtin_decl(BUILT_IN_DWARF_CFA, cfa_fn, true);
		rps_tree_keep(cfa_fn);
	}
	return cfa_fn;
}

static gimple *new_cfa_call(tree cfa, gimple *like)
{
	gcall *call = gimple_build_call(rps_cfa_function(), 0);

	gimple_call_set_lhs(call, cfa);
	gimple_set_location(call, gimple_location(like));
	gimple_set_block(call, gimple_block(like));
	return call;
}

/* In place of `like`: of GCC's own call, whose second argument is the return address, or behind a call that returns twice. */
static gimple *new_hook_call(tree hook, tree record, tree cfa, gimple *like)
{
	tree address = build_fold_addr_expr(record);
	gcall *call;

	if (hook != enter_fn)
		call = gimple_build_call(hook, 2, address, cfa);
	else if (PROFCC_TARGET_IS_X86)
		call = gimple_build_call(hook, 3, address, cfa, null_pointer_node);
	else
		call = gimple_build_call(hook, 4, address, cfa, null_pointer_node, gimple_call_arg(like, 1));
	gimple_set_location(call, gimple_location(like));
	gimple_set_block(call, gimple_block(like));
	return call;
}

/* Removes the call that made the hook's second argument, when it stands right before the hook. */
static void drop_return_address(gimple_stmt_iterator hook, tree value)
{
	gimple_stmt_iterator gsi = hook;

	for (gsi_prev(&gsi); !gsi_end_p(gsi); gsi_prev(&gsi)) {
		gimple *stmt = gsi_stmt(gsi);
		/* gimple_call_builtin_p() says no: the gimplifier passes an int for an unsigned. */
		tree fndecl = is_gimple_call(stmt) ? gimple_call_fndecl(stmt) : NULL_TREE;

		if (fndecl && fndecl_built_in_p(fndecl, BUILT_IN_RETURN_ADDRESS) &&
		    gimple_call_lhs(stmt) == value) {
			gsi_remove(&gsi, true);
			return;
		}
	}
}

static bool is_returning_twice(gimple *stmt)
{
	return is_gimple_call(stmt) && (gimple_call_flags(stmt) & ECF_RETURNS_TWICE);
}

static void put_resync(gimple_stmt_iterator gsi, tree record)
{
	gimple *call = gsi_stmt(gsi);
	basic_block bb = gimple_bb(call);
	tree cfa = create_tmp_var(ptr_type_node, "cfa");
	gimple_seq seq = NULL;
	edge e;
	edge_iterator ei;

	gimple_seq_add_stmt(&seq, new_cfa_call(cfa, call));
	gimple_seq_add_stmt(&seq, new_hook_call(resync_fn, record, cfa, call));
	if (!stmt_ends_bb_p(call)) {
		gsi_insert_seq_after(&gsi, seq, GSI_NEW_STMT);
		return;
	}
	FOR_EACH_EDGE(e, ei, bb->succs)
	{
		if (e->flags & EDGE_FALLTHRU) {
			gsi_insert_seq_on_edge_immediate(e, seq);
			return;
		}
	}
}

static unsigned rewrite_hooks(function *fun, bool drop, bool *hooked)
{
	std::vector<gimple *> twice;
	tree record = NULL_TREE;
	bool changed = false;
	basic_block bb;

	*hooked = false;
	FOR_EACH_BB_FN(bb, fun)
	{
		bool purge = false;

		for (gimple_stmt_iterator gsi = gsi_start_bb(bb); !gsi_end_p(gsi);) {
			gimple *stmt = gsi_stmt(gsi);
			bool enter = gimple_call_builtin_p(stmt, BUILT_IN_PROFILE_FUNC_ENTER);
			bool exit = gimple_call_builtin_p(stmt, BUILT_IN_PROFILE_FUNC_EXIT);

			if (is_returning_twice(stmt))
				twice.push_back(stmt);
			if (!enter && !exit) {
				gsi_next(&gsi);
				continue;
			}
			purge = true;
			if (drop || exit || PROFCC_TARGET_IS_X86)
				drop_return_address(gsi, gimple_call_arg(stmt, 1));
			if (drop) {
				gsi_remove(&gsi, true);
				continue;
			}
			*hooked = true;
			if (!record) {
				declare_hooks();
				record = rps_record_of_function(fun->decl);
			}
			tree cfa = create_tmp_var(ptr_type_node, "cfa");
			gsi_insert_before(&gsi, new_cfa_call(cfa, stmt), GSI_SAME_STMT);
			gsi_insert_before(&gsi, new_hook_call(enter ? enter_fn : exit_fn, record, cfa, stmt),
					  GSI_SAME_STMT);
			gsi_remove(&gsi, true);
		}
		if (purge) {
			gimple_purge_dead_eh_edges(bb);
			gimple_purge_dead_abnormal_call_edges(bb);
			changed = true;
		}
	}
	/* After the loop: an insertion on an edge may split blocks. */
	if (*hooked) {
		for (size_t i = 0; i < twice.size(); i++)
			put_resync(gsi_for_stmt(twice[i]), record);
	}
	return changed ? TODO_cleanup_cfg : 0;
}

static unsigned instrument(function *fun)
{
	const char *glob;
	rps_reason reason = rps_choice_of_function(fun->decl, &glob);
	bool hooked;
	unsigned todo = rewrite_hooks(fun, reason != RPS_REASON_NONE, &hooked);

	rps_calls_mark(fun, hooked);
	if (rps_choice_is_explained()) {
		if (reason == RPS_REASON_NONE && !hooked)
			reason = rps_choice_of_gcc(fun->decl);
		rps_choice_explain(fun->decl, reason, glob);
	}
	return todo;
}

static bool is_wanted()
{
	return flag_instrument_function_entry_exit || rps_choice_is_explained();
}

void rps_hooks_pass_register(const char *plugin_name)
{
	rps_pass_register(plugin_name, new rps_gimple_pass("profcc_hooks", PROP_cfg, instrument, is_wanted),
			  PASS_POS_INSERT_AFTER, "cfg", 1);
}
