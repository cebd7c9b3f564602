/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The static data the plugin emits: records of functions, of external functions, and of call sites. */
#ifndef PROFCC_RECORDS_H
#define PROFCC_RECORDS_H

#include "gcc-compat.h"

/* Once, when the plugin is loaded. */
void rps_records_begin(const char *plugin_name);

/* Saves a tree that only the plugin points to from GCC's garbage collector. */
void rps_tree_keep(tree t);

const char *rps_symbol_of_function(tree fndecl);
std::string rps_name_of_function(tree fndecl, bool with_parameters);

/* Absolute, or "". */
std::string rps_file_of_location(location_t location);

/* Notes that survive cloning, inlining and LTO. The attribute's name holds a blank, so that no program can
 * write it. */
void rps_function_remember(tree fndecl, const char *attribute);
bool rps_function_remembers(tree fndecl, const char *attribute);

/* The record of an instrumented function of this unit, made on first use. */
tree rps_record_of_function(tree fndecl);

/* Is `record` the one of `fndecl`, or of what it was cloned from? Works on
 * what was read back from an LTO object, too. */
bool rps_record_belongs_to(tree record, tree fndecl);

/* The record of a function that this unit calls and does not define. */
tree rps_record_of_external(tree fndecl);

/* What reads its is_instrumented. */
tree rps_instrumented_of_external(tree record);

/* Is this the address of a function record? Then the record, else NULL_TREE. */
tree rps_record_from_address(tree address);

/* The record of a place in the source from which the function with this record is called, NULL_TREE: an external one;
 * UNKNOWN_LOCATION gives one without file and line. */
tree rps_site_of_location(location_t location, tree function_record);

/* The hash in a record, a constant; NULL_TREE if its value can't be had. */
tree rps_hash_of_function(tree record);
tree rps_hash_of_site(tree site);

#endif
