/* SPDX-License-Identifier: MIT */
/* Sessions and their carts, in memory. Any thread: each function takes the
 * lock, and carts are copied in and out.
 *
 * A session is made when the first product goes into a cart. Its id is derived
 * from a counter, so that the same clicks make the same profile in every run.
 * That makes ids easy to guess: a real shop takes them from getrandom().
 */
#ifndef SHOP_CART_H
#define SHOP_CART_H

#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CART_LINES_MAX 32
#define QUANTITY_MAX 99

struct cart {
	size_t n_lines;
	struct order_line lines[CART_LINES_MAX];
	int64_t last_order; /* 0: none yet */
};

struct carts;

struct carts *carts_create(void);
void carts_destroy(struct carts *carts);

/* The id of a new session, never 0. It takes the place of the oldest when there are too many. */
uint64_t carts_begin_session(struct carts *carts);
bool carts_has_session(struct carts *carts, uint64_t session);

/* The session's cart; an empty one if there is no such session. */
void carts_load(struct carts *carts, uint64_t session, struct cart *cart);

/* Adds to what is in the cart already, or sets it (0 takes the product out).
 * false: no such session, or the cart is full. */
bool carts_add(struct carts *carts, uint64_t session, int64_t product, int quantity);
bool carts_set(struct carts *carts, uint64_t session, int64_t product, int quantity);

/* Empties the cart and gives what was in it: of two check-outs at once only one gets it. */
void carts_take(struct carts *carts, uint64_t session, struct cart *cart);
/* Remembers an order that was placed. */
void carts_set_last_order(struct carts *carts, uint64_t session, int64_t order);

#endif
