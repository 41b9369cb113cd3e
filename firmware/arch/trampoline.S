/* SPDX-License-Identifier: MIT */
/*
 * How another processor comes from real mode to the kernel's 64-bit code: smp.c copies what is between trampoline_start and
 * trampoline_end to 0x8000 and starts the processor there, with CS = 0x800 and IP = 0 (Intel SDM 3A, 8.4.3).
 *
 * Once paging is on this page must be executable: the last jump is fetched from it.
 *
 * It takes the control registers of the processor that booted, so that both have the same features and page tables.
 */
    .set TRAMPOLINE, 0x8000
    .set CR0_PE, 1
    .set MSR_EFER, 0xC0000080
    .set CODE64, 0x08
    .set CODE32, 0x10
    .set DATA32, 0x18

    .section .rodata
    .p2align 4
    .globl trampoline_start, trampoline_end
trampoline_start:
    .code16
    cli
    cld
    mov %cs, %ax
    mov %ax, %ds
    lgdtl gdt_pointer - trampoline_start
    mov %cr0, %eax
    or $CR0_PE, %eax
    mov %eax, %cr0
    ljmpl $CODE32, $TRAMPOLINE + protected_mode - trampoline_start

    .code32
protected_mode:
    mov $DATA32, %eax
    mov %eax, %ds
    /* Intel SDM 3A, 9.8.5: PAE among CR4's, CR3, LME, then paging on */
    mov trampoline_cr4, %eax
    mov %eax, %cr4
    mov trampoline_cr3, %eax
    mov %eax, %cr3
    mov $MSR_EFER, %ecx
    xor %edx, %edx
    mov trampoline_efer, %eax
    wrmsr
    mov trampoline_cr0, %eax
    mov %eax, %cr0
    ljmp $CODE64, $trampoline_long

    .p2align 3
gdt:
    .quad 0
    .quad 0x00AF9B000000FFFF /* 64-bit code, ring 0, accessed already: the page can be read only by then */
    .quad 0x00CF9A000000FFFF /* 32-bit code */
    .quad 0x00CF92000000FFFF /* data */
gdt_pointer:
    .word gdt_pointer - gdt - 1
    .long TRAMPOLINE + gdt - trampoline_start
trampoline_end:

    .text
    .code64
trampoline_long:
    xor %eax, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    mov trampoline_stack(%rip), %rsp
    xor %ebp, %ebp
    call smp_main
    ud2 /* smp_main does not return */

    .section .bss, "aw", @nobits
    .p2align 3
    .globl trampoline_cr0, trampoline_cr3, trampoline_cr4, trampoline_efer, trampoline_stack
trampoline_cr0: .skip 4
trampoline_cr3: .skip 4
trampoline_cr4: .skip 4
trampoline_efer: .skip 4
trampoline_stack: .skip 8

    .section .note.GNU-stack, "", @progbits
