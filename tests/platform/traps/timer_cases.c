/* SPDX-License-Identifier: MIT */
/* The kernel's clock and timers beside the HPET, which the kernel itself uses for nothing once the clocks are measured. */
#include "../cases.h"
#include "arch/apic.h"
#include "arch/board.h"
#include "arch/cpu.h"
#include "arch/ioapic.h"
#include "arch/machine.h"
#include "arch/timer.h"
#include "arch/traps.h"
#include "console/console.h"
#include "drivers/serial.h"
#include "include/layout.h"
#include "tasks/scheduler.h"

#define HPET_NS_PER_COUNT 10u /* QEMU's; the test checks it against the host's clock */
#define SHOTS 12u

static uint64_t hpet_ns(void) { return *(volatile uint64_t *)(board_acpi()->hpet + 0xF0) * HPET_NS_PER_COUNT; }

/* Until the test says so; an emulator that is always asked for it gets to nothing else. */
static void wait_for_word(void) {
  uint8_t byte;
  while (!serial_read(&byte)) {
    for (uint64_t start = timer_now_ns(); timer_now_ns() - start < 50000;) cpu_pause();
  }
}

struct clocks {
  uint64_t hpet, own;
};

/* Both at one time: anew if the host took the processor away in between. */
static struct clocks read_both(void) {
  struct clocks now;
  do {
    now = (struct clocks){.hpet = hpet_ns()};
    now.own = timer_now_ns();
  } while (hpet_ns() - now.hpet > 100000);
  return now;
}

/* Both clocks between two words of the test, so that what passed is known to lie between two times of the host. */
static void rate(void) {
  console_print("clock: ready\n");
  wait_for_word();
  struct clocks first = read_both();
  console_print("clock: start\n");
  wait_for_word();
  struct clocks last = read_both();
  console_print("clock: %lu ns by the kernel, %lu ns by the HPET\n", last.own - first.own, last.hpet - first.hpet);
}

static uint64_t fired_ns;

static void fire(void *context) {
  (void)context;
  fired_ns = hpet_ns();
}

/* Timers of 10 us to 0.9 ms: how late each was, by the HPET. */
static void accuracy(void) {
  static struct timer timer = {.expired = fire};
  interrupts_enable();
  uint64_t wanted_ns = 10000;
  for (unsigned i = 0; i < SHOTS; i++, wanted_ns = wanted_ns * 3 / 2) {
    fired_ns = 0;
    uint64_t start = hpet_ns();
    timer_arm(&timer, timer_now_ns() + wanted_ns);
    while (*(volatile uint64_t *)&fired_ns == 0) cpu_pause();
    console_print("shot: wanted %lu ns, was %lu ns\n", wanted_ns, fired_ns - start);
  }
  console_print("shots: %lu interrupts\n", timer_interrupts());
}

static unsigned order[3], fired;

static void note(void *context) { order[fired++] = (unsigned)(uint64_t)context; }

/* No tick: nothing interrupts while nothing is due; timers fire in order; one that was cancelled does not. */
static void tickless(void) {
  static struct timer timers[4] = {{.expired = note, .context = (void *)1},
                                   {.expired = note, .context = (void *)2},
                                   {.expired = note, .context = (void *)3},
                                   {.expired = note, .context = (void *)4}};
  interrupts_enable();
  uint64_t now = timer_now_ns();
  while (timer_now_ns() - now < 50000000) cpu_pause();
  console_print("tickless: %lu interrupts in 50 ms\n", timer_interrupts());
  interrupts_disable(); /* none expires before the last is set */
  now = timer_now_ns();
  timer_arm(&timers[0], now + 6000000);
  timer_arm(&timers[1], now + 2000000);
  timer_arm(&timers[2], now + 4000000);
  timer_arm(&timers[3], now + 3000000);
  timer_cancel(&timers[3]);
  interrupts_enable();
  while (*(volatile unsigned *)&fired != 3) cpu_pause();
  console_print("tickless: order %u %u %u, %lu interrupts\n", order[0], order[1], order[2], timer_interrupts());
}

/* The PIT's interrupt, ISA 0, through the I/O APIC: on PCs that is not its input 0 (a source override). */
static void pit(void *context) { ++*(uint64_t *)context; }

static void isa(void) {
  static uint64_t count;
  if (!interrupt_route_isa(0, 0x50, pit, &count)) panic("no input for ISA interrupt 0");
  outb(0x43, 0x34); /* channel 0, both bytes, mode 2 */
  outb(0x40, 0xA9); /* 1193: about 1 kHz */
  outb(0x40, 0x04);
  interrupts_enable();
  uint64_t start = hpet_ns();
  while (hpet_ns() - start < 50000000) cpu_pause();
  console_print("isa: %lu interrupts in 50 ms; input 999 %s\n", count,
                interrupt_route(999, 0x51, pit, 0) ? "is" : "is not");
}

/* Sleeping tasks: the processor halts meanwhile, and each sleeps as long as it said. */
static unsigned awake, sleeps;
static struct {
  uint64_t wanted, was;
} slept[9];

static void sleeper(void *argument) {
  uint64_t ns = (uint64_t)argument;
  for (unsigned i = 0; i < 3; i++) {
    uint64_t start = hpet_ns();
    task_sleep_ns(ns);
    uint64_t was = hpet_ns() - start;
    slept[sleeps].wanted = ns;
    slept[sleeps++].was = was; /* told at the end: printing takes what time the other side likes */
  }
  awake++;
}

static void watch(void *argument) {
  (void)argument;
  while (awake != 3) task_sleep_ns(1000000);
  uint64_t uptime_ns = timer_now_ns(), interrupts = timer_interrupts(); /* without what printing takes */
  for (unsigned i = 0; i < sleeps; i++) {
    console_print("sleep: wanted %lu ns, was %lu ns\n", slept[i].wanted, slept[i].was);
  }
  console_print("sleep: uptime %lu ns, %lu interrupts\n", uptime_ns, interrupts);
  machine_exit(EXIT_STATUS_DONE);
}

static void sleeping(void) {
  (void)task_start("s1", 1, sleeper, (void *)3000000);
  (void)task_start("s2", 2, sleeper, (void *)5000000);
  (void)task_start("s3", 3, sleeper, (void *)7000000);
  (void)task_start("watch", 1, watch, 0);
  tasks_run();
}

/* An HPET that looks like one and whose counter stands still. */
static void dead_hpet(void) {
  static const char *const names[] = {"nothing", "the HPET", "the PIT"};
  static uint32_t registers[256] = {[1] = 10000000, [0xF0 / 4] = 12345};
  struct acpi acpi = *board_acpi();
  acpi.hpet = (uint64_t)registers;
  uint64_t start = hpet_ns();
  struct timer_rates rates = timer_init(&acpi);
  console_print("dead HPET: APIC timer %lu kHz by %s, after %lu us\n", rates.apic_hz / 1000, names[rates.reference],
                (hpet_ns() - start) / 1000);
}

const struct test_case timer_cases[] = {
    {"rate", rate}, {"accuracy", accuracy}, {"tickless", tickless},
    {"isa", isa},   {"sleeping", sleeping}, {"dead-hpet", dead_hpet},
    {0, 0},
};
