/* SPDX-License-Identifier: MIT */
/* From intents to the TX ring: nothing is sent but what passed the checks here. */
#ifndef TICKLOOP_TRADING_ORDERS_H
#define TICKLOOP_TRADING_ORDERS_H

#include "trading/kernel.h"

/* Send what engine.intents holds for `book`; returns the number of orders sent, and in `doorbell` when it was rung. */
unsigned send_orders(struct kernel *kernel, const struct book *book, uint64_t now_ns, uint32_t *doorbell);

/* What a "cancel all" still wants: as much as the TX ring takes. */
void send_cancels(struct kernel *kernel);

#endif
