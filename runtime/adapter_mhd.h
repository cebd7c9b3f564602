/* SPDX-License-Identifier: MIT */
/* The libmicrohttpd adapter's inside: what stands behind its functions under our names,
 * whether they were preloaded (adapter_mhd_preload.c) or linked by --wrap
 * (adapter_mhd_wrap.c, where libmicrohttpd may be static). Exported by librunprofile for the latter.
 */
#ifndef RPS_RUNTIME_ADAPTER_MHD_H
#define RPS_RUNTIME_ADAPTER_MHD_H

#include <microhttpd.h>
#include <stdarg.h>
#include <stdint.h>

/* The real functions, as whoever calls us reaches them. */
struct rps_mhd_functions {
	struct MHD_Daemon *(*start_daemon)(unsigned int flags, uint16_t port, MHD_AcceptPolicyCallback apc,
					   void *apc_cls, MHD_AccessHandlerCallback dh, void *dh_cls, ...);
	struct MHD_Daemon *(*start_daemon_va)(unsigned int flags, uint16_t port, MHD_AcceptPolicyCallback apc,
					      void *apc_cls, MHD_AccessHandlerCallback dh, void *dh_cls, va_list ap);
	struct MHD_Response *(*create_response_from_callback)(uint64_t size, size_t block_size,
							      MHD_ContentReaderCallback crc, void *crc_cls,
							      MHD_ContentReaderFreeCallback crfc);
	enum MHD_Result (*queue_response)(struct MHD_Connection *connection, unsigned int status_code,
					  struct MHD_Response *response);
	void (*destroy_response)(struct MHD_Response *response);
	const char *(*lookup_connection_value)(struct MHD_Connection *connection, enum MHD_ValueKind kind,
					       const char *key);
	int (*get_response_headers)(struct MHD_Response *response, MHD_KeyValueIterator iterator, void *iterator_cls);
	enum MHD_Result (*add_response_header)(struct MHD_Response *response, const char *header, const char *content);
	enum MHD_Result (*add_response_footer)(struct MHD_Response *response, const char *footer, const char *content);
};

struct MHD_Daemon *rps_mhd_start_daemon_va_v1(const struct rps_mhd_functions *mhd, unsigned int flags, uint16_t port,
					      MHD_AcceptPolicyCallback apc, void *apc_cls,
					      MHD_AccessHandlerCallback dh, void *dh_cls, va_list ap);
struct MHD_Response *rps_mhd_create_response_from_callback_v1(const struct rps_mhd_functions *mhd, uint64_t size,
							      size_t block_size, MHD_ContentReaderCallback crc,
							      void *crc_cls, MHD_ContentReaderFreeCallback crfc);
enum MHD_Result rps_mhd_queue_response_v1(const struct rps_mhd_functions *mhd, struct MHD_Connection *connection,
					  unsigned int status_code, struct MHD_Response *response);
void rps_mhd_destroy_response_v1(const struct rps_mhd_functions *mhd, struct MHD_Response *response);

#endif
