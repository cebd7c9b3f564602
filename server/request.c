/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See request.h. Called by front.c. A request goes through these steps:
 *
 *     read_head     what does the client want?
 *     route         ... a file: request_static.c; the application: request_app.c
 *     pass_body     each piece of the client's body goes on to the application
 *     answer        the application's head comes back, its body is passed on as libmicrohttpd asks for it
 *     finish        profile, file, log line
 */
#include "server/access_log.h"
#include "server/front_screen.h"
#include "server/request_internal.h"
#include "server/request_profile.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

uint64_t rps_request_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t rps_request_random_id(void)
{
	uint64_t id = 0;

	while (!id)
		if (getrandom(&id, sizeof(id), 0) != sizeof(id))
			id = rps_request_now_ns() | 1;
	return id;
}

struct rps_request *rps_request_create(struct rps_server *server, struct MHD_Connection *connection,
				       const char *target)
{
	struct rps_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->server = server;
	request->connection = connection;
	request->number = rps_front_screen_next(connection);
	request->refusal_why = "It can't be understood.";
	request->start_ns = rps_request_now_ns();
	request->target = strdup(target);
	if (!request->target) {
		free(request);
		return NULL;
	}
	atomic_fetch_add(&server->in_flight, 1);
	return request;
}

int rps_request_is_hopeless(void *cls)
{
	const struct rps_request *request = cls;
	struct pollfd client = {.fd = request->exchange_request.client_fd};

	return atomic_load(&request->server->stopping) || (client.fd >= 0 && poll(&client, 1, 0) > 0 &&
							   (client.revents & (POLLHUP | POLLERR | POLLNVAL)));
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

uint16_t rps_request_name_client(struct MHD_Connection *connection, char *name, size_t size)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info ? info->client_addr : NULL;
	const struct sockaddr_in *ipv4 = (const void *)address;
	const struct sockaddr_in6 *ipv6 = (const void *)address;
	uint16_t port = 0;

	snprintf(name, size, "%s", address && address->sa_family == AF_UNIX ? "127.0.0.1" : "unknown");
	if (address && address->sa_family == AF_INET) {
		inet_ntop(AF_INET, &ipv4->sin_addr, name, (socklen_t)size);
		port = ntohs(ipv4->sin_port);
	} else if (address && address->sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &ipv6->sin6_addr, name, (socklen_t)size);
		port = ntohs(ipv6->sin6_port);
	}
	/* An IPv4 client of a socket for both. */
	if (!strncmp(name, "::ffff:", 7) && strchr(name, '.'))
		memmove(name, name + 7, strlen(name + 7) + 1);
	return port;
}

/* 0, or the status of the refusal. */
static int read_head(struct rps_request *request, const char *method, const char *version)
{
	struct header_copy copy = {.list = &request->headers};
	int rc;

	request->head_read = 1;
	request->exchange_request.client_fd = -1;
	request->method = strdup(method);
	request->version = strdup(version);
	if (!request->method || !request->version)
		return MHD_HTTP_INTERNAL_SERVER_ERROR;
	request->client_port = rps_request_name_client(request->connection, request->client_address,
						       sizeof(request->client_address));
	rc = rps_front_screen_refuses(request->connection, request->number, &request->refusal_why);
	if (rc)
		return rc;
	MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, copy_header, &copy);
	rc = copy.error;
	if (!rc) {
		rc = rps_choice_take_trigger(request->server->options, &request->headers, &request->target);
		request->is_triggered = rc == 1;
	}
	if (rc >= 0)
		rc = rps_url_parse(&request->url, request->target);
	if (rc == -ENOMEM)
		return MHD_HTTP_INTERNAL_SERVER_ERROR;
	if (rc)
		return MHD_HTTP_BAD_REQUEST;
	if (!strcmp(request->method, "CONNECT"))
		return MHD_HTTP_NOT_IMPLEMENTED;
	return 0;
}

int64_t rps_request_declared_body_bytes(const struct rps_request *request)
{
	const char *length = rps_header_list_find(&request->headers, MHD_HTTP_HEADER_CONTENT_LENGTH);

	if (rps_header_list_find(&request->headers, MHD_HTTP_HEADER_TRANSFER_ENCODING))
		return -1;
	return length ? strtoll(length, NULL, 10) : 0;
}

/* ---- Steps ------------------------------------------------------------------------------------- */

/* Answers what is ours to answer, begins what is the application's. */
static enum MHD_Result route(struct rps_request *request)
{
	const char *rest;
	size_t rest_size;
	int mount;

	request->is_routed = 1;
	if (request->refusal)
		return rps_request_queue_page(request, request->refusal, NULL, NULL,
					      "The request is refused. %s", request->refusal_why);
	mount = rps_static_files_match(request->server->statics, &request->url, &rest, &rest_size);
	if (mount >= 0)
		return rps_request_serve_static(request, mount, rest, rest_size);
	return rps_request_begin(request);
}

void rps_request_be_patient(struct rps_request *request)
{
	MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
	MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT,
				  request->server->options->client_timeout_ms / 1000);
}

static enum MHD_Result handle(struct rps_request *request, const char *method, const char *version,
			      const char *upload_data, size_t *upload_data_size)
{
	enum MHD_Result result;

	if (!request->head_read) {
		request->refusal = read_head(request, method, version);
		/* With the head alone an answer of our own saves the client its body, and
		 * costs it the connection: so not where there is none. */
		return rps_request_declared_body_bytes(request) || request->refusal ? route(request)
										    : MHD_YES;
	}
	if (*upload_data_size) {
		rps_request_pass_body(request, upload_data, *upload_data_size);
		*upload_data_size = 0;
		return MHD_YES;
	}
	if (!request->is_routed) {
		result = route(request);
		if (!request->exchange)
			return result;
	}
	return rps_request_answer(request);
}

enum MHD_Result rps_request_handle(struct rps_request *request, const char *method, const char *version,
				   const char *upload_data, size_t *upload_data_size)
{
	enum MHD_Result result = handle(request, method, version, upload_data, upload_data_size);

	rps_request_be_patient(request);
	return result;
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
	    .request_bytes = rps_request_declared_body_bytes(request),
	    .body_bytes = request->body_bytes,
	    .broken_off = request->broken_off,
	    .kind = request->kind == RPS_KIND_STATIC ? "static" : request->server->gateway->name,
	};
	char root_name[RPS_ROOT_NAME_MAX];

	if (request->kind == RPS_KIND_STATIC) {
		rps_request_root_name(request->method, &request->url, root_name, sizeof(root_name));
		request->profile = rps_request_root_profile(root_name, duration_us);
	}
	rps_request_profile_write(request->server, request->profile, &request->info, &facts, name, name_size);
	request->profile = NULL;
}

/* Writes the profile, or counts why there is none. */
static void keep_or_count(struct rps_request *request, uint64_t duration_us, time_t end_s, char *name,
			  size_t name_size)
{
	struct rps_tally *tally = &request->server->tally;
	uint64_t slower_than_us = request->server->options->slower_than_us;
	int has_profile = request->id && (request->has_profile || request->kind == RPS_KIND_STATIC);

	if (has_profile && duration_us <= slower_than_us && slower_than_us) {
		rps_profile_destroy(request->profile);
		request->profile = NULL;
		atomic_fetch_add(&tally->fast, 1);
	} else if (has_profile) {
		write_profile(request, duration_us, end_s, name, name_size);
	} else if (request->kind == RPS_KIND_STATIC) {
		atomic_fetch_add(&tally->skipped, 1);
	} else if (request->kind == RPS_KIND_APPLICATION) {
		atomic_fetch_add(&tally->passed, 1);
	} else {
		atomic_fetch_add(&tally->unprofiled, 1);
	}
}

static void destroy(struct rps_request *request)
{
	rps_request_leave(request);
	rps_header_list_clear(&request->answer.headers);
	rps_header_list_clear(&request->headers);
	rps_url_clear(&request->url);
	rps_profile_destroy(request->profile);
	free(request->rest_target);
	free(request->method);
	free(request->version);
	free(request->target);
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

static void log_access(const struct rps_request *request, uint64_t duration_us, time_t end_s,
		       const char *name)
{
	const char *referer = rps_header_list_find(&request->headers, "Referer");
	const char *agent = rps_header_list_find(&request->headers, "User-Agent");
	const struct rps_access_entry entry = {
	    .time_s = end_s,
	    .duration_us = duration_us,
	    .client = *request->client_address ? request->client_address : "-",
	    .method = request->method ? request->method : "-",
	    .target = request->target,
	    .version = request->version ? request->version : "-",
	    .referer = referer,
	    .agent = agent,
	    .status = (uint32_t)request->status,
	    .body_bytes = request->body_bytes,
	    .profile = *name ? name : NULL,
	    .id = request->id,
	};

	rps_access_log_write(request->server->options->log, request->server->options->verbose, &entry);
}

static void finish(struct rps_request *request)
{
	struct rps_server *server = request->server;
	uint64_t duration_us = (rps_request_now_ns() - request->start_ns) / 1000;
	time_t end_s = time(NULL);
	char name[4096] = "";

	atomic_fetch_add(&server->tally.requests, 1);
	if (!request->status)
		request->status = status_of_refusal(request);
	rps_request_break_off(request);
	rps_request_take_profile(request);
	if (request->kind == RPS_KIND_APPLICATION && request->has_profile)
		rps_request_profile_report(server, &request->info, request->id);
	if (request->kind == RPS_KIND_APPLICATION && request->has_profile)
		rps_request_profile_warn(server, request->session, &request->info, (uint32_t)request->status);
	/* Before the file is written: others may be waiting. */
	rps_request_leave(request);
	keep_or_count(request, duration_us, end_s, name, sizeof(name));
	log_access(request, duration_us, end_s, name);
	destroy(request);
}

void rps_request_end_tunnel(struct rps_request *request)
{
	if (atomic_exchange(&request->has_ended_once, 1))
		finish(request);
}

void rps_request_finish(struct rps_request *request, enum MHD_RequestTerminationCode how)
{
	/* Closed without an answer, as is usual; the log says why. */
	if (!request->status &&
	    (how == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED || rps_front_screen_is_late(request->connection)))
		request->status = MHD_HTTP_REQUEST_TIMEOUT;
	if (how != MHD_REQUEST_TERMINATED_COMPLETED_OK && !request->broken_off)
		request->broken_off = "by the client";
	if (!request->is_tunnel || atomic_exchange(&request->has_ended_once, 1))
		finish(request);
}
