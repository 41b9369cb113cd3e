/* SPDX-License-Identifier: MIT */
/* The scheduler in a real boot: order of priorities, preemption, events, and what a task that ends badly leaves behind. */
#include "../cases.h"
#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/machine.h"
#include "arch/processor.h"
#include "console/console.h"
#include "include/layout.h"
#include "tasks/scheduler.h"

static char trail[64];
static unsigned steps;

static void step(char c) {
  if (steps < sizeof trail - 1) trail[steps++] = c;
}

static void done(void) {
  console_print("trail: %s\n", trail);
  machine_exit(EXIT_STATUS_DONE);
}

static void thrice(void *argument) {
  for (unsigned i = 0; i < 3; i++) {
    step((char)(uint64_t)argument);
    task_yield();
  }
}

static void last(void *argument) {
  (void)argument;
  done();
}

/* Higher priorities first; within one, in turn. */
static void priorities(void) {
  (void)task_start("last", 0, last, 0);
  (void)task_start("a", 3, thrice, (void *)'a');
  (void)task_start("b", 3, thrice, (void *)'b');
  (void)task_start("c", 5, thrice, (void *)'c');
  (void)task_start("d", 1, thrice, (void *)'d');
  tasks_run();
}

static struct event event;

static void waiter(void *argument) {
  (void)argument;
  step('w');
  event_wait(&event);
  step('W');
}

static void wake(void *context) {
  (void)context;
  step('i');
  event_signal(&event);
  step('j');
}

/* An interrupt wakes a task of a higher priority: it runs before the interrupted one goes on. */
static void interrupted(void *argument) {
  (void)argument;
  step('s');
  apic_send(apic_id(), 0x70);
  while (steps < 5) cpu_pause(); /* s w i j W: nobody gives this processor away */
  step('S');
  event_signal(&event); /* nobody waits: the next wait passes */
  step('e');
  event_wait(&event);
  step('E');
  bool came = event_wait_until(&event, timer_now_ns() + 1000000);
  step(came ? '?' : 't');
  done();
}

static void preemption(void) {
  interrupt_set(0x70, wake, 0);
  (void)task_start("waiter", 6, waiter, 0);
  (void)task_start("interrupted", 2, interrupted, 0);
  tasks_run();
}

/* A stack that overflows meets its guard. */
static uint64_t __attribute__((noinline)) deeper(volatile uint64_t *above) {
  volatile uint64_t room[64];
  room[0] = *above + 1; /* never 0, but who knows that */
  return room[0] == 0 ? 0 : deeper(room) + room[1];
}

static void overflows(void *argument) {
  volatile uint64_t start = 0;
  console_print("overflow: %lu\n", deeper(&start));
  (void)argument;
}

/* Many more tasks than there are places, one after the other, some of which fault: places are used again. */
static void short_lived(void *argument) {
  if ((uint64_t)argument % 3 == 0) __asm__ volatile("ud2");
  step('.');
}

static void many(void *argument) {
  (void)argument;
  unsigned refused = 0;
  (void)task_start("overflows", 5, overflows, 0);
  for (uint64_t i = 0; i < 50; i++) refused += !task_start("short", 5, short_lived, (void *)i);
  console_print("many: %u refused, %lu faults, %u done\n", refused, tasks_faults(), steps);
  for (uint64_t i = 0; i < TASKS_MAX; i++) refused += !task_start("low", 0, short_lived, (void *)1);
  console_print("many: %u refused\n", refused);
  struct task_report report;
  for (unsigned i = 0; task_look(i, &report); i++) {
    console_print("place: %s %u %lu\n", report.name, (unsigned)report.state, report.switches);
  }
  machine_exit(EXIT_STATUS_DONE);
}

static void places(void) {
  (void)task_start("many", 4, many, 0);
  tasks_run();
}

/* Without interrupts: everything runs in tasks_step, at the times that it is given. */
static void periodic(void *argument) {
  for (;;) {
    step((char)(uint64_t)argument);
    task_sleep_ns((uint64_t)argument == 'p' ? 100 : 250);
  }
}

static void faulty(void *argument) {
  task_sleep_ns(500);
  step('!');
  __asm__ volatile("ud2");
  (void)argument;
}

static void cooperative(void) {
  tasks_step(0);
  (void)task_start("p", 1, periodic, (void *)'p');
  (void)task_start("q", 2, periodic, (void *)'q');
  (void)task_start("faulty", 3, faulty, 0);
  for (uint64_t now = 1000; now <= 2000; now += 50) {
    tasks_step(now);
    step(' ');
  }
  console_print("steps: %lu faults, %lu interrupts, time %lu\n", tasks_faults(), this_processor()->interrupts,
                timer_now_ns());
  done();
}

/* What a change of tasks costs: two that do nothing but yield to each other, and task_switch by itself. */
#define ROUNDS 20000u
static uint64_t taken[2];

static void ping(void *argument) {
  uint64_t start = rdtsc();
  for (unsigned i = 0; i < ROUNDS; i++) task_yield();
  taken[(uint64_t)argument] = rdtsc() - start;
}

static uint64_t bare[2];

static void bare_partner(void) {
  for (;;) task_switch(&bare[1], bare[0]);
}

static void costs(void *argument) {
  (void)argument;
  static _Alignas(16) uint64_t stack[512];
  uint64_t *top = stack + 510;
  top[0] = (uint64_t)bare_partner;
  bare[1] = (uint64_t)(top - 6);
  interrupts_disable();
  uint64_t start = rdtsc();
  for (unsigned i = 0; i < ROUNDS; i++) task_switch(&bare[0], bare[1]);
  uint64_t both = rdtsc() - start;
  console_print("switch: %lu tsc for %u\n", both, 2 * ROUNDS);
  console_print("yield: %lu tsc for %u\n", taken[0], 2 * ROUNDS);
  console_print("hz: %lu\n", UINT64_C(1000000000000) / timer_tsc_ns(1000));
  machine_exit(EXIT_STATUS_DONE);
}

static void switching(void) {
  (void)task_start("a", 1, ping, 0);
  (void)task_start("b", 1, ping, (void *)1);
  (void)task_start("costs", 0, costs, 0);
  tasks_run();
}

const struct test_case task_cases[] = {
    {"priorities", priorities},   {"preemption", preemption}, {"places", places},
    {"cooperative", cooperative}, {"switching", switching},   {0, 0},
};
