/* SPDX-License-Identifier: MIT */
/* Raw frames in the trading loop: everything that reaches this host and is no market data. */
#ifndef TICKLOOP_TRADING_FRAMES_H
#define TICKLOOP_TRADING_FRAMES_H

#include "trading/kernel.h"

/* Raw frames in, and what the session has to say out. */
void take_frames(struct kernel *kernel);

#endif
