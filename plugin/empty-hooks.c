/* SPDX-License-Identifier: MIT */
/* Hooks that do nothing, for programs linked without a C library (-nostdlib),
 * where the runtime can't live: instrumented objects link and run unprofiled.
 * profcc puts them behind the program's own objects; they are weak, so that
 * such a program may bring hooks of its own.
 */
void __runprofile_enter_v1(void *function, void *cfa, const void *site);
void __runprofile_exit_v1(void *function, void *cfa);
void __runprofile_resync_v1(void *function, void *cfa);
void __runprofile_external_enter_v1(void *callee, void *cfa, const void *site);
void __runprofile_external_exit_v1(void *callee, void *cfa);
void __runprofile_pointer_enter_v1(void *callee, void *cfa, const void *site);
void __runprofile_pointer_exit_v1(void *callee, void *cfa);
void __runprofile_landed_v1(void *cfa);
void __cyg_profile_func_enter(void *function, void *call_site);
void __cyg_profile_func_exit(void *function, void *call_site);

__attribute__((weak)) void __runprofile_enter_v1(void *function, void *cfa, const void *site)
{
}

__attribute__((weak)) void __runprofile_exit_v1(void *function, void *cfa)
{
}

__attribute__((weak)) void __runprofile_resync_v1(void *function, void *cfa)
{
}

__attribute__((weak)) void __runprofile_external_enter_v1(void *callee, void *cfa, const void *site)
{
}

__attribute__((weak)) void __runprofile_external_exit_v1(void *callee, void *cfa)
{
}

__attribute__((weak)) void __runprofile_pointer_enter_v1(void *callee, void *cfa, const void *site)
{
}

__attribute__((weak)) void __runprofile_pointer_exit_v1(void *callee, void *cfa)
{
}

__attribute__((weak)) void __runprofile_landed_v1(void *cfa)
{
}

__attribute__((weak)) void __cyg_profile_func_enter(void *function, void *call_site)
{
}

__attribute__((weak)) void __cyg_profile_func_exit(void *function, void *call_site)
{
}
