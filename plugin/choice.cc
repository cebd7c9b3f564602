/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The user's choice (see choice.h): the options that profcc handed over, and every reason for which a
 * function is left alone. Runs inside the compiler, one thread.
 *
 * The options come as one argument, made of letters, digits, '_', '%' and '.' only, so that no layer between
 * the driver and the compiler finds anything to quote: "a%2A_init.d.." is --profcc-exclude=*_init
 * --profcc-no-external.
 */
#include "choice.h"
#include "records.h"

#include <fnmatch.h>

enum option_id {
#define OPTION(id, name, takes_glob, needs_plugin) OPTION_##id,
#include "plugin/options.def"
#undef OPTION
	N_OPTIONS
};

static std::vector<std::string> globs[N_OPTIONS];
static bool is_set[N_OPTIONS];

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_options(const char *p)
{
	while (*p && *p != '.') {
		unsigned id = (unsigned)(*p++ - 'a');
		std::string value;

		if (id >= N_OPTIONS)
			return false;
		for (; *p && *p != '.'; p++) {
			if (*p == '%') {
				if (hex_digit(p[1]) < 0 || hex_digit(p[2]) < 0)
					return false;
				value += (char)(hex_digit(p[1]) * 16 + hex_digit(p[2]));
				p += 2;
			} else {
				value += *p;
			}
		}
		if (*p++ != '.')
			return false;
		is_set[id] = true;
		globs[id].push_back(value);
	}
	return strcmp(p, ".") == 0;
}

/* A function of a system header gets no hooks from GCC in the first place: that they are made and dropped
 * again is what costs time, in C++ where most functions are of that kind. Only the place of the function is
 * looked at: it is too early for its assembler name. */
static void before_hooks_are_made(void *fndecl, void *)
{
	tree decl = (tree)fndecl;

	if (TREE_CODE(decl) == FUNCTION_DECL && !is_set[OPTION_SYSTEM_HEADERS] &&
	    rps_choice_is_in_system_header(decl))
		DECL_NO_INSTRUMENT_FUNCTION_ENTRY_EXIT(decl) = 1;
}

bool rps_choice_begin(const char *plugin_name, const char *argument)
{
	if (!read_options(argument))
		return false;
	register_callback(plugin_name, PLUGIN_PRE_GENERICIZE, before_hooks_are_made, NULL);
	return true;
}

/* Where a macro of a system header made the function, it is the user who wrote it: the place of the macro's
 * use counts. */
static bool is_in_system_header(location_t location)
{
	return in_system_header_at(
	    linemap_resolve_location(line_table, location, LRK_MACRO_EXPANSION_POINT, NULL));
}

/* A function that GCC knows (malloc) and that the program brings itself keeps the place where a header
 * declares it. */
location_t rps_choice_location(tree fndecl)
{
	location_t location = DECL_SOURCE_LOCATION(fndecl);
	struct function *fun = DECL_STRUCT_FUNCTION(fndecl);

	if (is_in_system_header(location) && fun && fun->function_start_locus != UNKNOWN_LOCATION &&
	    !is_in_system_header(fun->function_start_locus))
		return fun->function_start_locus;
	return location;
}

bool rps_choice_is_in_system_header(tree fndecl)
{
	return is_in_system_header(rps_choice_location(fndecl));
}

static const char *matching(option_id id, const std::string &text)
{
	for (size_t i = 0; i < globs[id].size(); i++) {
		if (fnmatch(globs[id][i].c_str(), text.c_str(), 0) == 0)
			return globs[id][i].c_str();
	}
	return NULL;
}

/* C++ names match with their parameters and without: nobody writes them by heart. */
static const char *matching_name(option_id id, tree fndecl)
{
	const char *glob;

	if (globs[id].empty())
		return NULL;
	glob = matching(id, rps_name_of_function(fndecl, true));
	return glob ? glob : matching(id, rps_name_of_function(fndecl, false));
}

static const char *matching_file(tree fndecl)
{
	if (globs[OPTION_EXCLUDE_FILE].empty())
		return NULL;
	return matching(OPTION_EXCLUDE_FILE, rps_file_of_location(rps_choice_location(fndecl)));
}

/* Is it the resolver that an ifunc attribute of this unit names? */
static bool is_ifunc_resolver(tree fndecl)
{
	static std::set<std::string> resolvers;
	static int scanned_order = -1;
	cgraph_node *node;

	/* A resolver returns a pointer: most functions are ruled out here. */
	if (!POINTER_TYPE_P(TREE_TYPE(TREE_TYPE(fndecl))))
		return false;
	if (scanned_order != symtab->order) {
		scanned_order = symtab->order;
		FOR_EACH_FUNCTION(node)
		{
			tree attribute = lookup_attribute("ifunc", DECL_ATTRIBUTES(node->decl));

			if (attribute && TREE_VALUE(attribute) &&
			    TREE_CODE(TREE_VALUE(TREE_VALUE(attribute))) == STRING_CST)
				resolvers.insert(TREE_STRING_POINTER(TREE_VALUE(TREE_VALUE(attribute))));
		}
	}
	return resolvers.count(rps_symbol_of_function(fndecl)) != 0;
}

rps_reason rps_choice_of_function(tree fndecl, const char **glob)
{
	*glob = "";
	if (lookup_attribute("no_instrument_function", DECL_ATTRIBUTES(fndecl)))
		return RPS_REASON_ATTRIBUTE;
	if (lookup_attribute("naked", DECL_ATTRIBUTES(fndecl)))
		return RPS_REASON_NAKED;
	if (lookup_attribute("interrupt", TYPE_ATTRIBUTES(TREE_TYPE(fndecl))))
		return RPS_REASON_INTERRUPT;
	if (is_ifunc_resolver(fndecl))
		return RPS_REASON_RESOLVER;
	if ((*glob = matching_name(OPTION_EXCLUDE, fndecl)))
		return RPS_REASON_EXCLUDE;
	if ((*glob = matching_file(fndecl)))
		return RPS_REASON_EXCLUDE_FILE;
	*glob = "";
	if (is_set[OPTION_ONLY] && !matching_name(OPTION_ONLY, fndecl))
		return RPS_REASON_ONLY;
	if (!is_set[OPTION_SYSTEM_HEADERS] && rps_choice_is_in_system_header(fndecl))
		return RPS_REASON_SYSTEM_HEADER;
	return RPS_REASON_NONE;
}

rps_reason rps_choice_of_gcc(tree fndecl)
{
	if (DECL_DECLARED_INLINE_P(fndecl) && DECL_EXTERNAL(fndecl))
		return RPS_REASON_INLINE_COPY;
	if (!flag_instrument_function_entry_exit)
		return RPS_REASON_SWITCHED_OFF;
	if (DECL_NO_INSTRUMENT_FUNCTION_ENTRY_EXIT(fndecl) || DECL_ARTIFICIAL(fndecl))
		return RPS_REASON_ARTIFICIAL;
	if (flag_instrument_functions_exclude_functions || flag_instrument_functions_exclude_files)
		return RPS_REASON_GCC_LIST;
	return RPS_REASON_ARTIFICIAL;
}

bool rps_choice_is_explained()
{
	return is_set[OPTION_EXPLAIN];
}

void rps_choice_explain(tree fndecl, rps_reason reason, const char *glob)
{
	static const char *const texts[] = {
	    "",
#define REASON(id, text) text,
#include "plugin/reasons.def"
#undef REASON
	};
	static std::set<std::string> explained;
	expanded_location place = expand_location(rps_choice_location(fndecl));
	std::string line = std::string(place.file ? place.file : "<built-in>") + ":" +
			   std::to_string(place.line) + ": " + rps_name_of_function(fndecl, true) + ": ";
	std::string text = texts[reason];
	size_t at = text.find("%s");

	if (at != std::string::npos)
		text.replace(at, 2, glob);
	line += reason == RPS_REASON_NONE ? "instrumented" : "not instrumented: " + text;
	/* The several functions that one constructor becomes are one to the reader. */
	if (explained.insert(line).second)
		fprintf(stderr, "%s\n", line.c_str());
}

bool rps_choice_of_callee(tree fndecl)
{
	if (matching_name(OPTION_EXCLUDE, fndecl) || matching_file(fndecl))
		return false;
	return !is_set[OPTION_ONLY] || matching_name(OPTION_ONLY, fndecl);
}

bool rps_choice_is_small_code()
{
	return is_set[OPTION_SMALL_CODE];
}

bool rps_choice_has_externals()
{
	return !is_set[OPTION_NO_EXTERNAL];
}
