/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hooks that do nothing: what -finstrument-functions costs by itself. In a shared object, as the runtime is.
 */
void __cyg_profile_func_enter(void *function, void *call_site);
void __cyg_profile_func_exit(void *function, void *call_site);

void __cyg_profile_func_enter(void *function, void *call_site)
{
}

void __cyg_profile_func_exit(void *function, void *call_site)
{
}
