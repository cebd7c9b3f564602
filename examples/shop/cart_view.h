/* SPDX-License-Identifier: MIT */
/* What pages and API do alike with the cart of a request's session. Any
 * thread. */
#ifndef SHOP_CART_VIEW_H
#define SHOP_CART_VIEW_H

#include "json.h"
#include "request.h"

/* The cart as data: lines (with id, name, quantity, price, amount), empty, total, total_cents.
 * 0, or -1 on error. */
int cart_view(const struct request *request, struct json_value **view);

/* Puts a product into the cart, and begins a session if there is none.
 * MHD_HTTP_OK, or the status that says why not; -1 if something is broken. */
int cart_add(struct request *request, struct reply *reply, int64_t product, int quantity);

#endif
