/* SPDX-License-Identifier: MIT */
/* The shop's data, in SQLite. Rows are given as JSON objects with the columns'
 * names as keys, lists of rows as JSON arrays; both are the caller's to free.
 * Any thread: one connection serves all, and each function takes its lock.
 *
 * Functions return 0, or -1 on a database error, which stderr tells. A row
 * that is not there is no error: it is NULL.
 */
#ifndef SHOP_STORE_H
#define SHOP_STORE_H

#include "json.h"

#include <stddef.h>
#include <stdint.h>

struct store;

struct order_line {
	int64_t product;
	int quantity;
};

/* `path` of the database file, made and filled if it is not there; NULL: in
 * memory. NULL on error, which stderr tells. */
struct store *store_open(const char *path);
void store_close(struct store *store);

/* slug, name, n_products; in alphabetical order */
int store_categories(struct store *store, struct json_value **rows);
int store_category(struct store *store, const char *slug, struct json_value **row);

/* id, name, price_cents, stock, category, category_name, description */
int store_product(struct store *store, int64_t id, struct json_value **row);
/* The same without description */
int store_products_in(struct store *store, const char *category, struct json_value **rows);
int store_products_like(struct store *store, const char *words, struct json_value **rows);

/* The same and n_reviews, rating; the `limit` best rated */
int store_best_products(struct store *store, int limit, struct json_value **rows);

/* n_reviews, rating (average number of stars, one decimal) */
int store_rating(struct store *store, int64_t product, struct json_value **row);
/* author, stars, text */
int store_reviews(struct store *store, int64_t product, struct json_value **rows);

/* id, name, category_name, n_sold, revenue_cents; every product */
int store_sales(struct store *store, struct json_value **rows);

/* Takes the lines out of stock and stores the order; *order is its number, or
 * 0 if something is not in stock. */
int store_place_order(struct store *store, const char *customer, const char *address,
		      const struct order_line *lines, size_t n_lines, int64_t *order);
/* id, customer, address, total_cents */
int store_order(struct store *store, int64_t order, struct json_value **row);

#endif
