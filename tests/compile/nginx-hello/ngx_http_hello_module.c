/* SPDX-License-Identifier: MIT */
/* A small module for nginx, of the shape every module has: a directive with an argument, a configuration that is merged,
 * a content handler. `hello NAME;` answers every GET of its location with a greeting and the sum 1 + 2 + ... + N, where N
 * is the length of the query. Compiled by profcc and loaded by an nginx that is not. */
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

struct hello_conf {
	ngx_str_t name;
};

static unsigned sum_to(unsigned n)
{
	return n == 0 ? 0 : n + sum_to(n - 1);
}

static ngx_int_t make_body(ngx_http_request_t *request, const struct hello_conf *conf, ngx_buf_t **body)
{
	size_t size = sizeof("Hello, : 4294967295\n") + conf->name.len;
	ngx_buf_t *buffer = ngx_create_temp_buf(request->pool, size);

	if (buffer == NULL)
		return NGX_HTTP_INTERNAL_SERVER_ERROR;
	buffer->last = ngx_snprintf(buffer->last, size, "Hello, %V: %ui\n", &conf->name,
				    (ngx_uint_t)sum_to((unsigned)request->args.len));
	buffer->last_buf = request == request->main;
	buffer->last_in_chain = 1;
	*body = buffer;
	return NGX_OK;
}

static ngx_int_t hello_handler(ngx_http_request_t *request);
static char *hello_directive(ngx_conf_t *cf, ngx_command_t *command, void *conf);
static void *hello_create_conf(ngx_conf_t *cf);
static char *hello_merge_conf(ngx_conf_t *cf, void *parent, void *child);

static ngx_command_t hello_commands[] = {
    {ngx_string("hello"), NGX_HTTP_LOC_CONF | NGX_CONF_TAKE1, hello_directive, NGX_HTTP_LOC_CONF_OFFSET,
     offsetof(struct hello_conf, name), NULL},
    ngx_null_command,
};

static ngx_http_module_t hello_context = {
    .create_loc_conf = hello_create_conf,
    .merge_loc_conf = hello_merge_conf,
};

ngx_module_t ngx_http_hello_module = {
    NGX_MODULE_V1, &hello_context, hello_commands, NGX_HTTP_MODULE, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NGX_MODULE_V1_PADDING,
};

static ngx_int_t hello_handler(ngx_http_request_t *request)
{
	const struct hello_conf *conf = ngx_http_get_module_loc_conf(request, ngx_http_hello_module);
	ngx_chain_t out = {0};
	ngx_int_t result;

	if (!(request->method & (NGX_HTTP_GET | NGX_HTTP_HEAD)))
		return NGX_HTTP_NOT_ALLOWED;
	result = ngx_http_discard_request_body(request);
	if (result == NGX_OK)
		result = make_body(request, conf, &out.buf);
	if (result != NGX_OK)
		return result;
	request->headers_out.status = NGX_HTTP_OK;
	request->headers_out.content_length_n = out.buf->last - out.buf->pos;
	result = ngx_http_send_header(request);
	if (result == NGX_ERROR || result > NGX_OK || request->header_only)
		return result;
	return ngx_http_output_filter(request, &out);
}

static char *hello_directive(ngx_conf_t *cf, ngx_command_t *command, void *conf)
{
	ngx_http_core_loc_conf_t *location = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

	location->handler = hello_handler;
	return ngx_conf_set_str_slot(cf, command, conf);
}

static void *hello_create_conf(ngx_conf_t *cf)
{
	return ngx_pcalloc(cf->pool, sizeof(struct hello_conf));
}

static char *hello_merge_conf(ngx_conf_t *cf, void *parent, void *child)
{
	struct hello_conf *previous = parent, *conf = child;

	ngx_conf_merge_str_value(conf->name, previous->name, "world");
	return NGX_CONF_OK;
}
