/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Builds the records of runtime/record.h as GCC trees: functions, external
 * functions, call sites. Runs inside the compiler, one thread.
 *
 * All records are local to their object file: no symbol of ours is seen by the
 * linker, so none can collide, be exported, or be missing when a linker drops
 * one of several copies of an inline function. Copies of a function's record
 * in several objects hold the same contents, and the runtime gives functions
 * their ids by contents.
 *
 * The names of records hold a '.', which no name of C or C++ can.
 *
 * A function's record holds its address, and that is a reference: it would keep every inlined
 * function in the object file. So it is filled in when it is known which functions are left, behind all
 * passes that may drop one. What has no copy of its own can't be called by a pointer, and the address stays
 * 0. For LTO the records leave before that is known: there it is filled in for all functions that others may
 * call by a pointer.
 *
 * Where the linker may drop a function (-ffunction-sections, and inline functions of C++), its record has
 * a section of its own, which nothing but the function refers to. All others share one, which costs less.
 */
#include "records.h"

#include "choice.h"

#define RECORD_PREFIX "__runprofile_function."
#define EXTERNAL_PREFIX "__runprofile_external."
#define SITE_PREFIX "__runprofile_site."
#define RECORD_ATTRIBUTE "runprofile record"
#define RECORD_VERSION 2
/* Places of fields, from 0. */
#define FUNCTION_RECORD_ADDRESS 5
#define SITE_RECORD_HASH 2

/* All our trees hang on this list, the only thing of ours that GCC's collector looks at. */
static tree kept;

static tree function_record_type, external_record_type, site_record_type;
static std::map<std::string, tree> function_records, external_records;
static std::map<std::string, tree> sites;
static unsigned n_sites;

static const struct ggc_root_tab roots[] = {
    {&kept, 1, sizeof kept, &gt_ggc_mx_tree_node, &gt_pch_nx_tree_node},
    LAST_GGC_ROOT_TAB,
};

static void place_addresses_for_lto(void *, void *);
static void place_addresses(void *, void *);

void rps_records_begin(const char *plugin_name)
{
	register_callback(plugin_name, PLUGIN_REGISTER_GGC_ROOTS, NULL, const_cast<ggc_root_tab *>(roots));
	register_callback(plugin_name, PLUGIN_ALL_IPA_PASSES_START, place_addresses_for_lto, NULL);
	register_callback(plugin_name, PLUGIN_ALL_IPA_PASSES_END, place_addresses, NULL);
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

static tree finish_type(tree type, tree fields, unsigned size_bytes)
{
	TYPE_FIELDS(type) = fields;
	layout_type(type);
	gcc_assert(tree_to_uhwi(TYPE_SIZE_UNIT(type)) == size_bytes);
	rps_tree_keep(type);
	return type;
}

static void make_types()
{
	tree type, fields;

	if (function_record_type)
		return;
	type = make_node(RECORD_TYPE);
	fields = new_field(type, "reserved", uint32_type_node, NULL_TREE);
	fields = new_field(type, "hash", uint32_type_node, fields);
	fields = new_field(type, "address", ptr_type_node, fields);
	fields = new_field(type, "id", uint32_type_node, fields);
	fields = new_field(type, "line", uint32_type_node, fields);
	fields = new_field(type, "file", string_type(), fields);
	fields = new_field(type, "symbol", string_type(), fields);
	fields = new_field(type, "name", string_type(), fields);
	function_record_type = finish_type(type, fields, 48);

	type = make_node(RECORD_TYPE);
	fields = new_field(type, "is_instrumented", uint32_type_node, NULL_TREE);
	fields = new_field(type, "id", uint32_type_node, fields);
	fields = new_field(type, "symbol", string_type(), fields);
	fields = new_field(type, "name", string_type(), fields);
	external_record_type = finish_type(type, fields, 24);

	type = make_node(RECORD_TYPE);
	fields = new_field(type, "hash", uint32_type_node, NULL_TREE);
	fields = new_field(type, "line", uint32_type_node, fields);
	fields = new_field(type, "file", string_type(), fields);
	site_record_type = finish_type(type, fields, 16);
}

static tree string_value(const char *text)
{
	return build_string_literal((unsigned)strlen(text) + 1, text);
}

static tree number_value(unsigned number)
{
	return build_int_cstu(uint32_type_node, number);
}

/* FNV-1a: where a call's edge is looked for first. The address of a record would do, but is not a constant. */
static unsigned hash_of(const std::string &text)
{
	unsigned hash = 2166136261u;

	for (size_t i = 0; i < text.size(); i++)
		hash = (hash ^ (unsigned char)text[i]) * 16777619u;
	return hash ^ hash >> 16;
}

/* Fills in a record's fields one after the other. */
class record_values
{
      public:
	explicit record_values(tree type) : type_(type), field_(TYPE_FIELDS(type)), values_(NULL)
	{
	}

	void add(tree value)
	{
		CONSTRUCTOR_APPEND_ELT(values_, field_, value);
		field_ = DECL_CHAIN(field_);
	}

	void add(const std::string &text)
	{
		add(string_value(text.c_str()));
	}

	void add(unsigned number)
	{
		add(number_value(number));
	}

	tree finish()
	{
		return build_constructor(type_, values_);
	}

      private:
	tree type_, field_;
	vec<constructor_elt, va_gc> *values_;
};

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

/* For the server, which asks whether a program is instrumented, also when it is static and stripped. The
 * linker must not drop it, although nothing refers to it. */
static void mark_unit()
{
	static bool is_marked;
	tree mark, retain = tree_cons(get_identifier("retain"), NULL_TREE, NULL_TREE);

	if (is_marked)
		return;
	is_marked = true;
	mark = build_decl(BUILTINS_LOCATION, VAR_DECL, get_identifier("__runprofile_instrumented."),
			  uint32_type_node);
	TREE_STATIC(mark) = 1;
	TREE_USED(mark) = 1;
	TREE_READONLY(mark) = 1;
	DECL_ARTIFICIAL(mark) = 1;
	DECL_IGNORED_P(mark) = 1;
	DECL_PRESERVE_P(mark) = 1;
	DECL_ATTRIBUTES(mark) = tree_cons(get_identifier("used"), NULL_TREE, retain);
	DECL_INITIAL(mark) = number_value(RECORD_VERSION);
	set_decl_section_name(mark, "rps_instrumented");
	varpool_node::finalize_decl(mark);
	rps_tree_keep(mark);
}

const char *rps_symbol_of_function(tree fndecl)
{
	const char *symbol = IDENTIFIER_POINTER(DECL_ASSEMBLER_NAME(fndecl));

	return *symbol == '*' ? symbol + 1 : symbol;
}

/* The name as a person writes it. For C++ it is made from the symbol, as every other tool does that
 * only has the symbol: so one function has one name, instantiations of a template have different ones,
 * and profiles with and without the plugin can be compared. */
std::string rps_name_of_function(tree fndecl, bool with_parameters)
{
	const char *symbol = rps_symbol_of_function(fndecl);
	int options = PROFCC_DEMANGLE_QUALIFIERS | PROFCC_DEMANGLE_NO_RETURN_TYPE;
	std::string name;
	char *demangled = NULL;

	if (with_parameters)
		options |= PROFCC_DEMANGLE_PARAMETERS;
	if (symbol[0] == '_' && symbol[1] == 'Z' && cplus_demangle_v3)
		demangled = cplus_demangle_v3(symbol, options);
	if (demangled) {
		name = demangled;
		free(demangled);
		return name;
	}
	/* What a pass made has a name of the compiler's: __builtin_puts. */
	if (fndecl_built_in_p(fndecl))
		return symbol;
	/* extern "C" and C: the plain name, which C++'s hook would give with its parameters */
	return DECL_NAME(fndecl) ? IDENTIFIER_POINTER(DECL_NAME(fndecl))
				 : lang_hooks.decl_printable_name(fndecl, 2);
}

std::string rps_file_of_location(location_t location)
{
	return absolute_path(expand_location(location).file);
}

/* The section of what is emitted for a function. */
static std::string section_for(const char *section, tree fndecl, bool is_shared)
{
	return is_shared ? section : std::string(section) + "." + rps_symbol_of_function(fndecl);
}

/* A function remembers its record by an attribute, which LTO streams and clones inherit. The space in
 * the attribute's name keeps it apart from any a program can write. A constructor in the source becomes
 * several functions, and inlined scopes know the one in the source (at link time, one of the several):
 * that one remembers all their records, too. */
static void remember(tree fndecl, const char *attribute, tree value)
{
	tree origin = DECL_ORIGIN(fndecl);

	DECL_ATTRIBUTES(fndecl) = tree_cons(get_identifier(attribute), value, DECL_ATTRIBUTES(fndecl));
	if (origin != fndecl)
		DECL_ATTRIBUTES(origin) =
		    tree_cons(get_identifier(attribute), value, DECL_ATTRIBUTES(origin));
}

static void remember_record(tree fndecl, tree record)
{
	remember(fndecl, RECORD_ATTRIBUTE, build_tree_list(NULL_TREE, DECL_NAME(record)));
}

void rps_function_remember(tree fndecl, const char *attribute)
{
	remember(fndecl, attribute, NULL_TREE);
}

bool rps_function_remembers(tree fndecl, const char *attribute)
{
	return lookup_attribute(attribute, DECL_ATTRIBUTES(fndecl)) ||
	       lookup_attribute(attribute, DECL_ATTRIBUTES(DECL_ORIGIN(fndecl)));
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
	std::string record_name = std::string(RECORD_PREFIX) + rps_symbol_of_function(fndecl);
	expanded_location place = expand_location(rps_choice_location(fndecl));
	std::string file = absolute_path(place.file);
	bool is_shared = !flag_function_sections && !DECL_COMDAT(fndecl) && !DECL_ONE_ONLY(fndecl);
	std::map<std::string, tree>::iterator found = function_records.find(record_name);
	tree record;

	if (found != function_records.end() && varpool_node::get(found->second))
		return found->second;
	make_types();
	record_values values(function_record_type);
	values.add(rps_name_of_function(fndecl, true));
	values.add(rps_symbol_of_function(fndecl));
	values.add(file);
	values.add(file.empty() ? 0u : (unsigned)place.line);
	values.add(0u);
	values.add(null_pointer_node);
	values.add(hash_of(record_name));
	values.add(0u);
	record =
	    new_record(function_record_type, record_name.c_str(),
		       section_for(".data.rps_functions", fndecl, is_shared).c_str(), false, values.finish());
	remember_record(fndecl, record);
	function_records[record_name] = record;
	mark_unit();
	return record;
}

static void place_address(cgraph_node *node)
{
	std::map<std::string, tree>::iterator found;
	varpool_node *record;

	found = function_records.find(std::string(RECORD_PREFIX) + rps_symbol_of_function(node->decl));
	record = found == function_records.end() ? NULL : varpool_node::get(found->second);
	if (!record)
		return;
	vec<constructor_elt, va_gc> *values = CONSTRUCTOR_ELTS(DECL_INITIAL(record->decl));
	(*values)[FUNCTION_RECORD_ADDRESS].value = fold_convert(ptr_type_node, build_fold_addr_expr(node->decl));
	record->create_reference(node, IPA_REF_ADDR);
}

static void place_addresses_for_lto(void *, void *)
{
	cgraph_node *node;

	if (in_lto_p || !flag_lto)
		return;
	FOR_EACH_DEFINED_FUNCTION(node)
	{
		if (!node->alias && !DECL_EXTERNAL(node->decl) &&
		    (TREE_PUBLIC(node->decl) || node->address_taken)) {
			place_address(node);
			node->mark_address_taken();
		}
	}
}

static void place_addresses(void *, void *)
{
	cgraph_node *node;

	if (in_lto_p || flag_lto)
		return;
	FOR_EACH_DEFINED_FUNCTION(node)
	{
		if (!node->alias && !node->inlined_to && !DECL_EXTERNAL(node->decl))
			place_address(node);
	}
}

tree rps_record_of_external(tree fndecl)
{
	std::string record_name = std::string(EXTERNAL_PREFIX) + rps_symbol_of_function(fndecl);
	tree &record = external_records[record_name];

	if (record && varpool_node::get(record))
		return record;
	make_types();
	record_values values(external_record_type);
	values.add(rps_name_of_function(fndecl, true));
	values.add(rps_symbol_of_function(fndecl));
	values.add(0u);
	values.add(0u);
	record = new_record(external_record_type, record_name.c_str(),
			    section_for(".data.rps_externals", fndecl, !flag_function_sections).c_str(),
			    false, values.finish());
	return record;
}

tree rps_instrumented_of_external(tree record)
{
	tree field = TYPE_FIELDS(TREE_TYPE(record));

	while (DECL_CHAIN(field))
		field = DECL_CHAIN(field);
	return build3(COMPONENT_REF, TREE_TYPE(field), record, field, NULL_TREE);
}

tree rps_record_from_address(tree address)
{
	tree decl = TREE_CODE(address) == ADDR_EXPR ? TREE_OPERAND(address, 0) : NULL_TREE;

	if (!decl || TREE_CODE(decl) != VAR_DECL || !DECL_NAME(decl) ||
	    strncmp(IDENTIFIER_POINTER(DECL_NAME(decl)), RECORD_PREFIX, strlen(RECORD_PREFIX)) != 0)
		return NULL_TREE;
	return decl;
}

tree rps_site_of_location(location_t location, tree function_record)
{
	expanded_location place = expand_location(location);
	std::string file = absolute_path(place.file);
	unsigned line = file.empty() ? 0 : (unsigned)place.line;
	std::string key = file + ":" + std::to_string(line) + ":" +
			  (function_record ? IDENTIFIER_POINTER(DECL_NAME(function_record)) : "");
	tree &site = sites[key];
	char name[sizeof SITE_PREFIX + 30];

	/* One that only a function now removed has used is gone from the symbol table: make another. */
	if (site && varpool_node::get(site))
		return site;
	make_types();
	record_values values(site_record_type);
	values.add(file);
	values.add(line);
	values.add(hash_of(key));
	/* At link time those of the compilation are there, too. */
	snprintf(name, sizeof name, SITE_PREFIX "%s%u", in_lto_p ? "link." : "", n_sites++);
	site = new_record(site_record_type, name, "rps_sites", true, values.finish());
	return site;
}

static tree hash_in(tree record, unsigned place)
{
	/* At link time a record's value may have to be read in first. */
	tree value = ctor_for_folding(record);

	if (!value || TREE_CODE(value) != CONSTRUCTOR || CONSTRUCTOR_NELTS(value) <= place)
		return NULL_TREE;
	return (*CONSTRUCTOR_ELTS(value))[place].value;
}

/* It is written to at run time, so the compiler does not think its value a constant. */
tree rps_hash_of_function(tree record)
{
	return number_value(hash_of(IDENTIFIER_POINTER(DECL_NAME(record))));
}

tree rps_hash_of_site(tree site)
{
	return hash_in(site, SITE_RECORD_HASH);
}
