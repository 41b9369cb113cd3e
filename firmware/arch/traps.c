/* SPDX-License-Identifier: MIT */
/*
 * IDT, and what an exception leads to: a report on the console, then the end of the housekeeping task that caused it, or
 * EXIT_STATUS_FAULT.
 */
#include "arch/traps.h"

#include <stddef.h>
#include <stdint.h>

#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/machine.h"
#include "arch/processor.h"
#include "console/console.h"
#include "drivers/serial.h"
#include "include/layout.h"
#include "memory/fault.h"

#define VECTORS 256u
#define EXCEPTIONS 32u
#define STUB_BYTES 16u
#define SELECTOR_CODE 0x08u
#define GATE_INTERRUPT 0x8Eu /* present, ring 0, 64-bit interrupt gate */
#define PIC1_DATA 0x21u
#define PIC2_DATA 0xA1u

/* Intel SDM 3A, table 6-1 */
enum exception {
  EXCEPTION_NMI = 2,
  EXCEPTION_DOUBLE_FAULT = 8,
  EXCEPTION_STACK_FAULT = 12,
  EXCEPTION_PAGE_FAULT = 14,
  EXCEPTION_MACHINE_CHECK = 18,
};

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

extern const uint8_t trap_stubs[VECTORS][STUB_BYTES];

/* Called by the stubs in traps.S. */
void trap_report(const struct trap_frame *frame) __attribute__((noreturn));
void interrupt_dispatch(uint32_t vector);

static struct gate idt[VECTORS];

static struct {
  interrupt_handler handler;
  void *context;
} interrupts[VECTORS];

/* clang-format off */
static const char *const names[EXCEPTIONS] = {
    "divide error", "debug", "NMI", "breakpoint", "overflow", "bound range", "invalid opcode", "device not available",
    "double fault", "coprocessor overrun", "invalid TSS", "segment not present", "stack fault", "general protection",
    "page fault", "reserved", "x87 error", "alignment check", "machine check", "SIMD error", "virtualization",
    "control protection", "reserved", "reserved", "reserved", "reserved", "reserved", "reserved",
    "hypervisor injection", "VMM communication", "security", "reserved",
};
/* clang-format on */

static enum trap_stack stack_of(unsigned vector) {
  switch (vector) {
    case EXCEPTION_DOUBLE_FAULT: return TRAP_STACK_DOUBLE_FAULT;
    case EXCEPTION_NMI:
    case EXCEPTION_MACHINE_CHECK: return TRAP_STACK_NMI;
    case EXCEPTION_STACK_FAULT:
    case EXCEPTION_PAGE_FAULT: return TRAP_STACK_MEMORY;
    default: return TRAP_STACK_NONE;
  }
}

void trap_print(const struct trap_frame *frame) {
  console_print("fault: vector %u (%s), error 0x%x\n", (unsigned)frame->vector, names[frame->vector],
                (unsigned)frame->error);
  bool has_address = frame->vector == EXCEPTION_PAGE_FAULT || frame->vector == EXCEPTION_DOUBLE_FAULT;
  console_print("fault: rip 0x%lx, cr2 0x%lx, rsp 0x%lx, rflags 0x%lx\n", frame->rip, has_address ? read_cr2() : 0,
                frame->rsp, frame->rflags);
  console_print("fault: rax 0x%lx, rbx 0x%lx, rcx 0x%lx, rdx 0x%lx, rsi 0x%lx, rdi 0x%lx, rbp 0x%lx\n", frame->rax,
                frame->rbx, frame->rcx, frame->rdx, frame->rsi, frame->rdi, frame->rbp);
  console_print("fault: r8 0x%lx, r9 0x%lx, r10 0x%lx, r11 0x%lx, r12 0x%lx, r13 0x%lx, r14 0x%lx, r15 0x%lx\n",
                frame->r8, frame->r9, frame->r10, frame->r11, frame->r12, frame->r13, frame->r14, frame->r15);
  if (frame->vector == EXCEPTION_PAGE_FAULT) fault_explain_page(frame->rip, frame->error, read_cr2());
  else fault_explain(frame->rip);
}

bool trap_is_machines(const struct trap_frame *frame) {
  return frame->vector == EXCEPTION_NMI || frame->vector == EXCEPTION_MACHINE_CHECK;
}

/* Of the report nothing can be trusted any more, nor what it prints with. */
static void __attribute__((noreturn)) stop_reporting(uint32_t reports) {
  static const char words[] = "\nfault: its report has faulted too; the machine ends\n";
  for (const char *at = words; reports == 1 && *at != '\0'; at++) serial_write(*at);
  machine_stop(EXIT_STATUS_FAULT);
}

void trap_report(const struct trap_frame *frame) {
  struct processor *processor = this_processor();
  uint32_t reports = processor->reporting++;
  if (reports != 0) stop_reporting(reports);
  trap_print(frame);
  if (processor->contain != NULL && processor->handling == 0) processor->contain(frame);
  machine_exit(EXIT_STATUS_FAULT);
}

void interrupt_dispatch(uint32_t vector) {
  struct processor *processor = this_processor();
  processor->interrupts++;
  processor->handling = 1;
  if (interrupts[vector].handler != NULL) {
    interrupts[vector].handler(interrupts[vector].context);
  } else {
    processor->unexpected++;
    processor->last_unexpected = vector;
  }
  if (vector != INTERRUPT_SPURIOUS) apic_acknowledge(); /* Intel SDM 3A, 10.9: a spurious one is not acknowledged */
  processor->handling = 0;
  if (processor->after_interrupt != NULL) processor->after_interrupt();
}

void interrupt_set(uint32_t vector, interrupt_handler handler, void *context) {
  bool on = interrupts_disable();
  interrupts[vector].handler = handler;
  interrupts[vector].context = context;
  interrupts_restore(on);
}

void traps_init_processor(uint32_t index) {
  processor_init(&processors[index], index);
  struct table_pointer pointer = {sizeof idt - 1, (uint64_t)idt};
  __asm__ volatile("lidt %0" : : "m"(pointer) : "memory");
}

void traps_init(void) {
  outb(PIC1_DATA, 0xFF);
  outb(PIC2_DATA, 0xFF);
  for (unsigned vector = 0; vector < VECTORS; vector++) {
    uint64_t stub = (uint64_t)trap_stubs[vector];
    idt[vector] = (struct gate){
        .offset_low = (uint16_t)stub,
        .selector = SELECTOR_CODE,
        .ist = (uint8_t)stack_of(vector),
        .type = GATE_INTERRUPT,
        .offset_middle = (uint16_t)(stub >> 16),
        .offset_high = (uint32_t)(stub >> 32),
    };
  }
  traps_init_processor(0);
}
