/* SPDX-License-Identifier: MIT */
/* The order-entry session in the trading loop: what it brings, and when it wants to be asked again. */
#ifndef TICKLOOP_TRADING_SESSION_H
#define TICKLOOP_TRADING_SESSION_H

#include "trading/kernel.h"

/* What has come of the session: answers of the exchange, and whether orders may be sent. */
void take_news(struct kernel *kernel, uint64_t now_ns);

/* Whether the raw frame in hand belongs to it; then what it brought has been taken. */
bool is_for_session(struct kernel *kernel);

/* Nanoseconds until something is due that nobody else will tell; 0: nothing is. */
uint32_t next_due(const struct kernel *kernel);

#endif
