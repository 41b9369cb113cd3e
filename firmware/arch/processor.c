/* SPDX-License-Identifier: MIT */
/* GDT, TSS and GS base of one processor. All have the same code segment; each its own task state. */
#include "arch/processor.h"

#include "arch/cpu.h"
#include "memory/memory.h"

#define MSR_GS_BASE 0xC0000101u
#define SELECTOR_TSS 0x10u

struct processor processors[PROCESSORS_MAX];

void processor_init(struct processor *processor, uint32_t index) {
  processor->self = processor;
  processor->index = index;
  processor->task_state.io_map = sizeof processor->task_state;
  for (unsigned i = 0; i < TRAP_STACKS - 1; i++) {
    processor->task_state.ist[i] = (uint64_t)processor->stacks[i].bytes + TRAP_STACK_BYTES;
  }
  uint64_t base = (uint64_t)&processor->task_state;
  processor->gdt[0] = 0;
  processor->gdt[1] = 0x00AF9A000000FFFF; /* 64-bit code, ring 0 */
  processor->gdt[2] = (sizeof processor->task_state - 1) | (base & 0xFFFFFF) << 16 | 0x89ull << 40 | /* available TSS */
                      (base >> 24 & 0xFF) << 56;
  processor->gdt[3] = base >> 32;

  struct table_pointer gdt = {sizeof processor->gdt - 1, (uint64_t)processor->gdt};
  __asm__ volatile(
      "lgdt %0\n\t"
      "ltr %w1"
      :
      : "m"(gdt), "r"(SELECTOR_TSS)
      : "memory");
  write_msr(MSR_GS_BASE, (uint64_t)processor);
}

void processor_guard(struct processor *processor) {
  static const char *const names[TRAP_STACKS - 1] = {"a stack for double faults", "a stack for NMIs",
                                                     "a stack for memory faults"};
  for (unsigned i = 0; i < TRAP_STACKS - 1; i++) memory_guard((uint64_t)processor->stacks[i].guard, names[i]);
}
