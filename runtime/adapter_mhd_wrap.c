/* SPDX-License-Identifier: MIT */
/* Linked into executables that call libmicrohttpd, by --wrap: catches the calls also where
 * libmicrohttpd is linked statically and preloading can't. An archive of its own, so that it is only pulled in where the
 * functions are referenced.
 */
#include "runtime/adapter_mhd.h"

#include <stdarg.h>

struct MHD_Daemon *__real_MHD_start_daemon(unsigned int flags, uint16_t port, MHD_AcceptPolicyCallback apc,
					   void *apc_cls, MHD_AccessHandlerCallback dh, void *dh_cls, ...);
struct MHD_Daemon *__real_MHD_start_daemon_va(unsigned int flags, uint16_t port, MHD_AcceptPolicyCallback apc,
					      void *apc_cls, MHD_AccessHandlerCallback dh, void *dh_cls, va_list ap);
struct MHD_Response *__real_MHD_create_response_from_callback(uint64_t size, size_t block_size,
							      MHD_ContentReaderCallback crc, void *crc_cls,
							      MHD_ContentReaderFreeCallback crfc);
enum MHD_Result __real_MHD_queue_response(struct MHD_Connection *connection, unsigned int status_code,
					  struct MHD_Response *response);
void __real_MHD_destroy_response(struct MHD_Response *response);

struct MHD_Daemon *__wrap_MHD_start_daemon(unsigned int flags, uint16_t port, MHD_AcceptPolicyCallback apc,
					   void *apc_cls, MHD_AccessHandlerCallback dh, void *dh_cls, ...);
struct MHD_Daemon *__wrap_MHD_start_daemon_va(unsigned int flags, uint16_t port, MHD_AcceptPolicyCallback apc,
					      void *apc_cls, MHD_AccessHandlerCallback dh, void *dh_cls, va_list ap);
struct MHD_Response *__wrap_MHD_create_response_from_callback(uint64_t size, size_t block_size,
							      MHD_ContentReaderCallback crc, void *crc_cls,
							      MHD_ContentReaderFreeCallback crfc);
enum MHD_Result __wrap_MHD_queue_response(struct MHD_Connection *connection, unsigned int status_code,
					  struct MHD_Response *response);
void __wrap_MHD_destroy_response(struct MHD_Response *response);

static const struct rps_mhd_functions mhd = {
    .start_daemon = __real_MHD_start_daemon,
    .start_daemon_va = __real_MHD_start_daemon_va,
    .create_response_from_callback = __real_MHD_create_response_from_callback,
    .queue_response = __real_MHD_queue_response,
    .destroy_response = __real_MHD_destroy_response,
    .lookup_connection_value = MHD_lookup_connection_value,
    .get_response_headers = MHD_get_response_headers,
    .add_response_header = MHD_add_response_header,
    .add_response_footer = MHD_add_response_footer,
};

struct MHD_Daemon *__wrap_MHD_start_daemon(unsigned int flags, uint16_t port, MHD_AcceptPolicyCallback apc,
					   void *apc_cls, MHD_AccessHandlerCallback dh, void *dh_cls, ...)
{
	struct MHD_Daemon *daemon;
	va_list ap;

	va_start(ap, dh_cls);
	daemon = rps_mhd_start_daemon_va_v1(&mhd, flags, port, apc, apc_cls, dh, dh_cls, ap);
	va_end(ap);
	return daemon;
}

struct MHD_Daemon *__wrap_MHD_start_daemon_va(unsigned int flags, uint16_t port, MHD_AcceptPolicyCallback apc,
					      void *apc_cls, MHD_AccessHandlerCallback dh, void *dh_cls, va_list ap)
{
	return rps_mhd_start_daemon_va_v1(&mhd, flags, port, apc, apc_cls, dh, dh_cls, ap);
}

struct MHD_Response *__wrap_MHD_create_response_from_callback(uint64_t size, size_t block_size,
							      MHD_ContentReaderCallback crc, void *crc_cls,
							      MHD_ContentReaderFreeCallback crfc)
{
	return rps_mhd_create_response_from_callback_v1(&mhd, size, block_size, crc, crc_cls, crfc);
}

enum MHD_Result __wrap_MHD_queue_response(struct MHD_Connection *connection, unsigned int status_code,
					  struct MHD_Response *response)
{
	return rps_mhd_queue_response_v1(&mhd, connection, status_code, response);
}

void __wrap_MHD_destroy_response(struct MHD_Response *response)
{
	rps_mhd_destroy_response_v1(&mhd, response);
}
