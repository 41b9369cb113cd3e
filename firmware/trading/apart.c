/* SPDX-License-Identifier: MIT */
/*
 * See apart.h. The trading loop's processor is never interrupted and shares no line with the others but the relay's ring:
 * what housekeeping does, or does wrong, it does not notice.
 */
#include "trading/apart.h"

#include <stddef.h>

#include "arch/board.h"
#include "arch/smp.h"
#include "console/console.h"
#include "tasks/relay.h"
#include "tasks/scheduler.h"

#define TRADING_PROCESSOR 1u

void trading_apart(void (*trade)(void *), struct desk *desk) {
  console_account(NULL); /* both processors print, and neither is in lockstep */
  board_init();
  tasks_init();
  relay_start();
  console_print("processors: %u%s\n", smp_processors(),
                smp_processors() > TRADING_PROCESSOR ? ", the trading loop has one of its own"
                                                     : ": there is no second one, housekeeping stands still");
  if (smp_processors() > TRADING_PROCESSOR) desk_part(desk);
  if (smp_start(TRADING_PROCESSOR, trade, NULL)) tasks_run();
  desk->apart = false;
  trade(NULL);
  __builtin_unreachable();
}
