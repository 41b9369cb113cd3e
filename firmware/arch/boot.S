/* SPDX-License-Identifier: MIT */
/*
 * Three ways in, one way on: to kernel_main(loader, information) in 64-bit mode.
 *
 * pvh_entry         QEMU (-kernel) finds it in an ELF note of type XEN_ELFNOTE_PHYS32_ENTRY; 32-bit protected mode, paging
 *                   off, %ebx = physical address of struct hvm_start_info (Xen, docs/misc/pvh.pandoc)
 * multiboot2_entry  GRUB finds it in the multiboot2 header; the same mode, %ebx = the multiboot2 information
 *                   (Multiboot2 Specification 2.0, 3.3)
 * loader_entry      the image's own entry, used by loader/loader.asm: long mode, %rdi as %ebx of PVH
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
    .set LOADER_PVH, 0 /* enum loader */
    .set LOADER_MULTIBOOT2, 1
    .set LOADER_OWN, 2
    .set MULTIBOOT2_MAGIC, 0xE85250D6
    .set MULTIBOOT2_BOOTED, 0x36D76289
    .set CPUID_LONG_MODE, 1 << 29
    .set COM1, 0x3F8
    .set EXIT_PORT, 0xF4
    .set EXIT_PANIC, 0x11 /* EXIT_STATUS_PANIC */
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

    .section .multiboot2, "a"
    .p2align 3
multiboot2_header:
    .long MULTIBOOT2_MAGIC
    .long 0 /* protected mode of i386 */
    .long multiboot2_header_end - multiboot2_header
    .long -(MULTIBOOT2_MAGIC + multiboot2_header_end - multiboot2_header)
    .word 1, 0 /* information request: command line, modules, memory map */
    .long 8 + 3 * 4
    .long 1, 3, 6
    .p2align 3
    .word 3, 0 /* entry address */
    .long 12
    .long multiboot2_entry
    .p2align 3
    .word 6, 0 /* modules begin on pages */
    .long 8
    .word 0, 0 /* the end */
    .long 8
multiboot2_header_end:

    .section .text.boot, "ax"
    .code32
    .globl multiboot2_entry
multiboot2_entry:
    mov $LOADER_MULTIBOOT2, %ebp
    cmp $MULTIBOOT2_BOOTED, %eax
    je start
    ud2 /* no multiboot2 loader: there is nobody to tell */

    .globl pvh_entry
pvh_entry:
    mov $LOADER_PVH, %ebp
start:
    cli
    cld
    mov $stack_top, %esp
    mov %ebx, %esi

    mov $0x80000000, %eax /* Intel SDM 2A, CPUID: the largest extended leaf */
    cpuid
    cmp $0x80000001, %eax
    jb no_long_mode
    mov $0x80000001, %eax
    cpuid
    test $CPUID_LONG_MODE, %edx
    jz no_long_mode

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

    /* Without long mode no C can run: its own words. */
no_long_mode:
    mov $no_long_mode_text, %esi
    mov $no_long_mode_end - no_long_mode_text, %ecx
    mov $COM1, %edx
3:  mov $COM1 + 5, %edx
4:  in %dx, %al
    test $0x20, %al
    jz 4b
    mov $COM1, %edx
    lodsb
    out %al, %dx
    loop 3b
    mov $EXIT_PANIC, %eax
    out %eax, $EXIT_PORT
5:  cli
    hlt
    jmp 5b

    .code64
    .globl loader_entry
loader_entry:
    mov %edi, %esi
    mov $LOADER_OWN, %ebp
long_mode:
    xor %eax, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    lea stack_top(%rip), %rsp
    mov %ebp, %edi
    xor %ebp, %ebp
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
no_long_mode_text: .ascii "panic: this processor lacks long mode\n"
no_long_mode_end:

    .section .bss.boot, "aw", @nobits /* the linker puts it first */
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
