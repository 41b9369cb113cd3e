/* SPDX-License-Identifier: MIT */
/* See run.h. The console is a task like any other that housekeeping has; it looks for input a thousand times a second. */
#include "console/run.h"

#include "arch/board.h"
#include "arch/machine.h"
#include "arch/traps.h"
#include "console/console.h"
#include "console/desk.h"
#include "include/layout.h"
#include "tasks/scheduler.h"

#define LOOK_NS 1000000u
#define PRIORITY 1u

static void attend(void *argument) {
  struct desk *desk = argument;
  while (!desk->over) {
    desk_attend(desk);
    task_sleep_ns(LOOK_NS);
  }
  machine_exit(EXIT_STATUS_DONE);
}

void console_run(const struct boot *boot) {
  static struct desk desk; /* too large for the stack */
  desk_init(&desk, desk_mode(boot->command_line, DESK_LIVE), files_load(boot));
  console_print("console: ready\n");
  if (!desk.live) return;
  board_init();
  tasks_init();
  tasks_choose_idle(boot->command_line);
  if (!task_start("console", PRIORITY, attend, &desk)) panic("no room for the console's task");
  interrupts_enable();
  tasks_run();
}
