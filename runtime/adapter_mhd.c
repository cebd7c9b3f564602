/* SPDX-License-Identifier: MIT */
/* Request scope for libmicrohttpd applications: the access handler, the URI logger, the completion
 * notice and content readers of every daemon run within their request's scope. Called in whatever thread
 * libmicrohttpd uses (its own, a pool's, one per connection, or the application's select loop); a connection is
 * never worked on by two threads at once.
 *
 *     URI logger ─▶ access handler ... access handler ─▶ content reader ... ─▶ completion notice [─▶ free callback]
 *     begin         identify by the front's header                             end                 (or end here)
 *
 * Shared state: the two tables below, under one lock that is held for a look-up only. A connection's entry belongs to the
 * thread that works on the connection.
 *
 * A request's arena must not be handed over before its last callback. That is the completion notice,
 * unless the response is a content reader's whose last reference is the connection's: libmicrohttpd then calls its free callback right
 * afterwards, in the same thread. Whether ours is the last reference shows in whether the
 * application has already called MHD_destroy_response from one of its callbacks.
 */
#include "runtime/adapter_mhd.h"

#include "runtime/mhd_options.h"
#include "runtime/pool.h"
#include "runtime/scope.h"
#include "runtime/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define ID_HEADER "X-Runprofile-Id"

/* What the application gave to MHD_start_daemon. Kept for good: libmicrohttpd may call back until the daemon has
 * stopped, and there are few. Linked so that leak checkers see them. */
struct daemon {
	const struct rps_mhd_functions *mhd;
	MHD_AccessHandlerCallback handler;
	void *handler_cls;
	MHD_RequestCompletedCallback completed;
	void *completed_cls;
	void *(*uri_log)(void *cls, const char *uri, struct MHD_Connection *connection);
	void *uri_log_cls;
	struct daemon *next;
};

struct reader;

/* One request on a connection. */
struct request {
	struct MHD_Connection *connection; /* key */
	struct rps_scope scope;
	int identified;        /* the headers have been looked at */
	int completed;         /* the completion notice has run; the free callback is still to come */
	struct reader *reader; /* whose content is being sent, NULL: none of ours */
	UT_hash_handle hh;
};

/* A response made by MHD_create_response_from_callback. A clone (made when one response is queued for several
 * connections at once, which could not be told apart in the reader) refers to its base. */
struct reader {
	struct MHD_Response *response; /* key */
	MHD_ContentReaderCallback read;
	void *cls;
	MHD_ContentReaderFreeCallback free_cls;
	uint64_t size;
	size_t block_size;
	struct reader *base;     /* of a clone */
	uint32_t n_references;   /* the response itself, and clones */
	int dropped;             /* the application has destroyed its reference */
	struct request *request; /* being answered by it */
	UT_hash_handle hh;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct request *requests;
static struct reader *readers;
static struct daemon *daemons;

/* ---- Tables ------------------------------------------------------------------------- */

static void lock_tables(void)
{
	pthread_mutex_lock(&lock);
}

static void unlock_tables(void)
{
	pthread_mutex_unlock(&lock);
}

static struct request *find_request(struct MHD_Connection *connection)
{
	struct request *request;

	lock_tables();
	HASH_FIND_PTR(requests, &connection, request);
	unlock_tables();
	return request;
}

static struct request *new_request(struct MHD_Connection *connection)
{
	struct request *request = calloc(1, sizeof(*request));

	if (request == NULL)
		return NULL;
	request->connection = connection;
	rps_scope_begin(&request->scope, 0);
	lock_tables();
	HASH_ADD_PTR(requests, connection, request);
	unlock_tables();
	return request;
}

static void end_request(struct request *request)
{
	lock_tables();
	if (request->reader != NULL)
		request->reader->request = NULL;
	HASH_DEL(requests, request);
	unlock_tables();
	if (request->identified)
		rps_scope_end(&request->scope);
	else
		rps_scope_discard(&request->scope);
	free(request);
}

/* ---- Callbacks, each within its request's scope --------------------------------------- */

static void enter_callback(struct request *request)
{
	rps_this_thread.in_callback++;
	if (request != NULL)
		rps_scope_resume(&request->scope);
}

static void leave_callback(struct request *request)
{
	if (request != NULL)
		rps_scope_suspend(&request->scope);
	rps_this_thread.in_callback--;
}

/* Ties the request to the front's id, or gives it up if it did not come from the front. */
static void identify(const struct daemon *daemon, struct request *request)
{
	const char *text = daemon->mhd->lookup_connection_value(request->connection, MHD_HEADER_KIND, ID_HEADER);
	char *end = NULL;
	uint64_t id = text != NULL ? strtoull(text, &end, 16) : 0;

	request->identified = 1;
	if (id != 0 && *end == '\0') {
		rps_scope_identify(&request->scope, id);
		return;
	}
	rps_scope_discard(&request->scope);
	/* 0 stands for one of the front's that is not to be profiled. */
	if (rps_pool != NULL && (text == NULL || *end != '\0'))
		atomic_fetch_add_explicit(&rps_pool->foreign_requests, 1, memory_order_relaxed);
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *upload_data, size_t *upload_data_size, void **con_cls)
{
	struct daemon *daemon = cls;
	struct request *request = find_request(connection);
	enum MHD_Result result;

	if (request == NULL)
		request = new_request(connection);
	if (request != NULL && !request->identified)
		identify(daemon, request);
	enter_callback(request);
	result = daemon->handler(daemon->handler_cls, connection, url, method, version, upload_data, upload_data_size,
				 con_cls);
	leave_callback(request);
	return result;
}

static void *log_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct daemon *daemon = cls;
	struct request *request = find_request(connection);
	void *result;

	if (request == NULL)
		request = new_request(connection);
	enter_callback(request);
	result = daemon->uri_log(daemon->uri_log_cls, uri, connection);
	leave_callback(request);
	return result;
}

static void notice_completion(void *cls, struct MHD_Connection *connection, void **con_cls,
			      enum MHD_RequestTerminationCode code)
{
	struct daemon *daemon = cls;
	struct request *request = find_request(connection);

	enter_callback(request);
	if (daemon->completed != NULL)
		daemon->completed(daemon->completed_cls, connection, con_cls, code);
	leave_callback(request);
	if (request == NULL)
		return;
	if (request->reader != NULL && request->reader->dropped)
		request->completed = 1;
	else
		end_request(request);
}

static ssize_t read_content(void *cls, uint64_t position, char *buffer, size_t size)
{
	struct reader *reader = cls;
	struct request *request = reader->request;
	ssize_t result;

	enter_callback(request);
	result = reader->read(reader->cls, position, buffer, size);
	leave_callback(request);
	return result;
}

/* ---- Responses with content readers ------------------------------------------------------ */

static void drop_reference(struct reader *reader)
{
	int is_last;

	lock_tables();
	is_last = --reader->n_references == 0;
	unlock_tables();
	if (!is_last)
		return;
	if (reader->free_cls != NULL)
		reader->free_cls(reader->cls);
	free(reader);
}

/* libmicrohttpd frees the response: runs in the thread of its last connection, or in the application's. */
static void free_content(void *cls)
{
	struct reader *reader = cls, *base = reader->base;
	struct request *request;

	lock_tables();
	HASH_DEL(readers, reader);
	request = reader->request;
	if (request != NULL)
		request->reader = NULL;
	reader->request = NULL;
	unlock_tables();
	enter_callback(request);
	drop_reference(reader);
	if (base != NULL)
		drop_reference(base);
	leave_callback(request);
	if (request != NULL && request->completed)
		end_request(request);
}

static struct reader *new_reader(uint64_t size, size_t block_size, MHD_ContentReaderCallback read, void *read_cls,
				 MHD_ContentReaderFreeCallback free_cls)
{
	struct reader *reader = calloc(1, sizeof(*reader));

	if (reader == NULL)
		return NULL;
	reader->read = read;
	reader->cls = read_cls;
	reader->free_cls = free_cls;
	reader->size = size;
	reader->block_size = block_size;
	reader->n_references = 1;
	return reader;
}

static struct MHD_Response *respond_with(const struct rps_mhd_functions *mhd, struct reader *reader)
{
	rps_this_thread.nested++;
	reader->response = mhd->create_response_from_callback(reader->size, reader->block_size, read_content, reader,
							      free_content);
	rps_this_thread.nested--;
	if (reader->response == NULL) {
		free(reader);
		return NULL;
	}
	lock_tables();
	HASH_ADD_PTR(readers, response, reader);
	unlock_tables();
	return reader->response;
}

struct copying {
	const struct rps_mhd_functions *mhd;
	struct MHD_Response *to;
};

static enum MHD_Result copy_header(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
	const struct copying *copying = cls;

	if (kind == MHD_FOOTER_KIND)
		return copying->mhd->add_response_footer(copying->to, key, value);
	copying->mhd->add_response_header(copying->to, key, value);
	return MHD_YES;
}

/* NULL when out of memory. The caller owns one reference. */
static struct reader *clone_reader(const struct rps_mhd_functions *mhd, struct reader *base)
{
	struct reader *clone = new_reader(base->size, base->block_size, base->read, base->cls, NULL);
	struct copying copying = {mhd, NULL};

	if (clone == NULL)
		return NULL;
	clone->base = base;
	copying.to = respond_with(mhd, clone);
	if (copying.to == NULL)
		return NULL;
	lock_tables();
	base->n_references++;
	unlock_tables();
	mhd->get_response_headers(base->response, copy_header, &copying);
	return clone;
}

RPS_EXPORT struct MHD_Response *rps_mhd_create_response_from_callback_v1(const struct rps_mhd_functions *mhd,
									  uint64_t size, size_t block_size,
									  MHD_ContentReaderCallback crc, void *crc_cls,
									  MHD_ContentReaderFreeCallback crfc)
{
	struct reader *reader;

	if (crc == NULL || rps_pool == NULL || rps_this_thread.nested > 0)
		return mhd->create_response_from_callback(size, block_size, crc, crc_cls, crfc);
	reader = new_reader(size, block_size, crc, crc_cls, crfc);
	if (reader == NULL)
		return mhd->create_response_from_callback(size, block_size, crc, crc_cls, crfc);
	return respond_with(mhd, reader);
}

RPS_EXPORT enum MHD_Result rps_mhd_queue_response_v1(const struct rps_mhd_functions *mhd,
						     struct MHD_Connection *connection, unsigned int status_code,
						     struct MHD_Response *response)
{
	struct request *request = NULL;
	struct reader *reader = NULL, *shared = NULL, *clone;
	enum MHD_Result result;

	if (rps_pool == NULL || rps_this_thread.nested > 0)
		return mhd->queue_response(connection, status_code, response);
	lock_tables();
	HASH_FIND_PTR(requests, &connection, request);
	HASH_FIND_PTR(readers, &response, reader);
	if (reader != NULL && request != NULL) {
		if (reader->request != NULL && reader->request != request) {
			shared = reader;
		} else {
			reader->request = request;
			request->reader = reader;
		}
	}
	unlock_tables();
	clone = shared != NULL ? clone_reader(mhd, shared) : NULL;
	if (clone != NULL) {
		clone->request = request;
		clone->dropped = 1;
		request->reader = clone;
		response = clone->response;
	}
	rps_this_thread.nested++;
	result = mhd->queue_response(connection, status_code, response);
	if (clone != NULL)
		mhd->destroy_response(response);
	rps_this_thread.nested--;
	if (result != MHD_YES && request != NULL && clone == NULL) {
		lock_tables();
		if (reader != NULL && reader->request == request) {
			reader->request = NULL;
			request->reader = NULL;
		}
		unlock_tables();
	}
	return result;
}

RPS_EXPORT void rps_mhd_destroy_response_v1(const struct rps_mhd_functions *mhd, struct MHD_Response *response)
{
	struct reader *reader = NULL;

	/* libmicrohttpd's own calls may come by here too; they are never made from within a callback. */
	if (rps_pool != NULL && rps_this_thread.nested == 0 && rps_this_thread.in_callback > 0) {
		lock_tables();
		HASH_FIND_PTR(readers, &response, reader);
		if (reader != NULL)
			reader->dropped = 1;
		unlock_tables();
	}
	mhd->destroy_response(response);
}

/* ---- Starting a daemon ----------------------------------------------------------------------- */

/* Puts our callbacks in the place of the application's. */
static size_t replace_callbacks(struct daemon *daemon, struct MHD_OptionItem *items, size_t n_items)
{
	static const struct MHD_OptionItem end = {MHD_OPTION_END, 0, NULL};
	int has_completed = 0;

	for (size_t i = 0; i < n_items; i++) {
		if (items[i].option == MHD_OPTION_NOTIFY_COMPLETED) {
			daemon->completed = (MHD_RequestCompletedCallback)items[i].value;
			daemon->completed_cls = items[i].ptr_value;
			items[i].value = (intptr_t)notice_completion;
			items[i].ptr_value = daemon;
			has_completed = 1;
		} else if (items[i].option == MHD_OPTION_URI_LOG_CALLBACK && items[i].value != 0) {
			daemon->uri_log = (void *(*)(void *, const char *, struct MHD_Connection *))items[i].value;
			daemon->uri_log_cls = items[i].ptr_value;
			items[i].value = (intptr_t)log_uri;
			items[i].ptr_value = daemon;
		}
	}
	if (!has_completed) {
		items[n_items].option = MHD_OPTION_NOTIFY_COMPLETED;
		items[n_items].value = (intptr_t)notice_completion;
		items[n_items].ptr_value = daemon;
		items[++n_items] = end;
	}
	return n_items;
}

static void keep_daemon(struct daemon *daemon)
{
	static int fork_is_handled;

	lock_tables();
	daemon->next = daemons;
	daemons = daemon;
	if (!fork_is_handled) {
		fork_is_handled = 1;
		pthread_atfork(lock_tables, unlock_tables, unlock_tables);
	}
	unlock_tables();
	atomic_fetch_add_explicit(&rps_pool->n_adapters, 1, memory_order_release);
}

RPS_EXPORT struct MHD_Daemon *rps_mhd_start_daemon_va_v1(const struct rps_mhd_functions *mhd, unsigned int flags,
							  uint16_t port, MHD_AcceptPolicyCallback apc, void *apc_cls,
							  MHD_AccessHandlerCallback dh, void *dh_cls, va_list ap)
{
	struct MHD_OptionItem *items = NULL;
	struct MHD_Daemon *started;
	struct daemon *daemon = NULL;
	size_t n_items;
	int unknown = 0;
	va_list copy;

	if (rps_pool == NULL || rps_this_thread.nested > 0 || dh == NULL)
		return mhd->start_daemon_va(flags, port, apc, apc_cls, dh, dh_cls, ap);
	va_copy(copy, ap);
	items = rps_mhd_options_flatten(copy, 2, &n_items, &unknown);
	va_end(copy);
	daemon = calloc(1, sizeof(*daemon));
	if (items == NULL || daemon == NULL) {
		rps_complain("requests of this libmicrohttpd daemon are not told apart",
			     unknown != 0 ? "it is started with an option this version does not know" : "out of memory");
		free(items);
		free(daemon);
		return mhd->start_daemon_va(flags, port, apc, apc_cls, dh, dh_cls, ap);
	}
	daemon->mhd = mhd;
	daemon->handler = dh;
	daemon->handler_cls = dh_cls;
	replace_callbacks(daemon, items, n_items);
	keep_daemon(daemon);
	rps_this_thread.nested++;
	started = mhd->start_daemon(flags, port, apc, apc_cls, handle, daemon, MHD_OPTION_ARRAY, items, MHD_OPTION_END);
	rps_this_thread.nested--;
	free(items);
	return started;
}
