/* SPDX-License-Identifier: MIT */
/* --request: each outermost call of a function is a request. Called by the hooks, through rps_veneer_call(), since what
 * they do here is beyond what hooks may: when a thread that works for no request enters a function, and when such a call returns.
 */
#include "runtime/call_scope.h"

#include "runtime/pool.h"
#include "runtime/record.h"
#include "runtime/scope.h"

#include <string.h>

/* Is it the function asked for, by its name (of C++ with its parameters or without) or its symbol? */
static int is_request_function(const struct rps_function_record *function)
{
	const char *wanted = rps_pool->request_function;
	size_t size = strlen(wanted);

	return strcmp(function->symbol, wanted) == 0 ||
	       (strncmp(function->name, wanted, size) == 0 && (function->name[size] == '\0' || function->name[size] == '('));
}

void rps_call_scope_begin(void *cls)
{
	const struct rps_function_record *function = cls;
	struct rps_scope *scope = &rps_this_thread.call_scope;
	uint64_t epoch = atomic_load_explicit(&rps_pool->epoch, memory_order_relaxed);

	if ((epoch & RPS_MODE_MASK) != RPS_MODE_REQUEST || !is_request_function(function))
		return;
	rps_scope_begin_own(scope, function->name);
	rps_scope_resume(scope);
}

void rps_call_scope_end(void *unused)
{
	struct rps_scope *scope = &rps_this_thread.call_scope;

	rps_scope_suspend(scope);
	rps_scope_end(scope);
}
