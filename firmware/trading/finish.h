/* SPDX-License-Identifier: MIT */
/* The end of a run: the result for the bridge, statistics for the reader of the console. */
#ifndef TICKLOOP_TRADING_FINISH_H
#define TICKLOOP_TRADING_FINISH_H

#include "trading/kernel.h"

void trading_finish(struct kernel *kernel);

#endif
