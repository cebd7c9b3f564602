/* SPDX-License-Identifier: MIT */
/* Calls that are requests (--request). */
#ifndef RPS_RUNTIME_CALL_SCOPE_H
#define RPS_RUNTIME_CALL_SCOPE_H

#include "runtime/thread.h"

/* Begins a request, if the function whose record `cls` is is the one: the calling thread, which works for none, does then. */
RPS_HIDDEN void rps_call_scope_begin(void *cls);
/* The call has returned, or was left. */
RPS_HIDDEN void rps_call_scope_end(void *unused);

#endif
