/* SPDX-License-Identifier: MIT */
/*
 * GDT, TSS, IDT, and what an exception leads to: a report on the console and EXIT_STATUS_FAULT.
 *
 * The double fault has a stack of its own (IST 1): it is what a broken stack pointer turns into.
 */
#include "arch/traps.h"

#include <stdint.h>

#include "arch/cpu.h"
#include "arch/machine.h"
#include "console/console.h"
#include "include/layout.h"

#define VECTORS 32u
#define VECTOR_DOUBLE_FAULT 8u
#define VECTOR_PAGE_FAULT 14u
#define SELECTOR_CODE 0x08u
#define SELECTOR_TSS 0x10u
#define GATE_INTERRUPT 0x8Eu /* present, ring 0, 64-bit interrupt gate */
#define PIC1_DATA 0x21u
#define PIC2_DATA 0xA1u

struct trap_frame {
  uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
  uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

struct __attribute__((packed)) task_state {
  uint32_t reserved0;
  uint64_t rsp[3];
  uint64_t reserved1;
  uint64_t ist[7];
  uint64_t reserved2;
  uint16_t reserved3;
  uint16_t io_map;
};
_Static_assert(sizeof(struct task_state) == 104, "Intel SDM 3A, figure 7-11");

struct gate {
  uint16_t offset_low;
  uint16_t selector;
  uint8_t ist;
  uint8_t type;
  uint16_t offset_middle;
  uint32_t offset_high;
  uint32_t reserved;
};
_Static_assert(sizeof(struct gate) == 16, "Intel SDM 3A, figure 6-8");

struct __attribute__((packed)) table_pointer {
  uint16_t limit;
  uint64_t base;
};

extern const uint64_t trap_stubs[VECTORS];

/* Called by the stubs in traps.S. */
void trap_report(const struct trap_frame *frame) __attribute__((noreturn));

static _Alignas(16) uint8_t double_fault_stack[4096];
static struct task_state task_state;
static uint64_t gdt[4]; /* null, code, and the TSS in two */
static struct gate idt[VECTORS];

/* clang-format off */
static const char *const names[VECTORS] = {
    "divide error", "debug", "NMI", "breakpoint", "overflow", "bound range", "invalid opcode", "device not available",
    "double fault", "coprocessor overrun", "invalid TSS", "segment not present", "stack fault", "general protection",
    "page fault", "reserved", "x87 error", "alignment check", "machine check", "SIMD error", "virtualization",
    "control protection", "reserved", "reserved", "reserved", "reserved", "reserved", "reserved",
    "hypervisor injection", "VMM communication", "security", "reserved",
};
/* clang-format on */

void trap_report(const struct trap_frame *frame) {
  console_print("fault: vector %u (%s), error 0x%x\n", (unsigned)frame->vector, names[frame->vector],
                (unsigned)frame->error);
  console_print("fault: rip 0x%lx, cr2 0x%lx, rsp 0x%lx, rflags 0x%lx\n", frame->rip,
                frame->vector == VECTOR_PAGE_FAULT || frame->vector == VECTOR_DOUBLE_FAULT ? read_cr2() : 0, frame->rsp,
                frame->rflags);
  console_print("fault: rax 0x%lx, rbx 0x%lx, rcx 0x%lx, rdx 0x%lx, rsi 0x%lx, rdi 0x%lx, rbp 0x%lx\n", frame->rax,
                frame->rbx, frame->rcx, frame->rdx, frame->rsi, frame->rdi, frame->rbp);
  console_print("fault: r8 0x%lx, r9 0x%lx, r10 0x%lx, r11 0x%lx, r12 0x%lx, r13 0x%lx, r14 0x%lx, r15 0x%lx\n",
                frame->r8, frame->r9, frame->r10, frame->r11, frame->r12, frame->r13, frame->r14, frame->r15);
  machine_exit(EXIT_STATUS_FAULT);
}

void traps_init(void) {
  outb(PIC1_DATA, 0xFF);
  outb(PIC2_DATA, 0xFF);

  task_state = (struct task_state){.ist = {(uint64_t)(double_fault_stack + sizeof double_fault_stack)},
                                   .io_map = sizeof task_state};
  uint64_t base = (uint64_t)&task_state;
  gdt[1] = 0x00AF9A000000FFFF; /* 64-bit code, ring 0 */
  gdt[2] = (sizeof task_state - 1) | (base & 0xFFFFFF) << 16 | 0x89ull << 40 | (base >> 24 & 0xFF) << 56;
  gdt[3] = base >> 32;

  for (unsigned vector = 0; vector < VECTORS; vector++) {
    uint64_t stub = trap_stubs[vector];
    idt[vector] = (struct gate){
        .offset_low = (uint16_t)stub,
        .selector = SELECTOR_CODE,
        .ist = vector == VECTOR_DOUBLE_FAULT,
        .type = GATE_INTERRUPT,
        .offset_middle = (uint16_t)(stub >> 16),
        .offset_high = (uint32_t)(stub >> 32),
    };
  }

  struct table_pointer gdt_pointer = {sizeof gdt - 1, (uint64_t)gdt};
  struct table_pointer idt_pointer = {sizeof idt - 1, (uint64_t)idt};
  __asm__ volatile(
      "lgdt %0\n\t"
      "lidt %1\n\t"
      "ltr %w2"
      :
      : "m"(gdt_pointer), "m"(idt_pointer), "r"(SELECTOR_TSS)
      : "memory");
}
