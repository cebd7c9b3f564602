/* SPDX-License-Identifier: MIT */
/* The template engine: fills a view with data. Any thread.
 *
 *     {{name}}                        the value, escaped for HTML
 *     {{#each items}} ... {{/each}}   once per element, whose members are names inside
 *     {{#if name}} ... {{/if}}        if it is there and not false, 0, "" or empty
 *     {{> card.html}}                 another view, with the same names
 *
 * A name that an element does not have is looked up in what is around it.
 */
#ifndef SHOP_TEMPLATE_H
#define SHOP_TEMPLATE_H

#include "buffer.h"
#include "json.h"

/* Appends view `name`, filled from the object `data`, to `out`. 0, or -1 if
 * the view is missing or has an error, which stderr tells. */
int template_render(const char *name, const struct json_value *data, struct buffer *out);

#endif
