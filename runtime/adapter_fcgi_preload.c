/* SPDX-License-Identifier: MIT */
/* libfcgi's functions under their own names, in the shared runtime. libfcgi calls these two by its procedure linkage
 * table itself, so FCGX_Accept, FCGI_Accept and FCGI_Finish come by here, too. The real ones are found behind us.
 */
#include "runtime/adapter_fcgi.h"
#include "runtime/thread.h"

#include <dlfcn.h>
#include <fcgiapp.h>
#include <stddef.h>

static int (*real_accept)(FCGX_Request *request);
static void (*real_finish)(FCGX_Request *request);

/* Racing threads store the same values. */
static void find_real(void)
{
	if (real_finish != NULL)
		return;
	*(void **)&real_accept = dlsym(RTLD_NEXT, "FCGX_Accept_r");
	*(void **)&real_finish = dlsym(RTLD_NEXT, "FCGX_Finish_r");
}

static int accept_request(void *request)
{
	return real_accept(request);
}

static void finish_request(void *request)
{
	real_finish(request);
}

RPS_EXPORT int FCGX_Accept_r(FCGX_Request *request)
{
	find_real();
	return rps_fcgi_accept_v1(request, accept_request, finish_request, request,
				  (char *const *const *)&request->envp);
}

RPS_EXPORT void FCGX_Finish_r(FCGX_Request *request)
{
	find_real();
	rps_fcgi_finish_v1(request, finish_request, request);
}
