/* SPDX-License-Identifier: MIT */
/* Trading state and trust; see market.h. What concerns all books walks them once: it happens a few times a day. */
#include "core/market.h"

#include "core/bytes.h"
#include "core/symbols.h"

/* Among the flags of a locate: BREACHED before the last market-wide halt. */
#define WAS_BREACHED 128u

static void set(struct market *market, struct books *books, uint16_t locate, uint8_t flag, bool on) {
  if (!on) {
    books_clear(books, locate, flag);
    return;
  }
  books_set(books, locate, flag);
  market->halts++;
}

/* ITCH 5.0, 1.2.2: T is trading; halted, paused and quotation only are not. T also ends a market-wide halt (1.2.5.2). */
static void trading_action(struct market *market, struct books *books, uint16_t locate, uint8_t state) {
  set(market, books, locate, BOOK_FLAG_HALTED, state != 'T');
  if (state == 'T') books_clear(books, locate, BOOK_FLAG_BREACHED);
}

static void breach(struct market *market, struct books *books, uint8_t level) {
  market->breached_before = market->breached;
  market->breached = level;
  market->halts++;
  for (uint32_t locate = 0; locate < LOCATES; locate++) {
    uint8_t *flags = &books->symbols.locates[locate].flags;
    *flags = (uint8_t)((*flags & ~WAS_BREACHED) | ((*flags & BOOK_FLAG_BREACHED) != 0 ? WAS_BREACHED : 0));
    books_set(books, (uint16_t)locate, BOOK_FLAG_BREACHED);
  }
}

void market_unbreach(struct market *market, struct books *books) {
  market->breached = market->breached_before;
  for (uint32_t locate = 0; locate < LOCATES; locate++) {
    bool was = (books->symbols.locates[locate].flags & WAS_BREACHED) != 0;
    if (was) books_set(books, (uint16_t)locate, BOOK_FLAG_BREACHED);
    else books_clear(books, (uint16_t)locate, BOOK_FLAG_BREACHED);
  }
}

bool market_message(struct market *market, struct books *books, const union rx_line *line) {
  uint16_t locate = line->record.stock_locate;
  switch (line->record.type) {
    case 'H': trading_action(market, books, locate, line->H.trading_state); return true;
    case 'h':
      if (line->h.market_code == MARKET_CODE) {
        set(market, books, locate, BOOK_FLAG_OPERATIONAL, line->h.operational_halt_action != 'T');
      }
      return true;
    case 'W': breach(market, books, line->W.breached_level); return false;
    case 'Y':
      /* ITCH 5.0, 1.2.3: 0 no restriction, 1 in effect, 2 remains in effect */
      if (line->Y.reg_sho_action == '0') books_clear(books, locate, BOOK_FLAG_RESTRICTED);
      else books_set(books, locate, BOOK_FLAG_RESTRICTED);
      return true;
    case 'J':
      market->collars[locate] = (struct collar){line->J.lower_auction_collar_price, line->J.upper_auction_collar_price};
      return true;
    default: return false; /* V too: its levels are for the exchange to watch, W tells of a breach */
  }
}

void market_stale(struct market *market, struct books *books) {
  market->stale = true;
  books->inherited |= BOOK_FLAG_STALE;
  for (uint32_t number = 1; number <= books->count; number++) books->pool[number].flags |= BOOK_FLAG_STALE;
}

void market_fresh(struct market *market, struct books *books) {
  market->stale = false;
  books->inherited &= (uint8_t)~BOOK_FLAG_STALE;
  for (uint32_t number = market->old + 1; number <= books->count; number++) {
    books->pool[number].flags &= (uint8_t)~BOOK_FLAG_STALE;
  }
}

void market_session(struct market *market, struct books *books, uint32_t before) {
  market_stale(market, books);
  market->old = before;
  market_fresh(market, books);
}

uint64_t market_suspects(const struct books *books) {
  uint64_t count = 0;
  for (uint32_t locate = 0; locate < LOCATES; locate++) {
    count += (books->symbols.locates[locate].flags & BOOK_FLAG_SUSPECT) != 0 &&
             symbols_subscribed(&books->symbols, (uint16_t)locate);
  }
  return count;
}

void market_suspect(struct market *market, struct books *books, uint16_t locate, enum outcome outcome) {
  struct locate *known = &books->symbols.locates[locate];
  if ((known->flags & BOOK_FLAG_SUSPECT) != 0) return;
  books_set(books, locate, BOOK_FLAG_SUSPECT);
  if (market->suspects < MARKET_NOTES) {
    market->notes[market->suspects] =
        (struct note){.stock = known->stock, .locate = locate, .outcome = (uint8_t)outcome};
  }
  market->suspects++;
}
