/* SPDX-License-Identifier: MIT */
/* The shop as runprofileserver sees it: the three functions of a module
 * (runprofile.h). main.c makes a program of the same three. */
#include "app.h"
#include "memory.h"
#include "router.h"

#include <runprofile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct app {
	struct store *store;
	struct carts *carts;
};

int runprofile_app_start(int argc, char **argv, void **cls)
{
	static const char option[] = "--database=";
	const char *path = NULL;
	struct app *app;

	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], option, sizeof(option) - 1) != 0) {
			fprintf(stderr, "shop: unknown argument %s (known: --database=FILE)\n", argv[i]);
			return 2;
		}
		path = argv[i] + sizeof(option) - 1;
	}
	app = alloc_or_die(sizeof(*app));
	app->store = store_open(path);
	if (!app->store) {
		free(app);
		return 2;
	}
	app->carts = carts_create();
	*cls = app;
	return 0;
}

void runprofile_app_stop(void *cls)
{
	struct app *app = cls;

	carts_destroy(app->carts);
	store_close(app->store);
	free(app);
}

/* libmicrohttpd calls it several times for one request: once with the head,
 * then with each piece of the body, and then once more to be answered. */
enum MHD_Result runprofile_app(void *cls, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *upload_data,
			       size_t *upload_data_size, void **con_cls)
{
	struct app *app = cls;
	struct request *request = *con_cls;
	struct reply reply = {0};

	if (!request) {
		*con_cls = request_create(app->store, app->carts, connection, method);
		return MHD_YES;
	}
	if (*upload_data_size > 0) {
		request_add_body(request, upload_data, *upload_data_size);
		*upload_data_size = 0;
		return MHD_YES;
	}
	request_end_body(request);
	request->method = method;
	request->path = url;
	router_answer(request, &reply);
	request_destroy(request);
	*con_cls = NULL;
	return reply_send(&reply, connection);
}

void app_request_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
			   enum MHD_RequestTerminationCode code)
{
	if (*con_cls)
		request_destroy(*con_cls);
	*con_cls = NULL;
}
