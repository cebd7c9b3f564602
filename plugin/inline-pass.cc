/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pass that puts the hooks' fast paths into the code in place of the calls. Runs inside the compiler, once a
 * function, behind everything that optimises.
 *
 *   before     __runprofile_enter_v2(&record, cfa, &site);
 *   after      asm volatile("..." : : "r"(cfa), "m"(record), "i"(hash), "m"(site) : "rax", "r9", "r10", "r11");
 *
 * Until here a hook is a call that touches no memory of the program, so that little is lost to it; only now is it
 * known what was inlined where, and which functions are leaves: those that call nothing from their enter hook to their
 * exit hooks. Nobody asks who called what from a leaf, so it needs no frame on the shadow stack, and half of the hooks' work
 * is saved (runtime/hook_asm.h has all of it).
 *
 * Hooks are left as calls where the code hardly ever comes, with --profcc-small-code, for other machines than x86-64, and where the templates can't
 * stand: other assembler syntax, code models without access to all addresses; and at -O0, where nobody asks for speed.
 */
#include "choice.h"
#include "pass.h"
#include "passes.h"
#include "records.h"

#include "runtime/hook_asm.h"

#if PROFCC_TARGET_IS_X86
#include "options.h"

/* Beyond so many blocks a function is no leaf worth the search. */
#define LEAF_BLOCKS_MAX 64

enum hook_kind { NO_HOOK, ENTER, EXIT, EXTERNAL_ENTER, EXTERNAL_EXIT, OTHER_HOOK };

struct hook {
	gcall *call;
	hook_kind kind;
	tree record; /* NULL_TREE: not known; then it stays a call */
	tree site;   /* of the inlined call; NULL_TREE: it was really called */
};

static hook_kind kind_of(gimple *stmt)
{
	tree fndecl = is_gimple_call(stmt) ? gimple_call_fndecl(stmt) : NULL_TREE;
	const char *name = fndecl && DECL_NAME(fndecl) ? IDENTIFIER_POINTER(DECL_NAME(fndecl)) : "";

	if (strncmp(name, "__runprofile_", strlen("__runprofile_")) != 0)
		return NO_HOOK;
	if (rps_is_external_enter(fndecl) || rps_is_external_exit(fndecl))
		return rps_is_external_enter(fndecl) ? EXTERNAL_ENTER : EXTERNAL_EXIT;
	if (strcmp(name, "__runprofile_enter_v2") == 0)
		return ENTER;
	return strcmp(name, "__runprofile_exit_v2") == 0 ? EXIT : OTHER_HOOK;
}

static bool is_external(const struct hook &hook)
{
	return hook.kind == EXTERNAL_ENTER || hook.kind == EXTERNAL_EXIT;
}

static struct hook hook_of(gimple *stmt)
{
	struct hook hook = {NULL, kind_of(stmt), NULL_TREE, NULL_TREE};
	tree site;

	if (hook.kind == NO_HOOK || hook.kind == OTHER_HOOK)
		return hook;
	hook.call = as_a<gcall *>(stmt);
	hook.record = is_external(hook) ? TREE_OPERAND(gimple_call_arg(stmt, 0), 0)
					: rps_record_from_address(gimple_call_arg(stmt, 0));
	if (hook.kind == EXIT || hook.kind == EXTERNAL_EXIT)
		return hook;
	site = gimple_call_arg(stmt, 2);
	if (TREE_CODE(site) == ADDR_EXPR)
		hook.site = TREE_OPERAND(site, 0);
	else if (!integer_zerop(site))
		hook.record = NULL_TREE;
	return hook;
}

/* ---- Leaves ------------------------------------------------------------------------------------- */

/* Can hooks of other functions run while this does? */
static bool may_call_back(gimple *stmt)
{
	tree fndecl;

	if (!is_gimple_call(stmt) || gimple_call_internal_p(stmt))
		return false;
	fndecl = gimple_call_fndecl(stmt);
	if (fndecl && fndecl == rps_cfa_function())
		return false;
	return !(gimple_call_flags(stmt) & ECF_LEAF) || !fndecl || !fndecl_built_in_p(fndecl);
}

/* From behind the hook on, does every way lead to an exit of the same function before anything else is called? */
static bool is_leaf(const struct hook &enter)
{
	std::vector<basic_block> pending;
	std::set<basic_block> seen;
	gimple_stmt_iterator gsi = gsi_for_stmt(enter.call);

	gsi_next(&gsi);
	for (;;) {
		bool is_left = false;
		edge e;
		edge_iterator ei;

		for (; !gsi_end_p(gsi) && !is_left; gsi_next(&gsi)) {
			struct hook hook = hook_of(gsi_stmt(gsi));

			is_left = hook.kind == EXIT && hook.record == enter.record;
			if (!is_left && (hook.kind != NO_HOOK || may_call_back(gsi_stmt(gsi))))
				return false;
		}
		if (!is_left) {
			FOR_EACH_EDGE(e, ei, gsi_bb(gsi)->succs)
			{
				if (e->dest == EXIT_BLOCK_PTR_FOR_FN(cfun))
					return false;
				if (seen.insert(e->dest).second)
					pending.push_back(e->dest);
			}
		}
		if (pending.empty())
			return true;
		if (seen.size() > LEAF_BLOCKS_MAX)
			return false;
		gsi = gsi_start_bb(pending.back());
		pending.pop_back();
	}
}

/* The functions that are leaves wherever they are entered here. One hook that can't be told whose it is makes frames for all. */
static void find_leaves(const std::vector<struct hook> &hooks, std::set<tree> &leaves)
{
	for (size_t i = 0; i < hooks.size(); i++)
		if (hooks[i].record && hooks[i].kind == ENTER)
			leaves.insert(hooks[i].record);
	for (size_t i = 0; i < hooks.size(); i++) {
		if (is_external(hooks[i]))
			continue;
		if (!hooks[i].record) {
			leaves.clear();
			return;
		}
		if (hooks[i].kind == ENTER && leaves.count(hooks[i].record) && !is_leaf(hooks[i]))
			leaves.erase(hooks[i].record);
	}
}

/* ---- Statements ----------------------------------------------------------------------------------- */

static tree operand(const char *constraint, tree value)
{
	tree text = build_string((int)strlen(constraint), constraint);

	return build_tree_list(build_tree_list(NULL_TREE, text), value);
}

static vec<tree, va_gc> *clobbers()
{
	static const char *const names[] = {RPS_ASM_CLOBBERS};
	vec<tree, va_gc> *list = NULL;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		vec_safe_push(list, build_tree_list(NULL_TREE, build_string((int)strlen(names[i]), names[i])));
	return list;
}

static void replace(const struct hook &hook, bool leaf)
{
	vec<tree, va_gc> *inputs = NULL;
	gimple_stmt_iterator gsi = gsi_for_stmt(hook.call);
	const char *text;
	tree hash = NULL_TREE;
	gasm *stmt;

	if (is_external(hook)) {
		text = hook.kind == EXTERNAL_ENTER ? RPS_ASM_EXTERNAL_ENTER : RPS_ASM_EXTERNAL_EXIT;
		hash = hook.site ? rps_hash_of_site(hook.site) : NULL_TREE;
	} else if (hook.kind == EXIT) {
		text = leaf ? RPS_ASM_LEAF_EXIT : RPS_ASM_EXIT;
	} else if (hook.site) {
		text = leaf ? RPS_ASM_LEAF_ENTER_INLINED : RPS_ASM_ENTER_INLINED;
		hash = rps_hash_of_site(hook.site);
	} else {
		text = leaf ? RPS_ASM_LEAF_ENTER : RPS_ASM_ENTER;
		hash = rps_hash_of_function(hook.record);
	}
	vec_safe_push(inputs, operand("r", gimple_call_arg(hook.call, 1)));
	vec_safe_push(inputs, operand("m", hook.record));
	if (hash)
		vec_safe_push(inputs, operand("i", hash));
	if (hook.site)
		vec_safe_push(inputs, operand("m", hook.site));
	stmt = gimple_build_asm_vec(text, inputs, NULL, clobbers(), NULL);
	gimple_asm_set_volatile(stmt, true);
	gimple_set_location(stmt, gimple_location(hook.call));
	gimple_set_block(stmt, gimple_block(hook.call));
	unlink_stmt_vdef(hook.call);
	gsi_replace(&gsi, stmt, false);
}

/* What at most one in RARE of the function's calls comes by, as far as the compiler can guess, keeps its hooks as calls, for their
 * size. One in 8 would save 8 % more of SQLite, but made a parser's switch slower. Leaf functions have to be told by their hooks. */
#define RARE 64

static bool is_rare(const struct hook &hook)
{
	return gimple_bb(hook.call)->count.apply_scale(RARE, 1) < ENTRY_BLOCK_PTR_FOR_FN(cfun)->count;
}

static bool can_inline()
{
	return TARGET_64BIT && !TARGET_X32 && ASSEMBLER_DIALECT == ASM_ATT && optimize &&
	       (ix86_cmodel == CM_SMALL || ix86_cmodel == CM_SMALL_PIC || ix86_cmodel == CM_MEDIUM ||
		ix86_cmodel == CM_MEDIUM_PIC);
}

static unsigned inline_hooks(function *fun)
{
	std::vector<struct hook> hooks;
	std::set<tree> leaves;
	basic_block bb;

	if (!can_inline())
		return 0;
	FOR_EACH_BB_FN(bb, fun)
	{
		for (gimple_stmt_iterator gsi = gsi_start_bb(bb); !gsi_end_p(gsi); gsi_next(&gsi)) {
			struct hook hook = hook_of(gsi_stmt(gsi));

			if (hook.kind == NO_HOOK || hook.kind == OTHER_HOOK)
				continue;
			/* A site that was read back at link time may not tell its hash. */
			if (hook.site && !rps_hash_of_site(hook.site))
				hook.record = NULL_TREE;
			hooks.push_back(hook);
		}
	}
	find_leaves(hooks, leaves);
	for (size_t i = 0; i < hooks.size(); i++) {
		bool leaf = hooks[i].record && leaves.count(hooks[i].record) > 0;

		if (hooks[i].record && (leaf || !is_rare(hooks[i])))
			replace(hooks[i], leaf);
	}
	if (hooks.empty())
		return 0;
	mark_virtual_operands_for_renaming(fun);
	return TODO_update_ssa_only_virtuals;
}
#else
static unsigned inline_hooks(function *)
{
	return 0;
}
#endif

static bool is_wanted()
{
	return !rps_choice_is_small_code();
}

void rps_inline_pass_register(const char *plugin_name)
{
	rps_pass_register(plugin_name,
			  new rps_gimple_pass("profcc_inline", PROP_cfg | PROP_ssa, inline_hooks, is_wanted),
			  PASS_POS_INSERT_BEFORE, "optimized", 1);
}
