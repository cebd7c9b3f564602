/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table: printed with aligned columns, the last one cut to what room is left; or as a JSON array of objects
 * with the whole values. Built row by row, cell by cell. Running out of memory shows in rps_table_print only.
 */
#ifndef RPS_TOOLS_TABLE_H
#define RPS_TOOLS_TABLE_H

#include "profile/model.h"
#include "tools/view.h"

#include <stdbool.h>
#include <stdint.h>

struct rps_table;

struct rps_table *rps_table_create(void);
void rps_table_destroy(struct rps_table *table);

/* `title` is for people, `key` for JSON ("": not there; the first must be). All columns come before the first
 * row. Numbers stand at the right. The last column may be cut. `is_json_only`: not shown to people. */
void rps_table_column(struct rps_table *table, const char *title, const char *key, bool is_number);
void rps_table_json_column(struct rps_table *table, const char *key);

/* Begins a row; cells follow in the order of the columns. */
void rps_table_row(struct rps_table *table);

/* Any text; what must not be shown is made visible. */
void rps_table_text(struct rps_table *table, const char *text);
/* A text with something in the dim style behind it, which is not part of the JSON value: a function and its
 * place. */
void rps_table_text_and_note(struct rps_table *table, const char *text, const char *note);
/* The same, with another text as JSON value. */
void rps_table_text_as(struct rps_table *table, const char *text, const char *note, const char *json);
/* A line of source: cut at its end, not in the middle. */
void rps_table_source(struct rps_table *table, const char *text);
/* What JSON has under the column's key is not what people see: a difference, say. `json` is printed as it is.
 */
void rps_table_formatted(struct rps_table *table, const char *text, const char *json, enum rps_style style);
void rps_table_number(struct rps_table *table, uint64_t number);
/* A cost of the event: in ms with six decimals if it counts nanoseconds. */
void rps_table_cost(struct rps_table *table, const struct rps_event *event, uint64_t cost);
void rps_table_percent(struct rps_table *table, uint64_t part, uint64_t whole);
/* "-", null */
void rps_table_nothing(struct rps_table *table);

/* Puts `indent` columns in front of the last cell's text, for trees. */
void rps_table_indent(struct rps_table *table, uint32_t indent);

uint32_t rps_table_n_rows(const struct rps_table *table);

/* 0, or -ENOMEM. */
int rps_table_print(const struct rps_table *table, const struct rps_view *view);
/* The array, without a newline behind it. */
int rps_table_print_json(const struct rps_table *table, const struct rps_view *view);

/* Whether the event counts nanoseconds, by its name: "Wall_ns". */
bool rps_event_is_time(const struct rps_event *event);
/* "Self ms" or "Self Ir". `text` has 128 bytes. */
void rps_event_title(char text[128], const char *what, const struct rps_event *event);

#endif
