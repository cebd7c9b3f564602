/* SPDX-License-Identifier: MIT */
/* JSON values: the shop's one kind of data. Rows of the database become
 * objects, templates are filled from objects, and the API reads and writes
 * them. A value belongs to the array or object it was added to. One owner at
 * a time. */
#ifndef SHOP_JSON_H
#define SHOP_JSON_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_value {
	enum json_type type;
	char *key;                       /* in an object */
	char *string;                    /* JSON_STRING */
	double number;                   /* JSON_NUMBER; 0 or 1 for JSON_BOOL */
	struct json_value *first, *last; /* children of JSON_ARRAY and JSON_OBJECT */
	struct json_value *next;         /* the next child of the same parent */
};

struct json_value *json_create(enum json_type type);
void json_free(struct json_value *value); /* and all its children; NULL is allowed */

/* Building. Each takes over `value` and returns it. */
struct json_value *json_add(struct json_value *array, struct json_value *value);
struct json_value *json_set(struct json_value *object, const char *key, struct json_value *value);
void json_merge(struct json_value *object, struct json_value *from); /* takes over its members */
void json_set_string(struct json_value *object, const char *key, const char *text);
void json_set_number(struct json_value *object, const char *key, double number);
void json_set_bool(struct json_value *object, const char *key, bool is_true);

/* Reading. `object` may be NULL or no object: then nothing is found. */
struct json_value *json_get(const struct json_value *object, const char *key);
const char *json_get_string(const struct json_value *object, const char *key); /* "" if there is none */
int64_t json_get_integer(const struct json_value *object, const char *key, int64_t otherwise);

void json_write(const struct json_value *value, struct buffer *out);
void json_write_number(double number, struct buffer *out);

/* NULL if `text` is not one JSON value; *error then says why. */
struct json_value *json_parse(const char *text, size_t size, const char **error);

#endif
