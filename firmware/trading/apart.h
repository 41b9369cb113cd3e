/* SPDX-License-Identifier: MIT */
/* A free run has the trading loop on a processor of its own, if there is one, and housekeeping beside it. */
#ifndef TICKLOOP_TRADING_APART_H
#define TICKLOOP_TRADING_APART_H

#include "trading/kernel.h"

/*
 * Run `trade`, which ends the machine, on the second processor, and housekeeping's tasks, the desk's among them, on this
 * one; without a second processor say so, and run it here, the tasks in its waits.
 */
void trading_apart(void (*trade)(void *), struct kernel *kernel) __attribute__((noreturn));

#endif
