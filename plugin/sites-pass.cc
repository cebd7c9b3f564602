/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pass that tells enter hooks from where an inlined call was made. Runs
 * inside the compiler, several times a function.
 *
 *   before      __runprofile_enter_v2(&record_of_f, _1, 0);     f was inlined into g
 *   after       __runprofile_enter_v2(&record_of_f, _1, &site); site: {"/src/g.c", 17}
 *
 * A hook whose function was not inlined keeps 0: a call instruction was
 * executed, and its return address stands below the frame address.
 *
 * Inlining wraps the callee's statements into a BLOCK that knows the callee
 * and the place of the call, also at -g0. A site is final once its function
 * was inlined for the first time, so it is filled in as early as can be: right
 * behind the early inliner and where bodies arrive from the inliner proper
 * ("fixup_cfg"). Until then the hooks of two inlined calls look alike, and a pass
 * that merges equal code (identical code folding) loses one of the two places. The last
 * run, before "optimized", is for what was inlined otherwise. At link time
 * with -flto it runs again: the plugin has to be loaded there too.
 * To see its work: -fdump-tree-all.
 */
#include "pass.h"
#include "passes.h"
#include "records.h"

/* The function's record, if this is a call of the enter hook whose site is not filled in yet. */
static tree record_of_open_enter(gimple *stmt)
{
	tree fndecl, site;

	if (!is_gimple_call(stmt) || gimple_call_num_args(stmt) < 3)
		return NULL_TREE;
	fndecl = gimple_call_fndecl(stmt);
	if (!fndecl || !DECL_NAME(fndecl) ||
	    strcmp(IDENTIFIER_POINTER(DECL_NAME(fndecl)), "__runprofile_enter_v2") != 0)
		return NULL_TREE;
	site = gimple_call_arg(stmt, 2);
	return integer_zerop(site) ? rps_record_from_address(gimple_call_arg(stmt, 0)) : NULL_TREE;
}

/* Where the call was made that brought this hook here. Returns false for a hook of the function itself. */
static bool find_site(gimple *stmt, tree record, tree current, location_t *location)
{
	bool inlined = false;

	for (tree block = gimple_block(stmt); block && TREE_CODE(block) == BLOCK;
	     block = BLOCK_SUPERCONTEXT(block)) {
		tree origin;

		if (!inlined_function_outer_scope_p(block))
			continue;
		inlined = true;
		origin = block_ultimate_origin(block);
		if (origin && TREE_CODE(origin) == FUNCTION_DECL && rps_record_belongs_to(record, origin)) {
			*location = LOCATION_LOCUS(BLOCK_SOURCE_LOCATION(block));
			return true;
		}
	}
	/* The scope was lost: the place is unknown, but it must not pass for a call really made. */
	*location = UNKNOWN_LOCATION;
	return inlined || !rps_record_belongs_to(record, current);
}

static unsigned fill_sites(function *fun)
{
	basic_block bb;

	FOR_EACH_BB_FN(bb, fun)
	{
		for (gimple_stmt_iterator gsi = gsi_start_bb(bb); !gsi_end_p(gsi); gsi_next(&gsi)) {
			gimple *stmt = gsi_stmt(gsi);
			tree record = record_of_open_enter(stmt);
			location_t location;

			if (!record || !find_site(stmt, record, fun->decl, &location))
				continue;
			gimple_call_set_arg(stmt, 2, build_fold_addr_expr(rps_site_of_location(location, record)));
			if (gimple_call_num_args(stmt) > 3) /* the return address is the enclosing function's */
				gimple_call_set_arg(stmt, 3, null_pointer_node);
			update_stmt(stmt);
		}
	}
	return 0;
}

static void register_at(const char *plugin_name, pass_positioning_ops position, const char *where)
{
	rps_pass_register(plugin_name, new rps_gimple_pass("profcc_sites", PROP_cfg, fill_sites), position, where,
			  0);
}

void rps_sites_pass_register(const char *plugin_name)
{
	register_at(plugin_name, PASS_POS_INSERT_AFTER, "einline");
	register_at(plugin_name, PASS_POS_INSERT_AFTER, "fixup_cfg");
	register_at(plugin_name, PASS_POS_INSERT_BEFORE, "optimized");
}
