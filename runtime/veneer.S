/* SPDX-License-Identifier: MIT */
/* See veneer.h. Nothing of this is needed where hooks are always called. */
#if defined(__x86_64__) && !defined(__ILP32__)

	.text

/* Calls handler(record, frame address, site, stack pointer of the function that was left). Comes with rax, r9, r10 (where to return) and r11 as the inlined hooks leave them: these four are free. The 128 bytes below
 * the stack pointer belong to the function that was left. The return address is described so that a backtrace out of
 * a signal handler finds its way. */
.macro VENEER name, handler
	.globl \name
	.type \name, @function
	.p2align 4
\name:
	.cfi_startproc
	.cfi_def_cfa rsp, 0
	.cfi_register rip, r10
	leaq -128(%rsp), %rsp
	.cfi_def_cfa_offset 128
	pushq %r10
	.cfi_def_cfa_offset 136
	.cfi_offset rip, -136
	pushq %rbp
	.cfi_def_cfa_offset 144
	.cfi_offset rbp, -144
	movq %rsp, %rbp
	.cfi_def_cfa_register rbp
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %r8
	andq $-16, %rsp
	movq %rax, %rdi
	movq %r11, %rsi
	movq %r9, %rdx
	leaq 144(%rbp), %rcx
	call \handler
	leaq -40(%rbp), %rsp
	popq %r8
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	popq %rbp
	.cfi_def_cfa rsp, 136
	.cfi_restore rbp
	popq %r10
	.cfi_def_cfa_offset 128
	.cfi_register rip, r10
	leaq 128(%rsp), %rsp
	.cfi_def_cfa_offset 0
	jmp *%r10
	.cfi_endproc
	.size \name, . - \name
.endm

	VENEER __runprofile_veneer_enter_v2, rps_hook_enter
	VENEER __runprofile_veneer_enter_inlined_v2, rps_hook_enter_inlined
	VENEER __runprofile_veneer_leaf_enter_v2, rps_hook_leaf_enter
	VENEER __runprofile_veneer_leaf_enter_inlined_v2, rps_hook_leaf_enter_inlined
	VENEER __runprofile_veneer_exit_v2, rps_hook_exit
	VENEER __runprofile_veneer_leaf_exit_v2, rps_hook_leaf_exit
	VENEER __runprofile_veneer_external_enter_v2, rps_hook_external_enter
	VENEER __runprofile_veneer_external_exit_v2, rps_hook_external_exit

/* void rps_veneer_call(void (*work)(void *), void *cls). The area for XSAVE is that of x87, SSE, AVX and AVX-512 in the
 * standard format; its header must be zero before. Where the system has not switched XSAVE on there are
 * no registers that FXSAVE does not know. */
	.globl rps_veneer_call
	.hidden rps_veneer_call
	.type rps_veneer_call, @function
	.p2align 4
rps_veneer_call:
	.cfi_startproc
	pushq %rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	movq %rsp, %rbp
	.cfi_def_cfa_register rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	.cfi_offset rbx, -24
	.cfi_offset r12, -32
	.cfi_offset r13, -40
	subq $2752, %rsp
	andq $-64, %rsp
	movq %rdi, %r12
	movq %rsi, %r13
	movl rps_veneer_has_xsave(%rip), %ebx
	testl %ebx, %ebx
	jz 1f
	xorl %eax, %eax
	movq %rax, 512(%rsp)
	movq %rax, 520(%rsp)
	movq %rax, 528(%rsp)
	movq %rax, 536(%rsp)
	movq %rax, 544(%rsp)
	movq %rax, 552(%rsp)
	movq %rax, 560(%rsp)
	movq %rax, 568(%rsp)
	movl $0xe7, %eax
	xorl %edx, %edx
	xsave64 (%rsp)
	jmp 2f
1:	fxsave64 (%rsp)
2:	movq %r13, %rdi
	call *%r12
	testl %ebx, %ebx
	jz 3f
	movl $0xe7, %eax
	xorl %edx, %edx
	xrstor64 (%rsp)
	jmp 4f
3:	fxrstor64 (%rsp)
4:	leaq -24(%rbp), %rsp
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	.cfi_def_cfa rsp, 8
	ret
	.cfi_endproc
	.size rps_veneer_call, . - rps_veneer_call

#endif
	.section .note.GNU-stack, "", @progbits
