/* SPDX-License-Identifier: MIT */
/* Finds the handler for a method and a path: see router.h. The table below is
 * the list of all that the shop can do. */
#include "router.h"
#include "api.h"
#include "pages.h"
#include "report.h"

#include <string.h>

/* Fills the reply; returns its status, or -1 if something is broken. */
typedef int (*handler)(struct request *request, struct reply *reply);

struct route {
	const char *method;
	const char *pattern; /* a * at its end stands for one part of the path, request->argument */
	handler handler;
};

static const struct route routes[] = {
    {"GET", "/", page_home},
    {"GET", "/category/*", page_category},
    {"GET", "/product/*", page_product},
    {"GET", "/search", page_search},
    {"GET", "/cart", page_cart},
    {"POST", "/cart", page_cart_add},
    {"POST", "/cart/change", page_cart_change},
    {"GET", "/checkout", page_checkout},
    {"POST", "/checkout", page_place_order},
    {"GET", "/order", page_order},
    {"GET", "/admin/report", page_report},
    {"GET", "/static/*", page_static},
    {"GET", "/api/products", api_products},
    {"GET", "/api/products/*", api_product},
    {"GET", "/api/cart", api_cart},
    {"POST", "/api/cart", api_cart_add},
};

#define N_ROUTES (sizeof(routes) / sizeof(routes[0]))

static bool match_path(const char *pattern, const char *path, char argument[ARGUMENT_SIZE])
{
	size_t fixed = strcspn(pattern, "*"), size;

	if (strncmp(path, pattern, fixed) != 0)
		return false;
	path += fixed;
	size = strlen(path);
	if (pattern[fixed] == '\0')
		return size == 0;
	if (size == 0 || size >= ARGUMENT_SIZE || strchr(path, '/'))
		return false;
	memcpy(argument, path, size + 1);
	return true;
}

/* NULL if the path is not known at all (then *allow is NULL as well) or not for this method. */
static const struct route *find_route(struct request *request, const char **allow)
{
	/* libmicrohttpd sends the head only, if that is what was asked for. */
	const char *method = strcmp(request->method, "HEAD") == 0 ? "GET" : request->method;
	bool gets = false, posts = false;

	for (size_t i = 0; i < N_ROUTES; i++) {
		if (!match_path(routes[i].pattern, request->path, request->argument))
			continue;
		if (!strcmp(routes[i].method, method))
			return &routes[i];
		gets |= !strcmp(routes[i].method, "GET");
		posts |= !strcmp(routes[i].method, "POST");
	}
	*allow = gets && posts ? "GET, HEAD, POST" : gets ? "GET, HEAD" : posts ? "POST" : NULL;
	return NULL;
}

static int answer(struct request *request, struct reply *reply)
{
	const struct route *route = find_route(request, &reply->allow);

	if (route && request->is_too_large)
		return MHD_HTTP_CONTENT_TOO_LARGE;
	if (route)
		return route->handler(request, reply);
	return reply->allow ? MHD_HTTP_METHOD_NOT_ALLOWED : MHD_HTTP_NOT_FOUND;
}

void router_answer(struct request *request, struct reply *reply)
{
	int status = answer(request, reply);

	if (status < 0) {
		buffer_free(&reply->body);
		status = MHD_HTTP_INTERNAL_SERVER_ERROR;
	}
	reply->status = (unsigned int)status;
	if (status < 400 || reply->body.size > 0)
		return;
	if (!strncmp(request->path, "/api/", 5))
		api_error(reply, MHD_get_reason_phrase_for(reply->status));
	else
		page_error(reply);
}
