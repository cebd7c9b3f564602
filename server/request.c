/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See request.h. Called by front.c. A request goes through these steps:
 *
 *     read_head     what does the client want?
 *     serve_static  ... a file: answered here
 *     begin         ... the application: a new id, the collector listens, the exchange begins
 *     pass_body     each piece of the client's body goes on to the application
 *     answer        the application's head comes back, its body is passed on as libmicrohttpd asks for it
 *     finish        profile, file, log line
 */
#include "server/request.h"

#include "server/access_log.h"
#include "server/message.h"
#include "server/request_profile.h"
#include "server/url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_BYTES ((size_t)64 * 1024)
#define WHOLE_BODY_MAX                                                                                       \
	((int64_t)64 * 1024) /* answers up to this size that are here already are sent in one piece */

enum kind {
	KIND_OWN = 0, /* answered by the front: no profile */
	KIND_STATIC,
	KIND_APPLICATION,
};

struct rps_request {
	struct rps_server *server;
	struct MHD_Connection *connection;
	char *raw_target;
	struct rps_url url;
	char *method;
	char *version;
	struct rps_header_list headers;
	char client_address[INET6_ADDRSTRLEN];
	uint64_t start_ns;
	uint64_t waited_us; /* for the collector, whole-application scope */
	int head_read;
	int refusal; /* status, 0: none */
	int is_routed;
	enum kind kind;
	int status;
	uint64_t body_bytes;    /* of the answer, handed to libmicrohttpd */
	const char *broken_off; /* why the answer is not complete */

	uint64_t id; /* of the profile, 0: gets none */
	struct rps_collection *collection;
	int has_ended;               /* the collection; not left yet */
	struct rps_profile *profile; /* then */
	struct rps_collect_info info;
	int has_profile;

	struct rps_exchange_request exchange_request;
	struct rps_exchange *exchange;
	struct rps_answer answer;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static const struct rps_exchange_operations *operations(const struct rps_request *request)
{
	return request->server->gateway->exchange;
}

struct rps_request *rps_request_create(struct rps_server *server, struct MHD_Connection *connection,
				       const char *target)
{
	struct rps_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->server = server;
	request->connection = connection;
	request->start_ns = now_ns();
	request->raw_target = strdup(target);
	if (!request->raw_target) {
		free(request);
		return NULL;
	}
	atomic_fetch_add(&server->in_flight, 1);
	return request;
}

/* ---- Answers of our own -------------------------------------------------------------------- */

/* Hands `response` to libmicrohttpd, with what every answer carries; frees it. */
static enum MHD_Result queue(struct rps_request *request, int status, struct MHD_Response *response)
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

static enum MHD_Result queue_page(struct rps_request *request, int status, const char *name,
				  const char *value, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* A short page in plain text, with one more header field if `name` is not NULL. */
static enum MHD_Result queue_page(struct rps_request *request, int status, const char *name,
				  const char *value, const char *format, ...)
{
	struct MHD_Response *response;
	va_list arguments;
	char text[1024];
	size_t size;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text) - 1, format, arguments);
	va_end(arguments);
	strcat(text, "\n");
	size = strlen(text);
	response = MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_COPY);
	if (!response)
		return MHD_NO;
	if (!request->method || strcmp(request->method, "HEAD"))
		request->body_bytes = size;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
	if (name)
		MHD_add_response_header(response, name, value);
	return queue(request, status, response);
}

/* The client's body is not read any further, or is of no use. */
static enum MHD_Result refuse(struct rps_request *request, int status, const char *text)
{
	return queue_page(request, status, NULL, NULL, "%s", text);
}

/* ---- Head ------------------------------------------------------------------------------------ */

struct header_copy {
	struct rps_header_list *list;
	int error;
};

static enum MHD_Result copy_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_size,
				   const char *value, size_t value_size)
{
	struct header_copy *copy = cls;

	if (value_size && memchr(value, 0, value_size))
		copy->error = -EINVAL;
	else
		copy->error =
		    rps_header_list_add(copy->list, name, name_size, value ? value : "", value_size);
	return copy->error ? MHD_NO : MHD_YES;
}

static void name_client(struct rps_request *request)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info ? info->client_addr : NULL;

	strcpy(request->client_address, "unknown");
	if (address && address->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr,
			  request->client_address, sizeof(request->client_address));
	else if (address && address->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
			  request->client_address, sizeof(request->client_address));
	/* An IPv4 client of a socket for both. */
	if (!strncmp(request->client_address, "::ffff:", 7) && strchr(request->client_address, '.'))
		memmove(request->client_address, request->client_address + 7,
			strlen(request->client_address + 7) + 1);
}

static uint64_t random_id(void)
{
	uint64_t id = 0;

	while (!id)
		if (getrandom(&id, sizeof(id), 0) != sizeof(id))
			id = now_ns() | 1;
	return id;
}

/* 0, or the status of the refusal. */
static int read_head(struct rps_request *request, const char *method, const char *version)
{
	struct header_copy copy = {.list = &request->headers};
	int rc;

	request->head_read = 1;
	request->method = strdup(method);
	request->version = strdup(version);
	if (!request->method || !request->version)
		return MHD_HTTP_INTERNAL_SERVER_ERROR;
	name_client(request);
	rc = rps_url_parse(&request->url, request->raw_target);
	if (!rc) {
		MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, copy_header, &copy);
		rc = copy.error;
	}
	if (rc == -ENOMEM)
		return MHD_HTTP_INTERNAL_SERVER_ERROR;
	if (rc)
		return MHD_HTTP_BAD_REQUEST;
	return strcmp(request->method, "CONNECT") ? 0 : MHD_HTTP_NOT_IMPLEMENTED;
}

/* ---- Static files ------------------------------------------------------------------------------ */

static void format_http_date(time_t time_s, char *text, size_t size)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm tm;

	gmtime_r(&time_s, &tm);
	snprintf(text, size, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday,
		 months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static enum MHD_Result send_file(struct rps_request *request, const struct rps_static_file *file)
{
	const char *since = rps_header_list_find(&request->headers, "If-Modified-Since");
	struct MHD_Response *response;
	char date[64];

	format_http_date(file->modified_s, date, sizeof(date));
	if (since && !strcmp(since, date)) {
		close(file->fd);
		response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
		if (response)
			MHD_add_response_header(response, MHD_HTTP_HEADER_LAST_MODIFIED, date);
		return queue(request, MHD_HTTP_NOT_MODIFIED, response);
	}
	response = MHD_create_response_from_fd64((uint64_t)file->size_bytes, file->fd);
	if (!response) {
		close(file->fd);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, file->type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_LAST_MODIFIED, date);
	if (strcmp(request->method, "HEAD"))
		request->body_bytes = (uint64_t)file->size_bytes;
	return queue(request, MHD_HTTP_OK, response);
}

static enum MHD_Result redirect_to_directory(struct rps_request *request)
{
	enum MHD_Result result;
	char *location;

	/* "//host" would lead to another server. */
	if (request->url.target[0] == '/' && request->url.target[1] == '/')
		return refuse(request, MHD_HTTP_NOT_FOUND, "Not found.");
	if (asprintf(&location, "%.*s/%s%s", (int)request->url.path_size, request->url.target,
		     *request->url.query ? "?" : "", request->url.query) < 0)
		return MHD_NO;
	result = queue_page(request, MHD_HTTP_MOVED_PERMANENTLY, MHD_HTTP_HEADER_LOCATION, location,
			    "It is a directory: see the address with a slash at its end.");
	free(location);
	return result;
}

static enum MHD_Result serve_static(struct rps_request *request, int mount, const char *rest,
				    size_t rest_size)
{
	struct rps_static_file file;
	int rc;

	request->kind = KIND_STATIC;
	if (!request->server->options->nomedia)
		request->id = random_id();
	if (strcmp(request->method, "GET") && strcmp(request->method, "HEAD"))
		return queue_page(request, MHD_HTTP_METHOD_NOT_ALLOWED, MHD_HTTP_HEADER_ALLOW, "GET, HEAD",
				  "A static file is only for reading.");
	rc = rps_static_files_get(request->server->statics, mount, rest, rest_size, &file);
	if (!rc)
		return send_file(request, &file);
	if (rc == -EISDIR)
		return redirect_to_directory(request);
	if (rc == -EACCES)
		return refuse(request, MHD_HTTP_FORBIDDEN, "The file may not be read.");
	return refuse(request, MHD_HTTP_NOT_FOUND, "Not found.");
}

/* ---- Application ---------------------------------------------------------------------------------- */

/* A profile was promised to a request that the application never saw. */
static void give_up_profile(struct rps_request *request)
{
	if (request->collection)
		rps_collector_abandon(request->collection);
	request->collection = NULL;
	request->id = 0;
	request->kind = KIND_OWN;
}

/* Ends the collection, if that has not been done. */
static void take_profile(struct rps_request *request)
{
	char name[RPS_ROOT_NAME_MAX];

	if (!request->collection || request->has_ended)
		return;
	rps_request_root_name(request->method, &request->url, name, sizeof(name));
	if (rps_collector_end(request->collection, name, &request->profile, &request->info))
		request->profile = NULL;
	request->has_ended = 1;
	request->has_profile = 1;
}

/* What was held open until the profile was taken is closed, and the next request may begin. */
static void end_exchange(struct rps_request *request)
{
	if (request->exchange)
		operations(request)->end(request->exchange);
	if (request->collection)
		rps_collector_leave(request->collection);
	request->exchange = NULL;
	request->collection = NULL;
	request->has_ended = 0;
}

static int begin_exchange(struct rps_request *request, int fresh)
{
	struct rps_exchange_request *exchange = &request->exchange_request;
	uint64_t before_ns = now_ns();

	if (request->server->options->request_function) {
		/* What is a request is the application's business. */
		exchange->fresh = fresh;
		request->exchange = operations(request)->begin(&request->server->context, exchange);
		return request->exchange ? 0 : -ENOMEM;
	}
	request->id = random_id();
	request->collection = rps_collector_begin(request->server->collector, request->id);
	if (!request->collection)
		return -ENOMEM;
	exchange->id = request->id;
	exchange->fresh = fresh;
	exchange->alone = rps_collector_scope(request->server->collector) == RPS_SCOPE_APPLICATION;
	if (exchange->alone)
		request->waited_us += (now_ns() - before_ns) / 1000;
	request->exchange = operations(request)->begin(&request->server->context, exchange);
	return request->exchange ? 0 : -ENOMEM;
}

static int64_t declared_body_bytes(const struct rps_request *request)
{
	const char *length = rps_header_list_find(&request->headers, MHD_HTTP_HEADER_CONTENT_LENGTH);

	if (rps_header_list_find(&request->headers, MHD_HTTP_HEADER_TRANSFER_ENCODING))
		return -1;
	return length ? strtoll(length, NULL, 10) : 0;
}

static int has_body(const struct rps_request *request)
{
	return declared_body_bytes(request) != 0;
}

static enum MHD_Result begin(struct rps_request *request)
{
	const union MHD_ConnectionInfo *socket =
	    MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct rps_exchange_request *exchange = &request->exchange_request;
	char how[128];

	if (rps_app_has_ended(request->server->context.app, 0, how, sizeof(how)))
		return queue_page(request, MHD_HTTP_BAD_GATEWAY, NULL, NULL, "The application %s %s.",
				  rps_app_shown(request->server->context.app), how);
	exchange->method = request->method;
	exchange->target = request->url.target;
	exchange->headers = &request->headers;
	exchange->body_bytes = declared_body_bytes(request);
	exchange->has_body = has_body(request);
	exchange->client_address = request->client_address;
	exchange->front_host = request->server->front_host;
	exchange->client_fd = socket ? socket->connect_fd : -1;
	request->kind = KIND_APPLICATION;
	if (begin_exchange(request, 0)) {
		give_up_profile(request);
		return refuse(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "The server is out of memory.");
	}
	return MHD_YES;
}

static enum MHD_Result bad_gateway(struct rps_request *request, const char *why)
{
	rps_message_complain("502 for %016" PRIx64 ": %s", request->id, why);
	return queue_page(request, MHD_HTTP_BAD_GATEWAY, NULL, NULL, "%s", why);
}

/* The connection used again was closed by the application. Either it did so
 * just before our request (then the request is made once more), or it died of the
 * request: whether its runtime has seen the id tells the two apart. */
static enum rps_exchange_outcome resolve_stale(struct rps_request *request, char *error, size_t error_size)
{
	struct rps_app *app = request->server->context.app;
	char how[128];

	take_profile(request);
	end_exchange(request);
	if (!request->info.never_entered) {
		if (rps_app_has_ended(app, 100, how, sizeof(how)))
			snprintf(error, error_size, "The application %s %s.", rps_app_shown(app), how);
		else
			snprintf(error, error_size,
				 "The application %s closed the connection without an answer.",
				 rps_app_shown(app));
		return RPS_EXCHANGE_FAILED;
	}
	rps_profile_destroy(request->profile);
	request->profile = NULL;
	request->has_profile = 0;
	if (begin_exchange(request, 1)) {
		snprintf(error, error_size, "The server is out of memory.");
		return RPS_EXCHANGE_UNREACHED;
	}
	return operations(request)->answer(request->exchange, &request->answer, error, error_size);
}

static ssize_t on_read(void *cls, uint64_t position, char *buffer, size_t size)
{
	struct rps_request *request = cls;
	ssize_t n = operations(request)->read(request->exchange, buffer, size);

	if (n > 0) {
		request->body_bytes += (uint64_t)n;
		return n;
	}
	if (!n)
		return MHD_CONTENT_READER_END_OF_STREAM;
	request->broken_off = "by the application";
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* An answer that is here already, in one piece. NULL if it is not, or has no declared size. */
static struct MHD_Response *whole_response(struct rps_request *request)
{
	size_t size = (size_t)request->answer.body_bytes, used = 0;
	struct MHD_Response *response;
	char *data;

	if (request->answer.body_bytes < 0 || request->answer.body_bytes > WHOLE_BODY_MAX ||
	    !operations(request)->is_complete(request->exchange))
		return NULL;
	data = malloc(size + 1);
	while (data && used < size) {
		ssize_t n = operations(request)->read(request->exchange, data + used, size - used);

		if (n <= 0)
			break;
		used += (size_t)n;
	}
	response = data ? MHD_create_response_from_buffer(used, data, MHD_RESPMEM_MUST_FREE) : NULL;
	if (response)
		request->body_bytes = used;
	else
		free(data);
	return response;
}

static struct MHD_Response *create_response(struct rps_request *request)
{
	const struct rps_answer *answer = &request->answer;
	struct MHD_Response *response;

	if (answer->status == MHD_HTTP_NO_CONTENT || answer->status == MHD_HTTP_NOT_MODIFIED)
		return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	if (strcmp(request->method, "HEAD")) {
		response = whole_response(request);
		if (response)
			return response;
	}
	return MHD_create_response_from_callback(answer->body_bytes < 0 ? MHD_SIZE_UNKNOWN
									: (uint64_t)answer->body_bytes,
						 BLOCK_BYTES, on_read, request, NULL);
}

static enum MHD_Result pass_on(struct rps_request *request)
{
	struct MHD_Response *response = create_response(request);

	if (!response)
		return MHD_NO;
	for (size_t i = 0; i < request->answer.headers.n; i++) {
		struct rps_header *header = &request->answer.headers.items[i];

		if (!strcasecmp(header->name, "X-Profile-Id"))
			continue;
		/* libmicrohttpd sends no tabs; a blank means the same. */
		for (char *p = strchr(header->value, '\t'); p; p = strchr(p, '\t'))
			*p = ' ';
		/* Nor empty values; but blanks are trimmed by who reads them. */
		MHD_add_response_header(response, header->name, *header->value ? header->value : " ");
	}
	return queue(request, (int)request->answer.status, response);
}

static enum MHD_Result answer(struct rps_request *request)
{
	enum rps_exchange_outcome outcome;
	char error[512] = "";

	outcome = operations(request)->answer(request->exchange, &request->answer, error, sizeof(error));
	if (outcome == RPS_EXCHANGE_STALE)
		outcome = resolve_stale(request, error, sizeof(error));
	switch (outcome) {
	case RPS_EXCHANGE_OK:
		return pass_on(request);
	case RPS_EXCHANGE_CANCELLED:
		if (!atomic_load(&request->server->stopping)) {
			request->broken_off = "by the client";
			return MHD_NO;
		}
		return refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "The server is being stopped.");
	case RPS_EXCHANGE_UNREACHED:
		give_up_profile(request);
		return bad_gateway(request, error);
	case RPS_EXCHANGE_STALE:
	case RPS_EXCHANGE_FAILED:
		break;
	}
	return bad_gateway(request, error);
}

/* Answers what is ours to answer, begins what is the application's. */
static enum MHD_Result route(struct rps_request *request)
{
	const char *rest;
	size_t rest_size;
	int mount;

	request->is_routed = 1;
	if (request->refusal)
		return refuse(request, request->refusal, "The request can't be understood.");
	mount = rps_static_files_match(request->server->statics, &request->url, &rest, &rest_size);
	if (mount >= 0)
		return serve_static(request, mount, rest, rest_size);
	return begin(request);
}

enum MHD_Result rps_request_handle(struct rps_request *request, const char *method, const char *version,
				   const char *upload_data, size_t *upload_data_size)
{
	enum MHD_Result result;

	if (!request->head_read) {
		request->refusal = read_head(request, method, version);
		/* With the head alone an answer of our own saves the client its body, and
		 * costs it the connection: so not where there is none. */
		return has_body(request) ? route(request) : MHD_YES;
	}
	if (*upload_data_size) {
		if (request->exchange)
			operations(request)->send(request->exchange, upload_data, *upload_data_size);
		*upload_data_size = 0;
		return MHD_YES;
	}
	if (!request->is_routed) {
		result = route(request);
		if (!request->exchange)
			return result;
	}
	return answer(request);
}

/* ---- Finish ------------------------------------------------------------------------------------------ */

static void write_profile(struct rps_request *request, uint64_t duration_us, time_t end_s, char *name,
			  size_t name_size)
{
	const char *host = rps_header_list_find(&request->headers, "Host");
	const struct rps_request_facts facts = {
	    .id = request->id,
	    .method = request->method,
	    .url = &request->url,
	    .host = host ? host : "",
	    .status = (uint32_t)request->status,
	    .duration_us = duration_us,
	    .waited_us = request->waited_us,
	    .end_s = end_s,
	    .body_bytes = request->body_bytes,
	    .broken_off = request->broken_off,
	    .kind = request->kind == KIND_STATIC ? "static" : request->server->gateway->name,
	};
	char root_name[RPS_ROOT_NAME_MAX];

	if (request->kind == KIND_STATIC) {
		rps_request_root_name(request->method, &request->url, root_name, sizeof(root_name));
		request->profile = rps_request_root_profile(root_name, duration_us);
	}
	rps_request_profile_write(request->server, request->profile, &request->info, &facts, name, name_size);
	request->profile = NULL;
	if (request->kind == KIND_APPLICATION) {
		rps_request_profile_report(request->server, &request->info, request->id);
		rps_request_profile_warn(request->server, &request->info, facts.status);
	}
}

static void destroy(struct rps_request *request)
{
	rps_header_list_clear(&request->answer.headers);
	rps_header_list_clear(&request->headers);
	rps_url_clear(&request->url);
	free(request->method);
	free(request->version);
	free(request->raw_target);
	atomic_fetch_sub(&request->server->in_flight, 1);
	free(request);
}

/* What libmicrohttpd answered where it did not even call the handler; 0: nothing, or it can't tell. */
static int status_of_refusal(const struct rps_request *request)
{
#if MHD_VERSION >= 0x00097300
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_HTTP_STATUS);

	return info ? (int)info->http_status : 0;
#else
	return 0;
#endif
}

void rps_request_finish(struct rps_request *request, enum MHD_RequestTerminationCode how)
{
	struct rps_server *server = request->server;
	uint64_t duration_us = (now_ns() - request->start_ns) / 1000;
	time_t end_s = time(NULL);
	char name[4096] = "";

	atomic_fetch_add(&server->tally.requests, 1);
	if (!request->status)
		request->status = status_of_refusal(request);
	if (how != MHD_REQUEST_TERMINATED_COMPLETED_OK) {
		if (!request->broken_off)
			request->broken_off = "by the client";
		if (request->exchange && !operations(request)->is_complete(request->exchange))
			operations(request)->abort(request->exchange);
	}
	take_profile(request);
	end_exchange(request);
	if (request->id && (request->has_profile || request->kind == KIND_STATIC))
		write_profile(request, duration_us, end_s, name, sizeof(name));
	else if (request->kind == KIND_STATIC)
		atomic_fetch_add(&server->tally.skipped, 1);
	else if (request->kind == KIND_APPLICATION && server->options->request_function)
		atomic_fetch_add(&server->tally.passed, 1);
	else
		atomic_fetch_add(&server->tally.unprofiled, 1);
	{
		const struct rps_access_entry entry = {
		    .time_s = end_s,
		    .method = request->method ? request->method : "-",
		    .target = request->raw_target,
		    .version = request->version ? request->version : "-",
		    .status = (uint32_t)request->status,
		    .body_bytes = request->body_bytes,
		    .profile = server->options->verbose && *name ? name : NULL,
		    .id = request->id,
		};

		rps_access_log_write(&entry);
	}
	destroy(request);
}
