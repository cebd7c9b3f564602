/* SPDX-License-Identifier: MIT */
/* Finds the handler for a method and a path, and makes a reply of whatever it
 * answers. Any thread. */
#ifndef SHOP_ROUTER_H
#define SHOP_ROUTER_H

#include "request.h"

/* Always makes a reply: an error page where there is nothing else to say. */
void router_answer(struct request *request, struct reply *reply);

#endif
