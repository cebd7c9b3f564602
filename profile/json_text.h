/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text as a JSON string. Used by writers of formats that are, or hold, JSON. */
#ifndef RPS_PROFILE_JSON_TEXT_H
#define RPS_PROFILE_JSON_TEXT_H

#include <stdio.h>

/* Writes it with its quotes, in a form that may also stand in a <script> of HTML or SVG. Control characters,
 * and bytes that are not UTF-8, stand escaped for a reader: \n, \xHH. 0 or -ENOMEM; the stream keeps its
 * errors. */
int rps_json_put_text(const char *text, FILE *out);

#endif
