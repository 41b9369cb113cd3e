/* SPDX-License-Identifier: MIT */
/*
 * One stub for each of the 32 exception vectors: even out the stack (some vectors push an error code), save the
 * registers, call trap_report(frame). Nothing returns: an exception in this kernel is a bug.
 */
    .text

    .macro STUB vector
    .p2align 4
trap_stub_\vector:
    /* Intel SDM 3A, table 6-1: vectors with an error code of their own */
    .if !(\vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17 || \vector == 21 || \vector == 29 || \vector == 30)
    push $0
    .endif
    push $\vector
    jmp trap_common
    .endm

    .altmacro
    .set vector, 0
    .rept 32
    STUB %vector
    .set vector, vector + 1
    .endr

trap_common: /* struct trap_frame in traps.c, last member first */
    push %rax
    push %rbx
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %rbp
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    cld
    mov %rsp, %rdi
    and $-16, %rsp
    call trap_report
    ud2 /* trap_report does not return */

    .macro ADDRESS vector
    .quad trap_stub_\vector
    .endm

    .section .rodata
    .p2align 3
    .globl trap_stubs
trap_stubs:
    .set vector, 0
    .rept 32
    ADDRESS %vector
    .set vector, vector + 1
    .endr

    .section .note.GNU-stack, "", @progbits
