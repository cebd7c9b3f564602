/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers of the front's own. Called by request*.c, on the client connection's
 * thread. */
#include "server/message.h"
#include "server/request_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum MHD_Result rps_request_queue(struct rps_request *request, int status, struct MHD_Response *response)
{
	enum MHD_Result result;
	char id[17];

	if (!response)
		return MHD_NO;
	if (request->id) {
		snprintf(id, sizeof(id), "%016" PRIx64, request->id);
		MHD_add_response_header(response, "X-Profile-Id", id);
	}
	if (atomic_load(&request->server->closing))
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	request->status = status;
	result = MHD_queue_response(request->connection, (unsigned)status, response);
	MHD_destroy_response(response);
	return result;
}

/* Takes over `text`, allocated. */
static enum MHD_Result queue_text(struct rps_request *request, int status, const char *name,
				  const char *value, char *text, size_t size)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);

	if (!response) {
		free(text);
		return MHD_NO;
	}
	if (!request->method || strcmp(request->method, "HEAD"))
		request->body_bytes = size;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (name)
		MHD_add_response_header(response, name, value);
	return rps_request_queue(request, status, response);
}

enum MHD_Result rps_request_queue_page(struct rps_request *request, int status, const char *name,
				       const char *value, const char *format, ...)
{
	va_list arguments;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return MHD_NO;
	va_start(arguments, format);
	vfprintf(out, format, arguments);
	va_end(arguments);
	fputc('\n', out);
	if (fclose(out)) {
		free(text);
		return MHD_NO;
	}
	return queue_text(request, status, name, value, text, size);
}

enum MHD_Result rps_request_refuse(struct rps_request *request, int status, const char *text)
{
	return rps_request_queue_page(request, status, NULL, NULL, "%s", text);
}

#define BETWEEN " > "

/* "... : main > serve > crash" becomes a line each, the innermost first. */
static void print_stack(FILE *out, const char *unfinished)
{
	const size_t between = sizeof(BETWEEN) - 1;
	const char *names = strstr(unfinished, ": "), *end;

	if (!names)
		return;
	names += 2;
	end = names + strlen(names);
	fputs("\nWhere it was:\n", out);
	for (;;) {
		const char *start = end;

		while (start > names &&
		       ((size_t)(start - names) < between || memcmp(start - between, BETWEEN, between)))
			start--;
		fprintf(out, "    %.*s\n", (int)(end - start), start);
		if (start == names)
			return;
		end = start - between;
	}
}

enum MHD_Result rps_request_bad_gateway(struct rps_request *request, int status, const char *why)
{
	const char *unfinished;
	char target[2048], *text = NULL;
	size_t size;
	FILE *out;

	rps_url_printable(request->target, strlen(request->target), target, sizeof(target));
	rps_message_complain("%d for %s %s: %s", status, request->method, target, why);
	out = open_memstream(&text, &size);
	if (!out)
		return MHD_NO;
	fprintf(out, "%s\n", why);
	if (request->id)
		fprintf(out, "\nThe request was %s %s (profile %016" PRIx64 ").\n", request->method, target,
			request->id);
	else
		fprintf(out, "\nThe request was %s %s.\n", request->method, target);
	unfinished = request->profile && request->info.cut_off
			 ? rps_profile_meta(request->profile, "Unfinished")
			 : NULL;
	if (unfinished)
		print_stack(out, unfinished);
	if (fclose(out)) {
		free(text);
		return MHD_NO;
	}
	return queue_text(request, status, NULL, NULL, text, size);
}
