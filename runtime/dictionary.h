/* SPDX-License-Identifier: MIT */
/* The pool's dictionary: strings, files and functions, each stored once and
 * known by a 32-bit id. Lock-free and async-signal-safe; any thread of any process of the
 * application may call it. Only on slow paths: a function's or an edge's first appearance.
 */
#ifndef RPS_RUNTIME_DICTIONARY_H
#define RPS_RUNTIME_DICTIONARY_H

#include "runtime/record.h"
#include "runtime/thread.h"

#include <stddef.h>
#include <stdint.h>

/* The id of `string`; 0 for "" and NULL, and when the dictionary is full. */
RPS_HIDDEN uint32_t rps_dictionary_string(const char *string);
RPS_HIDDEN uint32_t rps_dictionary_image(const struct rps_image_entry *image);
/* The id of a function the plugin described, kept in the record. 0: full. */
RPS_HIDDEN uint32_t rps_dictionary_record(struct rps_function_record *record);
RPS_HIDDEN uint32_t rps_dictionary_external(struct rps_external_record *record);
/* The id of the function at `address` (plain hooks; or called through a pointer, and not instrumented). 0: full. */
RPS_HIDDEN uint32_t rps_dictionary_address(uintptr_t address, int is_external);

#endif
