/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Collects the cells of a table, then prints it (table.h). Called by the commands that show something. */
#include "tools/table.h"

#include "tools/text.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 64u
#define GAP "  "
#define FLEXIBLE_MIN 12u

struct column {
	char *title, *key;
	bool is_number, is_json_only;
};

struct cell {
	char *text; /* safe */
	char *note; /* safe, or NULL */
	char *json; /* a JSON value */
	enum rps_style style;
	uint32_t indent;
	bool is_source;
};

struct rps_table {
	struct column columns[COLUMNS_MAX];
	uint32_t n_columns;
	struct cell *cells; /* row by row */
	size_t n_cells, room;
	bool is_out_of_memory;
};

/* ---- Life --------------------------------------------------------------------------------------- */

struct rps_table *rps_table_create(void)
{
	return calloc(1, sizeof(struct rps_table));
}

void rps_table_destroy(struct rps_table *table)
{
	if (table == NULL)
		return;
	for (uint32_t i = 0; i < table->n_columns; i++) {
		free(table->columns[i].title);
		free(table->columns[i].key);
	}
	for (size_t i = 0; i < table->n_cells; i++) {
		free(table->cells[i].text);
		free(table->cells[i].note);
		free(table->cells[i].json);
	}
	free(table->cells);
	free(table);
}

static void add_column(struct rps_table *table, const char *title, const char *key, bool is_number,
		       bool is_json_only)
{
	struct column *column = &table->columns[table->n_columns];

	assert(table->n_columns < COLUMNS_MAX && table->n_cells == 0);
	*column = (struct column){strdup(title), strdup(key), is_number, is_json_only};
	table->is_out_of_memory |= column->title == NULL || column->key == NULL;
	table->n_columns++;
}

void rps_table_column(struct rps_table *table, const char *title, const char *key, bool is_number)
{
	add_column(table, title, key, is_number, false);
}

void rps_table_json_column(struct rps_table *table, const char *key)
{
	add_column(table, "", key, false, true);
}

void rps_table_row(struct rps_table *table)
{
	assert(table->n_cells % table->n_columns == 0 || table->is_out_of_memory);
}

uint32_t rps_table_n_rows(const struct rps_table *table)
{
	return (uint32_t)(table->n_cells / table->n_columns);
}

/* ---- Cells -------------------------------------------------------------------------------------- */

static bool make_room(struct rps_table *table)
{
	size_t room = table->room == 0 ? 256 : table->room * 2;
	struct cell *grown;

	if (table->n_cells < table->room)
		return true;
	grown = realloc(table->cells, room * sizeof(*grown));
	if (grown == NULL)
		return false;
	table->cells = grown;
	table->room = room;
	return true;
}

/* All three become the table's. */
static void add_cell(struct rps_table *table, char *text, char *note, char *json, enum rps_style style)
{
	if (text == NULL || json == NULL || !make_room(table))
		table->is_out_of_memory = true;
	if (table->is_out_of_memory) {
		free(text);
		free(note);
		free(json);
		return;
	}
	table->cells[table->n_cells++] = (struct cell){text, note, json, style, 0, false};
}

static char *json_text(const char *text)
{
	char *json = NULL;
	size_t size;
	FILE *stream = open_memstream(&json, &size);

	if (stream == NULL)
		return NULL;
	rps_text_put_json(stream, text);
	if (fclose(stream) != 0) {
		free(json);
		return NULL;
	}
	return json;
}

void rps_table_text(struct rps_table *table, const char *text)
{
	add_cell(table, rps_text_safe(text), NULL, json_text(text), RPS_STYLE_PLAIN);
}

void rps_table_text_as(struct rps_table *table, const char *text, const char *note, const char *json)
{
	add_cell(table, rps_text_safe(text), rps_text_safe(note), json_text(json), RPS_STYLE_PLAIN);
}

void rps_table_text_and_note(struct rps_table *table, const char *text, const char *note)
{
	rps_table_text_as(table, text, note, text);
}

void rps_table_source(struct rps_table *table, const char *text)
{
	add_cell(table, rps_text_safe(text), NULL, json_text(text), RPS_STYLE_PLAIN);
	if (table->n_cells > 0)
		table->cells[table->n_cells - 1].is_source = true;
}

void rps_table_formatted(struct rps_table *table, const char *text, const char *json, enum rps_style style)
{
	add_cell(table, rps_text_safe(text), NULL, strdup(json), style);
}

void rps_table_number(struct rps_table *table, uint64_t number)
{
	char text[RPS_TEXT_NUMBER_SIZE], json[24];

	rps_text_number(text, number);
	snprintf(json, sizeof(json), "%" PRIu64, number);
	rps_table_formatted(table, text, json, RPS_STYLE_PLAIN);
}

void rps_table_cost(struct rps_table *table, const struct rps_event *event, uint64_t cost)
{
	char text[RPS_TEXT_NUMBER_SIZE], json[24];

	if (!rps_event_is_time(event)) {
		rps_table_number(table, cost);
		return;
	}
	rps_text_ms(text, cost);
	snprintf(json, sizeof(json), "%" PRIu64, cost);
	rps_table_formatted(table, text, json, RPS_STYLE_PLAIN);
}

void rps_table_percent(struct rps_table *table, uint64_t part, uint64_t whole)
{
	double percent = whole != 0 ? 100.0 * (double)part / (double)whole : 0.0;
	char text[32], json[32];

	snprintf(text, sizeof(text), "%.1f", percent);
	snprintf(json, sizeof(json), "%.4f", percent);
	rps_table_formatted(table, text, json, RPS_STYLE_PLAIN);
}

void rps_table_nothing(struct rps_table *table)
{
	rps_table_formatted(table, "-", "null", RPS_STYLE_PLAIN);
}

void rps_table_indent(struct rps_table *table, uint32_t indent)
{
	if (table->n_cells > 0)
		table->cells[table->n_cells - 1].indent = indent;
}

/* ---- Printing ----------------------------------------------------------------------------------- */

static size_t cell_width(const struct cell *cell)
{
	size_t width = cell->indent + rps_text_width(cell->text);

	return cell->note != NULL && cell->note[0] != '\0' ? width + 2 + rps_text_width(cell->note) : width;
}

static void put_padding(FILE *out, size_t n)
{
	fprintf(out, "%*s", (int)n, "");
}

/* The last cell of a row: its note goes before anything of the name itself does. 0: there is any room. */
static int put_flexible(const struct cell *cell, size_t room, const struct rps_view *view)
{
	const size_t note_width =
	    cell->note != NULL && cell->note[0] != '\0' ? rps_text_width(cell->note) + strlen(GAP) : 0;
	size_t indent = cell->indent;
	bool has_note = note_width != 0;
	char *text;

	if (room != 0) {
		indent = indent > room / 2 ? room / 2 : indent;
		room -= indent;
		has_note = has_note && rps_text_brief_width(cell->text) + note_width <= room;
	}
	text = room != 0 ? rps_text_shorten(cell->text, has_note ? room - note_width : room)
			 : strdup(cell->text);
	if (room != 0 && cell->is_source) {
		free(text);
		text = rps_text_cut(cell->text, room);
	}
	if (text == NULL)
		return -ENOMEM;
	put_padding(view->out, indent);
	fputs(text, view->out);
	if (has_note)
		fprintf(view->out, GAP "%s%s%s", rps_view_style(view, RPS_STYLE_DIM), cell->note,
			rps_view_style(view, RPS_STYLE_PLAIN));
	free(text);
	return 0;
}

static int put_cell(const struct column *column, const struct cell *cell, size_t width,
		    const struct rps_view *view)
{
	char *text = rps_text_shorten(cell->text, width);
	size_t padding;

	if (text == NULL)
		return -ENOMEM;
	padding = rps_text_width(text) < width ? width - rps_text_width(text) : 0;
	if (column->is_number)
		put_padding(view->out, padding);
	if (cell->style != RPS_STYLE_PLAIN)
		fputs(rps_view_style(view, cell->style), view->out);
	fputs(text, view->out);
	if (cell->style != RPS_STYLE_PLAIN)
		fputs(rps_view_style(view, RPS_STYLE_PLAIN), view->out);
	if (!column->is_number)
		put_padding(view->out, padding);
	fputs(GAP, view->out);
	free(text);
	return 0;
}

static void put_titles(const struct rps_table *table, const size_t *widths, uint32_t last,
		       const struct rps_view *view)
{
	fputs(rps_view_style(view, RPS_STYLE_HEAD), view->out);
	for (uint32_t i = 0; i <= last; i++) {
		const struct column *column = &table->columns[i];
		size_t padding;

		if (column->is_json_only)
			continue;
		padding = i == last ? 0 : widths[i] - rps_text_width(column->title);
		if (column->is_number)
			put_padding(view->out, padding);
		fputs(column->title, view->out);
		if (!column->is_number)
			put_padding(view->out, padding);
		if (i != last)
			fputs(GAP, view->out);
	}
	fprintf(view->out, "%s\n", rps_view_style(view, RPS_STYLE_PLAIN));
}

int rps_table_print(const struct rps_table *table, const struct rps_view *view)
{
	size_t widths[COLUMNS_MAX] = {0}, used = 0, room;
	uint32_t last = 0;
	int error = table->is_out_of_memory ? -ENOMEM : 0;

	for (uint32_t i = 0; i < table->n_columns; i++) {
		widths[i] = rps_text_width(table->columns[i].title);
		if (!table->columns[i].is_json_only)
			last = i;
	}
	for (size_t i = 0; i < table->n_cells; i++) {
		size_t width = cell_width(&table->cells[i]);

		if (width > widths[i % table->n_columns])
			widths[i % table->n_columns] = width;
	}
	/* What is not the last column may be long, too: a request's path. */
	for (uint32_t i = 0; i < last && view->width != 0; i++)
		if (!table->columns[i].is_number && widths[i] > view->width / 3)
			widths[i] = view->width / 3;
	for (uint32_t i = 0; i < last; i++)
		used += table->columns[i].is_json_only ? 0 : widths[i] + strlen(GAP);
	room = view->width == 0 ? 0 : view->width > used + FLEXIBLE_MIN ? view->width - used : FLEXIBLE_MIN;
	put_titles(table, widths, last, view);
	for (size_t row = 0; row + table->n_columns <= table->n_cells && error == 0;
	     row += table->n_columns) {
		for (uint32_t i = 0; i < last && error == 0; i++)
			if (!table->columns[i].is_json_only)
				error = put_cell(&table->columns[i], &table->cells[row + i], widths[i], view);
		if (error == 0)
			error = put_flexible(&table->cells[row + last], room, view);
		fputc('\n', view->out);
	}
	return error;
}

int rps_table_print_json(const struct rps_table *table, const struct rps_view *view)
{
	for (size_t i = 0; i < table->n_cells; i++) {
		const struct column *column = &table->columns[i % table->n_columns];

		if (i % table->n_columns == 0)
			fputs(i == 0 ? "[\n    {" : "},\n    {", view->out);
		if (column->key[0] == '\0')
			continue;
		fputs(i % table->n_columns == 0 ? "" : ", ", view->out);
		rps_text_put_json(view->out, column->key);
		fprintf(view->out, ": %s", table->cells[i].json);
	}
	fputs(table->n_cells == 0 ? "[]" : "}\n  ]", view->out);
	return table->is_out_of_memory ? -ENOMEM : 0;
}

/* ---- Events ------------------------------------------------------------------------------------- */

bool rps_event_is_time(const struct rps_event *event)
{
	const size_t size = strlen(event->name);

	return size >= 3 && strcmp(event->name + size - 3, "_ns") == 0;
}

void rps_event_title(char text[128], const char *what, const struct rps_event *event)
{
	snprintf(text, 128, "%s %.100s", what, rps_event_is_time(event) ? "ms" : event->name);
}
