/* SPDX-License-Identifier: MIT */
/* run=trade: the configuration module decides what is traded, and how. */
#ifndef TICKLOOP_TRADING_RUN_H
#define TICKLOOP_TRADING_RUN_H

#include "arch/boot.h"

/* Trade until the bridge says stop; panics where something needed is missing or wrong. */
void trading_run(const struct boot *boot);

#endif
