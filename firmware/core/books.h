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
#include <stddef.h>
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

/* Flags with which no strategy runs; book_flag says what each means. */
#define BOOK_CLOSED                                                                                      \
  (BOOK_FLAG_HALTED | BOOK_FLAG_OPERATIONAL | BOOK_FLAG_BREACHED | BOOK_FLAG_STALE | BOOK_FLAG_SUSPECT | \
   BOOK_FLAG_QUIET)

/* The levels of each side have a cache line of their own, and with them its best price: no message needs more of a book, nor
 * does its trace entry, as long as its strategy is not asked. What that needs is in the third line, and the fourth is that of
 * our own orders. */
struct book {
  struct ladder side[2];

  uint64_t stock;
  uint32_t shares; /* of the strategy's orders */
  uint16_t stock_locate;
  uint16_t number;  /* its own */
  uint8_t flags;    /* of BOOK_CLOSED: one test for all */
  uint8_t strategy; /* number of its instance */
  uint8_t restricted;
  uint8_t unused[45];

  int64_t cash; /* of own executions */
  uint64_t bought;
  uint64_t sold;
  uint64_t memory;         /* the strategy's own */
  uint32_t open_shares[2]; /* own, by side */
  uint32_t working[2];     /* newest own order of a side that is not known to be over, 0: none */
  uint32_t first[2];       /* list of open own orders by side */
  uint32_t open;
  uint32_t last_price; /* of own executions */
};
_Static_assert(offsetof(struct book, stock) == 128 && offsetof(struct book, cash) == 192 && sizeof(struct book) == 256,
               "four cache lines");

struct books {
  struct orders orders;
  struct levels levels;
  struct symbols symbols;
  struct book *pool; /* pool[0] is unused: book 0 is "none" */
  uint32_t count;
  uint32_t limit;
  uint8_t inherited; /* flags of books that come into being */
};

/* What a book operation reports beside its outcome: a level of the one side it changed, and what that side's best key was
 * before, if it is another one now. */
struct change {
  const struct level *level;
  uint32_t key_before;
  bool moved;
};

static inline struct book *change_book(const struct books *books, const struct change *change) {
  return &books->pool[change->level->book];
}

static inline enum side change_side(const struct change *change) { return (enum side)change->level->side; }

static inline uint32_t change_key_before(const struct change *change, const struct book *book) {
  return change->moved ? change->key_before : book->side[change_side(change)].best_key;
}

static inline int64_t book_position(const struct book *book) { return (int64_t)(book->bought - book->sold); }

static inline uint32_t book_best_bid(const struct book *book) { return book->side[SIDE_BID].best_key; }

/* UINT32_MAX: no ask */
static inline uint32_t book_best_ask(const struct book *book) { return ~book->side[SIDE_ASK].best_key; }

/* Set or clear a flag (HALTED, OPERATIONAL, BREACHED, SUSPECT, RESTRICTED) of a locate and of its book, if it has one. */
void books_set(struct books *books, uint16_t locate, uint8_t flag);
void books_clear(struct books *books, uint16_t locate, uint8_t flag);

/* The first book of a symbol, which is not padded; NULL if there is none. */
__attribute__((noinline, cold)) struct book *books_named(const struct books *books, const char *symbol,
                                                         uint32_t length);

/* The book of a live order, NULL if the reference is unknown. */
struct book *books_holder(const struct books *books, uint64_t reference);

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
