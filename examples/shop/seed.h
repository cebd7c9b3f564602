/* SPDX-License-Identifier: MIT */
/* The first contents of the shop's database. Called once, by store_open. */
#ifndef SHOP_SEED_H
#define SHOP_SEED_H

#include <sqlite3.h>

/* Makes the tables and fills them: always with the same 8 categories, 200
 * products, reviews and orders. A database that has them is left as it is.
 * 0, or -1 with the reason in sqlite3_errmsg(). */
int seed_database(sqlite3 *database);

#endif
