/* SPDX-License-Identifier: MIT */
/*
 * void task_switch(uint64_t *from, uint64_t to): leave one stack, go on where the other one was left.
 *
 * Only what a called function must preserve (System V ABI for AMD64, 3.2.1) is saved; the caller's compiler has saved the
 * rest. A new task's stack begins with the same seven words, the last of them its first instruction.
 */
    .text
    .globl task_switch
    .p2align 4
task_switch:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    .section .note.GNU-stack, "", @progbits
