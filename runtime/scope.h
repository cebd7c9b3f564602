/* SPDX-License-Identifier: MIT */
/* Request scope: an adapter that knows a request's boundaries says which thread works for it
 * and when. A request's segments may run in different threads, one after the other.
 *
 *     begin ── resume ── suspend ── resume ── suspend ── ... ── end
 */
#ifndef RPS_RUNTIME_SCOPE_H
#define RPS_RUNTIME_SCOPE_H

#include "runtime/thread.h"

#include <stdint.h>

/* struct rps_scope (thread.h) is one request. Owned by the adapter; between resume and suspend by the thread that resumed it. */

/* Starts recording nothing yet. `id` is the front's; 0: not known yet (rps_scope_identify), nobody reads
 * the arena until it is. */
RPS_HIDDEN void rps_scope_begin(struct rps_scope *scope, uint64_t id);
RPS_HIDDEN void rps_scope_identify(struct rps_scope *scope, uint64_t id);
/* The calling thread works for this request, until suspend. Not nested for one scope. */
RPS_HIDDEN void rps_scope_resume(struct rps_scope *scope);
RPS_HIDDEN void rps_scope_suspend(struct rps_scope *scope);
/* One that the front does not know of, with an id of our own. */
RPS_HIDDEN void rps_scope_begin_own(struct rps_scope *scope, const char *name);
/* Hands the arena to the collector and wakes it. */
RPS_HIDDEN void rps_scope_end(struct rps_scope *scope);
/* Gives the arena back unread: a request that is not the front's. */
RPS_HIDDEN void rps_scope_discard(struct rps_scope *scope);

#endif
