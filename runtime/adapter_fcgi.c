/* SPDX-License-Identifier: MIT */
/* Request scope for libfcgi applications: from the moment FCGX_Accept_r (or FCGX_Accept, FCGI_Accept) returns with a
 * request until it is finished, by FCGX_Finish_r or by the next accept, the thread that accepted it works for it.
 *
 *     accept ─▶ finish what was, end ─▶ wait in libfcgi ─▶ begin, resume ─▶ ... ─▶ finish ─▶ suspend, end
 *
 * What libfcgi does to finish (it writes what is left of the answer) belongs to the request. Called in whatever threads
 * the application has. The list of requests is under one lock, held for a look-up only; a request belongs to the thread
 * that accepted it. One that is handed to another thread is recorded until its thread accepts the next.
 */
#include "runtime/adapter_fcgi.h"

#include "runtime/pool.h"
#include "runtime/scope.h"
#include "runtime/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define ID_PARAMETER "RUNPROFILE_ID="

struct request {
	const void *key;
	struct rps_scope scope;
	int is_finished; /* by another thread: its own ends it */
	UT_hash_handle hh;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct request *requests;
static int has_accepted;

/* What the calling thread works for, NULL: nothing. */
static __thread struct request *current __attribute__((tls_model("initial-exec")));

static void lock_table(void)
{
	pthread_mutex_lock(&lock);
}

static void unlock_table(void)
{
	pthread_mutex_unlock(&lock);
}

/* The parent goes on with its requests; the child is none of their threads. */
static void forget_in_child(void)
{
	current = NULL;
	unlock_table();
}

static void note_adapter(void)
{
	lock_table();
	if (!has_accepted) {
		has_accepted = 1;
		pthread_atfork(lock_table, unlock_table, forget_in_child);
		atomic_fetch_add_explicit(&rps_pool->n_adapters, 1, memory_order_release);
	}
	unlock_table();
}

/* Takes it out of the table: no other thread finds it then. */
static struct request *take(const void *key)
{
	struct request *request;

	lock_table();
	HASH_FIND_PTR(requests, &key, request);
	if (request != NULL)
		HASH_DEL(requests, request);
	unlock_table();
	return request;
}

static void end(struct request *request)
{
	if (current == request) {
		rps_scope_suspend(&request->scope);
		current = NULL;
	}
	rps_scope_end(&request->scope);
	free(request);
}

/* Is a thread, but not this one, still recording into it? */
static int is_of_another_thread(const struct request *request)
{
	return request != current && request->scope.arena != NULL && request->scope.arena->attached != 0;
}

static void add(struct request *request)
{
	lock_table();
	HASH_ADD_PTR(requests, key, request);
	unlock_table();
}

/* libfcgi's calls to itself pass through. */
static void finish_nested(void (*finish)(void *), void *argument)
{
	rps_this_thread.nested++;
	finish(argument);
	rps_this_thread.nested--;
}

RPS_EXPORT void rps_fcgi_finish_v1(const void *key, void (*finish)(void *), void *argument)
{
	struct request *request = rps_pool != NULL && rps_this_thread.nested == 0 ? take(key) : NULL;

	finish_nested(finish, argument);
	if (request == NULL)
		return;
	if (!is_of_another_thread(request)) {
		end(request);
		return;
	}
	request->is_finished = 1;
	add(request);
}

/* This thread works for no other request from now on. */
static void leave_other(const void *key)
{
	struct request *other = current;

	if (other == NULL || other->key == key)
		return;
	rps_scope_suspend(&other->scope);
	current = NULL;
	/* Else it is being handled in another thread, which finishes it. */
	if (other->is_finished && take(other->key) == other)
		end(other);
}

static void begin(const void *key, char *const *parameters)
{
	struct request *request;
	uint64_t id;

	while (*parameters != NULL && strncmp(*parameters, ID_PARAMETER, sizeof(ID_PARAMETER) - 1) != 0)
		parameters++;
	if (*parameters == NULL) {
		atomic_fetch_add_explicit(&rps_pool->foreign_requests, 1, memory_order_relaxed);
		return;
	}
	/* 0 stands for one of the front's that is not to be profiled. */
	id = strtoull(*parameters + sizeof(ID_PARAMETER) - 1, NULL, 16);
	request = id != 0 ? calloc(1, sizeof(*request)) : NULL;
	if (request == NULL)
		return;
	request->key = key;
	rps_scope_begin(&request->scope, id);
	add(request);
	current = request;
	rps_scope_resume(&request->scope);
}

RPS_EXPORT int rps_fcgi_accept_v1(const void *key, int (*accept)(void *), void (*finish)(void *), void *argument,
				  char *const *const *parameters)
{
	struct request *request;
	int result;

	if (rps_pool == NULL || rps_this_thread.nested > 0)
		return accept(argument);
	if (!has_accepted)
		note_adapter();
	leave_other(key);
	/* libfcgi would finish it by itself, but then the wait for the next would be the request's. One that is not
	 * known is not finished here: libfcgi may not even be initialised. */
	request = take(key);
	if (request != NULL) {
		finish_nested(finish, argument);
		end(request);
	}
	rps_this_thread.nested++;
	result = accept(argument);
	rps_this_thread.nested--;
	if (result >= 0 && *parameters != NULL)
		begin(key, *parameters);
	return result;
}
