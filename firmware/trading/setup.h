/* SPDX-License-Identifier: MIT */
/* From a configuration and free memory to a kernel that can trade: pools, rings, engine, session, recovery, NIC. */
#ifndef TICKLOOP_TRADING_SETUP_H
#define TICKLOOP_TRADING_SETUP_H

#include "trading/kernel.h"

/* The trading core with its pools from `memory`; panics on a configuration that it refuses. */
void trading_take_core(struct engine *engine, struct ouch *ouch, const struct config_header *config,
                       struct range *memory);

/* Carves what trading needs from `memory` and enables the NIC, whose mailbox is open; panics on what cannot work. */
void trading_setup(struct kernel *kernel, const struct config_header *config, struct range *memory);

#endif
