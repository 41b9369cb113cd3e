/* SPDX-License-Identifier: MIT */
/* What belongs to one processor alone: its descriptor tables, its stacks for traps, its counts. Reached through GS. */
#ifndef TICKLOOP_PROCESSOR_H
#define TICKLOOP_PROCESSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/traps.h"

#define PROCESSORS_MAX 4u /* more may be there; they are left alone */
#define TRAP_STACK_BYTES 4096u

/* Traps with a stack of their own (Intel SDM 3A, 6.14.5): whatever has become of the stack pointer, they can report. */
enum trap_stack { TRAP_STACK_NONE, TRAP_STACK_DOUBLE_FAULT, TRAP_STACK_NMI, TRAP_STACK_MEMORY, TRAP_STACKS };

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

/* A page of its own for each, stacks included: no two processors share a line. Below each stack is a guard page. */
struct __attribute__((aligned(4096))) processor {
  struct {
    uint8_t guard[4096];
    uint8_t bytes[TRAP_STACK_BYTES];
  } stacks[TRAP_STACKS - 1];
  struct processor *self; /* what GS points at */
  uint32_t index;         /* 0: the one that booted */
  uint32_t apic_id;
  uint64_t interrupts; /* taken */
  uint64_t unexpected; /* of them, nobody's */
  uint32_t last_unexpected;
  uint32_t handling;  /* inside of an interrupt's handler */
  uint32_t reporting; /* traps being reported: a second one is not */
  void (*after_interrupt)(void);                   /* the scheduler's, once the handler is done */
  void (*contain)(const struct trap_frame *frame); /* the scheduler's: returns if no task is to blame */
  uint64_t gdt[4];
  struct task_state task_state;
};

/* Descriptor tables and GS base of the processor that runs this. */
void processor_init(struct processor *processor, uint32_t index);

/* Unmap the pages below its stacks for traps: before it uses them, but on the kernel's own page tables. */
void processor_guard(struct processor *processor);

extern struct processor processors[PROCESSORS_MAX];

static inline struct processor *this_processor(void) {
  struct processor *processor;
  __asm__ volatile("mov %%gs:%c1, %0" : "=r"(processor) : "i"(__builtin_offsetof(struct processor, self)));
  return processor;
}

#endif
