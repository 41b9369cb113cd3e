/* SPDX-License-Identifier: MIT */
/*
 * imbalance: when the shares of the best five levels lean to one side, take that side's direction at the other's price.
 *
 * The share of the bids in both sides' shares above `threshold` (in 1/1000) buys at the best ask, that of the asks sells at
 * the best bid; only when the direction was another one before, so that a lasting imbalance is one order.
 */
#include "core/strategy.h"

#define DEPTH 5u
#define PER_MILLE 1000u

enum parameter { PARAMETER_THRESHOLD };
enum lean { LEAN_NONE = 0, LEAN_BUY, LEAN_SELL };

static uint64_t shares_of_best(const struct strategy_view *view, enum side side) {
  uint64_t shares = 0;
  uint32_t index = view_best(view, side);
  for (unsigned depth = 0; depth < DEPTH && index != 0; depth++) {
    shares += view_level(view, index)->shares;
    index = view_next(view, index);
  }
  return shares;
}

static unsigned imbalance(const struct strategy_view *view, struct intent intents[INTENTS]) {
  const struct book *book = view->book;
  uint64_t bids = shares_of_best(view, SIDE_BID), asks = shares_of_best(view, SIDE_ASK);
  uint64_t above = (bids + asks) * view->parameters[PARAMETER_THRESHOLD];
  enum lean lean = LEAN_NONE;
  if (bids != 0 && asks != 0) {
    if (bids * PER_MILLE > above) lean = LEAN_BUY;
    else if (asks * PER_MILLE > above) lean = LEAN_SELL;
  }
  enum lean before = (enum lean) * view->memory;
  *view->memory = lean;
  if (lean == before || lean == LEAN_NONE) return 0;
  if (lean == LEAN_BUY) intents[0] = intent_enter('B', book->shares, book_best_ask(book));
  else intents[0] = intent_enter('S', book->shares, book_best_bid(book));
  return 1;
}

static const struct strategy description = {
    .name = "imbalance",
    .trigger = STRATEGY_ON_ANY,
    .parameters = {[PARAMETER_THRESHOLD] = {"threshold", 500, 1000, 650}},
    .on_book = imbalance,
};
STRATEGY(description);
