/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The application's part of a request. Called by request.c, on the client
 * connection's thread:
 *
 *     locate     the path below the mount
 *     enter      through the gate: the application runs
 *     choose     is it profiled, and must it wait for its turn?
 *     exchange   the gateway's: see gateway.h
 *     leave      the exchange ends, then the turn, then the gate
 */
#include "server/gateway_http.h"
#include "server/message.h"
#include "server/request_internal.h"
#include "server/request_profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WHOLE_BODY_MAX                                                                                       \
	((int64_t)64 * 1024) /* answers up to this size that are here already are sent in one piece */

static const struct rps_exchange_operations *operations(const struct rps_request *request)
{
	return request->exchange_request.is_upgrade ? &rps_exchange_tunnel
						    : request->server->gateway->exchange;
}

/* ---- Where it goes ------------------------------------------------------------------------ */

/* What the application is told: the target without the mount. 0, -ENOENT if it lies outside, -ENOMEM. */
static int locate(struct rps_request *request)
{
	struct rps_exchange_request *exchange = &request->exchange_request;
	const char *mount = request->server->options->mount;
	size_t size = strlen(mount);

	exchange->mount = mount;
	exchange->target = request->url.target;
	exchange->path_info = request->url.path;
	/* In a variable it would end there, and name something else. */
	if (request->server->gateway->exchange != &rps_exchange_http &&
	    memchr(request->url.path, 0, request->url.decoded_size))
		return -ENOENT;
	if (!size)
		return 0;
	if (request->url.path_size < size || strncmp(request->url.target, mount, size) ||
	    (request->url.path_size > size && request->url.target[size] != '/'))
		return -ENOENT;
	exchange->path_info = request->url.path + size;
	exchange->target = request->url.target + size;
	if (*exchange->target == '/')
		return 0;
	if (asprintf(&request->rest_target, "/%s", exchange->target) < 0) {
		request->rest_target = NULL;
		return -ENOMEM;
	}
	exchange->target = request->rest_target;
	return 0;
}

static void describe(struct rps_request *request)
{
	struct rps_exchange_request *exchange = &request->exchange_request;
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	exchange->method = request->method;
	exchange->version = request->version;
	exchange->headers = &request->headers;
	exchange->body_bytes = rps_request_declared_body_bytes(request);
	exchange->has_body = exchange->body_bytes != 0;
	exchange->client_address = request->client_address;
	exchange->client_port = request->client_port;
	exchange->is_tls = request->server->options->cert != NULL;
	exchange->front_host = request->server->front_host;
	exchange->client_fd = info ? info->connect_fd : -1;
	exchange->is_upgrade = rps_request_is_upgrade(request);
}

/* ---- Whose turn it is ------------------------------------------------------------------------ */

/* 0, or an answer was queued: *result. */
static int enter(struct rps_request *request, enum MHD_Result *result)
{
	struct rps_server *server = request->server;
	char *reason = malloc(RPS_GATE_REASON_MAX);
	uint64_t before_ns = rps_request_now_ns();
	enum rps_gate_result entered;

	if (!reason) {
		*result = MHD_NO;
		return -ENOMEM;
	}
	*reason = 0;
	entered = rps_gate_enter(&server->gate, server->options->request_timeout_ms, &request->session,
				 reason, RPS_GATE_REASON_MAX, rps_request_is_hopeless, request);
	request->waited_us += (rps_request_now_ns() - before_ns) / 1000;
	request->is_inside = entered == RPS_GATE_INSIDE;
	if (entered == RPS_GATE_BROKEN)
		*result = rps_request_queue_page(request, MHD_HTTP_BAD_GATEWAY, NULL, NULL, "%s", reason);
	else if (entered == RPS_GATE_TIMED_OUT)
		*result = rps_request_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE,
					     "The application is still being restarted.");
	else if (entered == RPS_GATE_GIVEN_UP)
		*result =
		    rps_request_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "The server is being stopped.");
	free(reason);
	return request->is_inside ? 0 : -EAGAIN;
}

static int accepts_event_stream(const struct rps_request *request)
{
	const char *accept = rps_header_list_find(&request->headers, "Accept");

	return accept && rps_header_has_token(accept, "text/event-stream");
}

/* Does the whole application count, for one request at a time? */
static int is_one_at_a_time(const struct rps_request *request)
{
	return request->session && rps_collector_scope(request->session->collector) == RPS_SCOPE_APPLICATION;
}

static void wait_for_turn(struct rps_request *request, int *is_profiled)
{
	struct rps_server *server = request->server;
	uint64_t before_ns = rps_request_now_ns();
	char target[256];

	switch (rps_turn_take(&server->turn, rps_request_is_hopeless, request)) {
	case RPS_TURN_TAKEN:
		request->has_turn = 1;
		break;
	case RPS_TURN_TIMED_OUT:
		*is_profiled = 0;
		rps_url_printable(request->target, strlen(request->target), target, sizeof(target));
		rps_message_complain(
		    "%s %s passes without a profile: the request before it has gone on for more than "
		    "%u ms (--request-timeout)",
		    request->method, target, server->options->request_timeout_ms);
		break;
	case RPS_TURN_GIVEN_UP:
		*is_profiled = 0;
		break;
	}
	request->waited_us += (rps_request_now_ns() - before_ns) / 1000;
}

/* Nonzero if it is to be profiled; waits for its turn where it needs one. */
static int choose(struct rps_request *request)
{
	const struct rps_options *options = request->server->options;
	/* What may go on for ever would keep the others waiting. */
	int may_go_on = request->exchange_request.is_upgrade || accepts_event_stream(request);
	int is_serial = is_one_at_a_time(request);
	int is_profiled =
	    rps_choice_profiles(&request->server->choice, options, request->url.path, request->is_triggered);

	/* With --request what is a request is the application's business. */
	if ((is_serial && may_go_on) || options->request_function)
		is_profiled = 0;
	if (!may_go_on && (options->nothreading || (is_serial && is_profiled)))
		wait_for_turn(request, &is_profiled);
	return is_profiled;
}

/* ---- Beginning ---------------------------------------------------------------------------------- */

/* A profile was promised to a request that the application never saw. */
static void give_up_profile(struct rps_request *request)
{
	if (request->collection && request->has_ended)
		rps_collector_leave(request->collection);
	else if (request->collection)
		rps_collector_abandon(request->collection);
	request->collection = NULL;
	request->has_ended = 0;
	rps_profile_destroy(request->profile);
	request->profile = NULL;
	request->has_profile = 0;
	request->id = 0;
	request->kind = RPS_KIND_OWN;
}

static int begin_exchange(struct rps_request *request, int is_profiled, int fresh)
{
	struct rps_exchange_request *exchange = &request->exchange_request;

	request->id = is_profiled ? rps_request_random_id() : 0;
	exchange->environment = NULL;
	if (is_profiled && !request->session)
		request->session = rps_session_borrow(&request->server->sessions);
	if (is_profiled && !request->session)
		return -ENOMEM;
	if (is_profiled) {
		request->collection = rps_collector_begin(request->session->collector, request->id);
		if (!request->collection)
			return -ENOMEM;
		exchange->environment = rps_collector_environ(request->session->collector);
	}
	exchange->id = request->id;
	exchange->alone = is_profiled && is_one_at_a_time(request);
	/* Without a profile nothing tells whether a connection that turns out to be dead has carried the
	 * request. */
	exchange->fresh =
	    fresh || (!is_profiled && strcmp(request->method, "GET") && strcmp(request->method, "HEAD"));
	request->exchange = operations(request)->begin(&request->server->context, exchange);
	return request->exchange ? 0 : -ENOMEM;
}

enum MHD_Result rps_request_begin(struct rps_request *request)
{
	enum MHD_Result result = MHD_NO;
	int rc = locate(request), is_profiled;

	if (rc == -ENOENT)
		return rps_request_queue_page(request, MHD_HTTP_NOT_FOUND, NULL, NULL,
					      "Not found. The application is at %s/",
					      request->server->options->mount);
	if (rc)
		return MHD_NO;
	describe(request);
	if (enter(request, &result))
		return result;
	is_profiled = choose(request);
	request->kind = RPS_KIND_APPLICATION;
	if (begin_exchange(request, is_profiled, 0)) {
		give_up_profile(request);
		return rps_request_refuse(request, MHD_HTTP_INTERNAL_SERVER_ERROR,
					  "The server is out of memory.");
	}
	return MHD_YES;
}

void rps_request_pass_body(struct rps_request *request, const char *data, size_t size)
{
	if (request->exchange)
		operations(request)->send(request->exchange, data, size);
}

/* ---- Ending ---------------------------------------------------------------------------------------- */

void rps_request_break_off(struct rps_request *request)
{
	if (request->broken_off && request->exchange && !operations(request)->is_complete(request->exchange))
		operations(request)->abort(request->exchange);
}

void rps_request_take_profile(struct rps_request *request)
{
	char name[RPS_ROOT_NAME_MAX];

	if (request->exchange && operations(request)->settle)
		operations(request)->settle(request->exchange);
	if (!request->collection || request->has_ended)
		return;
	rps_request_root_name(request->method, &request->url, name, sizeof(name));
	if (rps_collector_end(request->collection, name, &request->profile, &request->info))
		request->profile = NULL;
	request->has_ended = 1;
	request->has_profile = 1;
}

/* What was held open until the profile was taken is closed, and the application may have peace. */
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

static void give_turn(struct rps_request *request)
{
	if (request->has_turn)
		rps_turn_give(&request->server->turn);
	request->has_turn = 0;
}

static void leave_gate(struct rps_request *request)
{
	if (request->is_inside)
		rps_gate_leave(&request->server->gate);
	request->is_inside = 0;
}

void rps_request_leave(struct rps_request *request)
{
	/* Only now: what was held open until the profile was taken is closed by it. */
	end_exchange(request);
	give_turn(request);
	leave_gate(request);
	if (request->session && request->server->gateway->is_per_request)
		rps_session_return(request->session,
				   !rps_collector_has_live_processes(request->session->collector));
	else
		rps_session_put(request->session);
	request->session = NULL;
}

/* ---- The answer -------------------------------------------------------------------------------------- */

/* The connection used again was closed by the application. Either it did so
 * just before our request (then the request is made once more), or it died of the
 * request: whether its runtime has seen the id tells the two apart. */
static enum rps_exchange_outcome resolve_stale(struct rps_request *request, char *error, size_t error_size)
{
	struct rps_app *app = request->server->context.app;
	int is_profiled = request->collection != NULL;
	char how[128];

	rps_request_take_profile(request);
	end_exchange(request);
	if (is_profiled && !request->info.never_entered) {
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
	if (begin_exchange(request, is_profiled, 1)) {
		snprintf(error, error_size, "The server is out of memory.");
		return RPS_EXCHANGE_UNREACHED;
	}
	return operations(request)->answer(request->exchange, &request->answer, error, error_size);
}

static ssize_t on_read(void *cls, uint64_t position, char *buffer, size_t size)
{
	struct rps_request *request = cls;
	ssize_t n = operations(request)->read(request->exchange, buffer, size);

	rps_request_be_patient(request);
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
	/* Fewer than it said: the client is to see that, by the connection's end. */
	if (data && used < size) {
		free(data);
		request->broken_off = "by the application";
		return NULL;
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

	if (answer->status == MHD_HTTP_SWITCHING_PROTOCOLS)
		return rps_request_tunnel_response(request);
	if (answer->status == MHD_HTTP_NO_CONTENT || answer->status == MHD_HTTP_NOT_MODIFIED)
		return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	if (strcmp(request->method, "HEAD")) {
		response = whole_response(request);
		if (response)
			return response;
	}
	return MHD_create_response_from_callback(answer->body_bytes < 0 ? MHD_SIZE_UNKNOWN
									: (uint64_t)answer->body_bytes,
						 RPS_BLOCK_BYTES, on_read, request, NULL);
}

/* An event stream may go on for ever: neither the next request nor a restart waits for it. In
 * whole-application scope its profile ends here, with the head of the answer. */
static void let_others_pass(struct rps_request *request)
{
	const char *type = rps_header_list_find(&request->answer.headers, "Content-Type");

	if (request->answer.status != MHD_HTTP_SWITCHING_PROTOCOLS &&
	    (!type || strncasecmp(type, "text/event-stream", 17)))
		return;
	request->is_stream = 1;
	if (request->has_turn) {
		rps_request_take_profile(request);
		if (request->collection)
			rps_collector_leave(request->collection);
		request->collection = NULL;
		request->has_ended = 0;
	}
	give_turn(request);
	leave_gate(request);
}

static enum MHD_Result pass_on(struct rps_request *request)
{
	struct MHD_Response *response;

	let_others_pass(request);
	response = create_response(request);
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
	return rps_request_queue(request, (int)request->answer.status, response);
}

enum MHD_Result rps_request_answer(struct rps_request *request)
{
	enum rps_exchange_outcome outcome;
	char error[1024] = "";

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
		return rps_request_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE,
					  "The server is being stopped.");
	case RPS_EXCHANGE_NOT_FOUND:
		give_up_profile(request);
		return rps_request_refuse(request, MHD_HTTP_NOT_FOUND, "Not found.");
	case RPS_EXCHANGE_UNREACHED:
		give_up_profile(request);
		return rps_request_bad_gateway(request, MHD_HTTP_BAD_GATEWAY, error);
	case RPS_EXCHANGE_TIMED_OUT:
		rps_request_take_profile(request);
		return rps_request_bad_gateway(request, MHD_HTTP_GATEWAY_TIMEOUT, error);
	case RPS_EXCHANGE_STALE:
	case RPS_EXCHANGE_FAILED:
		break;
	}
	rps_request_take_profile(request); /* it may tell where the application was */
	return rps_request_bad_gateway(request, MHD_HTTP_BAD_GATEWAY, error);
}
