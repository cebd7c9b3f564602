/* SPDX-License-Identifier: MIT */
/* The contract between code compiled by profcc and the runtime: the static
 * records the GCC plugin emits, and the hooks it calls. plugin/ builds the
 * same layout from GCC trees and knows it by these comments and by the symbol
 * names only; tests/unit/test-record.c and the compile tests hold the two
 * together. Change neither without raising RPS_RECORD_VERSION (it is part of
 * the hooks' names, so objects of two versions do not link by mistake).
 */
#ifndef RPS_RECORD_H
#define RPS_RECORD_H

#include <stdatomic.h>
#include <stdint.h>

#define RPS_RECORD_VERSION 2

/* One per instrumented function, writable, in a section of its own name so that the
 * linker can drop it together with its function (".data.rps_functions.SYMBOL"), aligned to 8 bytes.
 *
 *   0       8        16      24     28    32        40     44         48
 *   | name  | symbol | file  | line | id  | address | hash | reserved |
 */
struct rps_function_record {
	const char *name;   /* as a person writes it: "shop::Cart::total(int)" */
	const char *symbol; /* as the linker knows it: "_ZN4shop4Cart5totalEi" */
	const char *file;   /* absolute, or "" when the compiler knew none */
	uint32_t line;      /* of the definition; 0 unknown */
	_Atomic uint32_t id; /* written by the runtime: the pool's id for it; 0 not yet known */
	const void *address; /* of the function: tells calls of it through pointers from external ones */
	uint32_t hash;       /* of the symbol; stands in the inlined hooks as a constant */
	uint32_t reserved;   /* 0 */
};
_Static_assert(sizeof(struct rps_function_record) == 48, "plugin/ emits 48 bytes");

/* One per place from which an inlined function or an external one is called, read-only, in section
 * "rps_sites", aligned to 8 bytes. An inlined function has sites of its own: no two functions share one.
 *
 *   0      8      12     16
 *   | file | line | hash |
 */
struct rps_site_record {
	const char *file;
	uint32_t line;
	uint32_t hash; /* of the place and the function; stands in the inlined hooks as a constant */
};
_Static_assert(sizeof(struct rps_site_record) == 16, "plugin/ emits 16 bytes");

/* One per function that is called and not defined in its translation unit, writable, in section
 * "rps_externals", aligned to 8 bytes. The runtime finds out whether it is instrumented elsewhere (another unit, another shared
 * object): its own enter hook then runs on top of the external call's frame.
 *
 *   0      8        16   20                24
 *   | name | symbol | id | is_instrumented |
 */
struct rps_external_record {
	const char *name;
	const char *symbol;
	_Atomic uint32_t id;              /* written by the runtime, like a function record's */
	_Atomic uint32_t is_instrumented; /* written by the runtime: its own hooks count it, these do nothing */
};
_Static_assert(sizeof(struct rps_external_record) == 24, "plugin/ emits 24 bytes");

/* The hooks. `cfa` is the canonical frame address (the value of the stack
 * pointer before the call instruction pushed the return address) of the
 * machine frame the function runs in; an inlined function has its enclosing
 * function's. `site` is NULL for a call that was really made, else the place of the inlined call.
 * A call that was made has a return address: on x86-64 it stands at cfa[-1], else it is the last argument. */
#ifdef __x86_64__
void __runprofile_enter_v2(struct rps_function_record *function, void *cfa,
                           const struct rps_site_record *site);
#else
void __runprofile_enter_v2(struct rps_function_record *function, void *cfa,
                           const struct rps_site_record *site, void *return_address);
#endif
void __runprofile_exit_v2(struct rps_function_record *function, void *cfa);
/* Called after each call that may return twice (setjmp): frames entered since
 * the first return are gone. */
void __runprofile_resync_v2(struct rps_function_record *function, void *cfa);

/* Around a call of a function that is not defined in the translation unit, directly or by a pointer. The call site is always
 * given. There is no exit if the callee does not return. */
void __runprofile_external_enter_v2(struct rps_external_record *callee, void *cfa, const struct rps_site_record *site);
void __runprofile_external_exit_v2(struct rps_external_record *callee, void *cfa);
void __runprofile_pointer_enter_v2(void *callee, void *cfa, const struct rps_site_record *site);
void __runprofile_pointer_exit_v2(void *callee, void *cfa);
/* Called where an exception lands that may have come out of such a call: it has had no exit. */
void __runprofile_landed_v2(void *cfa);

/* What GCC and clang call without our plugin. */
void __cyg_profile_func_enter(void *function, void *call_site);
void __cyg_profile_func_exit(void *function, void *call_site);

#endif
