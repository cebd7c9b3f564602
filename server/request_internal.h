/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the request*.c share: one request under way. All on the client
 * connection's thread. */
#ifndef RPS_SERVER_REQUEST_INTERNAL_H
#define RPS_SERVER_REQUEST_INTERNAL_H

#include "server/request.h"
#include "server/session.h"
#include "server/url.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define RPS_BLOCK_BYTES ((size_t)64 * 1024)

enum rps_request_kind {
	RPS_KIND_OWN = 0, /* answered by the front: no profile */
	RPS_KIND_STATIC,
	RPS_KIND_APPLICATION,
};

struct rps_request {
	struct rps_server *server;
	struct MHD_Connection *connection;
	char *target; /* as the client sent it, without the trigger's secret */
	struct rps_url url;
	char *method;
	char *version;
	struct rps_header_list headers;
	char client_address[INET6_ADDRSTRLEN];
	uint16_t client_port;
	uint64_t start_ns;
	uint64_t waited_us; /* for its turn, or for the application to be restarted */
	int head_read;
	unsigned number; /* on its connection */
	int refusal;     /* status, 0: none */
	const char *refusal_why;
	int is_routed;
	int is_triggered;
	enum rps_request_kind kind;
	int status;
	uint64_t body_bytes;    /* of the answer, handed to libmicrohttpd */
	const char *broken_off; /* why the answer is not complete */

	uint64_t id; /* of the profile, 0: gets none */
	struct rps_session *session;
	struct rps_collection *collection;
	int has_ended;               /* the collection; not left yet */
	struct rps_profile *profile; /* then */
	struct rps_collect_info info;
	int has_profile;
	int is_inside; /* has gone through the gate */
	int has_turn;
	int is_stream; /* an event stream: it may go on for ever */

	/* An upgraded connection ends twice: for libmicrohttpd when it has handed it over, and when its
	 * tunnel does. */
	int is_tunnel;
	atomic_int has_ended_once;

	struct rps_exchange_request exchange_request;
	char *rest_target; /* the target below the mount, where it is no part of the whole */
	struct rps_exchange *exchange;
	struct rps_answer answer;
};

uint64_t rps_request_now_ns(void);
uint64_t rps_request_random_id(void);
/* The client's time (--client-timeout) begins now: after each callback that may have waited for the application, which is
 * no fault of the client's. */
void rps_request_be_patient(struct rps_request *request);
int64_t rps_request_declared_body_bytes(const struct rps_request *request);
/* Has the client reset its connection, or does the server stop? (For waits: the signature of turn.h and
 * gate.h.) */
int rps_request_is_hopeless(void *request);

/* ---- request_page.c: answers of our own ------------------------------------------ */

/* Hands `response` to libmicrohttpd, with what every answer carries; frees it. */
enum MHD_Result rps_request_queue(struct rps_request *request, int status, struct MHD_Response *response);
/* A short page in plain text, with one more header field if `name` is not NULL. */
enum MHD_Result rps_request_queue_page(struct rps_request *request, int status, const char *name,
				       const char *value, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* The client's body is not read any further, or is of no use. */
enum MHD_Result rps_request_refuse(struct rps_request *request, int status, const char *text);
/* The application has failed: what went wrong, for which request, and where it was (from the profile, if it
 * was cut off). */
enum MHD_Result rps_request_bad_gateway(struct rps_request *request, int status, const char *why);

/* ---- request_static.c ---------------------------------------------------------------- */

enum MHD_Result rps_request_serve_static(struct rps_request *request, int mount, const char *rest,
					 size_t rest_size);

/* ---- request_app.c: what is the application's ------------------------------------------ */

/* Begins the exchange; or answers by itself, when there is nobody to pass it to. */
enum MHD_Result rps_request_begin(struct rps_request *request);
void rps_request_pass_body(struct rps_request *request, const char *data, size_t size);
/* The client's body is complete: waits for the answer's head, and answers with it. */
enum MHD_Result rps_request_answer(struct rps_request *request);
/* Something was broken off: the application sees the client go. */
void rps_request_break_off(struct rps_request *request);
/* Ends the collection, if that has not been done. */
void rps_request_take_profile(struct rps_request *request);
/* Ends the exchange, and lets others have what this request held. */
void rps_request_leave(struct rps_request *request);

/* ---- request_tunnel.c -------------------------------------------------------------------- */

/* Does the client ask for another protocol (WebSocket), which the application may agree to? */
int rps_request_is_upgrade(const struct rps_request *request);
/* Its tunnel has ended. */
void rps_request_end_tunnel(struct rps_request *request);
/* It has agreed: the response that makes libmicrohttpd hand over the connection. */
struct MHD_Response *rps_request_tunnel_response(struct rps_request *request);

#endif
