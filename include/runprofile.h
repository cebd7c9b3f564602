/* SPDX-License-Identifier: MIT */
/* The public interface for applications: what a module for `runprofileserver`
 * exports. It is the only installed header, needs nothing but libmicrohttpd's,
 * and works in C and C++.
 *
 * A module is a shared object that `runprofileserver ./app.so` loads into a
 * small host process of its own. It exports one function of libmicrohttpd's
 * access handler type,
 *
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
 * what they share needs a lock.
 */
#ifndef RUNPROFILE_H
#define RUNPROFILE_H

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
