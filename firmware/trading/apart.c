/* SPDX-License-Identifier: MIT */
/*
 * See apart.h. The trading loop's processor is never interrupted and shares no line with the others but the relay's ring
 * and, when it prints, its bell (arrived, listening), and, with a live console, what that reads of it and what is typed for it: what housekeeping does, or does wrong, it does
 * not notice.
 */
#include "trading/apart.h"

#include <stddef.h>

#include "arch/board.h"
#include "arch/smp.h"
#include "console/console.h"
#include "tasks/relay.h"
#include "tasks/scheduler.h"

#define TRADING_PROCESSOR 1u

void trading_apart(void (*trade)(void *), struct kernel *kernel) {
  console_account(NULL); /* both processors print, and neither is in lockstep */
  board_init();
  relay_start();
  if (smp_processors() > TRADING_PROCESSOR) {
    void (*housekeep)(uint64_t now_ns) = kernel->port.housekeep;
    kernel->port.housekeep = NULL;
    kernel->desk.apart = kernel->desk.live;
    if (smp_start(TRADING_PROCESSOR, trade, NULL)) {
      console_print("processors: %u, the trading loop has one of its own\n", smp_processors());
      desk_part(&kernel->desk);
      tasks_run();
    }
    kernel->port.housekeep = housekeep;
    kernel->desk.apart = false;
    console_print("processors: the second one did not come, housekeeping runs in the waits of the trading loop\n");
  } else {
    console_print("processors: there is no second one, housekeeping runs in the waits of the trading loop\n");
  }
  trade(NULL);
  __builtin_unreachable();
}
