/* SPDX-License-Identifier: MIT */
/*
 * For a test image, linked with --wrap=tasks_init,--wrap=smp_start: housekeeping has tasks that work, print, fault in every way
 * and are started again, all the time; other processors come. Unless the test has taken the mark of either out of the image.
 */
#include <stdint.h>

#include "arch/smp.h"
#include "console/console.h"
#include "tasks/scheduler.h"

void __real_tasks_init(void);
void __wrap_tasks_init(void);
bool __real_smp_start(uint32_t index, void (*run)(void *argument), void *argument);
bool __wrap_smp_start(uint32_t index, void (*run)(void *argument), void *argument);

static volatile uint64_t scratch[512];
static struct event event;

static void divides(void *argument) {
  (void)argument;
  __asm__ volatile("div %0" : : "r"(0), "a"(1), "d"(0));
}

static void writes_nowhere(void *argument) {
  (void)argument;
  *(volatile uint32_t *)0x123456789000 = 1;
}

static void executes_nonsense(void *argument) {
  (void)argument;
  __asm__ volatile("ud2");
}

static void loses_its_stack(void *argument) {
  (void)argument;
  __asm__ volatile("mov %0, %%rsp; push %%rax" : : "r"(0x123456780000));
}

static void gives_up(void *argument) {
  (void)argument;
  panic("housekeeping gives up");
}

static void waits(void *argument) {
  (void)argument;
  for (uint64_t woken = 0;; woken++) {
    event_wait(&event);
    scratch[woken % 512] += woken;
  }
}

static volatile char waiting[] = "HOUSEKEEPING WAITS", open[] = "INTERRUPTS ARE TAKEN";

/* What is done in place of waiting, where that mark is missing. */
static void run_wild(void) {
  console_print("housekeeping: waits no more\n");
  if (open[0] == 0) __asm__ volatile("cli");
  for (;;) scratch[0]++;
}

static void works(void *argument) {
  static void (*const faulty[])(void *) = {divides, writes_nowhere, executes_nonsense, loses_its_stack, gives_up};
  (void)argument;
  for (unsigned round = 0;; round++) {
    if (round == 10 && waiting[0] == 0) run_wild();
    for (unsigned i = 0; i < 512; i++) scratch[i] += i;
    unsigned fault = round < 8 ? round : round / 8 + 7; /* each of them early in a run, however short that is */
    if (round < 8 || round % 8 == 0) (void)task_start("faulty", 4, faulty[fault % 5], 0);
    event_signal(&event);
    task_sleep_ns(1000000);
  }
}

static volatile char mark[] = "HOUSEKEEPING IS BUSY";

void __wrap_tasks_init(void) {
  __real_tasks_init();
  if (mark[0] == 0) return;
  (void)task_start("works", 2, works, 0);
  (void)task_start("waits", 3, waits, 0);
}

static volatile char comes[] = "OTHER PROCESSORS COME";

bool __wrap_smp_start(uint32_t index, void (*run)(void *argument), void *argument) {
  return comes[0] != 0 && __real_smp_start(index, run, argument);
}
