/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of functions, files, paths as a terminal may see them. They come from profiles, URLs and directories,
 * so they are hostile: no control character of theirs, nothing invisible, nothing that turns the direction of
 * writing, gets through. */
#ifndef RPS_TOOLS_TEXT_H
#define RPS_TOOLS_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A copy in which what is not visible is written as \xHH (each byte), \n or \t; malloc'ed, NULL when out of
 * memory. */
char *rps_text_safe(const char *text);
/* The same, printed. */
void rps_text_put_safe(FILE *out, const char *text);

/* Columns that a safe text takes. rps_view_open must have set the locale. */
size_t rps_text_width(const char *text);

/* A safe text, at most `columns` wide: of a function's name first the parameters go, then template arguments,
 * each for "…", then the middle. malloc'ed, NULL when out of memory. */
char *rps_text_shorten(const char *text, size_t columns);

/* The beginning of a safe text, "…" at its end if it is cut. malloc'ed, NULL when out of memory. */
char *rps_text_cut(const char *text, size_t columns);

/* What rps_text_shorten can make of it without cutting the name itself. */
size_t rps_text_brief_width(const char *text);

/* The last component of a path. */
const char *rps_text_base(const char *path);

/* "1,234,567"; "1.234567" of 1234567 ns in ms. Buffers of 48 bytes do. */
#define RPS_TEXT_NUMBER_SIZE 48
void rps_text_number(char text[RPS_TEXT_NUMBER_SIZE], uint64_t number);
void rps_text_ms(char text[RPS_TEXT_NUMBER_SIZE], uint64_t ns);

/* A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
void rps_text_put_json(FILE *out, const char *text);

#endif
