/* SPDX-License-Identifier: MIT */
/*
 * All 256 vectors. Exceptions (0 to 31) are reported, and end the machine or the housekeeping task that caused them;
 * interrupts (32 to 255) call the handler that was set for them. The trading core never takes one.
 */
#ifndef TICKLOOP_TRAPS_H
#define TICKLOOP_TRAPS_H

#include <stdbool.h>
#include <stdint.h>

/* The vectors of interrupts that the kernel itself uses; devices get theirs by interrupt_route (arch/ioapic.h). */
enum interrupt_vector {
  INTERRUPT_FIRST = 32,
  INTERRUPT_TIMER = 0x40,
  INTERRUPT_WAKE = 0x41, /* sent by one processor to another */
  INTERRUPT_SPURIOUS = 0xFF,
};

/* What the stub of an exception leaves on the stack. */
struct trap_frame {
  uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
  uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

struct __attribute__((packed)) table_pointer {
  uint16_t limit;
  uint64_t base;
};

typedef void (*interrupt_handler)(void *context);

/* Load the descriptor tables of the processor that boots; from here on an exception is reported on the console. */
void traps_init(void);

/* The same for another processor. */
void traps_init_processor(uint32_t index);

/* Call `handler` at each interrupt of `vector`, with interrupts off; it is acknowledged behind it. NULL: nobody's again. */
void interrupt_set(uint32_t vector, interrupt_handler handler, void *context);

/* Whether it is the machine that reports a failure, and no instruction is to blame. */
bool trap_is_machines(const struct trap_frame *frame);

/* Print an exception: its name, where, and all registers. */
void trap_print(const struct trap_frame *frame);

/* Whether interrupts were on; they are off now. */
static inline bool interrupts_disable(void) {
  uint64_t flags;
  __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
  return (flags & 1u << 9) != 0; /* IF: Intel SDM 3A, 2.3 */
}

static inline void interrupts_enable(void) { __asm__ volatile("sti" : : : "memory"); }

static inline void interrupts_restore(bool on) {
  if (on) interrupts_enable();
}

/* Sleep until an interrupt; none can come between the two (Intel SDM 2B, STI). Interrupts are on afterwards. */
static inline void interrupts_wait(void) { __asm__ volatile("sti; hlt" : : : "memory"); }

#endif
