/* SPDX-License-Identifier: MIT */
/* The files of views/, built into the program by embed.sh, so that it runs
 * from any directory. Constant; any thread. */
#ifndef SHOP_VIEWS_H
#define SHOP_VIEWS_H

/* The text of the file called `name` ("home.html"), NULL if there is none. */
const char *view_text(const char *name);

#endif
