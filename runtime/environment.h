/* SPDX-License-Identifier: MIT */
/* The environment variables that attach the runtime: the application does not see them, the processes
 * it starts get them all the same.
 */
#ifndef RPS_RUNTIME_ENVIRONMENT_H
#define RPS_RUNTIME_ENVIRONMENT_H

#include "runtime/thread.h"

/* Takes the runtime's variables out of the environment, once attached. In the shared library only: without the exec
 * family interposed, nobody could put them back. */
RPS_HIDDEN void rps_environment_hide(void) __attribute__((weak));

#endif
