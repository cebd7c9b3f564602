/* SPDX-License-Identifier: MIT */
/* The pages that people see. Each handler fills a reply and returns its HTTP
 * status, or -1 if something is broken. Any thread. */
#ifndef SHOP_PAGES_H
#define SHOP_PAGES_H

#include "json.h"
#include "request.h"

int page_home(struct request *request, struct reply *reply);
int page_category(struct request *request, struct reply *reply);
int page_product(struct request *request, struct reply *reply);
int page_search(struct request *request, struct reply *reply);
int page_static(struct request *request, struct reply *reply);

/* cart_pages.c */
int page_cart(struct request *request, struct reply *reply);
int page_cart_add(struct request *request, struct reply *reply);
int page_cart_change(struct request *request, struct reply *reply);
int page_checkout(struct request *request, struct reply *reply);
int page_place_order(struct request *request, struct reply *reply);
int page_order(struct request *request, struct reply *reply);

/* The page for reply->status, in the shop's clothes without its data (the
 * database may be what is broken). */
void page_error(struct reply *reply);

/* The data every page needs: its title, and what is in the head of each page.
 * NULL on error. */
struct json_value *page_begin(const struct request *request, const char *title);
/* Renders view `name` into the reply, frees `page`, returns `status` or -1. */
int page_end(struct reply *reply, int status, const char *name, struct json_value *page);
/* Sends the browser on to another page. */
int page_redirect(struct reply *reply, const char *path);

/* Sets `key` to an amount of money as a person writes it: "12.50". */
void page_set_price(struct json_value *object, const char *key, int64_t cents);
/* Sets "price" of a product, or of each of a list. */
void page_price_product(struct json_value *product);
void page_price_products(struct json_value *products);

#endif
