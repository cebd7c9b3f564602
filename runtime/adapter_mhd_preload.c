/* SPDX-License-Identifier: MIT */
/* libmicrohttpd's functions under their own names, in the shared runtime: whoever comes
 * before libmicrohttpd in the search order (preloaded, or linked first) catches the calls, the
 * ones from uninstrumented hosts too. The real ones are found behind us.
 */
#include "runtime/adapter_mhd.h"
#include "runtime/thread.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdint.h>

static const struct rps_mhd_functions *real_functions(void)
{
	static struct rps_mhd_functions mhd;
	static _Atomic int found;

	if (found)
		return &mhd;
	/* Racing threads store the same values. */
#define FIND(field, name) *(void **)&mhd.field = dlsym(RTLD_NEXT, #name)
	FIND(start_daemon, MHD_start_daemon);
	FIND(start_daemon_va, MHD_start_daemon_va);
	FIND(create_response_from_callback, MHD_create_response_from_callback);
	FIND(queue_response, MHD_queue_response);
	FIND(destroy_response, MHD_destroy_response);
	FIND(lookup_connection_value, MHD_lookup_connection_value);
	FIND(get_response_headers, MHD_get_response_headers);
	FIND(add_response_header, MHD_add_response_header);
	FIND(add_response_footer, MHD_add_response_footer);
#undef FIND
	found = 1;
	return &mhd;
}

RPS_EXPORT struct MHD_Daemon *MHD_start_daemon(unsigned int flags, uint16_t port, MHD_AcceptPolicyCallback apc,
					       void *apc_cls, MHD_AccessHandlerCallback dh, void *dh_cls, ...)
{
	struct MHD_Daemon *daemon;
	va_list ap;

	va_start(ap, dh_cls);
	daemon = rps_mhd_start_daemon_va_v1(real_functions(), flags, port, apc, apc_cls, dh, dh_cls, ap);
	va_end(ap);
	return daemon;
}

RPS_EXPORT struct MHD_Daemon *MHD_start_daemon_va(unsigned int flags, uint16_t port, MHD_AcceptPolicyCallback apc,
						  void *apc_cls, MHD_AccessHandlerCallback dh, void *dh_cls, va_list ap)
{
	return rps_mhd_start_daemon_va_v1(real_functions(), flags, port, apc, apc_cls, dh, dh_cls, ap);
}

/* libmicrohttpd makes its own file and pipe responses by this function, too, and goes on to change them
 * behind its back. Those have its own readers, and run no code of the application. */
static int is_libmicrohttpds_own(const struct rps_mhd_functions *mhd, MHD_ContentReaderCallback crc)
{
	struct dl_find_object reader, library;

	return _dl_find_object((void *)(uintptr_t)crc, &reader) == 0 &&
	       _dl_find_object(*(void *const *)&mhd->start_daemon, &library) == 0 &&
	       reader.dlfo_link_map == library.dlfo_link_map;
}

RPS_EXPORT struct MHD_Response *MHD_create_response_from_callback(uint64_t size, size_t block_size,
								  MHD_ContentReaderCallback crc, void *crc_cls,
								  MHD_ContentReaderFreeCallback crfc)
{
	const struct rps_mhd_functions *mhd = real_functions();

	if (is_libmicrohttpds_own(mhd, crc))
		return mhd->create_response_from_callback(size, block_size, crc, crc_cls, crfc);
	return rps_mhd_create_response_from_callback_v1(mhd, size, block_size, crc, crc_cls, crfc);
}

RPS_EXPORT enum MHD_Result MHD_queue_response(struct MHD_Connection *connection, unsigned int status_code,
					      struct MHD_Response *response)
{
	return rps_mhd_queue_response_v1(real_functions(), connection, status_code, response);
}

RPS_EXPORT void MHD_destroy_response(struct MHD_Response *response)
{
	rps_mhd_destroy_response_v1(real_functions(), response);
}
