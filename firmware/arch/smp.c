/* SPDX-License-Identifier: MIT */
/*
 * See smp.h. A processor begins in real mode, at a page below 1 MiB (Intel SDM 3A, 8.4.3): trampoline.S is copied there, and
 * what was there before put back once the processor has left it.
 */
#include "arch/smp.h"

#include <stddef.h>

#include "arch/apic.h"
#include "arch/board.h"
#include "arch/cpu.h"
#include "arch/processor.h"
#include "arch/timer.h"
#include "arch/traps.h"
#include "memory/memory.h"

#define MSR_EFER 0xC0000080u
#define EFER_LMA (1u << 10) /* the processor's own: set by turning paging on */
#define INIT_WAIT_NS 10000000u   /* Intel SDM 3A, 8.4.4.1, step 15 */
#define STARTUP_WAIT_NS 200000u
#define LIMIT_NS 2000000000u /* an emulator's processors wait for one of the host's */

enum smp_state { SMP_OFF, SMP_STARTING, SMP_LOST, SMP_RUNNING, SMP_FINISHED };

/* trampoline.S: code to be copied to TRAMPOLINE_PAGE, and its entry into the kernel. */
extern const uint8_t trampoline_start[], trampoline_end[];
extern uint32_t trampoline_cr0, trampoline_cr3, trampoline_cr4, trampoline_efer;
extern uint64_t trampoline_stack;
#define TRAMPOLINE_MAX 256u

/* Called on the new processor, by trampoline.S. */
void smp_main(void) __attribute__((noreturn));

/* A line each: a processor that runs does not share one with those that wait for another. */
struct __attribute__((aligned(64))) start {
  uint32_t state;
  uint32_t index;
  void (*run)(void *argument);
  void *argument;
};

static struct start starts[PROCESSORS_MAX];
static uint32_t starting;
static struct {
  _Alignas(PAGE_BYTES) uint8_t guard[PAGE_BYTES];
  uint8_t bytes[SMP_STACK_BYTES];
} stacks[PROCESSORS_MAX - 1];

uint32_t smp_processors(void) {
  uint32_t count = board_acpi()->processors;
  if (count == 0) return 1;
  return count < PROCESSORS_MAX ? count : PROCESSORS_MAX;
}

/* The `index`th of the tables' processors, not counting this one. */
static uint32_t apic_id_of(uint32_t index) {
  const struct acpi *acpi = board_acpi();
  uint32_t own = processors[0].apic_id;
  for (uint32_t i = 0; i < acpi->processors; i++) {
    if (acpi->apic_ids[i] != own && --index == 0) return acpi->apic_ids[i];
  }
  return own;
}

/* Who is first: the processor that comes, or the one that has given up waiting for it. */
static bool take(struct start *start, uint32_t state) {
  uint32_t expected = SMP_STARTING;
  return __atomic_compare_exchange_n(&start->state, &expected, state, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

void smp_main(void) {
  struct start *start = &starts[starting];
  traps_init_processor(start->index);
  apic_init_silent();
  processors[start->index].apic_id = apic_id();
  if (take(start, SMP_RUNNING)) {
    start->run(start->argument);
    store_release(&start->state, SMP_FINISHED);
  }
  for (;;) __asm__ volatile("cli; hlt");
}

static void wait_ns(uint64_t ns) {
  uint64_t end = timer_now_ns() + ns;
  while (timer_now_ns() < end) cpu_pause();
}

static bool running(const struct start *start, uint64_t ns) {
  uint64_t end = timer_now_ns() + ns;
  while (load_acquire(&start->state) == SMP_STARTING) {
    if (timer_now_ns() >= end) return false;
    cpu_pause();
  }
  return true;
}

bool smp_start(uint32_t index, void (*run)(void *argument), void *argument) {
  if (index == 0 || index >= smp_processors() || starts[index].state != SMP_OFF) return false;
  uint32_t target = apic_id_of(index);
  starts[index] = (struct start){SMP_STARTING, index, run, argument};
  starting = index;
  trampoline_cr0 = (uint32_t)read_cr0();
  trampoline_cr3 = (uint32_t)read_cr3(); /* below 4 GiB, like all of the kernel */
  trampoline_cr4 = (uint32_t)read_cr4();
  trampoline_efer = (uint32_t)read_msr(MSR_EFER) & ~EFER_LMA;
  memory_guard((uint64_t)stacks[index - 1].guard, "another processor's stack");
  processor_guard(&processors[index]);
  trampoline_stack = (uint64_t)stacks[index - 1].bytes + SMP_STACK_BYTES;

  const struct range trampoline = {TRAMPOLINE_PAGE, TRAMPOLINE_PAGE + PAGE_BYTES};
  uint8_t *page = (uint8_t *)trampoline.start, before[TRAMPOLINE_MAX];
  uint64_t bytes = (uint64_t)(trampoline_end - trampoline_start);
  __builtin_memcpy(before, page, bytes);
  __builtin_memcpy(page, trampoline_start, bytes);
  memory_protect(trampoline, RIGHTS_CODE);
  apic_send_init(target);
  wait_ns(INIT_WAIT_NS);
  apic_send_startup(target, TRAMPOLINE_PAGE >> 12);
  if (!running(&starts[index], STARTUP_WAIT_NS)) apic_send_startup(target, TRAMPOLINE_PAGE >> 12);
  if (!running(&starts[index], LIMIT_NS) && take(&starts[index], SMP_LOST)) return false; /* it may still be there */
  memory_protect(trampoline, RIGHTS_DATA);
  __builtin_memcpy(page, before, bytes);
  return true;
}

bool smp_finished(uint32_t index) {
  return index < PROCESSORS_MAX && load_acquire(&starts[index].state) == SMP_FINISHED;
}
