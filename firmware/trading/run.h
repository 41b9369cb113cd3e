/* SPDX-License-Identifier: MIT */
/* run=trade: the configuration module decides what is traded, and how. */
#ifndef TICKLOOP_TRADING_RUN_H
#define TICKLOOP_TRADING_RUN_H

#include "arch/boot.h"
#include "include/layout.h"

/* The configuration in module 0, checked and printed; panics, or ends with EXIT_STATUS_LAYOUT, if it is none. Not work: its checksum. */
const struct config_header *trading_config(const struct boot *boot, uint64_t *not_work);

/* Trade until the bridge says stop; panics where something needed is missing or wrong. */
void trading_run(const struct boot *boot);

#endif
