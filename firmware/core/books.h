/* SPDX-License-Identifier: MIT */
/*
 * Full-depth order books of every subscribed symbol, kept by order reference number.
 *
 * Every operation validates first and then commits; a refused message changes nothing, with one exception: a replace whose
 * new price level finds no room still removes the original order, because the exchange has.
 * All memory is handed in at start; nothing is allocated later.
 */
#ifndef TICKLOOP_BOOKS_H
#define TICKLOOP_BOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/levels.h"
#include "core/orders.h"
#include "core/symbols.h"

/* What became of a book message. */
enum outcome {
  OUTCOME_APPLIED = 0,
  OUTCOME_OVER_EXECUTION, /* applied: more than was left, the order is removed */
  OUTCOME_UNSUBSCRIBED,
  OUTCOME_UNKNOWN_REFERENCE,
  OUTCOME_DUPLICATE_REFERENCE,
  OUTCOME_POOL_FULL,
  OUTCOME_INVALID,
  OUTCOME_BAD_SYMBOL, /* the symbol is impossible, or contradicts the locate's */
};

struct book {
  struct side_tree side[2];
  uint64_t stock;
  uint32_t shares; /* of the strategy's orders */
  uint16_t stock_locate;
  uint8_t strategy;
};

struct books {
  struct orders orders;
  struct levels levels;
  struct symbols symbols;
  struct book *pool; /* pool[0] is unused: book 0 is "none" */
  uint32_t count;
  uint32_t limit;
};

/* What a book operation reports beside its outcome: the book it changed and its best bid before (0: no bid). */
struct change {
  const struct book *book;
  uint32_t bid_before;
};

static inline uint32_t book_best_bid(const struct book *book) { return book->side[SIDE_BID].best_key; }

/* UINT32_MAX: no ask */
static inline uint32_t book_best_ask(const struct book *book) { return ~book->side[SIDE_ASK].best_key; }

/* A and F */
enum outcome books_add(struct books *books, uint16_t locate, uint64_t stock, uint64_t reference, uint8_t buy_sell,
                       uint32_t shares, uint32_t price, struct change *change);

/* E, C (at the order's own price) and X */
enum outcome books_reduce(struct books *books, uint16_t locate, uint64_t reference, uint32_t shares,
                          struct change *change);

/* D */
enum outcome books_delete(struct books *books, uint16_t locate, uint64_t reference, struct change *change);

/* U */
enum outcome books_replace(struct books *books, uint16_t locate, uint64_t original, uint64_t reference, uint32_t shares,
                           uint32_t price, struct change *change);

#endif
