/* SPDX-License-Identifier: MIT */
/* Strategies: pure functions of a book and its change. They want orders; the checks that guard them are the engine's. */
#ifndef TICKLOOP_STRATEGY_H
#define TICKLOOP_STRATEGY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ouch.h"

/* best_bid: a message that leaves the best bid strictly higher (no bid is 0) buys at the new best bid. */
static inline bool strategy_best_bid(uint32_t bid_before, uint32_t bid_now, uint64_t stock, uint32_t shares,
                                     struct intent *intent) {
  if (bid_now <= bid_before) return false;
  *intent = (struct intent){.stock = stock, .shares = shares, .price = bid_now};
  return true;
}

#endif
