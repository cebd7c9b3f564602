/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The http gateway: the application is a program with an HTTP server of its
 * own, started with PORT in its environment, and spoken to by libcurl. Called
 * on the client connection's thread, `prepare` on the main thread. Its exchange
 * serves modules too, once their host runs. */
#include "server/gateway_http.h"

#include "server/forward_head.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define APP_END_WAIT_MS                                                                                      \
	100 /* a process closes its connections a little before it can be seen to have ended */

struct rps_exchange {
	const struct rps_gateway_context *context;
	struct rps_upstream *upstream;
	struct curl_slist *headers;
	int no_address;
};

/* ---- Starting the application ----------------------------------------------------------- */

static int fits(const struct rps_app_elf *elf, const char **why)
{
	if (elf->needs_microhttpd)
		*why = "a program that uses libmicrohttpd";
	else if (elf->kind == RPS_APP_OTHER)
		*why = "a script";
	else
		*why = "a program";
	return 1;
}

static int prepare(struct rps_app_command *command, const struct rps_options *options,
		   const struct rps_app_elf *elf, char *error, size_t error_size)
{
	int rc = rps_gateway_check_program(command, elf, 0, error, error_size);

	if (rc)
		return rc;
	command->port = options->app_port ? options->app_port : rps_app_port_pick();
	command->port_is_fixed = options->app_port != 0;
	if (rps_app_command_set_argv(command, NULL, 0, options->app)) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	return 0;
}

/* ---- The request's head -------------------------------------------------------------------- */

static int add_line(struct curl_slist **list, const char *name, const char *value)
{
	struct curl_slist *longer;
	char *line;

	/* libcurl takes "Name:" for "none of that", and "Name;" for an empty value. */
	if (asprintf(&line, value[strspn(value, " \t")] ? "%s: %s" : "%s;", name, value) < 0)
		return -ENOMEM;
	longer = curl_slist_append(*list, line);
	free(line);
	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

static int add_none_of(struct curl_slist **list, const char *name)
{
	struct curl_slist *longer;
	char line[64];

	snprintf(line, sizeof(line), "%s:", name);
	longer = curl_slist_append(*list, line);
	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

static int build_head(struct curl_slist **list, const struct rps_exchange_request *request)
{
	struct rps_header_list head = {0};
	int rc = rps_forward_head(request, &head);

	for (size_t i = 0; !rc && i < head.n; i++)
		rc = add_line(list, head.items[i].name, head.items[i].value);
	rps_header_list_clear(&head);
	/* What libcurl would say of its own accord. */
	if (!rc && !rps_header_list_find(request->headers, "Accept"))
		rc = add_none_of(list, "Accept");
	if (!rc)
		rc = add_none_of(list, "Expect");
	if (!rc && request->alone)
		rc = add_line(list, "Connection", "close");
	return rc;
}

/* ---- The exchange ----------------------------------------------------------------------------- */

static void http_end(struct rps_exchange *exchange)
{
	if (exchange->upstream)
		rps_upstream_put(exchange->upstream);
	curl_slist_free_all(exchange->headers);
	free(exchange);
}

static struct rps_exchange *http_begin(const struct rps_gateway_context *context,
				       const struct rps_exchange_request *request)
{
	struct rps_exchange *exchange = calloc(1, sizeof(*exchange));
	struct rps_upstream_request upstream_request = {
	    .method = request->method,
	    .target = request->target,
	    .has_body = request->has_body,
	    .body_bytes = request->body_bytes,
	    .client_fd = request->client_fd,
	    .alone = request->alone,
	    .fresh = request->fresh,
	};
	char address[RPS_ADDRESS_TEXT_MAX], url[sizeof("http:///") + RPS_ADDRESS_TEXT_MAX];

	if (!exchange)
		return NULL;
	exchange->context = context;
	exchange->no_address = !*rps_app_address(context->app, address);
	if (exchange->no_address)
		return exchange;
	exchange->upstream = rps_upstream_get(context->pool);
	if (!exchange->upstream || build_head(&exchange->headers, request)) {
		http_end(exchange);
		return NULL;
	}
	snprintf(url, sizeof(url), "http://%s/", address);
	upstream_request.base_url = url;
	upstream_request.headers = exchange->headers;
	if (rps_upstream_begin(exchange->upstream, &upstream_request)) {
		http_end(exchange);
		return NULL;
	}
	return exchange;
}

static void http_send(struct rps_exchange *exchange, const void *data, size_t size)
{
	if (exchange->upstream)
		rps_upstream_send(exchange->upstream, data, size);
}

/* The sentence of the 502 page, and what the front is to do about it. */
static enum rps_exchange_outcome explain(const struct rps_exchange *exchange, enum rps_upstream_result result,
					 char *error, size_t error_size)
{
	struct rps_app *app = exchange->context->app;
	const char *shown = rps_app_shown(app);
	char how[128], address[RPS_ADDRESS_TEXT_MAX];
	int has_ended;

	if (result == RPS_UPSTREAM_CANCELLED)
		return RPS_EXCHANGE_CANCELLED;
	if (result == RPS_UPSTREAM_STALE)
		return RPS_EXCHANGE_STALE;
	has_ended =
	    rps_app_has_ended(app, result == RPS_UPSTREAM_GARBAGE ? 0 : APP_END_WAIT_MS, how, sizeof(how));
	if (has_ended)
		snprintf(error, error_size, "The application %s %s.", shown, how);
	else if (result == RPS_UPSTREAM_NOT_CONNECTED)
		snprintf(error, error_size, "The application %s does not listen on %s any more: %s.", shown,
			 rps_app_address(app, address), rps_upstream_error(exchange->upstream));
	else if (result == RPS_UPSTREAM_NO_ANSWER)
		snprintf(error, error_size, "The application %s closed the connection without an answer.",
			 shown);
	else if (result == RPS_UPSTREAM_CUT_SHORT)
		snprintf(error, error_size,
			 "The application %s closed the connection before its answer was complete.", shown);
	else if (result == RPS_UPSTREAM_FAILED)
		snprintf(error, error_size, "The server is out of memory or disk space.");
	else
		snprintf(error, error_size, "The application %s gave an answer that is not HTTP: %s.", shown,
			 rps_upstream_error(exchange->upstream));
	return result == RPS_UPSTREAM_NOT_CONNECTED ? RPS_EXCHANGE_UNREACHED : RPS_EXCHANGE_FAILED;
}

static enum rps_exchange_outcome http_answer(struct rps_exchange *exchange, struct rps_answer *answer,
					     char *error, size_t error_size)
{
	const struct rps_header_list *headers;
	enum rps_upstream_result result;

	if (exchange->no_address) {
		snprintf(error, error_size, "The application %s does not listen on any port.",
			 rps_app_shown(exchange->context->app));
		return RPS_EXCHANGE_UNREACHED;
	}
	result = rps_upstream_wait_head(exchange->upstream, &answer->status, &headers);
	if (result != RPS_UPSTREAM_OK)
		return explain(exchange, result, error, error_size);
	if (answer->status < 200 || answer->status > 999) {
		snprintf(error, error_size,
			 "The application %s answered with status %" PRIu32 ", which nobody asked for.",
			 rps_app_shown(exchange->context->app), answer->status);
		return RPS_EXCHANGE_FAILED;
	}
	answer->body_bytes = rps_upstream_body_bytes(exchange->upstream);
	if (rps_header_list_pass_on(&answer->headers, headers, "")) {
		snprintf(error, error_size, "The server is out of memory.");
		return RPS_EXCHANGE_FAILED;
	}
	return RPS_EXCHANGE_OK;
}

static ssize_t http_read(struct rps_exchange *exchange, void *buffer, size_t size)
{
	return rps_upstream_read(exchange->upstream, buffer, size);
}

static int http_is_complete(const struct rps_exchange *exchange)
{
	return exchange->upstream && rps_upstream_is_complete(exchange->upstream);
}

static void http_abort(struct rps_exchange *exchange)
{
	if (exchange->upstream)
		rps_upstream_abort(exchange->upstream);
}

const struct rps_exchange_operations rps_exchange_http = {
    .begin = http_begin,
    .send = http_send,
    .answer = http_answer,
    .read = http_read,
    .is_complete = http_is_complete,
    .abort = http_abort,
    .end = http_end,
};

const struct rps_gateway rps_gateway_http = {
    .name = "http",
    .adapter = "libmicrohttpd",
    .fits = fits,
    .prepare = prepare,
    .exchange = &rps_exchange_http,
};
