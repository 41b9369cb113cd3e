/* SPDX-License-Identifier: MIT */
/*
 * ITCH wire bytes to a record by MOVBE, and the checksum's sum by ADC; see unpack.h. What each type's fields are, and where
 * they go, comes from the same tables as the RTL's decoder (include/itch.inc).
 *
 * System V calling convention (psABI, 3.2.3); only registers that the caller expects to lose are used.
 */
#include "include/itch.inc"

#define message %rdi
#define length %esi
#define lines %r8
#define status_too_long 4 /* message_status */
#define offset_length 24  /* rx_record */
#define offset_continuations 28

.macro COPY1 from, to
  movzbl \from(message), %eax
  movb %al, \to(lines)
.endm
.macro COPY2 from, to
  movzwl \from(message), %eax
  movw %ax, \to(lines)
.endm
.macro COPY4 from, to
  movl \from(message), %eax
  movl %eax, \to(lines)
.endm
.macro COPY8 from, to
  movq \from(message), %rax
  movq %rax, \to(lines)
.endm
.macro SWAP2 from, to
  movbe \from(message), %ax
  movw %ax, \to(lines)
.endm
.macro SWAP4 from, to
  movbe \from(message), %eax
  movl %eax, \to(lines)
.endm
.macro SWAP8 from, to
  movbe \from(message), %rax
  movq %rax, \to(lines)
.endm

/* A second line: zeroed as the first one, and counted. */
.macro CONTINUED
  xorl %eax, %eax
  .irp at, 64, 72, 80, 88, 96, 104, 112, 120
  movq %rax, \at(lines)
  .endr
  movb $1, offset_continuations(lines)
  .set returned, 2
.endm

  .section .rodata
/* By type: the length on the wire, 0: unknown. */
lengths:
.macro KNOWN code, bytes
  .org lengths + \code
  .byte \bytes
.endm
  KNOWN_TYPES
  .org lengths + 256
.purgem KNOWN

/* By type: where its moves are, from `moves` on. */
  .balign 4
moves:
.macro KNOWN code, bytes
  .org moves + 4 * \code
  .long unpack_\code - moves
.endm
  KNOWN_TYPES
  .org moves + 4 * 256
.purgem KNOWN

  .text
  .globl unpack_record
  .type unpack_record, @function
unpack_record:
  testl length, length
  jz raw
  movzbl (message), %r9d
  leaq lengths(%rip), %r10
  movzbl (%r10, %r9), %r11d
  decl %r11d /* unknown: above every length */
  cmpl %r11d, length
  jbe raw /* unknown, or too short for its type */
  movq %rdx, 0(lines)
  movq %rcx, 8(lines) /* 48 bits; the locate comes over the rest */
  incl %r11d
  xorl %eax, %eax
  cmpl %r11d, length
  movl $status_too_long << 24, %r11d
  cmovneq %r11, %rax
  movl %r9d, %r11d
  shll $16, %r11d
  orl %r11d, %eax
  orl length, %eax
  movl %eax, offset_length(lines) /* length, type, status */
  xorl %eax, %eax
  movl %eax, offset_continuations(lines)
  .irp at, 32, 40, 48, 56
  movq %rax, \at(lines)
  .endr
  UNPACK_PREFIX
  leaq moves(%rip), %r10
  movslq (%r10, %r9, 4), %rax
  addq %r10, %rax
  jmp *%rax

.macro KNOWN code, bytes
unpack_\code:
  .set returned, 1
  UNPACK_\code
  movl $returned, %eax
  ret
.endm
  KNOWN_TYPES
.purgem KNOWN

raw:
  jmp mold_record
  .size unpack_record, . - unpack_record

/* rdi: sum, rsi: data, edx: bytes */
  .globl unpack_sum
  .type unpack_sum, @function
unpack_sum:
  movq %rdi, %rax
  movl %edx, %ecx
  shrl $6, %ecx
  jz 2f
1:
  addq 0(%rsi), %rax
  .irp at, 8, 16, 24, 32, 40, 48, 56
  adcq \at(%rsi), %rax
  .endr
  adcq $0, %rax
  addq $64, %rsi
  decl %ecx
  jnz 1b
2:
  movl %edx, %ecx
  andl $63, %ecx
  shrl $3, %ecx
  jz 4f
3:
  addq (%rsi), %rax
  adcq $0, %rax
  addq $8, %rsi
  decl %ecx
  jnz 3b
4:
  andl $7, %edx
  jz 6f
  xorl %r8d, %r8d
5: /* the last bytes, the first of them lowest */
  shlq $8, %r8
  movzbl -1(%rsi, %rdx), %r9d
  orq %r9, %r8
  decl %edx
  jnz 5b
  addq %r8, %rax
  adcq $0, %rax
6:
  ret
  .size unpack_sum, . - unpack_sum

  .section .note.GNU-stack, "", @progbits
