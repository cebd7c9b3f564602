/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which calls are to be wrapped is known when a function is on its own, before anything is inlined into
 * anything; which of them remain is known at the very end. So they are marked early and wrapped late
 * (externals-pass.cc), and the optimiser in between sees a program without wraps: it folds, merges and drops
 * calls of library functions as ever.
 *
 * The mark is a variant of the call's function type with an attribute of ours: that is copied with the
 * statement, streamed by LTO, and means nothing to anybody else.
 *
 *   wanted        in an instrumented function, of a function that has no body here, or by a pointer
 *   opaque        in a function that is not instrumented: its time, and that of what it calls, is its
 * caller's transparent   in an inline wrapper of a system header that stands for the function it calls, as
 * those of _FORTIFY_SOURCE do: what holds is the function into which it will have been inlined
 *
 * A call without a mark was made by a pass (printf became puts): it is treated as a transparent one.
 */
#include "call-marks.h"
#include "choice.h"
#include "passes.h"
#include "records.h"

static const char *const mark_names[] = {"", "runprofile wanted", "runprofile opaque",
					 "runprofile transparent"};
#define CALLS_ATTRIBUTE "runprofile calls"

static tree marked_type(tree type, rps_call_mark mark)
{
	static std::map<std::pair<tree, int>, tree> variants;
	tree &variant = variants[std::make_pair(type, (int)mark)];

	if (!variant) {
		variant = build_variant_type_copy(type);
		TYPE_ATTRIBUTES(variant) =
		    tree_cons(get_identifier(mark_names[mark]), NULL_TREE, TYPE_ATTRIBUTES(variant));
		rps_tree_keep(type);
		rps_tree_keep(variant);
	}
	return variant;
}

/* Wrappers that C's headers put in front of a function of the library, always inlined or never emitted. */
static bool is_transparent(tree fndecl)
{
	return rps_choice_is_in_system_header(fndecl) &&
	       (lookup_attribute("artificial", DECL_ATTRIBUTES(fndecl)) ||
		lookup_attribute("gnu_inline", DECL_ATTRIBUTES(fndecl)));
}

bool rps_callee_is_elsewhere(tree fndecl)
{
	cgraph_node *node;

	if (!TREE_PUBLIC(fndecl) || !DECL_EXTERNAL(fndecl))
		return false;
	/* At link time what stands in another part of the program is declared external, too. */
	node = cgraph_node::get(fndecl);
	return !node || (!node->definition && !node->in_other_partition && !node->alias);
}

bool rps_call_is_builtin(gcall *call)
{
	tree callee = gimple_call_fndecl(call);

	return callee && fndecl_built_in_p(callee, BUILT_IN_NORMAL);
}

static rps_call_mark mark_for(gcall *call, bool is_instrumented, bool transparent)
{
	tree callee = gimple_call_fndecl(call);

	if (gimple_call_internal_p(call) || !gimple_call_fntype(call))
		return RPS_CALL_UNMARKED;
	if (is_instrumented) {
		if (!rps_choice_has_externals())
			return RPS_CALL_OPAQUE;
		if (!callee)
			return RPS_CALL_WANTED;
		return rps_callee_is_elsewhere(callee) && rps_choice_of_callee(callee) ? RPS_CALL_WANTED
										       : RPS_CALL_OPAQUE;
	}
	if (transparent && callee && rps_callee_is_elsewhere(callee))
		return RPS_CALL_TRANSPARENT;
	return RPS_CALL_OPAQUE;
}

void rps_calls_mark(function *fun, bool is_instrumented)
{
	bool transparent = !is_instrumented && is_transparent(fun->decl);
	basic_block bb;

	if (is_instrumented && rps_choice_has_externals())
		rps_function_remember(fun->decl, CALLS_ATTRIBUTE);
	FOR_EACH_BB_FN(bb, fun)
	{
		for (gimple_stmt_iterator gsi = gsi_start_bb(bb); !gsi_end_p(gsi); gsi_next(&gsi)) {
			gcall *call = dyn_cast<gcall *>(gsi_stmt(gsi));
			rps_call_mark mark;

			if (!call)
				continue;
			mark = mark_for(call, is_instrumented, transparent);
			/* What can't be wrapped anyway needs no mark that says so. */
			if (mark == RPS_CALL_UNMARKED ||
			    (mark == RPS_CALL_OPAQUE && !rps_call_is_builtin(call)))
				continue;
			gimple_call_set_fntype(call, marked_type(gimple_call_fntype(call), mark));
		}
	}
}

static rps_call_mark mark_of(gcall *call)
{
	tree attributes = TYPE_ATTRIBUTES(gimple_call_fntype(call));

	if (attributes) {
		for (int mark = RPS_CALL_WANTED; mark <= RPS_CALL_TRANSPARENT; mark++) {
			if (lookup_attribute(mark_names[mark], attributes))
				return (rps_call_mark)mark;
		}
	}
	return RPS_CALL_UNMARKED;
}

/* Is the innermost function the statement came from, wrappers aside, one whose calls are wrapped? The place
 * of the call is the one outside of the wrappers. */
static bool is_in_wanted_function(gimple *stmt, tree current, location_t *location)
{
	for (tree block = gimple_block(stmt); block && TREE_CODE(block) == BLOCK;
	     block = BLOCK_SUPERCONTEXT(block)) {
		tree origin;

		if (!inlined_function_outer_scope_p(block))
			continue;
		origin = block_ultimate_origin(block);
		if (!origin || TREE_CODE(origin) != FUNCTION_DECL)
			return false;
		if (!is_transparent(origin))
			return rps_function_remembers(origin, CALLS_ATTRIBUTE);
		*location = BLOCK_SOURCE_LOCATION(block);
	}
	return rps_function_remembers(current, CALLS_ATTRIBUTE);
}

bool rps_call_is_wanted(gcall *call, tree current, location_t *location)
{
	tree callee = gimple_call_fndecl(call);
	bool is_wanted = false;

	*location = gimple_location(call);
	if (gimple_call_internal_p(call) || !gimple_call_fntype(call) ||
	    (callee && !rps_callee_is_elsewhere(callee)))
		return false;
	switch (mark_of(call)) {
	case RPS_CALL_WANTED:
		is_wanted = true;
		break;
	case RPS_CALL_OPAQUE:
		break;
	case RPS_CALL_TRANSPARENT:
		is_wanted = is_in_wanted_function(call, current, location) && rps_choice_of_callee(callee);
		break;
	case RPS_CALL_UNMARKED:
		is_wanted = rps_call_is_builtin(call) && is_in_wanted_function(call, current, location) &&
			    rps_choice_of_callee(callee);
		break;
	}
	*location = LOCATION_LOCUS(*location);
	return is_wanted;
}
