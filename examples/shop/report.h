/* SPDX-License-Identifier: MIT */
/* The sales report, for the owner of the shop. */
#ifndef SHOP_REPORT_H
#define SHOP_REPORT_H

#include "request.h"

/* A handler, like those of pages.h. */
int page_report(struct request *request, struct reply *reply);

#endif
