/* SPDX-License-Identifier: MIT */
/* Between code that may use few registers and code that may use them all. The inlined hooks (hook_asm.h) jump
 * to the veneers in veneer.S, which keep the integer registers; what is compiled to handle them uses no others. The little of it
 * that calls libc goes through rps_veneer_call(), which keeps the vector registers, too.
 */
#ifndef RPS_RUNTIME_VENEER_H
#define RPS_RUNTIME_VENEER_H

#include "runtime/arch.h"
#include "runtime/record.h"
#include "runtime/thread.h"

#ifdef RPS_HAVE_INLINE_HOOKS
/* Calls work(cls), and leaves the vector and floating point registers as they were. */
RPS_HIDDEN void rps_veneer_call(void (*work)(void *cls), void *cls);

/* Has the system switched XSAVE on? Set once, before the first hook that records. */
extern RPS_HIDDEN int rps_veneer_has_xsave;

/* What the veneers call (hook.c). */
RPS_HIDDEN void rps_hook_enter(struct rps_function_record *function, void *cfa);
RPS_HIDDEN void rps_hook_enter_inlined(struct rps_function_record *function, void *cfa, const struct rps_site_record *site);
RPS_HIDDEN void rps_hook_leaf_enter(struct rps_function_record *function, void *cfa);
RPS_HIDDEN void rps_hook_leaf_enter_inlined(struct rps_function_record *function, void *cfa,
					    const struct rps_site_record *site);
RPS_HIDDEN void rps_hook_exit(struct rps_function_record *function, void *cfa);
RPS_HIDDEN void rps_hook_leaf_exit(struct rps_function_record *function, void *cfa);
RPS_HIDDEN void rps_hook_external_enter(struct rps_external_record *callee, void *cfa, const struct rps_site_record *site,
					void *callee_cfa);
RPS_HIDDEN void rps_hook_external_exit(struct rps_external_record *callee, void *cfa);
#else
static inline void rps_veneer_call(void (*work)(void *cls), void *cls)
{
	work(cls);
}
#endif

#endif
