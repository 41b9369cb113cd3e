/* SPDX-License-Identifier: MIT */
/*
 * Every class of exception that an instruction can cause, each by a task of its own that ends with it; each interrupt vector;
 * and what has to end the machine. Each culprit has a symbol, so that the test knows which RIP to expect.
 */
#include "../cases.h"
#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/machine.h"
#include "arch/processor.h"
#include "arch/smp.h"
#include "arch/traps.h"
#include "console/console.h"
#include "include/layout.h"
#include "tasks/scheduler.h"

#define CULPRIT(name) ".globl culprit_" name "\nculprit_" name ": "
#define NOINLINE __attribute__((noinline, noclone)) /* a symbol cannot be there twice */
#define NOT_CANONICAL (1ull << 63)
#define SELECTOR_ABSENT 0x10u
#define SELECTOR_IMPOSSIBLE 0x1238u

static NOINLINE void divide(void) { __asm__ volatile(CULPRIT("divide") "div %0" : : "r"(0), "a"(1), "d"(0)); }
static NOINLINE void debug(void) { /* RFLAGS.TF: a trap behind the next instruction (Intel SDM 3B, 17.3.1.4) */
  __asm__ volatile("pushfq\norl $0x100, (%rsp)\npopfq\nnop\n" CULPRIT("debug") "nop");
}
static NOINLINE void breakpoint(void) { __asm__ volatile("int3\n" CULPRIT("breakpoint") "nop"); }
static NOINLINE void overflow(void) { __asm__ volatile("int $4\n" CULPRIT("overflow") "nop"); }
static NOINLINE void bound(void) { __asm__ volatile("int $5\n" CULPRIT("bound") "nop"); }
static NOINLINE void opcode(void) { __asm__ volatile(CULPRIT("opcode") "ud2"); }

static NOINLINE void no_device(void) { /* CR0.TS: Intel SDM 3A, 2.5 */
  __asm__ volatile("mov %0, %%cr0\n" CULPRIT("no_device") "fninit" : : "r"(read_cr0() | 1u << 3));
}

static NOINLINE void double_fault(void) {
  __asm__ volatile("mov %0, %%rsp\n" CULPRIT("double_fault") "div %1" : : "r"(NOT_CANONICAL), "r"(0), "a"(1), "d"(0));
}

/* A descriptor table of the test's own: the kernel's code, and data that are not present. */
static const uint64_t absent_gdt[] = {0, 0x00AF9A000000FFFF, 0x00CF12000000FFFF};

static void load_absent_gdt(void) {
  struct table_pointer pointer = {sizeof absent_gdt - 1, (uint64_t)absent_gdt};
  __asm__ volatile("lgdt %0" : : "m"(pointer) : "memory");
}

static NOINLINE void not_present(void) {
  load_absent_gdt();
  __asm__ volatile(CULPRIT("not_present") "mov %0, %%ds" : : "r"(SELECTOR_ABSENT));
}

static NOINLINE void stack_segment(void) {
  load_absent_gdt();
  __asm__ volatile(CULPRIT("stack_segment") "mov %0, %%ss" : : "r"(SELECTOR_ABSENT));
}

/* What culprits have changed. */
static void restore(void) {
  __asm__ volatile("mov %0, %%cr0" : : "r"((read_cr0() & ~(1ull << 3)) | 1u << 5));
  struct table_pointer pointer = {sizeof this_processor()->gdt - 1, (uint64_t)this_processor()->gdt};
  __asm__ volatile("lgdt %0" : : "m"(pointer) : "memory");
}

static NOINLINE void general(void) { __asm__ volatile(CULPRIT("general") "mov %0, %%ds" : : "r"(SELECTOR_IMPOSSIBLE)); }

static NOINLINE void page_read(void) {
  __asm__ volatile(CULPRIT("page_read") "mov (%0), %%rax" : : "r"(0x123456789008) : "rax");
}

static NOINLINE void page_null(void) { __asm__ volatile(CULPRIT("page_null") "movl $1, (%0)" : : "r"(8ul) : "memory"); }

static NOINLINE void page_execute(void) { __asm__ volatile("jmp *%0" : : "r"(0x123456789000)); }

static NOINLINE void page_stack(void) {
  __asm__ volatile("mov %0, %%rsp\n" CULPRIT("page_stack") "push %%rax" : : "r"(0x123456780000));
}

static void x87(
    void) { /* CR0.NE reports errors as exceptions (Intel SDM 3A, 2.5); a divide by zero that is not masked */
  static const uint16_t control = 0x037B;
  uint64_t cr0 = (read_cr0() & ~(3ull << 2)) | 1u << 5;
  __asm__ volatile(
      "mov %0, %%cr0\n"
      "fninit\n"
      "fldcw %1\n"
      "fldz\n"
      "fld1\n"
      "fdiv %%st(1), %%st\n" CULPRIT("x87") "fwait"
      :
      : "r"(cr0), "m"(control));
}

/* What the others are provoked with: (name, how). */
static const struct test_case culprits[] = {
    {"divide", divide},
    {"debug", debug},
    {"breakpoint", breakpoint},
    {"overflow", overflow},
    {"bound", bound},
    {"opcode", opcode},
    {"no_device", no_device},
    {"double_fault", double_fault},
    {"general", general},
    {"page_read", page_read},
    {"page_null", page_null},
    {"page_execute", page_execute},
    {"page_stack", page_stack},
    {"x87", x87},
    {"not_present", not_present},
    {"stack_segment", stack_segment},
};
#define CULPRITS (sizeof culprits / sizeof culprits[0])

static void culprit(void *argument) {
  const struct test_case *which = argument;
  console_print("case: %s\n", which->name);
  which->run();
  console_print("case: %s was survived\n", which->name);
}

static void watch(void *argument) {
  (void)argument;
  for (unsigned i = 0; i < CULPRITS; i++) {
    (void)task_start(culprits[i].name, 2, culprit, (void *)&culprits[i]); /* of a higher priority: it runs at once */
    restore();
  }
  console_print("faults: %lu\n", tasks_faults());
  machine_exit(EXIT_STATUS_DONE);
}

static void in_tasks(void) {
  (void)task_start("watch", 1, watch, 0);
  tasks_run();
}

/* Wait for what comes from outside, in a task that must not be blamed for it. */
static void waits(void *argument) {
  (void)argument;
  console_print("case: waiting\n");
  for (;;) cpu_pause();
}

static void from_outside(void) {
  (void)task_start("innocent", 1, waits, 0);
  tasks_run();
}

/* A fault while a fault is reported: EXIT_STATUS_FAULT, and no third try. */
static void contain_badly(const struct trap_frame *frame) {
  (void)frame;
  opcode();
}

static void fault_in_report(void) {
  this_processor()->contain = contain_badly;
  divide();
}

/* A report that needs more stack than there is for traps: of a double fault, which has a stack of its own. */
static NOINLINE uint64_t recurse(uint64_t depth) {
  volatile uint64_t words[64] = {depth};
  return depth == 0 ? 0 : words[depth % 64] + recurse(depth - 1) + words[0];
}

static void contain_endlessly(const struct trap_frame *frame) { (void)recurse(frame->rip); }

static void overflow_of_report(void) {
  this_processor()->contain = contain_endlessly;
  double_fault();
}

/* Below each stack for traps, of both processors. */
static void write_guard(void *argument) { *(volatile uint8_t *)argument = 1; }

static void sleep(void *argument) { (void)argument; }

static void guards(void *argument) {
  (void)argument;
  if (!smp_start(1, sleep, 0)) panic("no processor 1");
  for (unsigned i = 0; i < 2 * (TRAP_STACKS - 1); i++) {
    (void)task_start("culprit", 2, write_guard, &processors[i % 2].stacks[i / 2].guard[4095]);
  }
  console_print("faults: %lu\n", tasks_faults());
  machine_exit(EXIT_STATUS_DONE);
}

static void trap_stacks(void) {
  (void)task_start("guards", 1, guards, 0);
  tasks_run();
}

/* A fault in an interrupt's handler is no task's. */
static void bad_handler(void *context) {
  (void)context;
  divide();
}

static void raise(void *argument) {
  (void)argument;
  interrupt_set(0x70, bad_handler, 0);
  apic_send(apic_id(), 0x70);
  for (;;) cpu_pause();
}

static void fault_in_handler(void) {
  (void)task_start("interrupted", 1, raise, 0);
  tasks_run();
}

static uint64_t seen[256];

static void count(void *context) { ++*(uint64_t *)context; }

/* Each vector through the local APIC, but the spurious one, which is not acknowledged; then one that is nobody's. */
static void vectors(void) {
  uint64_t wrong = 0;
  for (uint32_t vector = INTERRUPT_FIRST; vector < 256; vector++) interrupt_set(vector, count, &seen[vector]);
  interrupts_enable();
  for (uint32_t vector = INTERRUPT_FIRST; vector < INTERRUPT_SPURIOUS; vector++) {
    uint64_t before = this_processor()->interrupts;
    apic_send(apic_id(), vector);
    while (this_processor()->interrupts == before) cpu_pause();
  }
  __asm__ volatile("int %0" : : "i"(INTERRUPT_SPURIOUS));
  interrupts_disable();
  for (uint32_t vector = INTERRUPT_FIRST; vector < 256; vector++) wrong += seen[vector] != 1;
  interrupt_set(0x99, 0, 0);
  interrupts_enable();
  apic_send(apic_id(), 0x99);
  while (this_processor()->unexpected == 0) cpu_pause();
  console_print("vectors: %lu taken, %lu wrong, unexpected %lu, the last 0x%x\n", this_processor()->interrupts, wrong,
                this_processor()->unexpected, this_processor()->last_unexpected);
}

/* An interrupt leaves every register as it was. */
static void registers(void) {
  uint64_t changed;
  interrupt_set(0x70, count, &seen[0x70]);
  interrupts_enable();
  for (unsigned i = 0; i < 1000; i++) {
    __asm__ volatile(
        "mov $1, %%rax; mov $2, %%rcx; mov $3, %%rdx; mov $4, %%rsi; mov $5, %%rdi; mov $6, %%r8; mov $7, %%r9\n"
        "mov $8, %%r10; mov $9, %%r11; mov $10, %%rbx; mov $11, %%r12; mov $12, %%r13; mov $13, %%r14; mov $14, %%r15\n"
        "stc\n"
        "int $0x70\n"
        "setnc %%bl\n"
        "sub $1, %%rax; sub $2, %%rcx; sub $3, %%rdx; sub $4, %%rsi; sub $5, %%rdi; sub $6, %%r8; sub $7, %%r9\n"
        "sub $8, %%r10; sub $9, %%r11; sub $11, %%r12; sub $12, %%r13; sub $13, %%r14; sub $14, %%r15\n"
        "or %%rcx, %%rax; or %%rdx, %%rax; or %%rsi, %%rax; or %%rdi, %%rax; or %%r8, %%rax; or %%r9, %%rax\n"
        "or %%r10, %%rax; or %%r11, %%rax; or %%r12, %%rax; or %%r13, %%rax; or %%r14, %%rax; or %%r15, %%rax\n"
        "or %%rbx, %%rax"
        : "=a"(changed)
        :
        : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
    if (changed != 0) panic("registers changed: 0x%lx", changed);
  }
  console_print("registers: kept by %lu interrupts\n", seen[0x70]);
}

const struct test_case trap_cases[] = {
    {"traps-in-tasks", in_tasks},
    {"from-outside", from_outside},
    {"fault-in-report", fault_in_report},
    {"overflow-of-report", overflow_of_report},
    {"trap-stacks", trap_stacks},
    {"fault-in-handler", fault_in_handler},
    {"vectors", vectors},
    {"registers", registers},
    {0, 0},
};
