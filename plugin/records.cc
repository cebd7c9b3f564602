/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Builds struct rps_function_record and struct rps_site_record of
 * runtime/record.h as GCC trees. Runs inside the compiler, one thread.
 *
 * All records are local to their object file: no symbol of ours is seen by the
 * linker, so none can collide, be exported, or be missing when a linker drops
 * one of several copies of an inline function. Copies of a function's record
 * in several objects hold the same contents, and the runtime gives functions
 * their ids by contents.
 *
 * The names of records hold a '.', which no name of C or C++ can.
 */
#include "records.h"

#define RECORD_PREFIX "__runprofile_function."
#define SITE_PREFIX "__runprofile_site."
#define RECORD_ATTRIBUTE "runprofile record"

/* All our trees hang on this list, the only thing of ours that GCC's collector looks at. */
static tree kept;

static tree function_record_type, site_record_type;
static std::map<std::pair<std::string, int>, tree> sites;
static unsigned n_sites;

static const struct ggc_root_tab roots[] = {
    {&kept, 1, sizeof kept, &gt_ggc_mx_tree_node, &gt_pch_nx_tree_node},
    LAST_GGC_ROOT_TAB,
};

void rps_records_begin(const char *plugin_name)
{
	register_callback(plugin_name, PLUGIN_REGISTER_GGC_ROOTS, NULL, const_cast<ggc_root_tab *>(roots));
}

void rps_tree_keep(tree t)
{
	kept = tree_cons(NULL_TREE, t, kept);
}

/* Makes /a/b/../c out of ./../c and the like: a file has one name however it was included. Symbolic
 * links are not resolved, as debug information does not either. */
static std::string absolute_path(const char *file)
{
	std::vector<std::string> parts;
	std::string path, result;
	size_t start = 0;

	/* "<built-in>" and the like name no file */
	if (!file || !*file || *file == '<')
		return "";
	if (*file != '/')
		path = std::string(get_src_pwd()) + "/";
	path += file;
	while (start < path.size()) {
		size_t end = path.find('/', start);
		std::string part = path.substr(start, end == std::string::npos ? end : end - start);

		if (part == "..") {
			if (!parts.empty())
				parts.pop_back();
		} else if (!part.empty() && part != ".") {
			parts.push_back(part);
		}
		start = end == std::string::npos ? path.size() : end + 1;
	}
	for (size_t i = 0; i < parts.size(); i++)
		result += "/" + parts[i];
	/* -fdebug-prefix-map and -ffile-prefix-map: packages must not depend on where they were built. */
	return remap_debug_filename(result.c_str());
}

static tree new_field(tree type, const char *name, tree field_type, tree next)
{
	tree field = build_decl(BUILTINS_LOCATION, FIELD_DECL, get_identifier(name), field_type);

	DECL_FIELD_CONTEXT(field) = type;
	DECL_CHAIN(field) = next;
	return field;
}

static tree string_type()
{
	return build_pointer_type(build_qualified_type(char_type_node, TYPE_QUAL_CONST));
}

static void make_types()
{
	tree type, fields;

	if (function_record_type)
		return;
	type = make_node(RECORD_TYPE);
	fields = new_field(type, "id", uint32_type_node, NULL_TREE);
	fields = new_field(type, "line", uint32_type_node, fields);
	fields = new_field(type, "file", string_type(), fields);
	fields = new_field(type, "symbol", string_type(), fields);
	fields = new_field(type, "name", string_type(), fields);
	TYPE_FIELDS(type) = fields;
	layout_type(type);
	gcc_assert(tree_to_uhwi(TYPE_SIZE_UNIT(type)) == 32);
	function_record_type = type;
	rps_tree_keep(type);

	type = make_node(RECORD_TYPE);
	fields = new_field(type, "reserved", uint32_type_node, NULL_TREE);
	fields = new_field(type, "line", uint32_type_node, fields);
	fields = new_field(type, "file", string_type(), fields);
	TYPE_FIELDS(type) = fields;
	layout_type(type);
	gcc_assert(tree_to_uhwi(TYPE_SIZE_UNIT(type)) == 16);
	site_record_type = type;
	rps_tree_keep(type);
}

static tree string_value(const char *text)
{
	return build_string_literal((unsigned)strlen(text) + 1, text);
}

static tree number_value(int number)
{
	return build_int_cst(uint32_type_node, number);
}

static tree new_record(tree type, const char *name, const char *section, bool readonly, tree value)
{
	tree decl = build_decl(BUILTINS_LOCATION, VAR_DECL, get_identifier(name), type);

	TREE_STATIC(decl) = 1;
	TREE_PUBLIC(decl) = 0;
	TREE_USED(decl) = 1;
	TREE_ADDRESSABLE(decl) = 1;
	TREE_READONLY(decl) = readonly;
	DECL_ARTIFICIAL(decl) = 1;
	DECL_IGNORED_P(decl) = 1;
	DECL_INITIAL(decl) = value;
	TREE_CONSTANT(value) = 1;
	TREE_STATIC(value) = 1;
	SET_DECL_ALIGN(decl, 64);
	DECL_USER_ALIGN(decl) = 1;
	set_decl_section_name(decl, section);
	varpool_node::finalize_decl(decl);
	rps_tree_keep(decl);
	return decl;
}

static const char *symbol_of(tree fndecl)
{
	const char *symbol = IDENTIFIER_POINTER(DECL_ASSEMBLER_NAME(fndecl));

	return *symbol == '*' ? symbol + 1 : symbol;
}

/* The name as a person writes it. For C++ it is made from the symbol, as every other tool does that
 * only has the symbol: so one function has one name, instantiations of a template have different ones,
 * and profiles with and without the plugin can be compared. */
static std::string name_of(tree fndecl)
{
	const char *symbol = symbol_of(fndecl);
	std::string name;
	char *demangled = NULL;

	if (symbol[0] == '_' && symbol[1] == 'Z' && cplus_demangle_v3)
		demangled =
		    cplus_demangle_v3(symbol, PROFCC_DEMANGLE_PARAMETERS | PROFCC_DEMANGLE_QUALIFIERS |
						  PROFCC_DEMANGLE_NO_RETURN_TYPE);
	if (demangled) {
		name = demangled;
		free(demangled);
		return name;
	}
	/* extern "C" and C: the plain name, which C++'s hook would give with its parameters */
	return DECL_NAME(fndecl) ? IDENTIFIER_POINTER(DECL_NAME(fndecl))
				 : lang_hooks.decl_printable_name(fndecl, 2);
}

/* A function remembers its record by an attribute, which LTO streams and clones inherit. The space in
 * the attribute's name keeps it apart from any a program can write. A constructor in the source becomes
 * several functions, and inlined scopes know the one in the source (at link time, one of the several):
 * that one remembers all their records, too. */
static void remember_record(tree fndecl, tree record)
{
	tree origin = DECL_ORIGIN(fndecl);
	tree name = build_tree_list(NULL_TREE, DECL_NAME(record));

	DECL_ATTRIBUTES(fndecl) = tree_cons(get_identifier(RECORD_ATTRIBUTE), name, DECL_ATTRIBUTES(fndecl));
	if (origin != fndecl)
		DECL_ATTRIBUTES(origin) =
		    tree_cons(get_identifier(RECORD_ATTRIBUTE), name, DECL_ATTRIBUTES(origin));
}

static bool remembers_record(tree fndecl, tree record)
{
	tree attribute = lookup_attribute(RECORD_ATTRIBUTE, DECL_ATTRIBUTES(fndecl));

	while (attribute && TREE_VALUE(TREE_VALUE(attribute)) != DECL_NAME(record))
		attribute = lookup_attribute(RECORD_ATTRIBUTE, TREE_CHAIN(attribute));
	return attribute != NULL_TREE;
}

bool rps_record_belongs_to(tree record, tree fndecl)
{
	return remembers_record(fndecl, record) || remembers_record(DECL_ORIGIN(fndecl), record);
}

tree rps_record_of_function(tree fndecl)
{
	static std::map<std::string, tree> records;
	std::string record_name = std::string(RECORD_PREFIX) + symbol_of(fndecl);
	expanded_location place = expand_location(DECL_SOURCE_LOCATION(fndecl));
	std::string file = absolute_path(place.file);
	vec<constructor_elt, va_gc> *values = NULL;
	tree field, value, record;
	std::map<std::string, tree>::iterator found = records.find(record_name);

	if (found != records.end() && varpool_node::get(found->second))
		return found->second;
	make_types();
	field = TYPE_FIELDS(function_record_type);
	CONSTRUCTOR_APPEND_ELT(values, field, string_value(name_of(fndecl).c_str()));
	field = DECL_CHAIN(field);
	CONSTRUCTOR_APPEND_ELT(values, field, string_value(symbol_of(fndecl)));
	field = DECL_CHAIN(field);
	CONSTRUCTOR_APPEND_ELT(values, field, string_value(file.c_str()));
	field = DECL_CHAIN(field);
	CONSTRUCTOR_APPEND_ELT(values, field, number_value(file.empty() ? 0 : place.line));
	field = DECL_CHAIN(field);
	CONSTRUCTOR_APPEND_ELT(values, field, number_value(0));
	value = build_constructor(function_record_type, values);
	record = new_record(function_record_type, record_name.c_str(), "rps_functions", false, value);
	remember_record(fndecl, record);
	records[record_name] = record;
	return record;
}

tree rps_record_from_address(tree address)
{
	tree decl = TREE_CODE(address) == ADDR_EXPR ? TREE_OPERAND(address, 0) : NULL_TREE;

	if (!decl || TREE_CODE(decl) != VAR_DECL || !DECL_NAME(decl) ||
	    strncmp(IDENTIFIER_POINTER(DECL_NAME(decl)), RECORD_PREFIX, strlen(RECORD_PREFIX)) != 0)
		return NULL_TREE;
	return decl;
}

tree rps_site_of_location(location_t location)
{
	expanded_location place = expand_location(location);
	std::string file = absolute_path(place.file);
	int line = file.empty() ? 0 : place.line;
	std::pair<std::string, int> key(file, line);
	vec<constructor_elt, va_gc> *values = NULL;
	tree &site = sites[key];
	tree field, value;
	char name[sizeof SITE_PREFIX + 30];

	/* One that only a function now removed has used is gone from the symbol table: make another. */
	if (site && varpool_node::get(site))
		return site;
	make_types();
	field = TYPE_FIELDS(site_record_type);
	CONSTRUCTOR_APPEND_ELT(values, field, string_value(file.c_str()));
	field = DECL_CHAIN(field);
	CONSTRUCTOR_APPEND_ELT(values, field, number_value(line));
	field = DECL_CHAIN(field);
	CONSTRUCTOR_APPEND_ELT(values, field, number_value(0));
	value = build_constructor(site_record_type, values);
	/* At link time those of the compilation are there, too. */
	snprintf(name, sizeof name, SITE_PREFIX "%s%u", in_lto_p ? "link." : "", n_sites++);
	site = new_record(site_record_type, name, "rps_sites", true, value);
	return site;
}
