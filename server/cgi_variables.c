/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See cgi_variables.h. Called by the cgi, scgi and fastcgi gateways, on the
 * client connection's thread. */
#include "server/cgi_variables.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

void rps_cgi_variables_clear(struct rps_cgi_variables *variables)
{
	for (size_t i = 0; i < variables->n; i++)
		free(variables->items[i]);
	free(variables->items);
	memset(variables, 0, sizeof(*variables));
}

static char **find(const struct rps_cgi_variables *variables, const char *name)
{
	size_t size = strlen(name);

	for (size_t i = 0; i < variables->n; i++)
		if (!strncmp(variables->items[i], name, size) && variables->items[i][size] == '=')
			return &variables->items[i];
	return NULL;
}

int rps_cgi_variables_set(struct rps_cgi_variables *variables, const char *name, const char *value)
{
	char **place = find(variables, name), *item;

	if (asprintf(&item, "%s=%s", name, value) < 0)
		return -ENOMEM;
	if (place) {
		free(*place);
		*place = item;
		return 0;
	}
	if (variables->n + 1 >= variables->n_allocated) {
		size_t n_allocated = variables->n_allocated ? 2 * variables->n_allocated : 32;
		char **items = reallocarray(variables->items, n_allocated, sizeof(*items));

		if (!items) {
			free(item);
			return -ENOMEM;
		}
		variables->items = items;
		variables->n_allocated = n_allocated;
	}
	variables->items[variables->n++] = item;
	variables->items[variables->n] = NULL;
	return 0;
}

/* ---- Header fields ---------------------------------------------------------------------- */

static int is_left_out(const struct rps_exchange_request *request, const char *name)
{
	static const char *const names[] = {"Content-Type", "Content-Length", "Proxy", "X-Runprofile-Id",
					    "Expect"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcasecmp(name, names[i]))
			return 1;
	return strchr(name, '_') || rps_header_is_hop_by_hop(request->headers, name);
}

static int add_field(struct rps_cgi_variables *variables, const struct rps_header *header)
{
	char *name = NULL, *value = NULL, **earlier;
	int rc = -ENOMEM;

	if (asprintf(&name, "HTTP_%s", header->name) < 0)
		return -ENOMEM;
	for (char *p = name; *p; p++)
		*p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
	earlier = find(variables, name);
	if (earlier && strcmp(name, "HTTP_HOST")) {
		/* Several fields of one name are one list; cookies have a separator of their own. */
		if (asprintf(&value, "%s%s%s", *earlier + strlen(name) + 1,
			     strcmp(name, "HTTP_COOKIE") ? ", " : "; ", header->value) < 0)
			value = NULL;
		else
			rc = rps_cgi_variables_set(variables, name, value);
	} else {
		rc = earlier ? 0 : rps_cgi_variables_set(variables, name, header->value);
	}
	free(name);
	free(value);
	return rc;
}

/* ---- The server, and where files lie ------------------------------------------------------- */

/* "shop.example:8001" into SERVER_NAME and SERVER_PORT. */
static int add_server(struct rps_cgi_variables *variables, const struct rps_exchange_request *request)
{
	const char *host = rps_header_list_find(request->headers, "Host");
	const char *own_port = strrchr(request->front_host, ':'), *port;
	char name[300];
	size_t size;
	int rc;

	if (!host || !*host)
		host = request->front_host;
	size = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	if (size >= sizeof(name) || size > strlen(host))
		size = strlen(host) < sizeof(name) ? strlen(host) : sizeof(name) - 1;
	memcpy(name, host, size);
	name[size] = 0;
	port = host[size] == ':' && host[size + 1] ? host + size + 1
	       : own_port && own_port[1]           ? own_port + 1
						   : "80";
	rc = rps_cgi_variables_set(variables, "SERVER_NAME", name);
	return rc ? rc : rps_cgi_variables_set(variables, "SERVER_PORT", port);
}

static const char *document_root(const struct rps_options *options, char *room, size_t size)
{
	for (size_t i = 0; i < options->params.n; i++)
		if (!strncmp(options->params.items[i], "DOCUMENT_ROOT=", 14))
			return options->params.items[i] + 14;
	return getcwd(room, size) ? room : "/";
}

/* Some applications (fcgiwrap, PHP's) are interpreters of files: SCRIPT_FILENAME is the file that the path
 * leads to below the document root, if there is one. */
static int add_script_file(struct rps_cgi_variables *variables, const char *root, const char *path)
{
	char file[PATH_MAX];
	size_t root_size = strlen(root), size = strlen(path);

	if (root_size + size >= sizeof(file) || strstr(path, "/../") ||
	    (size >= 3 && !strcmp(path + size - 3, "/..")))
		return 0;
	memcpy(file, root, root_size);
	memcpy(file + root_size, path, size + 1);
	for (size_t end = root_size + size; end > root_size; end--) {
		struct stat st;

		if (file[end] && file[end] != '/')
			continue;
		file[end] = 0;
		if (end > root_size && file[end - 1] != '/' && !stat(file, &st)) {
			if (!S_ISREG(st.st_mode))
				return 0;
			return rps_cgi_variables_set(variables, "SCRIPT_FILENAME", file);
		}
	}
	return 0;
}

static int add_files(struct rps_cgi_variables *variables, const struct rps_options *options,
		     const struct rps_cgi_script *script)
{
	char room[PATH_MAX], *text;
	const char *root = document_root(options, room, sizeof(room));
	int rc = rps_cgi_variables_set(variables, "DOCUMENT_ROOT", root);

	if (!rc && *script->path_info) {
		if (asprintf(&text, "%s%s", root, script->path_info) < 0)
			return -ENOMEM;
		rc = rps_cgi_variables_set(variables, "PATH_TRANSLATED", text);
		free(text);
	}
	if (rc)
		return rc;
	if (asprintf(&text, "%s%s", script->name, script->path_info) < 0)
		return -ENOMEM;
	rc = add_script_file(variables, root, text);
	free(text);
	return rc;
}

/* ---- All of them ----------------------------------------------------------------------------- */

int rps_cgi_variables_fill(struct rps_cgi_variables *variables, const struct rps_exchange_request *request,
			   const struct rps_options *options, const struct rps_cgi_script *script,
			   int64_t body_bytes)
{
	const char *query = strchr(request->target, '?');
	const char *type = rps_header_list_find(request->headers, "Content-Type");
	const struct {
		const char *name, *value;
	} fixed[] = {
	    {"GATEWAY_INTERFACE", "CGI/1.1"},         {"SERVER_SOFTWARE", "RunProfileServer"},
	    {"SERVER_PROTOCOL", request->version},    {"REQUEST_METHOD", request->method},
	    {"REQUEST_URI", request->target},         {"REQUEST_SCHEME", request->is_tls ? "https" : "http"},
	    {"QUERY_STRING", query ? query + 1 : ""}, {"SCRIPT_NAME", script->name},
	    {"PATH_INFO", script->path_info},         {"REMOTE_ADDR", request->client_address},
	    {"REMOTE_HOST", request->client_address}, {"CONTENT_TYPE", type ? type : ""},
	};
	char number[32];
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(fixed) / sizeof(fixed[0]); i++)
		rc = rps_cgi_variables_set(variables, fixed[i].name, fixed[i].value);
	if (!rc)
		rc = add_server(variables, request);
	if (!rc && request->is_tls)
		rc = rps_cgi_variables_set(variables, "HTTPS", "on");
	if (!rc && request->client_port) {
		snprintf(number, sizeof(number), "%u", request->client_port);
		rc = rps_cgi_variables_set(variables, "REMOTE_PORT", number);
	}
	snprintf(number, sizeof(number), "%" PRId64, body_bytes);
	/* Without a body it is empty: a program must be able to tell that from one of no bytes. */
	if (!rc)
		rc = rps_cgi_variables_set(variables, "CONTENT_LENGTH", request->has_body ? number : "");
	if (!rc)
		rc = add_files(variables, options, script);
	for (size_t i = 0; !rc && i < request->headers->n; i++)
		if (!is_left_out(request, request->headers->items[i].name))
			rc = add_field(variables, &request->headers->items[i]);
	for (size_t i = 0; !rc && i < options->params.n; i++) {
		char *name = strdup(options->params.items[i]), *equals;

		if (!name)
			return -ENOMEM;
		equals = strchr(name, '=');
		*equals = 0;
		rc = rps_cgi_variables_set(variables, name, equals + 1);
		free(name);
	}
	return rc;
}
