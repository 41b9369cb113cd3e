/* SPDX-License-Identifier: MIT */
/*
 * One stub of 16 bytes for each of the 256 vectors. Of an exception: even out the stack (some vectors push an error code),
 * save all registers, call trap_report(frame), which does not return. Of an interrupt: save what C may change, call
 * interrupt_dispatch(vector), and go on where it came; the scheduler may let another task run in between.
 */
    .text

    .macro STUB vector
    .p2align 4
    .if \vector < 32
    /* Intel SDM 3A, table 6-1: vectors with an error code of their own */
    .if !(\vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17 || \vector == 21 || \vector == 29 || \vector == 30)
    push $0
    .endif
    push $\vector
    jmp trap_common
    .else
    push $\vector
    jmp interrupt_common
    .endif
    .endm

    .p2align 4
    .globl trap_stubs
trap_stubs:
    .altmacro
    .set vector, 0
    .rept 256
    STUB %vector
    .set vector, vector + 1
    .endr
    .noaltmacro

trap_common: /* struct trap_frame, last member first */
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

interrupt_common:
    push %rax
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    mov 72(%rsp), %edi /* the vector */
    sub $8, %rsp       /* the processor aligned the stack by 16 and pushed five words (Intel SDM 3A, 6.14.2), we ten */
    cld
    call interrupt_dispatch
    add $8, %rsp
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rax
    add $8, %rsp
    iretq

    .section .note.GNU-stack, "", @progbits
