/* SPDX-License-Identifier: MIT */
/* What the shop tells other programs, in JSON. Each handler fills a reply and
 * returns its HTTP status, or -1 if something is broken. Any thread. */
#ifndef SHOP_API_H
#define SHOP_API_H

#include "request.h"

int api_products(struct request *request, struct reply *reply); /* ?category=SLUG or ?q=WORDS */
int api_product(struct request *request, struct reply *reply);
int api_cart(struct request *request, struct reply *reply);
int api_cart_add(struct request *request, struct reply *reply); /* {"product": 12, "quantity": 1} */

/* Makes the body {"error": "..."}. */
void api_error(struct reply *reply, const char *error);

#endif
