/* SPDX-License-Identifier: MIT */
/* The requests that an application marks itself, by the functions of include/runprofile.h. Called in whatever thread
 * the application likes; a request belongs to one thread at a time, from resume to suspend.
 */
#include "include/runprofile.h"

#include "runtime/call_tree.h"
#include "runtime/pool.h"
#include "runtime/scope.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct runprofile_request {
	struct rps_scope scope;
};

/* From now on the collector knows that boundaries are seen. */
static void announce(void)
{
	static _Atomic int is_announced;

	if (!is_announced && !atomic_exchange(&is_announced, 1))
		atomic_fetch_add_explicit(&rps_pool->n_adapters, 1, memory_order_release);
}

/* What the front's header holds; 0: nothing of the kind. */
static uint64_t parse_id(const char *text)
{
	char *end;
	uint64_t id;

	if (text == NULL)
		return 0;
	id = strtoull(text, &end, 16);
	return end == text + 16 && *end == '\0' ? id : 0;
}

RPS_EXPORT struct runprofile_request *runprofile_begin_v1(const char *name, const char *id)
{
	struct runprofile_request *request;
	int saved_errno = errno;
	uint64_t front_id = parse_id(id);

	/* With --request calls are requests, and nothing else. */
	if (rps_pool == NULL || rps_pool->request_function[0] != '\0')
		return NULL;
	announce();
	request = calloc(1, sizeof(*request));
	if (request != NULL && front_id != 0) {
		rps_scope_begin(&request->scope, front_id);
		if (request->scope.arena != NULL)
			rps_call_tree_add_meta(request->scope.arena, "", name != NULL ? name : "");
	} else if (request != NULL) {
		rps_scope_begin_own(&request->scope, name != NULL ? name : "");
	}
	if (request != NULL && request->scope.arena == NULL) {
		free(request);
		request = NULL;
	}
	if (request != NULL)
		rps_scope_resume(&request->scope);
	errno = saved_errno;
	return request;
}

RPS_EXPORT void runprofile_set_v1(struct runprofile_request *request, const char *key, const char *value)
{
	struct rps_arena_header *arena = request != NULL ? request->scope.arena : NULL;

	/* In a forked child it is the parent's. */
	if (arena == NULL || key == NULL || key[0] == '\0' || value == NULL ||
	    rps_pool_slot(request->scope.slot)->process != rps_process_index)
		return;
	rps_call_tree_add_meta(arena, key, value);
}

RPS_EXPORT void runprofile_suspend_v1(struct runprofile_request *request)
{
	if (request != NULL)
		rps_scope_suspend(&request->scope);
}

RPS_EXPORT void runprofile_resume_v1(struct runprofile_request *request)
{
	if (request != NULL && rps_this_thread.arena != request->scope.arena)
		rps_scope_resume(&request->scope);
}

RPS_EXPORT void runprofile_end_v1(struct runprofile_request *request)
{
	int saved_errno = errno;

	if (request == NULL)
		return;
	rps_scope_suspend(&request->scope);
	rps_scope_end(&request->scope);
	free(request);
	errno = saved_errno;
}
