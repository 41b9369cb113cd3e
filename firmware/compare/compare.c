/* SPDX-License-Identifier: MIT */
/* See compare.h. */
#include "compare/compare.h"

#include <stddef.h>

#include "arch/board.h"
#include "arch/command_line.h"
#include "arch/machine.h"
#include "arch/pools.h"
#include "arch/smp.h"
#include "arch/timer.h"
#include "compare/paths.h"
#include "console/console.h"
#include "include/layout.h"
#include "memory/memory.h"
#include "tasks/scheduler.h"

#define USUAL_SAMPLES 2000u
#define SAMPLES_MAX 1000000u
#define CONSUMER_PRIORITY 3u

const char *const compare_words[] = {"samples", "idle", NULL};

static struct path_samples samples;
static bool together; /* with a second processor */

static uint32_t wanted(const char *text) {
  struct command_line_word word;
  uint32_t count = USUAL_SAMPLES;
  while (command_line_next(&text, &word) == COMMAND_LINE_WORD) {
    if (!command_line_equal(word.name, "samples")) continue;
    count = 0;
    for (const char *digit = word.value; *digit != '\0'; digit++) {
      if (*digit < '0' || *digit > '9' || count > SAMPLES_MAX)
        panic("command line: samples=%s is no number", word.value);
      count = 10 * count + (uint32_t)(*digit - '0');
    }
    if (count == 0 || count > SAMPLES_MAX) panic("command line: samples= is 1 to %u", SAMPLES_MAX);
  }
  return count;
}

static void produce(void *argument) { paths_produce(*(const uint32_t *)argument); }

static void consume(void *argument) {
  (void)argument;
  if (together) paths_consume(&samples);
  else paths_alone(&samples);
  const struct {
    const char *name;
    const uint64_t *at;
  } paths[] = {{"blocking", samples.blocking}, {"interrupt", samples.interrupt}, {"woken", samples.woken},
               {"naive", samples.naive},       {"ring", samples.ring},           {"switch", samples.change}};
  for (unsigned i = 0; i < sizeof paths / sizeof paths[0]; i++) {
    console_print("compare: %s, %u samples at 0x%lx\n", paths[i].name, samples.count, (uint64_t)paths[i].at);
  }
  machine_exit(EXIT_STATUS_DONE);
}

void compare_run(const struct boot *boot) {
  samples.count = wanted(boot->command_line);
  struct range memory = memory_claim();
  uint64_t **places[] = {&samples.blocking, &samples.interrupt, &samples.woken,
                         &samples.naive,    &samples.ring,      &samples.change};
  for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
    *places[i] = pools_take_zeroed(&memory, "samples", samples.count, sizeof(uint64_t), PAGE_BYTES);
  }
  memory_give(memory);
  board_init();
  tasks_init();
  tasks_choose_idle(boot->command_line);
  paths_init();
  together = smp_start(1, produce, &samples.count);
  console_print(together ? "compare: between two processors\n" : "compare: there is no second processor: on one\n");
  if (!task_start("consumer", CONSUMER_PRIORITY, consume, NULL)) panic("compare: no room for the consumer");
  tasks_run();
}
