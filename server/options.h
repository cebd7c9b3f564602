/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the user asked for: the command line and runprofile.conf. Read once by
 * main.c, not changed afterwards. */
#ifndef RPS_SERVER_OPTIONS_H
#define RPS_SERVER_OPTIONS_H

#include "collect/collector.h"
#include "server/address.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define RPS_OPTIONS_FILE "runprofile.conf"

struct rps_static_mount {
	char *url; /* "/static", no slash at the end; "" for the root */
	char *directory;
};

struct rps_text_list {
	char **items;
	size_t n;
};

enum rps_log_format {
	RPS_LOG_DJANGO = 0,
	RPS_LOG_COMBINED = 1, /* as Apache and nginx write it */
	RPS_LOG_JSON = 2,
};

struct rps_options {
	char *prof_path;
	char *prof_file;
	struct rps_text_list meta; /* "NAME=VALUE", into every profile */
	uint32_t keep_n;           /* 0: all */
	uint64_t keep_bytes;       /* 0: any size */

	char *address; /* "127.0.0.1", "::1", "unix:/run/shop.sock" */
	uint16_t port;
	char *cert, *key;         /* NULL: no TLS */
	uint32_t max_connections; /* 0: as many as there are descriptors for */
	enum rps_log_format log;

	char *gateway;                  /* "auto", or a gateway's name */
	uint16_t app_port;              /* 0: find it out */
	struct rps_address app_address; /* of --fastcgi and --scgi; size 0: none */
	char *mount;                    /* "/shop", no slash at the end; "" for the root */
	struct rps_text_list params;    /* "NAME=VALUE", for cgi, scgi, fastcgi */
	int noreload;
	char *build;                /* NULL: none */
	struct rps_text_list watch; /* directories */

	enum rps_scope scope;
	enum rps_time time;
	unsigned int events;    /* bits 1 << enum rps_event_id; 0: the collector's default */
	char *request_function; /* NULL: none */
	uint32_t settle_ms;     /* 0: the collector's default */
	int nothreading;
	uint32_t request_timeout_ms;
	uint32_t client_timeout_ms; /* whole seconds */
	struct rps_text_list only, skip; /* patterns of paths */
	char *trigger;                   /* NULL: every request is profiled */
	uint32_t every;                  /* one in so many */
	uint64_t slower_than_us;         /* 0: all are kept */

	int follow_links;
	struct rps_static_mount *mounts;
	size_t n_mounts;
	int kcachegrind;
	int nomedia;
	int verbose;
	int help;
	int version;
	char **app; /* APP ARG...: NULL-terminated, NULL if none was given */
};

/* Fills in the defaults. 0 or -ENOMEM. */
int rps_options_init(struct rps_options *options);
void rps_options_clear(struct rps_options *options);

/* Sets option `name` (without "--"); `value` NULL for a switch that stands
 * alone. 0; -ENOENT for an unknown name, -EINVAL, -ENOMEM, with one line in `error`. */
int rps_options_set(struct rps_options *options, const char *name, const char *value, char *error,
		    size_t error_size);

/* Reads the command line, over what is set already. 0 or -errno with a line in `error`. */
int rps_options_parse(struct rps_options *options, int argc, char **argv, char *error, size_t error_size);

/* Reads the configuration file `path`, over what is set already: lines
 * `option = value`, switches alone or `= yes`/`= no`, and `app = ./shop --x`;
 * "#" starts a comment. 0; -ENOENT if there is none (no message); -EPERM if it is
 * not the user's own; -EINVAL ... with a line in `error`. */
int rps_options_read_file(struct rps_options *options, const char *path, char *error, size_t error_size);

/* Splits a command as a shell would: blanks, '...', "...", \x. NULL-terminated,
 * each string allocated; NULL on an open quote or without memory. */
char **rps_options_split_command(const char *text);

/* The one-screen usage. */
void rps_options_print_usage(FILE *out);

#endif
