/* SPDX-License-Identifier: MIT */
/* The trading loop: one poll loop with interrupts off, from the first record to the stop of the bridge. */
#ifndef TICKLOOP_TRADING_LOOP_H
#define TICKLOOP_TRADING_LOOP_H

#include "trading/kernel.h"

/* Until the bridge says stop. */
void trading_loop(struct kernel *kernel);

#endif
