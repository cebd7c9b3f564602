/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which events and functions of a profile a command is about: what people type is matched against what is in
 * the profile. */
#ifndef RPS_TOOLS_CHOOSE_H
#define RPS_TOOLS_CHOOSE_H

#include "profile/call_graph.h"
#include "profile/model.h"
#include "tools/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The event called `name`, or the only one that begins so, upper or lower case; NULL: the first. RPS_NONE
 * after a message that lists them. */
uint32_t rps_choose_event(const struct rps_profile *profile, const char *name);

/* Whether a function's name is what `wanted` says: the name itself; without parameters, template arguments
 * and name spaces
 * ("add" for "shop::Cart::add(Item const&)"); or a shell pattern for the whole of it. */
bool rps_choose_matches(const char *name, const char *wanted);

/* Marks in `chosen` (as many as there are functions) those that match: exact names if there are any. Their
 * number; 0 after a message that names similar ones. */
uint32_t rps_choose_functions(const struct rps_call_graph *graph, const char *wanted, bool *chosen);

/* A whole number for the option `name`. 0; -1 after a message. */
int rps_choose_number(const char *name, const char *text, uint64_t *number);
/* "2.5" as in 2.5 %. */
int rps_choose_percent(const char *name, const char *text, double *percent);

/* What the profile is of, for people: "GET /cart, 200, 2.345 ms, 1,234 calls", and what is wrong with it. */
void rps_describe_profile(const struct rps_profile *profile, const struct rps_view *view);
/* The same as members of a JSON object: "method": "GET", ... with a comma behind each. */
void rps_describe_profile_json(const struct rps_profile *profile, const struct rps_view *view);

/* "file.c:12", "" when it is not known. `text` has `size` bytes. */
void rps_place_text(char *text, size_t size, const char *file, uint32_t line);

#endif
