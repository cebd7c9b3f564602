/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pass that wraps calls of functions defined elsewhere, and calls through pointers, so that they
 * appear in the profile though nothing in the callee says so. Runs inside the compiler, once a function.
 *
 *   before     x = qsort(...);
 *   after      if (record_of_qsort.is_instrumented == 0)
 *                      __runprofile_external_enter_v2(&record_of_qsort, cfa, &site);
 *              x = qsort(...);
 *              if (record_of_qsort.is_instrumented == 0)
 *                      __runprofile_external_exit_v2(&record_of_qsort, cfa);
 *
 *   before     x = p(...);
 *   after      __runprofile_pointer_enter_v2(p, cfa, &site); x = p(...); __runprofile_pointer_exit_v2(p,
 * cfa);
 *
 * The test is made twice, since the flag is set in between when the callee's own hook runs for the first
 * time; the run time then forgets the external call, and the exit is not missed. Where the call ends its
 * block (it may throw, or be returned to by longjmp) the exit goes on the edge of the normal return: an
 * exception or a jump leaves without exit. So does a call that never returns. Where a wrapped call's exception
 * lands, __runprofile_landed_v2(cfa) says so: what is called there next would else seem to be called by the callee.
 *
 * It sits before "optimized", behind all that could fold, merge, move or drop a call: what is wrapped is what
 * will be executed, and no optimisation is lost to the wraps. One thing comes later: the expander may still
 * open-code a function it knows (memcpy, strlen). Those get hooks by declarations of their own, without the
 * test, and unwrap-pass.cc takes them away where no call came out.
 *
 * Not wrapped: what call-marks.cc rules out; calls that return twice (vfork among them: parent and child
 * share the frame); calls that must be tail calls; functions which the compiler calls on its own behalf
 * (__cxa_throw), but operator new and delete are; functions it knows that have no counterpart in a library,
 * all whose assembler name begins with '_' but _exit, _Exit and the *_chk of _FORTIFY_SOURCE; those for which
 * the machine has an instruction (sqrt); constant functions behind a macro, like errno's. Copies and fills of
 * up to 16 bytes never become a call.
 *
 * To see its work: -fdump-tree-optimized.
 */
#include "call-marks.h"
#include "pass.h"
#include "passes.h"
#include "records.h"

static tree external_enter_fn, external_exit_fn, doubtful_enter_fn, doubtful_exit_fn, pointer_enter_fn,
    pointer_exit_fn, landed_fn;

static void declare_hooks()
{
	tree one, two, three;

	if (external_enter_fn)
		return;
	one = build_function_type_list(void_type_node, ptr_type_node, NULL_TREE);
	two = build_function_type_list(void_type_node, ptr_type_node, ptr_type_node, NULL_TREE);
	three = build_function_type_list(void_type_node, ptr_type_node, ptr_type_node, const_ptr_type_node,
					 NULL_TREE);
	external_enter_fn = rps_hook_declare("__runprofile_external_enter_v2", three);
	external_exit_fn = rps_hook_declare("__runprofile_external_exit_v2", two);
	doubtful_enter_fn = rps_hook_declare("__runprofile_external_enter_v2", three);
	doubtful_exit_fn = rps_hook_declare("__runprofile_external_exit_v2", two);
	pointer_enter_fn = rps_hook_declare("__runprofile_pointer_enter_v2", three);
	pointer_exit_fn = rps_hook_declare("__runprofile_pointer_exit_v2", two);
	landed_fn = rps_hook_declare("__runprofile_landed_v2", one);
}

bool rps_is_external_enter(tree fndecl)
{
	return fndecl && fndecl == external_enter_fn;
}

bool rps_is_external_exit(tree fndecl)
{
	return fndecl && fndecl == external_exit_fn;
}

bool rps_is_doubtful_enter(tree fndecl)
{
	return fndecl && fndecl == doubtful_enter_fn;
}

bool rps_is_doubtful_exit(tree fndecl)
{
	return fndecl && fndecl == doubtful_exit_fn;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), n_end = strlen(end);

	return n >= n_end && strcmp(s + n - n_end, end) == 0;
}

static bool is_small_copy(gcall *call, tree callee)
{
	tree size;

	switch (DECL_FUNCTION_CODE(callee)) {
	case BUILT_IN_MEMCPY:
	case BUILT_IN_MEMMOVE:
	case BUILT_IN_MEMSET:
		size = gimple_call_num_args(call) == 3 ? gimple_call_arg(call, 2) : NULL_TREE;
		return size && tree_fits_uhwi_p(size) && tree_to_uhwi(size) <= 16;
	default:
		return false;
	}
}

/* Functions the compiler knows and yet always calls. */
static bool is_always_called(tree callee)
{
	if (!fndecl_built_in_p(callee, BUILT_IN_NORMAL))
		return false;
	switch (DECL_FUNCTION_CODE(callee)) {
	case BUILT_IN_MALLOC:
	case BUILT_IN_CALLOC:
	case BUILT_IN_REALLOC:
	case BUILT_IN_FREE:
	case BUILT_IN_STRDUP:
	case BUILT_IN_STRNDUP:
	case BUILT_IN_PRINTF:
	case BUILT_IN_FPRINTF:
	case BUILT_IN_SPRINTF:
	case BUILT_IN_SNPRINTF:
	case BUILT_IN_VPRINTF:
	case BUILT_IN_VFPRINTF:
	case BUILT_IN_VSPRINTF:
	case BUILT_IN_VSNPRINTF:
	case BUILT_IN_PUTS:
	case BUILT_IN_PUTCHAR:
	case BUILT_IN_FPUTS:
	case BUILT_IN_FPUTC:
	case BUILT_IN_FWRITE:
		return true;
	default:
		return false;
	}
}

static bool is_wrappable_builtin(gcall *call, tree callee)
{
	const char *symbol = rps_symbol_of_function(callee);

	if (*symbol == '_' && !ends_with(symbol, "_chk") && strcmp(symbol, "_exit") != 0 &&
	    strcmp(symbol, "_Exit") != 0)
		return false;
	if (strcmp(symbol, "alloca") == 0)
		return false;
	/* Without optimisation the expander makes calls of them all. */
	return !optimize || (replacement_internal_fn(call) == IFN_LAST && !is_small_copy(call, callee));
}

static bool is_wrappable(gcall *call)
{
	tree callee = gimple_call_fndecl(call);
	int flags = gimple_call_flags(call);

	if ((flags & ECF_RETURNS_TWICE) || gimple_call_must_tail_p(call))
		return false;
	if (!callee)
		return true;
	if (rps_call_is_builtin(call))
		return is_wrappable_builtin(call, callee);
	if (fndecl_built_in_p(callee))
		return false;
	if (DECL_ARTIFICIAL(callee) && !DECL_IS_OPERATOR_NEW_P(callee) && !DECL_IS_OPERATOR_DELETE_P(callee))
		return false;
	return !((flags & ECF_CONST) && strncmp(rps_symbol_of_function(callee), "__", 2) == 0);
}

/* A call of a hook, preceded by that which gets the frame's address. */
static gimple_seq new_hook_call(tree hook, tree callee, location_t site, gimple *like)
{
	tree cfa = make_ssa_name(ptr_type_node);
	gcall *get_cfa = gimple_build_call(rps_cfa_function(), 0), *call;
	gimple_seq seq = NULL;

	gimple_call_set_lhs(get_cfa, cfa);
	if (hook == external_enter_fn || hook == doubtful_enter_fn || hook == pointer_enter_fn)
		call =
		    gimple_build_call(hook, 3, callee, cfa, build_fold_addr_expr(rps_site_of_location(site, NULL_TREE)));
	else
		call = gimple_build_call(hook, 2, callee, cfa);
	gimple_set_location(get_cfa, gimple_location(like));
	gimple_set_location(call, gimple_location(like));
	gimple_seq_add_stmt(&seq, get_cfa);
	gimple_seq_add_stmt(&seq, call);
	return seq;
}

/* Puts the sequence on the edge, behind a test whether the callee has hooks of its own. */
static void put_guarded(edge e, tree record, gimple_seq seq, location_t location)
{
	basic_block test = split_edge(e), join = split_edge(single_succ_edge(test)),
		    hook = create_empty_bb(test);
	edge skip = single_succ_edge(test), enter;
	tree flag = make_ssa_name(uint32_type_node);
	gimple_stmt_iterator gsi = gsi_last_bb(test);
	gimple *load = gimple_build_assign(flag, rps_instrumented_of_external(record));
	gimple *branch =
	    gimple_build_cond(EQ_EXPR, flag, build_zero_cst(uint32_type_node), NULL_TREE, NULL_TREE);

	gimple_set_location(load, location);
	gimple_set_location(branch, location);
	gsi_insert_after(&gsi, load, GSI_NEW_STMT);
	gsi_insert_after(&gsi, branch, GSI_NEW_STMT);
	if (current_loops)
		add_bb_to_loop(hook, test->loop_father);
	skip->flags = (skip->flags & ~EDGE_FALLTHRU) | EDGE_FALSE_VALUE;
	skip->probability = profile_probability::even();
	enter = make_edge(test, hook, EDGE_TRUE_VALUE);
	enter->probability = profile_probability::even();
	hook->count = enter->count();
	make_single_succ_edge(hook, join, EDGE_FALLTHRU);
	gsi = gsi_start_bb(hook);
	gsi_insert_seq_after(&gsi, seq, GSI_NEW_STMT);
}

static edge edge_before(gimple *stmt)
{
	gimple_stmt_iterator gsi = gsi_for_stmt(stmt);
	basic_block bb = gimple_bb(stmt);

	gsi_prev(&gsi);
	return gsi_end_p(gsi) ? split_block_after_labels(bb) : split_block(bb, gsi_stmt(gsi));
}

/* The edge of the normal return; NULL if there is none. */
static edge edge_after(gimple *stmt)
{
	edge e;
	edge_iterator ei;

	if (!stmt_ends_bb_p(stmt))
		return split_block(gimple_bb(stmt), stmt);
	FOR_EACH_EDGE(e, ei, gimple_bb(stmt)->succs)
	{
		if (e->flags & EDGE_FALLTHRU)
			return e;
	}
	return NULL;
}

static void put_before(gimple *stmt, gimple_seq seq)
{
	gimple_stmt_iterator gsi = gsi_for_stmt(stmt);

	gsi_insert_seq_before(&gsi, seq, GSI_SAME_STMT);
}

static void put_after(gimple *stmt, gimple_seq seq)
{
	gimple_stmt_iterator gsi = gsi_for_stmt(stmt);
	edge e;

	if (!stmt_ends_bb_p(stmt))
		gsi_insert_seq_after(&gsi, seq, GSI_NEW_STMT);
	else if ((e = edge_after(stmt)))
		gsi_insert_seq_on_edge_immediate(e, seq);
}

static void wrap_pointer(gcall *call, location_t site)
{
	tree pointer = gimple_call_fn(call);

	if (TREE_CODE(pointer) == OBJ_TYPE_REF)
		pointer = OBJ_TYPE_REF_EXPR(pointer);
	put_before(call, new_hook_call(pointer_enter_fn, pointer, site, call));
	if (!gimple_call_noreturn_p(call))
		put_after(call, new_hook_call(pointer_exit_fn, pointer, site, call));
}

static void wrap_direct(gcall *call, tree callee, location_t site)
{
	tree record = rps_record_of_external(callee), address = build_fold_addr_expr(record);
	bool returns = !gimple_call_noreturn_p(call);
	edge after;

	if (rps_call_is_builtin(call) && !is_always_called(callee) && returns && !stmt_ends_bb_p(call)) {
		put_before(call, new_hook_call(doubtful_enter_fn, address, site, call));
		put_after(call, new_hook_call(doubtful_exit_fn, address, site, call));
		return;
	}
	put_guarded(edge_before(call), record, new_hook_call(external_enter_fn, address, site, call),
		    gimple_location(call));
	after = returns ? edge_after(call) : NULL;
	if (after)
		put_guarded(after, record, new_hook_call(external_exit_fn, address, site, call),
			    gimple_location(call));
}

/* Where an exception of `call` lands, if it does in this function. */
static void note_landings(gimple *call, std::vector<basic_block> &landings)
{
	edge e;
	edge_iterator ei;

	FOR_EACH_EDGE(e, ei, gimple_bb(call)->succs)
	{
		size_t i = 0;

		while (i < landings.size() && landings[i] != e->dest)
			i++;
		if ((e->flags & EDGE_EH) && i == landings.size())
			landings.push_back(e->dest);
	}
}

static void put_landed(basic_block bb)
{
	gimple_stmt_iterator gsi = gsi_after_labels(bb);
	tree cfa = make_ssa_name(ptr_type_node);
	gcall *get_cfa = gimple_build_call(rps_cfa_function(), 0), *call = gimple_build_call(landed_fn, 1, cfa);

	gimple_call_set_lhs(get_cfa, cfa);
	gsi_insert_before(&gsi, get_cfa, GSI_SAME_STMT);
	gsi_insert_before(&gsi, call, GSI_SAME_STMT);
}

static unsigned wrap_calls(function *fun)
{
	std::vector<std::pair<gcall *, location_t>> wanted;
	std::vector<basic_block> landings;
	basic_block bb;

	FOR_EACH_BB_FN(bb, fun)
	{
		for (gimple_stmt_iterator gsi = gsi_start_bb(bb); !gsi_end_p(gsi); gsi_next(&gsi)) {
			gcall *call = dyn_cast<gcall *>(gsi_stmt(gsi));
			location_t location;

			if (call && rps_call_is_wanted(call, fun->decl, &location) && is_wrappable(call))
				wanted.push_back(std::make_pair(call, location));
		}
	}
	if (wanted.empty())
		return 0;
	declare_hooks();
	for (size_t i = 0; i < wanted.size(); i++) {
		gcall *call = wanted[i].first;
		tree callee = gimple_call_fndecl(call);

		gimple_call_set_tail(call, false);
		note_landings(call, landings);
		if (callee)
			wrap_direct(call, callee, wanted[i].second);
		else
			wrap_pointer(call, wanted[i].second);
	}
	for (size_t i = 0; i < landings.size(); i++)
		put_landed(landings[i]);
	free_dominance_info(CDI_DOMINATORS);
	free_dominance_info(CDI_POST_DOMINATORS);
	mark_virtual_operands_for_renaming(fun);
	return TODO_update_ssa_only_virtuals;
}

void rps_externals_pass_register(const char *plugin_name)
{
	rps_pass_register(plugin_name, new rps_gimple_pass("profcc_externals", PROP_cfg | PROP_ssa, wrap_calls),
			  PASS_POS_INSERT_BEFORE, "optimized", 1);
}
