/* SPDX-License-Identifier: MIT */
/* Recovery of lost messages in the trading loop: what core/recovery.h wants asked, and what it means for the books. */
#ifndef TICKLOOP_TRADING_RECOVERY_H
#define TICKLOOP_TRADING_RECOVERY_H

#include "arch/boot.h"
#include "trading/kernel.h"

/* Nothing if no re-request server is configured. */
void take_recovery(struct kernel *kernel, struct range *memory, const struct config_header *config);

/* Ask for what is missing, if that is due; returns in how many ns it will be, 0: not before something else happens. */
uint32_t ask_again(struct kernel *kernel);

/* Whether the raw frame in hand is one from the re-request server. */
bool take_answer(struct kernel *kernel);

/* A record out of order, or while something is missing; whether it is held. */
bool hold_record(struct kernel *kernel, const union rx_line *line);

/* An event line under recovery: of records that are held the books know nothing, and what is missing is asked for. */
void take_event(struct kernel *kernel, const union rx_line *line);

/* The end of a run: what is missing is lost, and the counters go where all others are. */
void finish_recovery(struct kernel *kernel);

#endif
