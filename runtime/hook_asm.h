/* SPDX-License-Identifier: MIT */
/* The hooks' fast paths as they are put into the application's own code (x86-64): the templates of the asm
 * statements that plugin/inline-pass.cc makes of the hook calls. calibrate.c compiles the same ones, to know
 * what they cost.
 *
 * An enter hook finds the call's place in the topmost frame's child table, counts down its `skip`, and pushes a frame.
 * A leaf function's has no frame, so its exit has nothing to do. All that is out of the ordinary (no recording, a
 * call not seen before, one whose turn it is to be timed, frames that are gone) goes out of line, to
 * veneer.S, which keeps all registers but those clobbered here; from there it returns to label 1.
 *
 * Nothing here writes below the stack pointer or pushes anything: a leaf function may have its variables there.
 * Memory of the program is neither read nor written, so the compiler need not know of memory at all.
 *
 * Operands: %0 the frame address (a register), %1 the function's record (memory); the enter hooks have %2 the hash (a
 * constant), those of inlined functions %3 the site record (memory). Clobbered: rax, r9, r10, r11, flags.
 * Offsets are those of wire/layout.h and thread.h, which assert them.
 */
#ifndef RPS_RUNTIME_HOOK_ASM_H
#define RPS_RUNTIME_HOOK_ASM_H

#define RPS_ASM_CLOBBERS "rax", "r9", "r10", "r11", "cc"

#define RPS_ASM_THREAD "__runprofile_thread_v2@gottpoff(%%rip)"

/* Out of line: rax the record, r9 the site of an inlined call, r10 where to return, r11 the frame address. */
#define RPS_ASM_LEAVE(record, cfa, veneer)                                                                          \
	"	leaq 1b(%%rip), %%r10\n"                                                                             \
	"	leaq " record ", %%rax\n"                                                                            \
	"	movq " cfa ", %%r11\n"                                                                               \
	"	jmp *" veneer "@GOTPCREL(%%rip)\n"                                                                   \
	"	.previous\n"

/* Before anything else: without a collector there is nothing to do, and there may be no thread-local storage yet (ifunc
 * resolvers of static programs, programs that start themselves). */
#define RPS_ASM_GUARD                                                                                               \
	"	movq __runprofile_process_v2@GOTPCREL(%%rip), %%rax\n"                                                  \
	"	cmpq $0, (%%rax)\n"                                                                                  \
	"	je 1f\n"

/* The arena to rax, if it is ours. */
#define RPS_ASM_ARENA                                                                                               \
	RPS_ASM_GUARD                                                                                                \
	"	movq " RPS_ASM_THREAD ", %%rax\n"                                                                    \
	"	movq %%fs:8(%%rax), %%r10\n"                                                                         \
	"	movq %%fs:(%%rax), %%rax\n"                                                                          \
	"	cmpq %%r10, (%%rax)\n"                                                                               \
	"	jne 2f\n"

/* The topmost frame to r10: it must be the caller's (and not just being pushed: then its address is 0). */
#define RPS_ASM_TOP(gone)                                                                                           \
	"	movq 16(%%rax), %%r10\n"                                                                             \
	"	cmpq %0, (%%r10)\n"                                                                                  \
	"	" gone " 2f\n"

#define RPS_ASM_ROOM                                                                                                \
	"	cmpq %%r10, 24(%%rax)\n"                                                                             \
	"	jbe 2f\n"

/* With the hash in r11 and the frame in r10: the offset of the place to r10. */
#define RPS_ASM_PLACE                                                                                               \
	"	andl 20(%%r10), %%r11d\n"                                                                            \
	"	movl 16(%%r10), %%r10d\n"                                                                            \
	"	shll $5, %%r11d\n"                                                                                   \
	"	addq %%r11, %%r10\n"

#define RPS_ASM_FIND_PHYSICAL                                                                                       \
	"	movq -8(%0), %%r9\n"                                                                                 \
	"	movl %%r9d, %%r11d\n"                                                                                \
	"	xorl %2, %%r11d\n" RPS_ASM_PLACE                                                                     \
	"	leaq %1, %%r11\n"                                                                                    \
	"	cmpq %%r11, (%%rax,%%r10)\n"                                                                         \
	"	jne 2f\n"                                                                                            \
	"	cmpq %%r9, 8(%%rax,%%r10)\n"                                                                         \
	"	jne 2f\n"

/* A site record belongs to one function: one key will do. */
#define RPS_ASM_FIND_INLINED                                                                                        \
	"	movl %2, %%r11d\n" RPS_ASM_PLACE                                                                     \
	"	leaq %3, %%r9\n"                                                                                     \
	"	cmpq %%r9, 8(%%rax,%%r10)\n"                                                                         \
	"	jne 2f\n"

#define RPS_ASM_COUNT                                                                                               \
	"	subl $1, 16(%%rax,%%r10)\n"                                                                          \
	"	js 4f\n"

/* With the record in r11. The frame is there before its address is: until then it is of no use to a signal handler. */
#define RPS_ASM_PUSH                                                                                                \
	"	movq 24(%%rax,%%r10), %%r10\n"                                                                       \
	"	movq 16(%%rax), %%r9\n"                                                                              \
	"	addq $56, %%r9\n"                                                                                    \
	"	movq %%r9, 16(%%rax)\n"                                                                              \
	"	movq %%r11, 8(%%r9)\n"                                                                               \
	"	movq %%r10, 16(%%r9)\n"                                                                              \
	"	movq %0, (%%r9)\n"

#define RPS_ASM_OUT_OF_LINE                                                                                         \
	"1:\n"                                                                                                       \
	"	.subsection 1\n"                                                                                     \
	"4:	addl $1, 16(%%rax,%%r10)\n"                                                                          \
	"2:\n"

#define RPS_ASM_ENTER                                                                                               \
	RPS_ASM_ARENA RPS_ASM_TOP("jbe") RPS_ASM_ROOM RPS_ASM_FIND_PHYSICAL RPS_ASM_COUNT RPS_ASM_PUSH               \
	    RPS_ASM_OUT_OF_LINE RPS_ASM_LEAVE("%1", "%0", "__runprofile_veneer_enter_v2")

#define RPS_ASM_ENTER_INLINED                                                                                       \
	RPS_ASM_ARENA RPS_ASM_TOP("jb") RPS_ASM_ROOM RPS_ASM_FIND_INLINED RPS_ASM_COUNT                              \
	"	leaq %1, %%r11\n" RPS_ASM_PUSH RPS_ASM_OUT_OF_LINE                                                   \
	"	leaq %3, %%r9\n" RPS_ASM_LEAVE("%1", "%0", "__runprofile_veneer_enter_inlined_v2")

#define RPS_ASM_LEAF_ENTER                                                                                          \
	RPS_ASM_ARENA RPS_ASM_TOP("jbe") RPS_ASM_FIND_PHYSICAL RPS_ASM_COUNT RPS_ASM_OUT_OF_LINE                     \
	RPS_ASM_LEAVE("%1", "%0", "__runprofile_veneer_leaf_enter_v2")

#define RPS_ASM_LEAF_ENTER_INLINED                                                                                  \
	RPS_ASM_ARENA RPS_ASM_TOP("jb") RPS_ASM_FIND_INLINED RPS_ASM_COUNT RPS_ASM_OUT_OF_LINE                       \
	"	leaq %3, %%r9\n" RPS_ASM_LEAVE("%1", "%0", "__runprofile_veneer_leaf_enter_inlined_v2")

#define RPS_ASM_EXIT                                                                                                \
	RPS_ASM_ARENA                                                                                                \
	"	movq 16(%%rax), %%r10\n"                                                                             \
	"	leaq %1, %%r11\n"                                                                                    \
	"	cmpq %0, (%%r10)\n"                                                                                  \
	"	jne 2f\n"                                                                                            \
	"	cmpq %%r11, 8(%%r10)\n"                                                                              \
	"	jne 2f\n"                                                                                            \
	"	leaq -56(%%r10), %%r11\n"                                                                            \
	"	movq %%r11, 16(%%rax)\n"                                                                             \
	"	movq $0, (%%r10)\n"                                                                                  \
	"1:\n"                                                                                                       \
	"	.subsection 1\n"                                                                                     \
	"2:\n" RPS_ASM_LEAVE("%1", "%0", "__runprofile_veneer_exit_v2")

/* Calls of functions defined elsewhere: %1 is the external record, the site is always given. Their frames stand a little below
 * their caller's (runtime/call_tree.h), and know their edge, and where the callee's frame will be, unless something
 * is passed on the stack. */
#define RPS_ASM_EXTERNAL_ENTER                                                                                      \
	RPS_ASM_ARENA RPS_ASM_TOP("jb") RPS_ASM_ROOM RPS_ASM_FIND_INLINED                                            \
	"	leaq %1, %%r11\n"                                                                                    \
	"	cmpq %%r11, (%%rax,%%r10)\n"                                                                         \
	"	jne 2f\n" RPS_ASM_COUNT                                                                              \
	"	movq 16(%%rax), %%r9\n"                                                                              \
	"	addq $56, %%r9\n"                                                                                    \
	"	movq %%r9, 16(%%rax)\n"                                                                              \
	"	movl 20(%%rax,%%r10), %%r11d\n"                                                                      \
	"	movq 24(%%rax,%%r10), %%r10\n"                                                                       \
	"	movl %%r11d, 24(%%r9)\n"                                                                             \
	"	movq %%r10, 16(%%r9)\n"                                                                              \
	"	movq %%rsp, 8(%%r9)\n"                                                                               \
	"	leaq -1(%0), %%r11\n"                                                                                \
	"	movq %%r11, (%%r9)\n"                                                                                \
	"1:\n"                                                                                                       \
	"	.subsection 1\n"                                                                                     \
	"4:	addl $1, 16(%%rax,%%r10)\n"                                                                          \
	"2:	leaq %3, %%r9\n" RPS_ASM_LEAVE("%1", "%0", "__runprofile_veneer_external_enter_v2")

#define RPS_ASM_EXTERNAL_EXIT                                                                                       \
	RPS_ASM_ARENA                                                                                                \
	"	movq 16(%%rax), %%r10\n"                                                                             \
	"	leaq -1(%0), %%r11\n"                                                                                \
	"	cmpq %%r11, (%%r10)\n"                                                                               \
	"	jne 2f\n"                                                                                            \
	"	testb $1, 8(%%r10)\n"                                                                                \
	"	jne 2f\n"                                                                                            \
	"	leaq -56(%%r10), %%r11\n"                                                                            \
	"	movq %%r11, 16(%%rax)\n"                                                                             \
	"	movq $0, (%%r10)\n"                                                                                  \
	"1:\n"                                                                                                       \
	"	.subsection 1\n"                                                                                     \
	"2:\n" RPS_ASM_LEAVE("%1", "%0", "__runprofile_veneer_external_exit_v2")

#define RPS_ASM_LEAF_EXIT                                                                                           \
	RPS_ASM_GUARD                                                                                                \
	"	movq " RPS_ASM_THREAD ", %%rax\n"                                                                    \
	"	cmpl $0, %%fs:16(%%rax)\n"                                                                           \
	"	jne 2f\n"                                                                                            \
	"1:\n"                                                                                                       \
	"	.subsection 1\n"                                                                                     \
	"2:\n" RPS_ASM_LEAVE("%1", "%0", "__runprofile_veneer_leaf_exit_v2")

#endif
