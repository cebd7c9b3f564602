/* SPDX-License-Identifier: MIT */
/* What the program has besides the functions of runprofile.h. */
#ifndef SHOP_APP_H
#define SHOP_APP_H

#include <microhttpd.h>

/* Frees what is left of a request that was broken off before its answer: a
 * MHD_RequestCompletedCallback. */
void app_request_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
			   enum MHD_RequestTerminationCode code);

#endif
