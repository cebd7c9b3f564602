/* SPDX-License-Identifier: MIT */
/* What the runtime has to know of the processor, but for its counter (wire/counter.h) and the inlined hooks (hook_asm.h,
 * veneer.S: x86-64 only). An architecture without inlined hooks has those that are called: the same tree, by enter_fast() and
 * leave_fast() in hook.c.
 *
 *                                        x86-64              arm64
 *   the return address of a call         below its CFA       an argument of the hook (record.h)
 *   counting in one step                 one instruction     an exclusive pair
 *   the largest page there is            4 KiB               64 KiB
 */
#ifndef RPS_RUNTIME_ARCH_H
#define RPS_RUNTIME_ARCH_H

#include <stdint.h>

#if defined(__x86_64__) && !defined(__ILP32__)

#define RPS_HAVE_INLINE_HOOKS 1
#define RPS_ARCH_PAGE 4096
#define RPS_ARCH_RETURN_ADDRESS_PARAMETER
#define RPS_ARCH_RETURN_ADDRESS(cfa) (((const uint64_t *)(cfa))[-1])

/* Puts `new` into the word if it is still `old`; 0: it is not. A signal handler of this thread, which may do the same, comes before
 * it or after. For other threads it is no single step: nobody else has a part in what the word counts. */
static inline int rps_arch_replace(uint64_t *word, uint64_t old, uint64_t new)
{
	int is_replaced;

	__asm__ volatile("cmpxchgq %3, %1" : "=@ccz"(is_replaced), "+m"(*word), "+a"(old) : "r"(new) : "memory");
	return is_replaced;
}

/* The same for a sum. */
static inline void rps_arch_add(uint64_t *sum, uint64_t n)
{
	__asm__ volatile("addq %1, %0" : "+m"(*sum) : "r"(n) : "cc");
}

#elif defined(__aarch64__) && !defined(__ILP32__) && !defined(__AARCH64EB__)

#define RPS_ARCH_PAGE 65536
#define RPS_ARCH_RETURN_ADDRESS_PARAMETER , void *return_address
#define RPS_ARCH_RETURN_ADDRESS(cfa) ((uintptr_t)return_address)

/* See above. A return from a signal handler ends what is exclusive, so that the store fails and it begins anew. */
static inline int rps_arch_replace(uint64_t *word, uint64_t old, uint64_t new)
{
	uint64_t seen;
	uint32_t has_failed;

	__asm__ volatile("1:	ldxr %0, %2\n"
			 "	cmp %0, %3\n"
			 "	b.ne 2f\n"
			 "	stxr %w1, %4, %2\n"
			 "	cbnz %w1, 1b\n"
			 "2:\n"
			 : "=&r"(seen), "=&r"(has_failed), "+Q"(*word)
			 : "r"(old), "r"(new)
			 : "cc", "memory");
	return seen == old;
}

static inline void rps_arch_add(uint64_t *sum, uint64_t n)
{
	uint64_t value;
	uint32_t has_failed;

	__asm__ volatile("1:	ldxr %0, %2\n"
			 "	add %0, %0, %3\n"
			 "	stxr %w1, %0, %2\n"
			 "	cbnz %w1, 1b\n"
			 : "=&r"(value), "=&r"(has_failed), "+Q"(*sum)
			 : "r"(n));
}

#else
#error "RunProfileServer runs on 64-bit x86 and little-endian 64-bit Arm: another architecture needs its part here, and its counter in wire/counter.h"
#endif

#endif
