/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A gateway is a way to start an application and to pass requests to it. The
 * front knows gateways by these function pointers only.
 *
 * One request on its way through a gateway is an exchange:
 *
 *     begin ─▶ send ... send ─▶ answer ─▶ read ... read ─▶ end
 *              (the client's body)        (the application's)
 *
 * all called on the client connection's own thread; they block, and give up by
 * themselves when the client has gone or the server stops.
 */
#ifndef RPS_SERVER_GATEWAY_H
#define RPS_SERVER_GATEWAY_H

#include "server/app.h"
#include "server/app_elf.h"
#include "server/http_head.h"
#include "server/options.h"
#include "server/upstream.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The head of a request, as the client sent it. */
struct rps_exchange_request {
	const char *method;
	const char *target; /* origin form, byte for byte */
	const struct rps_header_list *headers;
	int64_t body_bytes; /* -1: unknown beforehand */
	int has_body;
	uint64_t id;                /* ties the profile to it */
	const char *version;        /* "HTTP/1.1" */
	const char *client_address; /* "127.0.0.1" */
	uint16_t client_port;       /* 0: none (Unix socket) */
	int is_tls;
	const char *path_info;          /* the decoded path below the mount */
	const char *mount;              /* "/shop", "" for the root */
	const char *const *environment; /* of the collector that listens for this request: gateways that start
					   a process for it pass it on; NULL: not profiled */
	const char *front_host;         /* the front's own "host:port", for clients that sent no Host */
	int client_fd;                  /* watched, so that a client that has gone is noticed; -1: don't */
	int alone; /* whole-application scope: a connection of its own, whose end the application does not see
		      before `end` */
	int is_upgrade; /* asks for another protocol */
	int fresh;      /* a new connection even where one could be used again */
};

enum rps_exchange_outcome {
	RPS_EXCHANGE_OK = 0,
	RPS_EXCHANGE_UNREACHED, /* the application never saw it */
	RPS_EXCHANGE_STALE,  /* a connection used again was closed without a byte of answer: it may not have
				seen it */
	RPS_EXCHANGE_FAILED, /* the application closed too early, sent garbage, ... */
	RPS_EXCHANGE_CANCELLED, /* the client has gone, or the server stops */
	RPS_EXCHANGE_TIMED_OUT, /* the application was given up */
	RPS_EXCHANGE_NOT_FOUND, /* there is no such program */
};

/* The head of the answer. */
struct rps_answer {
	uint32_t status;
	struct rps_header_list headers; /* to be passed on: nothing that ends at this hop */
	int64_t body_bytes;             /* as declared; -1: unknown */
};

/* What all exchanges of one server share. */
struct rps_gateway_context {
	struct rps_app *app; /* NULL where each request has a process of its own */
	struct rps_upstream_pool *pool;
	const struct rps_options *options;
	const char *shown;          /* what messages call the application */
	const char *program;        /* absolute path of the program or directory */
	char *const *argv;          /* cgi: of the one program; NULL: of a directory's */
	const atomic_int *stopping; /* nonzero ends every wait */
	int times_out;              /* an exchange in which nothing moves is given up */
	int directory_fd;           /* cgi: of a directory of programs; -1: one program */
};

struct rps_exchange;

struct rps_gateway {
	const char *name;    /* of --gateway */
	const char *adapter; /* by which the runtime sees the boundaries of requests */
	int is_per_request;  /* no application runs: each request starts a process of its own */
	/* Is it the one for this file, under --gateway=auto? On yes a few words why in `why`. */
	int (*fits)(const struct rps_app_elf *elf, const char **why);
	/* Fills in the command that starts the application. 0, or -errno with one line in `error`: what is
	 * wrong, and what to do. */
	int (*prepare)(struct rps_app_command *command, const struct rps_options *options,
		       const struct rps_app_elf *elf, char *error, size_t error_size);
	const struct rps_exchange_operations *exchange;
};

struct rps_exchange_operations {
	/* NULL when out of memory. `request` must live as long as the exchange. */
	struct rps_exchange *(*begin)(const struct rps_gateway_context *context,
				      const struct rps_exchange_request *request);
	/* Passes a piece of the client's body on. Returns when it is on its way;
	 * trouble is told by `answer`. */
	void (*send)(struct rps_exchange *exchange, const void *data, size_t size);
	/* The client's body is complete: waits for the head of the answer. On
	 * trouble one line in `error`. */
	enum rps_exchange_outcome (*answer)(struct rps_exchange *exchange, struct rps_answer *answer,
					    char *error, size_t error_size);
	/* Waits for more of the answer's body: bytes, 0 at its end, -errno when it breaks off. */
	ssize_t (*read)(struct rps_exchange *exchange, void *buffer, size_t size);
	/* Nonzero if all of the answer's body is here already: read will not wait. */
	int (*is_complete)(const struct rps_exchange *exchange);
	/* The answer has been passed on: waits for what the application does after it, where that can be
	 * known. NULL: it can't. */
	void (*settle)(struct rps_exchange *exchange);
	/* Breaks it off: the application sees the client go. */
	void (*abort)(struct rps_exchange *exchange);
	void (*end)(struct rps_exchange *exchange);
};

extern const struct rps_gateway rps_gateway_cgi;
extern const struct rps_gateway rps_gateway_fastcgi;
extern const struct rps_gateway rps_gateway_http;
extern const struct rps_gateway rps_gateway_module;
extern const struct rps_gateway rps_gateway_scgi;

/* For `prepare`: is it a program, or, where `takes_directory`, a directory of them? 0, or -EINVAL with a line in `error`. */
int rps_gateway_check_program(const struct rps_app_command *command, const struct rps_app_elf *elf,
			      int takes_directory, char *error, size_t error_size);
/* For the `prepare` of gateways whose application takes connections at a socket: the one it is given as
 * descriptor 0, or the one it was told or said to listen at. */
int rps_gateway_prepare_socket(struct rps_app_command *command, const struct rps_options *options,
			       int listens_itself, char *error, size_t error_size);
struct rps_cgi_variables;
/* RFC 3875's variables of a request to an application at the mount. 0 or -ENOMEM. */
int rps_gateway_fill_variables(const struct rps_gateway_context *context,
			       const struct rps_exchange_request *request, int64_t body_bytes,
			       struct rps_cgi_variables *variables);

/* The gateway --gateway=NAME asks for ("auto": the one that fits). NULL with a line in `error`. */
const struct rps_gateway *rps_gateway_choose(const char *name, const struct rps_app_elf *elf,
					     const char **why, char *error, size_t error_size);
/* "auto, module, http, ..." */
const char *rps_gateway_names(void);

#endif
