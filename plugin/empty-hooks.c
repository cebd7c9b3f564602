/* SPDX-License-Identifier: MIT */
/* Hooks that do nothing, for programs linked without a C library (-nostdlib),
 * where the runtime can't live: instrumented objects link and run unprofiled.
 * profcc puts them behind the program's own objects; they are weak, so that
 * such a program may bring hooks of its own.
 */
void __runprofile_enter_v2(void *function, void *cfa, const void *site);
void __runprofile_exit_v2(void *function, void *cfa);
void __runprofile_resync_v2(void *function, void *cfa);
void __runprofile_external_enter_v2(void *callee, void *cfa, const void *site);
void __runprofile_external_exit_v2(void *callee, void *cfa);
void __runprofile_pointer_enter_v2(void *callee, void *cfa, const void *site);
void __runprofile_pointer_exit_v2(void *callee, void *cfa);
void __runprofile_landed_v2(void *cfa);
void __cyg_profile_func_enter(void *function, void *call_site);
void __cyg_profile_func_exit(void *function, void *call_site);

#ifdef __x86_64__
/* What inlined hooks refer to. They look at the first, find that there is nothing to do, and never come to the rest. */
void *__runprofile_process_v2 __attribute__((weak));
__thread void *__runprofile_thread_v2[8] __attribute__((weak));
#define UNREACHED(name)                                                                                              \
	void name(void);                                                                                             \
	__attribute__((weak)) void name(void)                                                                        \
	{                                                                                                            \
	}
UNREACHED(__runprofile_veneer_enter_v2)
UNREACHED(__runprofile_veneer_enter_inlined_v2)
UNREACHED(__runprofile_veneer_leaf_enter_v2)
UNREACHED(__runprofile_veneer_leaf_enter_inlined_v2)
UNREACHED(__runprofile_veneer_exit_v2)
UNREACHED(__runprofile_veneer_leaf_exit_v2)
UNREACHED(__runprofile_veneer_external_enter_v2)
UNREACHED(__runprofile_veneer_external_exit_v2)
#endif

__attribute__((weak)) void __runprofile_enter_v2(void *function, void *cfa, const void *site)
{
}

__attribute__((weak)) void __runprofile_exit_v2(void *function, void *cfa)
{
}

__attribute__((weak)) void __runprofile_resync_v2(void *function, void *cfa)
{
}

__attribute__((weak)) void __runprofile_external_enter_v2(void *callee, void *cfa, const void *site)
{
}

__attribute__((weak)) void __runprofile_external_exit_v2(void *callee, void *cfa)
{
}

__attribute__((weak)) void __runprofile_pointer_enter_v2(void *callee, void *cfa, const void *site)
{
}

__attribute__((weak)) void __runprofile_pointer_exit_v2(void *callee, void *cfa)
{
}

__attribute__((weak)) void __runprofile_landed_v2(void *cfa)
{
}

__attribute__((weak)) void __cyg_profile_func_enter(void *function, void *call_site)
{
}

__attribute__((weak)) void __cyg_profile_func_exit(void *function, void *call_site)
{
}
