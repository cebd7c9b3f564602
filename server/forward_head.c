/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See forward_head.h. Called by gateway_http.c and exchange_tunnel.c. */
#include "server/forward_head.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int add(struct rps_header_list *out, const char *name, const char *value)
{
	return rps_header_list_add(out, name, strlen(name), value, strlen(value));
}

/* What is ours to write, and so not passed on from the client. */
static int is_replaced(const char *name, const struct rps_exchange_request *request)
{
	static const char *const names[] = {"X-Runprofile-Id", "X-Forwarded-For", "Expect", "Host"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcasecmp(name, names[i]))
			return 1;
	return request->has_body && !strcasecmp(name, "Content-Length");
}

/* The client's own chain goes on. */
static int add_chain(const struct rps_exchange_request *request, struct rps_header_list *out)
{
	char *chain = NULL;
	size_t size;
	FILE *text = open_memstream(&chain, &size);
	int rc;

	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < request->headers->n; i++)
		if (!strcasecmp(request->headers->items[i].name, "X-Forwarded-For"))
			fprintf(text, "%s, ", request->headers->items[i].value);
	fputs(request->client_address, text);
	rc = fclose(text) ? -ENOMEM : add(out, "X-Forwarded-For", chain);
	free(chain);
	return rc;
}

static int add_forwarded(const struct rps_exchange_request *request, struct rps_header_list *out)
{
	const char *host = rps_header_list_find(request->headers, "Host");
	int rc = add_chain(request, out);

	if (!rc && host && !rps_header_list_find(request->headers, "X-Forwarded-Host"))
		rc = add(out, "X-Forwarded-Host", host);
	if (!rc && !rps_header_list_find(request->headers, "X-Forwarded-Proto"))
		rc = add(out, "X-Forwarded-Proto", request->is_tls ? "https" : "http");
	if (!rc && *request->mount && !rps_header_list_find(request->headers, "X-Forwarded-Prefix"))
		rc = add(out, "X-Forwarded-Prefix", request->mount);
	return rc;
}

int rps_forward_head(const struct rps_exchange_request *request, struct rps_header_list *out)
{
	const char *host = rps_header_list_find(request->headers, "Host");
	char id[17];
	int rc;

	rc = add(out, "Host", host ? host : request->front_host);
	for (size_t i = 0; !rc && i < request->headers->n; i++) {
		const struct rps_header *header = &request->headers->items[i];

		if (!is_replaced(header->name, request) &&
		    !rps_header_is_hop_by_hop(request->headers, header->name))
			rc = add(out, header->name, header->value);
	}
	if (!rc)
		rc = add_forwarded(request, out);
	/* 0: ours, but not to be profiled. */
	snprintf(id, sizeof(id), "%016" PRIx64, request->id);
	return rc ? rc : add(out, "X-Runprofile-Id", id);
}
