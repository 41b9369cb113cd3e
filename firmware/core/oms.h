/* SPDX-License-Identifier: MIT */
/*
 * Own orders from intent to their end, and what they have done: positions, cash, and what may still fill.
 *
 * An order's entry is found by its number modulo the table's size; numbers only grow, so an entry is taken over when its
 * order is over. In a session that answers nothing (SESSION_MODE_ESTABLISHED) orders are assumed from the moment they are
 * sent: they do not count as open, and their entries may be taken over at any time.
 *
 * Answers are checked against the order before anything changes; one that contradicts it changes nothing.
 */
#ifndef TICKLOOP_OMS_H
#define TICKLOOP_OMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/answer.h"
#include "core/books.h"
#include "core/intent.h"

/* So that 2^12 orders of less than a million shares each sum to less than 2^32. */
#define OMS_MAX_LOG2 12u

#define OMS_SKIPS 8u     /* numbers whose entries are taken that an order passes over before it is refused */
#define OMS_MATCHES 1024 /* latest executions, for trades that are broken */

struct own_order {
  uint64_t reference; /* the exchange's order reference number */
  uint32_t number;
  uint32_t original;    /* a replacement's: number of the order it replaces; 0 once that is over */
  uint32_t replacement; /* number of the replacement that is on its way, 0: none */
  uint32_t shares;      /* open */
  uint32_t executed;    /* since accepted or replaced */
  uint32_t price;
  uint32_t next; /* number of the next one on the same side of the book */
  uint32_t previous;
  uint16_t book;
  uint8_t side; /* B S T */
  uint8_t state;
  bool accepted;
  bool
      cancel; /* to be cancelled as soon as it can be, and what replaces it too; false in an entry whose order is over */
  uint8_t unused[18];
};
_Static_assert(sizeof(struct own_order) == 64, "a cache line");

/* One side of an execution: where two of our orders trade with each other, both have the match number. */
struct oms_match {
  uint64_t match;
  uint32_t number; /* the order's */
  uint32_t shares; /* 0: none, or broken */
  uint32_t price;
  uint16_t book;
  uint8_t side;
};

struct oms {
  struct own_order *orders; /* zeroed by the owner */
  struct book *books;
  uint32_t mask;
  uint32_t number; /* the last one used */
  uint32_t open;
  bool assume;
  int64_t cash;
  uint64_t exposure; /* over all books: shares, long or short, if all open orders of the worse side fill */
  uint64_t positions; /* over all books: shares, long or short */
  uint64_t lost; /* orders that went out on a link that died, and were never accepted */
  uint32_t matches_next;
  struct oms_match matches[OMS_MATCHES];
};

void oms_init(struct oms *oms, struct own_order *orders, uint32_t log2, struct book *books, bool assume);

static inline struct own_order *oms_entry(const struct oms *oms, uint32_t number) {
  return &oms->orders[number & oms->mask];
}

/* An order that is not over; NULL if there is none of that number. */
static inline struct own_order *oms_find(const struct oms *oms, uint32_t number) {
  struct own_order *order = oms_entry(oms, number);
  if (number == 0 || order->number != number || order->state == OWN_STATE_DEAD) return NULL;
  return order;
}

static inline enum side oms_side(uint8_t side) { return side == 'B' ? SIDE_BID : SIDE_ASK; }

/* Shares of a book, long or short, if all open orders of the worse side fill. */
static inline uint64_t oms_exposure(int64_t position, uint64_t buying, uint64_t selling) {
  int64_t bought = position + (int64_t)buying, sold = (int64_t)selling - position;
  return (uint64_t)(bought > sold ? bought : sold);
}

/* Its entry may be taken over. */
static inline bool oms_entry_free(const struct own_order *order) { return order->state < OWN_STATE_PENDING; }

uint32_t oms_pass_over(const struct oms *oms);

/* The number that the next order gets; 0 if the table has no room. */
static inline uint32_t oms_next_number(const struct oms *oms) {
  uint32_t number = oms->number + 1;
  return oms_entry_free(oms_entry(oms, number)) ? number : oms_pass_over(oms);
}

/* Commit to an intent that has passed every check, where it got its number: its order begins, its shares are the wire's. */
void oms_enter(struct oms *oms, const struct intent *intent);
void oms_change(struct oms *oms, struct intent *intent); /* all but an enter concern an order that is there */

/* Whatever is there now is to be cancelled. */
void oms_cancel_all(struct oms *oms);

/* An order that is to be cancelled and can be, from entry `at` on; NULL: none. */
struct own_order *oms_to_cancel(const struct oms *oms, uint32_t *at);

/* Whether an order is still there that was to be cancelled. */
bool oms_cancels(const struct oms *oms);

enum answered oms_answer(struct oms *oms, const struct answer *answer);

/* The link went down: what is open is unknown. It is ready again: what was never accepted is lost, the rest is live. */
void oms_link_down(struct oms *oms);
void oms_link_ready(struct oms *oms);

/* Price at which a position is valued: where it could be given up now, else the last own execution. */
uint32_t oms_mark(const struct book *book);

#endif
