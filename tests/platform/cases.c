/* SPDX-License-Identifier: MIT */
/*
 * The test image, linked with --wrap=trading_run: in place of trading, brings up board and tasks and runs the case that the
 * first module names. A case that returns ends the machine with EXIT_STATUS_DONE.
 */
#include "cases.h"

#include "arch/board.h"
#include "arch/boot.h"
#include "arch/command_line.h"
#include "console/console.h"
#include "tasks/scheduler.h"

void __wrap_trading_run(const struct boot *boot);

static const struct test_case *const groups[] = {trap_cases,      timer_cases,  task_cases,
                                                 processor_cases, memory_cases, boot_cases};

const struct boot *case_boot;

void __wrap_trading_run(const struct boot *boot) {
  char name[32] = {0};
  const char *module = (const char *)boot->modules[0].start;
  uint64_t bytes = boot->module_count != 0 ? boot->modules[0].end - boot->modules[0].start : 0;
  for (uint64_t i = 0; i < bytes && i < sizeof name - 1; i++) name[i] = module[i];
  case_boot = boot;
  board_init();
  tasks_init();
  for (unsigned group = 0; group < sizeof groups / sizeof groups[0]; group++) {
    for (const struct test_case *at = groups[group]; at->name != 0; at++) {
      if (!command_line_equal(at->name, name)) continue;
      at->run();
      return;
    }
  }
  panic("no case %s", name);
}
