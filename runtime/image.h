/* SPDX-License-Identifier: MIT */
/* Which executable or shared object an address lies in. Async-signal-safe and
 * without the loader's lock where glibc has _dl_find_object (2.35 and later).
 */
#ifndef RPS_RUNTIME_IMAGE_H
#define RPS_RUNTIME_IMAGE_H

#include "runtime/thread.h"

#include <stdint.h>

/* Learns the paths that can't be asked for later (the executable's, the working directory). Called once, when the
 * runtime attaches. */
RPS_HIDDEN void rps_image_init(void);

/* The id of the image, and in *elf_address the address as its ELF file has it.
 * 0 if none is known: *elf_address is `address` then. */
RPS_HIDDEN uint32_t rps_image_find(uintptr_t address, uintptr_t *elf_address);

#endif
