/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The static data the plugin emits: function records and site records. */
#ifndef PROFCC_RECORDS_H
#define PROFCC_RECORDS_H

#include "gcc-compat.h"

/* Once, when the plugin is loaded. */
void rps_records_begin(const char *plugin_name);

/* Saves a tree that only the plugin points to from GCC's garbage collector. */
void rps_tree_keep(tree t);

/* The record of an instrumented function of this unit, made on first use. */
tree rps_record_of_function(tree fndecl);

/* Is `record` the one of `fndecl`, or of what it was cloned from? Works on
 * what was read back from an LTO object, too. */
bool rps_record_belongs_to(tree record, tree fndecl);

/* Is this the address of a function record? Then the record, else NULL_TREE. */
tree rps_record_from_address(tree address);

/* The record of a place in the source; UNKNOWN_LOCATION gives one without file and line. */
tree rps_site_of_location(location_t location);

#endif
