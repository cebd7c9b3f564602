/* SPDX-License-Identifier: MIT */
/* The public interface for applications, the only installed header; for C and C++. Two things are
 * in it, each of use without the other: marking requests, and writing a module.
 *
 * Marking requests: a program that runprofile knows nothing of (a server of its own kind, a queue worker, a game) says itself
 * what is one request, and gets one profile for each:
 *
 *     #include <runprofile.h>
 *
 *     struct runprofile_request *request = runprofile_begin("resize image");
 *     runprofile_set(request, "Size", "1024x768");
 *     ...                                  the calls this thread makes here are the request's
 *     runprofile_end(request);
 *
 * Requests may run at the same time, in threads of their own; one request may go from thread to thread:
 *
 *     runprofile_suspend(request);         in the one; then, say, into a queue
 *     runprofile_resume(request);          in the other
 *
 * Where nothing profiles (without runprofileserver or `runprofile record`, in a program that was not built by profcc),
 * runprofile_begin gives NULL, and all of them do nothing; so a program may keep them for good, and needs no library.
 * In application scope (--scope=application, or `runprofile record` without --scope=request) they do nothing, either.
 */
#ifndef RUNPROFILE_H
#define RUNPROFILE_H

/* They are nothing of the application's. */
#define RUNPROFILE_INLINE __attribute__((no_instrument_function)) static inline

#ifdef __cplusplus
extern "C" {
#endif

/* A request under way. Between resume (or begin) and suspend it belongs to one thread. */
struct runprofile_request;

/* What the runtime defines, where there is one: not to be called but by the functions below. */
__attribute__((weak)) struct runprofile_request *runprofile_begin_v1(const char *name, const char *id);
__attribute__((weak)) void runprofile_set_v1(struct runprofile_request *request, const char *key, const char *value);
__attribute__((weak)) void runprofile_suspend_v1(struct runprofile_request *request);
__attribute__((weak)) void runprofile_resume_v1(struct runprofile_request *request);
__attribute__((weak)) void runprofile_end_v1(struct runprofile_request *request);

/* Begins a request, and goes on in it. `name` is what the profile and its file are called, such as the kind of work: "resize
 * image". NULL where nothing profiles, which the others take, too. */
RUNPROFILE_INLINE struct runprofile_request *runprofile_begin(const char *name)
{
	return runprofile_begin_v1 ? runprofile_begin_v1(name, (const char *)0) : (struct runprofile_request *)0;
}

/* The same for a request of runprofileserver's: `id` is the value of its header X-Runprofile-Id, which the program reads
 * itself. The profile then is the front's, with URL, status and duration. NULL or another text: as above. */
RUNPROFILE_INLINE struct runprofile_request *runprofile_begin_http(const char *name, const char *id)
{
	return runprofile_begin_v1 ? runprofile_begin_v1(name, id) : (struct runprofile_request *)0;
}

/* Says something about the request, for the profile's description: a line "KEY: VALUE". A KEY has printable ASCII
 * characters, and no colon. Together at most some 2,000 bytes; up to 64 for one request. */
RUNPROFILE_INLINE void runprofile_set(struct runprofile_request *request, const char *key, const char *value)
{
	if (request)
		runprofile_set_v1(request, key, value);
}

/* The calling thread no longer works for the request. Functions still open then are charged up to here. */
RUNPROFILE_INLINE void runprofile_suspend(struct runprofile_request *request)
{
	if (request)
		runprofile_suspend_v1(request);
}

/* From here on the calling thread, which may be another, does. */
RUNPROFILE_INLINE void runprofile_resume(struct runprofile_request *request)
{
	if (request)
		runprofile_resume_v1(request);
}

/* Ends it, by the thread that works for it, or while none does. `request` is gone then. */
RUNPROFILE_INLINE void runprofile_end(struct runprofile_request *request)
{
	if (request)
		runprofile_end_v1(request);
}

#ifdef __cplusplus
}
#endif

/* ---- Modules -------------------------------------------------------------------------
 * A module is a shared object that `runprofileserver ./app.so` loads into a
 * small host process of its own. It exports one function of libmicrohttpd's
 * access handler type,
 *
 *     #include <microhttpd.h>
 *     #include <runprofile.h>
 *     enum MHD_Result
 *     runprofile_app(void *cls, struct MHD_Connection *connection,
 *                    const char *url, const char *method, const char *version,
 *                    const char *upload_data, size_t *upload_data_size,
 *                    void **con_cls)
 *
 * and, where it has something to set up, runprofile_app_start and
 * runprofile_app_stop; where it keeps something per request in *con_cls,
 * runprofile_app_completed. The handler is called as libmicrohttpd documents it,
 * from one thread per connection: several requests run at the same time, so
 * what they share needs a lock. They are marked already.
 */
#ifndef __has_include
#define __has_include(header) 0
#endif
#if defined(MHD_VERSION) || __has_include(<microhttpd.h>)

#include <microhttpd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Answers one request; `cls` is what runprofile_app_start stored (NULL
 * without it). Mandatory. */
__attribute__((visibility("default"))) enum MHD_Result
runprofile_app(void *cls, struct MHD_Connection *connection, const char *url,
               const char *method, const char *version,
               const char *upload_data, size_t *upload_data_size,
               void **con_cls);

/* Called once before the first request, in the host process. `argc` and
 * `argv` are what stood behind the module on the command line (argv[0] is the
 * module's path). Stores what the handler gets as `cls` in *cls and returns 0;
 * any other value ends the host with that exit status. Optional. */
__attribute__((visibility("default"))) int
runprofile_app_start(int argc, char **argv, void **cls);

/* Called once at the end of each request for which the handler was called, in
 * the same thread: when the answer has been sent, or cannot be any more, since
 * the client has gone (`code` says which). What *con_cls still points to is
 * to be freed here: of an upload that is broken off midway the handler hears
 * nothing more. `cls` is the handler's. Optional. */
__attribute__((visibility("default"))) void
runprofile_app_completed(void *cls, struct MHD_Connection *connection,
                         void **con_cls, enum MHD_RequestTerminationCode code);

/* Called once after the last request. Optional. */
__attribute__((visibility("default"))) void runprofile_app_stop(void *cls);

#ifdef __cplusplus
}
#endif
#endif

#endif
