/* SPDX-License-Identifier: MIT */
/* From a configuration and free memory to a kernel that can trade: pools, rings, engine, session, recovery, NIC. */
#ifndef TICKLOOP_TRADING_SETUP_H
#define TICKLOOP_TRADING_SETUP_H

#include "trading/kernel.h"

/* Carves what trading needs from `memory` and enables the NIC, whose mailbox is open; panics on what cannot work. */
void trading_setup(struct kernel *kernel, const struct config_header *config, struct range *memory);

#endif
