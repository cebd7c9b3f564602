/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests for static files. Called by request.c, on the client connection's
 * thread; libmicrohttpd sends the file by sendfile. */
#include "server/request_internal.h"
#include "server/static_conditions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum MHD_Result send_file(struct rps_request *request, const struct rps_static_file *file)
{
	char date[RPS_HTTP_DATE_MAX], etag[80], range[96];
	struct MHD_Response *response;
	struct rps_static_part part;

	rps_http_date_format(file->modified_s, date, sizeof(date));
	snprintf(etag, sizeof(etag), "\"%" PRIx64 "-%" PRIx64 "-%lx\"", (uint64_t)file->modified_s,
		 (uint64_t)file->size_bytes, (unsigned long)file->modified_ns);
	part = rps_static_decide(&request->headers, !strcmp(request->method, "GET"),
				 (uint64_t)file->size_bytes, file->modified_s, etag);
	if (part.status == MHD_HTTP_OK || part.status == MHD_HTTP_PARTIAL_CONTENT) {
		response = MHD_create_response_from_fd_at_offset64(part.size, file->fd, part.start);
		if (response && strcmp(request->method, "HEAD"))
			request->body_bytes = part.size;
	} else {
		response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	}
	if (!response || part.status == MHD_HTTP_NOT_MODIFIED ||
	    part.status == MHD_HTTP_PRECONDITION_FAILED || part.status == MHD_HTTP_RANGE_NOT_SATISFIABLE)
		close(file->fd);
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_LAST_MODIFIED, date);
	MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, etag);
	MHD_add_response_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
	if (part.status == MHD_HTTP_OK || part.status == MHD_HTTP_PARTIAL_CONTENT)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, file->type);
	if (part.status == MHD_HTTP_PARTIAL_CONTENT)
		snprintf(range, sizeof(range), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, part.start,
			 part.start + part.size - 1, (uint64_t)file->size_bytes);
	else
		snprintf(range, sizeof(range), "bytes */%" PRIu64, (uint64_t)file->size_bytes);
	if (part.status == MHD_HTTP_PARTIAL_CONTENT || part.status == MHD_HTTP_RANGE_NOT_SATISFIABLE)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, range);
	return rps_request_queue(request, (int)part.status, response);
}

static enum MHD_Result redirect_to_directory(struct rps_request *request)
{
	enum MHD_Result result;
	char *location;

	/* "//host" would lead to another server. */
	if (request->url.target[0] == '/' && request->url.target[1] == '/')
		return rps_request_refuse(request, MHD_HTTP_NOT_FOUND, "Not found.");
	if (asprintf(&location, "%.*s/%s%s", (int)request->url.path_size, request->url.target,
		     *request->url.query ? "?" : "", request->url.query) < 0)
		return MHD_NO;
	result =
	    rps_request_queue_page(request, MHD_HTTP_MOVED_PERMANENTLY, MHD_HTTP_HEADER_LOCATION, location,
				   "It is a directory: see the address with a slash at its end.");
	free(location);
	return result;
}

enum MHD_Result rps_request_serve_static(struct rps_request *request, int mount, const char *rest,
					 size_t rest_size)
{
	struct rps_static_file file;
	int rc;

	request->kind = RPS_KIND_STATIC;
	if (!request->server->options->nomedia &&
	    rps_choice_profiles(&request->server->choice, request->server->options, request->url.path,
				request->is_triggered))
		request->id = rps_request_random_id();
	if (strcmp(request->method, "GET") && strcmp(request->method, "HEAD"))
		return rps_request_queue_page(request, MHD_HTTP_METHOD_NOT_ALLOWED, MHD_HTTP_HEADER_ALLOW,
					      "GET, HEAD", "A static file is only for reading.");
	rc = rps_static_files_get(request->server->statics, mount, rest, rest_size, &file);
	if (!rc)
		return send_file(request, &file);
	if (rc == -EISDIR)
		return redirect_to_directory(request);
	if (rc == -EACCES)
		return rps_request_refuse(request, MHD_HTTP_FORBIDDEN, "The file may not be read.");
	return rps_request_refuse(request, MHD_HTTP_NOT_FOUND, "Not found.");
}
