/* SPDX-License-Identifier: MIT */
/* Order books; see books.h. In each operation the line "commit" marks the point after which nothing can fail. */
#include "core/books.h"

#include <stddef.h>

/* E C X D U (ITCH 5.0, 1.4): the reference decides, never the locate; it only tells whether the order could have been ours. */
static enum outcome not_found(const struct books *books, uint16_t locate) {
  return symbols_subscribed(&books->symbols, locate) ? OUTCOME_UNKNOWN_REFERENCE : OUTCOME_UNSUBSCRIBED;
}

static inline void report(struct book *book, enum side side, struct change *change) {
  change->book = book;
  change->key_before = book->side[side].best_key;
  change->side = side;
}

void books_set(struct books *books, uint16_t locate, uint8_t flag) {
  struct locate *known = &books->symbols.locates[locate];
  known->flags |= flag;
  if (known->book == 0) return;
  struct book *book = &books->pool[known->book];
  if (flag == BOOK_FLAG_RESTRICTED) book->restricted = 1;
  else book->flags |= flag;
}

void books_clear(struct books *books, uint16_t locate, uint8_t flag) {
  struct locate *known = &books->symbols.locates[locate];
  known->flags &= (uint8_t)~flag;
  if (known->book == 0) return;
  struct book *book = &books->pool[known->book];
  if (flag == BOOK_FLAG_RESTRICTED) book->restricted = 0;
  else book->flags &= (uint8_t)~flag;
}

struct book *books_holder(const struct books *books, uint64_t reference) {
  const struct order *order = orders_probe(&books->orders, reference);
  return order->shares != 0 ? &books->pool[books->levels.pool[order->level].book] : NULL;
}

/* The book of a locate that had none; the caller has made sure of room. */
static uint16_t __attribute__((noinline)) open_book(struct books *books, uint16_t locate, struct locate *known) {
  uint32_t shares;
  uint8_t strategy = symbols_strategy(&books->symbols, known, &shares);
  uint16_t number = (uint16_t)++books->count;
  books->pool[number] = (struct book){
      .stock = known->stock,
      .shares = shares,
      .stock_locate = locate,
      .flags =
          (uint8_t)((known->flags & ~BOOK_FLAG_RESTRICTED) | books->inherited | (strategy == 0 ? BOOK_FLAG_QUIET : 0)),
      .strategy = strategy,
      .any = books->symbols.any_change[strategy],
      .restricted = (known->flags & BOOK_FLAG_RESTRICTED) != 0,
  };
  known->book = number;
  return number;
}

/* Take `shares` and, with the last of them, one order off a level. */
static inline void level_leave(struct books *books, uint32_t index, uint32_t shares) {
  struct level *level = &books->levels.pool[index];
  level->shares -= shares;
  if (--level->orders == 0) levels_remove(&books->levels, &books->pool[level->book].side[level->side], index);
}

static inline void remove_order(struct books *books, struct order *order) {
  level_leave(books, order->level, order->shares);
  orders_remove(&books->orders, order);
}

static inline void fill(struct order *order, struct level *level, uint64_t reference, uint32_t shares, uint32_t index) {
  *order = (struct order){.reference = reference, .shares = shares, .level = index};
  level->shares += shares;
  level->orders++;
}

enum outcome books_add(struct books *books, uint16_t locate, uint64_t stock, uint64_t reference, uint8_t buy_sell,
                       uint32_t shares, uint32_t price, struct change *change) {
  if (shares == 0 || price == 0 || (buy_sell != 'B' && buy_sell != 'S')) return OUTCOME_INVALID;
  struct locate *known = &books->symbols.locates[locate];
  if (known->stock != stock || known->state != LOCATE_SUBSCRIBED) {
    if (!symbols_learn(&books->symbols, locate, stock)) return OUTCOME_BAD_SYMBOL;
    if (known->state == LOCATE_UNSUBSCRIBED) return OUTCOME_UNSUBSCRIBED;
  }
  struct order *order = orders_probe(&books->orders, reference);
  if (order->shares != 0) return OUTCOME_DUPLICATE_REFERENCE;
  if (books->orders.live == books->orders.limit || order == orders_no_place(&books->orders)) return OUTCOME_POOL_FULL;

  uint16_t number = known->book;
  if (number == 0) {
    /* The first order of a book always needs a level: with both checked, only a place in its index can be missing. */
    if (books->count == books->limit || levels_full(&books->levels)) return OUTCOME_POOL_FULL;
    number = open_book(books, locate, known);
  }
  struct book *book = &books->pool[number];
  enum side side = buy_sell == 'B' ? SIDE_BID : SIDE_ASK;
  uint64_t identity = level_identity(level_key(price, side), number, side);
  uint32_t *place;
  uint32_t index = levels_find(&books->levels, &book->side[side], identity, &place);
  if (index == 0 && levels_no_room(&books->levels, place)) return OUTCOME_POOL_FULL;

  /* commit */
  report(book, side, change);
  if (index == 0) index = levels_insert(&books->levels, &book->side[side], identity, place);
  fill(order, &books->levels.pool[index], reference, shares, index);
  books->orders.live++;
  return OUTCOME_APPLIED;
}

enum outcome books_reduce(struct books *books, uint16_t locate, uint64_t reference, uint32_t shares,
                          struct change *change) {
  if (shares == 0) return OUTCOME_INVALID;
  struct order *order = orders_probe(&books->orders, reference);
  if (order->shares == 0) return not_found(books, locate);

  /* commit */
  struct level *level = &books->levels.pool[order->level];
  report(&books->pool[level->book], (enum side)level->side, change);
  if (shares < order->shares) {
    order->shares -= shares;
    level->shares -= shares;
    return OUTCOME_APPLIED;
  }
  enum outcome outcome = shares > order->shares ? OUTCOME_OVER_EXECUTION : OUTCOME_APPLIED;
  remove_order(books, order);
  return outcome;
}

enum outcome books_delete(struct books *books, uint16_t locate, uint64_t reference, struct change *change) {
  struct order *order = orders_probe(&books->orders, reference);
  if (order->shares == 0) return not_found(books, locate);

  /* commit */
  const struct level *level = &books->levels.pool[order->level];
  report(&books->pool[level->book], (enum side)level->side, change);
  remove_order(books, order);
  return OUTCOME_APPLIED;
}

enum outcome books_replace(struct books *books, uint16_t locate, uint64_t original, uint64_t reference, uint32_t shares,
                           uint32_t price, struct change *change) {
  if (shares == 0 || price == 0) return OUTCOME_INVALID;
  struct order *order = orders_probe(&books->orders, original);
  if (order->shares == 0) return not_found(books, locate);
  struct order *target = order;
  if (reference != original) {
    target = orders_probe(&books->orders, reference);
    if (target->shares != 0) return OUTCOME_DUPLICATE_REFERENCE;
  }
  bool no_place = target == orders_no_place(&books->orders);

  /* commit: the original goes, whatever becomes of its successor (see books.h) */
  struct level *level = &books->levels.pool[order->level];
  uint16_t number = level->book;
  enum side side = (enum side)level->side;
  struct book *book = &books->pool[number];
  struct side_tree *tree = &book->side[side];
  report(book, side, change);
  level_leave(books, order->level, order->shares);

  uint64_t identity = level_identity(level_key(price, side), number, side);
  uint32_t *place;
  uint32_t index = levels_find(&books->levels, tree, identity, &place);
  if (no_place || (index == 0 && levels_no_room(&books->levels, place))) {
    orders_remove(&books->orders, order);
    return OUTCOME_POOL_FULL;
  }
  if (index == 0) index = levels_insert(&books->levels, tree, identity, place);
  fill(target, &books->levels.pool[index], reference, shares, index);
  if (target != order) {
    books->orders.live++;
    orders_remove(&books->orders, order); /* after the insertion: removal may move entries, the target's too */
  }
  return OUTCOME_APPLIED;
}
