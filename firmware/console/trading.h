/* SPDX-License-Identifier: MIT */
/* What the trading core has to say on the console: each thing once, when there is nothing to trade on, and sums in the end. */
#ifndef TICKLOOP_CONSOLE_TRADING_H
#define TICKLOOP_CONSOLE_TRADING_H

#include <stdbool.h>
#include <stdint.h>

#include "core/engine.h"

/* What has been told. */
struct told {
  uint64_t gaps;
  uint64_t bad_frames;
  uint64_t lost_messages;
  uint64_t suspects;
  uint64_t answers_bad;
  uint64_t orders_lost;
  uint8_t stops;
  uint8_t breached;
  bool stale;
};

/* `told` begins with what is so at the start and needs no telling: STOP_LINK while nothing has been connected. */
void tell_trading(struct told *told, const struct engine *engine);

/* The counters of refusals from `first` on that are not 0, a line each, `before` in front. */
void print_refusals(const struct engine *engine, enum refusal first, const char *before);

/* The counters of refusals that are not 0, the largest positions, cash and profit. */
void print_trading(const struct engine *engine);

#endif
