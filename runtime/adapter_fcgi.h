/* SPDX-License-Identifier: MIT */
/* The libfcgi adapter's inside: what stands behind libfcgi's functions under our names, whether they were
 * preloaded (adapter_fcgi_preload.c) or linked by --wrap (adapter_fcgi_wrap.c, where libfcgi may be static). Exported
 * by librunprofile for the latter. Knows nothing of libfcgi's types.
 */
#ifndef RPS_RUNTIME_ADAPTER_FCGI_H
#define RPS_RUNTIME_ADAPTER_FCGI_H

/* Accepts a request, by libfcgi's own `accept`, and begins it; the one before of the same `key` (the address of its
 * FCGX_Request) is finished by `finish` and has ended by then. Both get `argument`. `*parameters` is looked at when a
 * request was accepted. Returns what `accept` does. */
int rps_fcgi_accept_v1(const void *key, int (*accept)(void *), void (*finish)(void *), void *argument,
		       char *const *const *parameters);
/* The application finishes one by itself. */
void rps_fcgi_finish_v1(const void *key, void (*finish)(void *), void *argument);

#endif
