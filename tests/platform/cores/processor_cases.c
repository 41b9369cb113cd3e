/* SPDX-License-Identifier: MIT */
/* Several processors: all come up, each with its own tables; none but the first is ever interrupted; messages cross intact. */
#include "../cases.h"
#include "arch/apic.h"
#include "arch/board.h"
#include "arch/cpu.h"
#include "arch/ioapic.h"
#include "arch/machine.h"
#include "arch/processor.h"
#include "arch/smp.h"
#include "arch/timer.h"
#include "console/console.h"
#include "include/layout.h"
#include "tasks/bell.h"
#include "tasks/scheduler.h"
#include "tasks/spsc.h"

static struct {
  _Alignas(64) uint64_t rounds;
  uint64_t stop;
  uint64_t flags;
  uint32_t index;
  uint32_t apic;
} each[PROCESSORS_MAX];

static void busy(void *argument) {
  uint64_t own = (uint64_t)argument, flags;
  __asm__ volatile("pushfq; popq %0" : "=r"(flags));
  each[own].flags = flags;
  each[own].index = this_processor()->index;
  each[own].apic = apic_id();
  while (__atomic_load_n(&each[own].stop, __ATOMIC_ACQUIRE) == 0) {
    __atomic_store_n(&each[own].rounds, each[own].rounds + 1, __ATOMIC_RELEASE);
    cpu_pause();
  }
}

static uint64_t rounds(uint32_t index) { return __atomic_load_n(&each[index].rounds, __ATOMIC_ACQUIRE); }

/* Whether it does so many rounds more within two seconds: on a busy host the other processor may rest for a while. */
static bool goes_on(uint32_t index, uint64_t before, uint64_t more) {
  for (unsigned ms = 0; ms < 2000 && rounds(index) - before < more; ms++) task_sleep_ns(1000000);
  return rounds(index) - before >= more;
}

static void stop(uint32_t index) {
  __atomic_store_n(&each[index].stop, 1, __ATOMIC_RELEASE);
  while (!smp_finished(index)) cpu_pause();
}

static void all(void) {
  for (uint32_t i = 1; i < PROCESSORS_MAX; i++) {
    bool came = smp_start(i, busy, (void *)(uint64_t)i);
    console_print("start %u: %s\n", i, came ? "came" : "refused");
  }
  console_print("again: %s\n", smp_start(1, busy, 0) ? "came" : "refused");
  for (uint32_t i = 1; i < smp_processors(); i++) {
    while (rounds(i) < 1000) cpu_pause();
    console_print("processor %u: index %u, APIC %u, interrupts %s\n", i, each[i].index, each[i].apic,
                  (each[i].flags & 1u << 9) != 0 ? "on" : "off");
    stop(i);
  }
  console_print("processors: %u\n", smp_processors());
}

/* The timer, the PIT through the I/O APIC and messages to itself interrupt processor 0 while processor 1 runs. */
static uint64_t pit_count, messages;

static void count(void *context) { ++*(uint64_t *)context; }

static void noise(void *argument) {
  (void)argument;
  for (unsigned i = 0; i < 200; i++) {
    apic_send(apic_id(), 0x70);
    task_sleep_ns(200000);
  }
}

static void report(void *argument) {
  (void)argument;
  uint64_t before = rounds(1);
  noise(0);
  for (unsigned i = 0; i < 10000 && pit_count < 10; i++) task_sleep_ns(200000); /* QEMU may drop missed ones */
  interrupts_disable(); /* all counters at one time */
  console_print("processor 0: %lu interrupts, %lu of the timer, %lu of the PIT, %lu messages\n",
                processors[0].interrupts, timer_interrupts(), pit_count, messages);
  interrupts_enable();
  console_print("processor 1: %lu interrupts, %s\n", processors[1].interrupts,
                goes_on(1, before, 1000) ? "went on" : "stood still");
  machine_exit(EXIT_STATUS_DONE);
}

static void isolated(void) {
  interrupt_set(0x70, count, &messages);
  if (!interrupt_route_isa(0, 0x50, count, &pit_count)) panic("no input for ISA interrupt 0");
  outb(0x43, 0x34);
  outb(0x40, 0xA9);
  outb(0x40, 0x04);
  if (!smp_start(1, busy, (void *)1)) panic("no processor 1");
  (void)task_start("noise", 2, noise, 0);
  (void)task_start("report", 1, report, 0);
  tasks_run();
}

/* Housekeeping faults, one task after the other; the other processor does not notice. */
static void faulty(void *argument) {
  (void)argument;
  *(volatile uint32_t *)0x123456789000 = 1;
}

static void provoke(void *argument) {
  (void)argument;
  for (unsigned i = 0; i < 5; i++) {
    uint64_t before = rounds(1);
    (void)task_start("faulty", 3, faulty, 0);
    console_print("processor 1: %s\n", goes_on(1, before, 100) ? "went on" : "stood still");
  }
  console_print("faults: %lu\n", tasks_faults());
  machine_exit(EXIT_STATUS_DONE);
}

static void faults(void) {
  if (!smp_start(1, busy, (void *)1)) panic("no processor 1");
  (void)task_start("provoke", 2, provoke, 0);
  tasks_run();
}

/* A fault of a processor that runs no tasks is the machine's end. */
static void fault_there(void *argument) {
  (void)argument;
  __asm__ volatile("ud2");
}

static void fault_of_other(void) {
  (void)smp_start(1, fault_there, 0);
  for (;;) cpu_pause();
}

/* Fifty thousand messages, each a function of its number. */
#define MESSAGES 50000u
static struct spsc ring;

static void produce(void *argument) {
  (void)argument;
  for (uint64_t i = 0; i < MESSAGES; i++) {
    uint64_t *words;
    while ((words = (uint64_t *)spsc_room(&ring)) == 0) cpu_pause();
    for (unsigned k = 0; k < SPSC_PAYLOAD / 8; k++) words[k] = i * 0x9E3779B97F4A7C15u + k;
    spsc_send(&ring);
  }
}

static void crossing(void) {
  if (!smp_start(1, produce, 0)) panic("no processor 1");
  uint64_t wrong = 0;
  for (uint64_t i = 0; i < MESSAGES; i++) {
    const uint64_t *words;
    while ((words = (const uint64_t *)spsc_message(&ring)) == 0) cpu_pause();
    for (unsigned k = 0; k < SPSC_PAYLOAD / 8; k++) wrong += words[k] != i * 0x9E3779B97F4A7C15u + k;
    spsc_take(&ring);
  }
  console_print("crossing: %lu messages, %lu words wrong\n", ring.head, wrong);
}

/* A bell that rings about when who listens to it falls asleep: none is missed. */
#define RINGS 1000u
static struct bell bell;
static _Alignas(64) uint64_t given, taken;

static void ring_bell(void *argument) {
  uint32_t to = (uint32_t)(uint64_t)argument;
  uint64_t random = 1;
  for (uint64_t i = 0; i < RINGS; i++) {
    while (__atomic_load_n(&taken, __ATOMIC_ACQUIRE) != i) cpu_pause();
    random = random * 6364136223846793005u + 1442695040888963407u;
    uint64_t end =
        timer_now_ns() + 170000 + (random >> 48); /* it spins for 200 us, some of them over before this begins */
    while (timer_now_ns() < end) cpu_pause();
    __atomic_store_n(&given, i + 1, __ATOMIC_RELEASE);
    bell_ring(&bell, to);
  }
}

static void hear(void *argument) {
  (void)argument;
  uint64_t before = processors[0].interrupts;
  for (uint64_t i = 1; i <= RINGS; i++) {
    do bell_wait(&bell);
    while (__atomic_load_n(&given, __ATOMIC_ACQUIRE) != i);
    __atomic_store_n(&taken, i, __ATOMIC_RELEASE);
  }
  console_print("bells: %u heard, %lu by interrupts\n", RINGS, processors[0].interrupts - before);
  machine_exit(EXIT_STATUS_DONE);
}

static void bells(void) {
  tasks_choose_idle("idle=spin");
  bell_hang(&bell);
  if (!smp_start(1, ring_bell, (void *)(uint64_t)processors[0].apic_id)) panic("no processor 1");
  (void)task_start("hear", 1, hear, 0);
  tasks_run();
}

const struct test_case processor_cases[] = {
    {"all", all},
    {"isolated", isolated},
    {"faults", faults},
    {"crossing", crossing},
    {"bells", bells},
    {"fault-of-other", fault_of_other},
    {0, 0},
};
