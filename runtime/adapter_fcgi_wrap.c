/* SPDX-License-Identifier: MIT */
/* Linked into executables that call libfcgi, by --wrap: catches the calls also where libfcgi is linked statically. Its
 * calls to itself don't come by here then (but those of fcgi_stdio, another object of it, do), so both families are
 * wrapped. A source of its own in the archive, so that it is only pulled in where the functions are referenced.
 */
#include "runtime/adapter_fcgi.h"

#include <fcgiapp.h>
#include <stddef.h>

int __real_FCGX_Accept_r(FCGX_Request *request);
void __real_FCGX_Finish_r(FCGX_Request *request);
int __real_FCGX_Accept(FCGX_Stream **in, FCGX_Stream **out, FCGX_Stream **err, FCGX_ParamArray *envp);
void __real_FCGX_Finish(void);

int __wrap_FCGX_Accept_r(FCGX_Request *request);
void __wrap_FCGX_Finish_r(FCGX_Request *request);
int __wrap_FCGX_Accept(FCGX_Stream **in, FCGX_Stream **out, FCGX_Stream **err, FCGX_ParamArray *envp);
void __wrap_FCGX_Finish(void);

/* Stands for the one request that libfcgi keeps itself, for the functions without a request. */
static const char the_request;

struct arguments {
	FCGX_Stream **in, **out, **err;
	FCGX_ParamArray *envp;
};

static int accept_r(void *request)
{
	return __real_FCGX_Accept_r(request);
}

static void finish_r(void *request)
{
	__real_FCGX_Finish_r(request);
}

static int accept_one(void *argument)
{
	const struct arguments *arguments = argument;

	return __real_FCGX_Accept(arguments->in, arguments->out, arguments->err, arguments->envp);
}

static void finish_one(void *unused)
{
	(void)unused;
	__real_FCGX_Finish();
}

int __wrap_FCGX_Accept_r(FCGX_Request *request)
{
	return rps_fcgi_accept_v1(request, accept_r, finish_r, request, (char *const *const *)&request->envp);
}

void __wrap_FCGX_Finish_r(FCGX_Request *request)
{
	rps_fcgi_finish_v1(request, finish_r, request);
}

int __wrap_FCGX_Accept(FCGX_Stream **in, FCGX_Stream **out, FCGX_Stream **err, FCGX_ParamArray *envp)
{
	struct arguments arguments = {in, out, err, envp};

	return rps_fcgi_accept_v1(&the_request, accept_one, finish_one, &arguments, (char *const *const *)envp);
}

void __wrap_FCGX_Finish(void)
{
	rps_fcgi_finish_v1(&the_request, finish_one, NULL);
}
