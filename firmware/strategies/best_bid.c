/* SPDX-License-Identifier: MIT */
/* best_bid: a message that leaves the best bid strictly higher (no bid is 0) buys the symbol's order size at the new best bid. */
#include "core/strategy.h"

static unsigned best_bid(const struct strategy_view *view, struct intent intents[INTENTS]) {
  const struct book *book = view->book;
  uint32_t bid = book_best_bid(book);
  if (view->side != SIDE_BID || bid <= view->key_before) return 0; /* the key of a bid is its price */
  intents[0] = intent_enter('B', book->shares, bid);
  return 1;
}

static const struct strategy description = {.name = "best_bid", .trigger = STRATEGY_ON_BEST, .on_book = best_bid};
STRATEGY(description);
