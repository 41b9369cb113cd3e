/* SPDX-License-Identifier: MIT */
/* wild, for tests: after every change it wants one to four things at random, most of them impossible. */
#include "core/strategy.h"

enum parameter { PARAMETER_SEED };

static uint32_t next(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*state >> 33);
}

static uint32_t one_of(uint64_t *state, const uint32_t *choices, uint32_t count) {
  return choices[next(state) % count];
}

static unsigned wild(const struct strategy_view *view, struct intent intents[INTENTS]) {
  uint64_t *state = view->memory;
  if (*state == 0) *state = view->parameters[PARAMETER_SEED];
  const struct book *book = view->book;
  uint32_t bid = book_best_bid(book), ask = book->side[SIDE_ASK].count != 0 ? book_best_ask(book) : 0;
  const uint32_t prices[] = {
      bid,         bid,       bid, ask, ask, ask, bid + 100, ask - 100, bid - 5000, ask + 5000, 0, 1, PRICE_LIMIT - 1,
      PRICE_LIMIT, UINT32_MAX};
  const uint32_t shares[] = {1, 50, 100, 100, 100, 300, 1000, 0, OUCH_SHARES_LIMIT - 1, OUCH_SHARES_LIMIT, UINT32_MAX};
  const uint32_t sides[] = {'B', 'B', 'B', 'B', 'S', 'S', 'S', 'S', 'T', 0};
  const uint32_t kinds[] = {INTENT_KIND_ENTER,   INTENT_KIND_ENTER,  INTENT_KIND_ENTER, INTENT_KIND_REPLACE,
                            INTENT_KIND_REPLACE, INTENT_KIND_CANCEL, INTENT_KIND_MODIFY};
  unsigned count = 1 + next(state) % INTENTS;
  for (unsigned i = 0; i < count; i++) {
    const uint32_t originals[] = {
        book->working[SIDE_BID], book->working[SIDE_ASK], view->oms->number - 1, view->oms->number - 2, 0, UINT32_MAX};
    struct intent *intent = &intents[i];
    *intent = (struct intent){0};
    intent->kind = (uint8_t)one_of(state, kinds, sizeof kinds / sizeof *kinds);
    intent->side = (uint8_t)one_of(state, sides, sizeof sides / sizeof *sides);
    intent->shares = one_of(state, shares, sizeof shares / sizeof *shares);
    intent->price = one_of(state, prices, sizeof prices / sizeof *prices);
    intent->original = one_of(state, originals, sizeof originals / sizeof *originals);
  }
  return count;
}

static const struct strategy description = {
    .name = "wild",
    .trigger = STRATEGY_ON_ANY,
    .parameters = {[PARAMETER_SEED] = {"seed", 1, UINT32_MAX, 1}},
    .on_book = wild,
};
STRATEGY(description);
