/* SPDX-License-Identifier: MIT */
/*
 * PVH entry: from the loader's 32-bit protected mode to 64-bit C.
 *
 * QEMU (-kernel) finds the entry in an ELF note of type XEN_ELFNOTE_PHYS32_ENTRY and enters with paging off and
 * %ebx = physical address of struct hvm_start_info (Xen, docs/misc/pvh.pandoc).
 *
 * The first 4 GiB are mapped onto themselves with 2 MiB pages, until memory_init has read the memory map and built the
 * kernel's own tables.
 */
    .set NOTE_PHYS32_ENTRY, 18
    .set CR0_PE, 1 << 0
    .set CR0_WP, 1 << 16
    .set CR0_PG, 1 << 31
    .set CR4_PAE, 1 << 5
    .set MSR_EFER, 0xC0000080
    .set EFER_LME, 1 << 8
    .set PAGE_PRESENT_WRITABLE, 0x3
    .set PAGE_LARGE, 0x80
    .set CODE64, 0x08
    .set STACK_BYTES, 65536
    .set SYMBOL_BYTES, 32768

    .section .note.pvh, "a", @note
    .p2align 2
    .long 4 /* name size */
    .long 4 /* descriptor size */
    .long NOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long pvh_entry
    .p2align 2

    .section .text.boot, "ax"
    .code32
    .globl pvh_entry
pvh_entry:
    cli
    cld
    mov %ebx, %esi

    movl $page_directory_pointers + PAGE_PRESENT_WRITABLE, page_map
    mov $page_directory_pointers, %edi
    mov $page_directories + PAGE_PRESENT_WRITABLE, %eax
    mov $4, %ecx
1:  mov %eax, (%edi)
    add $4096, %eax
    add $8, %edi
    loop 1b

    mov $page_directories, %edi
    mov $PAGE_PRESENT_WRITABLE + PAGE_LARGE, %eax
    mov $4 * 512, %ecx
2:  mov %eax, (%edi)
    add $2 << 20, %eax
    add $8, %edi
    loop 2b

    /* Intel SDM 3A, 9.8.5: PAE, CR3, LME, then paging on */
    mov %cr4, %eax
    or $CR4_PAE, %eax
    mov %eax, %cr4
    mov $page_map, %eax
    mov %eax, %cr3
    mov $MSR_EFER, %ecx
    rdmsr
    or $EFER_LME, %eax
    wrmsr
    mov %cr0, %eax
    or $CR0_PG | CR0_WP | CR0_PE, %eax
    mov %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $CODE64, $long_mode

    .code64
long_mode:
    xor %eax, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    lea stack_top(%rip), %rsp
    xor %ebp, %ebp
    mov %esi, %edi
    call kernel_main
    ud2 /* kernel_main does not return */

    .section .rodata
    .p2align 3
boot_gdt: /* until traps_init loads the kernel's own */
    .quad 0
    .quad 0x00AF9A000000FFFF /* 64-bit code, ring 0 */
boot_gdt_pointer:
    .word boot_gdt_pointer - boot_gdt - 1
    .long boot_gdt

    .section .bss, "aw", @nobits
    .p2align 12
page_map: .skip 4096
page_directory_pointers: .skip 4096
page_directories: .skip 4 * 4096
    .globl stack_guard
stack_guard: .skip 4096
    .skip STACK_BYTES
stack_top:

    .section .symbols, "a", @progbits
    .globl kernel_symbols
kernel_symbols: .skip SYMBOL_BYTES /* the build fills it (symbols.py) */

    .section .note.GNU-stack, "", @progbits
