/* SPDX-License-Identifier: MIT */
/*
 * market_maker: a bid and an ask of the symbol's order size around the middle of what others quote.
 *
 * A quote follows when its price is off by more than `requote`, or when half of it has gone; a side whose fill would take
 * the position beyond `inventory` is not quoted, and without a price on either side of the book neither is. An order that
 * the exchange has not answered yet is left alone.
 */
#include "core/strategy.h"

enum parameter { PARAMETER_HALF_SPREAD, PARAMETER_REQUOTE, PARAMETER_INVENTORY, PARAMETER_TICK };

/* The best price of a side but for our own order; 0: none. */
static uint32_t price_of_others(const struct strategy_view *view, enum side side, const struct own_order *own) {
  uint32_t index = view_best(view, side);
  if (index != 0 && own != NULL && own->accepted) {
    const struct level *level = view_level(view, index);
    if (level_price(level) == own->price && level->shares <= own->shares) index = view_next(view, index);
  }
  return index != 0 ? level_price(view_level(view, index)) : 0;
}

/* Bring one side to `price` (0: no quote); returns the number of intents. */
static unsigned quote(const struct strategy_view *view, enum side side, const struct own_order *own, uint32_t price,
                      struct intent *intent) {
  uint32_t shares = view->book->shares;
  if (own == NULL) {
    if (price == 0) return 0;
    *intent = intent_enter(side == SIDE_BID ? 'B' : 'S', shares, price);
    return 1;
  }
  if (own->state != OWN_STATE_LIVE && own->state != OWN_STATE_ASSUMED) return 0;
  if (price == 0) {
    *intent = intent_cancel(own);
    return 1;
  }
  uint32_t off = price > own->price ? price - own->price : own->price - price;
  if (off <= view->parameters[PARAMETER_REQUOTE] && own->shares > shares / 2) return 0;
  *intent = intent_replace(own, shares, price);
  return 1;
}

static unsigned market_maker(const struct strategy_view *view, struct intent intents[INTENTS]) {
  const struct own_order *bid = view_working(view, SIDE_BID), *ask = view_working(view, SIDE_ASK);
  uint64_t bid_price = 0, ask_price = 0;
  uint64_t best_bid = price_of_others(view, SIDE_BID, bid), best_ask = price_of_others(view, SIDE_ASK, ask);
  if (best_bid != 0 && best_ask != 0) {
    uint64_t both = best_bid + best_ask, spread = 2ull * view->parameters[PARAMETER_HALF_SPREAD];
    uint64_t tick = view->parameters[PARAMETER_TICK];
    int64_t position = book_position(view->book), inventory = view->parameters[PARAMETER_INVENTORY];
    int64_t shares = view->book->shares;
    if (position + shares <= inventory && both > spread) bid_price = (both - spread) / 2 / tick * tick;
    if (shares - position <= inventory) ask_price = ((both + spread + 1) / 2 + tick - 1) / tick * tick;
    if (ask_price >= PRICE_LIMIT) ask_price = 0;
    if (bid_price >= PRICE_LIMIT) bid_price = 0;
  }
  unsigned wanted = quote(view, SIDE_BID, bid, (uint32_t)bid_price, intents);
  return wanted + quote(view, SIDE_ASK, ask, (uint32_t)ask_price, intents + wanted);
}

static const struct strategy description = {
    .name = "market_maker",
    .trigger = STRATEGY_ON_ANY,
    .parameters = {[PARAMETER_HALF_SPREAD] = {"half_spread", 0, 1000000, 200},
                   [PARAMETER_REQUOTE] = {"requote", 0, 1000000, 100},
                   [PARAMETER_INVENTORY] = {"inventory", 0, 1000000000, 1000},
                   [PARAMETER_TICK] = {"tick", 1, 1000000, 100}},
    .on_book = market_maker,
};
STRATEGY(description);
