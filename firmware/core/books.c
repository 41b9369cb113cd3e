/* SPDX-License-Identifier: MIT */
/* Order books; see books.h. In each operation the line "commit" marks the point after which nothing can fail. */
#include "core/books.h"

#include <stddef.h>

/* Computed here, not at each use: the compiler takes the multiplications of indices for cheaper than a register. */
#define ADDRESS(pointer) __asm__("" : "+r"(pointer))

/* Counted where it stands: compared and counted down in memory it costs less than loaded for both. */
#define IN_MEMORY(count) __asm__("" : "+m"(count))

/* E C X D U (ITCH 5.0, 1.4): the reference decides, never the locate; it only tells whether the order could have been ours. */
static enum outcome not_found(const struct books *books, uint16_t locate) {
  return symbols_subscribed(&books->symbols, locate) ? OUTCOME_UNKNOWN_REFERENCE : OUTCOME_UNSUBSCRIBED;
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

struct book *books_named(const struct books *books, const char *symbol, uint32_t length) {
  uint64_t stock;
  if (!symbol_named(symbol, length, &stock)) return NULL;
  for (uint32_t number = 1; number <= books->count; number++) {
    if (books->pool[number].stock == stock) return &books->pool[number];
  }
  return NULL;
}

struct book *books_holder(const struct books *books, uint64_t reference) {
  const struct order *order = orders_probe(&books->orders, reference);
  return order->shares != 0 ? &books->pool[books->levels.pool[order_level(order)].book] : NULL;
}

/* The book of a locate that had none. */
static void open_book(struct books *books, uint16_t locate, struct locate *known) {
  struct symbol_setting begin = symbols_begin(&books->symbols, known);
  bool quiet = begin.quiet || begin.strategy == 0;
  uint16_t number = (uint16_t)++books->count;
  books->pool[number] = (struct book){
      .stock = known->stock,
      .shares = begin.shares,
      .stock_locate = locate,
      .number = number,
      .flags = (uint8_t)((known->flags & BOOK_CLOSED) | books->inherited | (quiet ? BOOK_FLAG_QUIET : 0)),
      .strategy = begin.strategy,
      .restricted = (known->flags & BOOK_FLAG_RESTRICTED) != 0,
  };
  for (unsigned side = 0; side < 2; side++) {
    levels_begin(&books->levels, &books->pool[number].side[side], number, (enum side)side,
                 books->symbols.any_change[begin.strategy] != 0);
  }
  known->book = number;
}

/* Of an order to come, by what orders_place found instead of a free entry. */
static enum outcome no_place(const struct books *books, const struct order *order) {
  return order == books->orders.full ? OUTCOME_POOL_FULL : OUTCOME_DUPLICATE_REFERENCE;
}

/* An order for a locate that has no book, or for another symbol than its own: whether it has one now. The first order of a
 * book always needs a level, so all that can refuse it is asked here. */
static __attribute__((noinline, cold)) enum outcome introduce(struct books *books, uint16_t locate, uint64_t stock,
                                                              uint64_t reference) {
  struct locate *known = &books->symbols.locates[locate];
  if (!symbols_learn(&books->symbols, locate, stock)) return OUTCOME_BAD_SYMBOL;
  if (known->state == LOCATE_UNSUBSCRIBED) return OUTCOME_UNSUBSCRIBED;
  const struct order *order = orders_place(&books->orders, reference);
  if (order->shares != 0) return no_place(books, order);
  if (books->orders.room == 0) return OUTCOME_POOL_FULL;
  if (books->count == books->limit || books->levels.room == 0) return OUTCOME_POOL_FULL;
  open_book(books, locate, known);
  return OUTCOME_APPLIED;
}

/* A last order has gone: its level goes too. */
static inline void close_level(struct books *books, struct ladder *ladder, const struct level *level,
                               struct change *change) {
  uint32_t index = (uint32_t)(level - books->levels.pool);
  change->key_before = ladder->best_key;
  levels_remove(&books->levels, ladder, index);
  change->moved = ladder->best_key != change->key_before;
}

static inline void remove_order(struct books *books, struct order *order, struct level *level, struct change *change) {
  change->moved = false;
  if (--level->orders != 0) level->shares -= order->shares;
  else close_level(books, &change_book(books, change)->side[level->side], level, change);
  orders_remove(&books->orders, order);
}

static inline void take_room(uint32_t *room) {
  IN_MEMORY(*room);
  --*room;
}

/* By buy_sell_indicator; all others are none. */
#define NO_SIDE 2
static const uint8_t sides[256] = {
    [0 ... 'A'] = NO_SIDE, ['B'] = SIDE_BID, ['C' ... 'R'] = NO_SIDE, ['S'] = SIDE_ASK, ['T' ... 255] = NO_SIDE};

static inline void join(struct books *books, uint32_t index, uint32_t shares) {
  struct level *level = &books->levels.pool[index];
  level->shares += shares;
  level->orders++;
}

enum outcome books_add(struct books *books, uint16_t locate, uint64_t stock, uint64_t reference, uint8_t buy_sell,
                       uint32_t shares, uint32_t price, struct change *change) {
  enum side side = sides[buy_sell];
  if (shares == 0 || price == 0 || side > SIDE_ASK) return OUTCOME_INVALID;
  struct locate *known = &books->symbols.locates[locate];
  if (known->book == 0 || known->stock != stock) {
    enum outcome outcome = introduce(books, locate, stock, reference);
    if (outcome != OUTCOME_APPLIED) return outcome;
  }
  struct order *order = orders_place(&books->orders, reference);
  if (order->shares != 0) return no_place(books, order);
  struct book *book = &books->pool[known->book];
  uint32_t key = level_key(price, side), tick;
  struct ladder *ladder = &book->side[side];
  ADDRESS(ladder);
  uint32_t index = levels_find(&books->levels, ladder, key, &tick);
  if (books->orders.room == 0 || (index == 0 && books->levels.room == 0)) return OUTCOME_POOL_FULL;

  /* commit */
  change->moved = false;
  if (index != 0) {
    join(books, index, shares);
  } else {
    change->key_before = ladder->best_key;
    take_room(&books->levels.room);
    index = levels_insert(&books->levels, ladder, key, tick, shares);
    change->moved = key > change->key_before;
  }
  take_room(&books->orders.room);
  change->level = &books->levels.pool[index];
  *order = (struct order){.reference = reference, .shares = shares, .level = index};
  return OUTCOME_APPLIED;
}

enum outcome books_reduce(struct books *books, uint16_t locate, uint64_t reference, uint32_t shares,
                          struct change *change) {
  if (shares == 0) return OUTCOME_INVALID;
  struct order *order = orders_probe(&books->orders, reference);
  if (order->shares == 0) return not_found(books, locate);

  /* commit */
  struct level *level = &books->levels.pool[order_level(order)];
  change->level = level;
  if (shares < order->shares) {
    order->shares -= shares;
    level->shares -= shares;
    change->moved = false;
    return OUTCOME_APPLIED;
  }
  enum outcome outcome = shares > order->shares ? OUTCOME_OVER_EXECUTION : OUTCOME_APPLIED;
  remove_order(books, order, level, change);
  return outcome;
}

enum outcome books_delete(struct books *books, uint16_t locate, uint64_t reference, struct change *change) {
  struct order *order = orders_probe(&books->orders, reference);
  if (order->shares == 0) return not_found(books, locate);

  /* commit */
  struct level *level = &books->levels.pool[order_level(order)];
  change->level = level;
  remove_order(books, order, level, change);
  return OUTCOME_APPLIED;
}

enum outcome books_replace(struct books *books, uint16_t locate, uint64_t original, uint64_t reference, uint32_t shares,
                           uint32_t price, struct change *change) {
  if (shares == 0 || price == 0) return OUTCOME_INVALID;
  struct order *order = orders_probe(&books->orders, original);
  if (order->shares == 0) return not_found(books, locate);
  struct order *target = order;
  if (__builtin_expect(reference != original, true)) {
    target = orders_place(&books->orders, reference);
    if (target->shares != 0 && target != books->orders.full) return OUTCOME_DUPLICATE_REFERENCE;
  }

  /* commit: the original goes, whatever becomes of its successor (see books.h) */
  struct level *level = &books->levels.pool[order_level(order)];
  struct book *book = &books->pool[level->book];
  enum side side = (enum side)level->side;
  struct ladder *ladder = &book->side[side];
  ADDRESS(ladder);
  uint32_t key_before = ladder->best_key, key = level_key(price, side), tick;
  change->level = level;
  if (--level->orders != 0) level->shares -= order->shares;
  else close_level(books, ladder, level, change);

  uint32_t index = levels_find(&books->levels, ladder, key, &tick);
  bool full = target == books->orders.full || (index == 0 && books->levels.room == 0);
  if (!full) {
    if (index != 0) {
      join(books, index, shares);
    } else {
      take_room(&books->levels.room);
      index = levels_insert(&books->levels, ladder, key, tick, shares);
    }
  }
  change->key_before = key_before;
  change->moved = ladder->best_key != key_before;
  if (full) {
    orders_remove(&books->orders, order);
    return OUTCOME_POOL_FULL;
  }
  if (target == order) { /* it stands where it stood, and others may have gone past */
    order->shares = shares;
    order->level = index | (order->level & ORDER_PASSED);
    return OUTCOME_APPLIED;
  }
  *target = (struct order){.reference = reference, .shares = shares, .level = index};
  books->orders.room--;
  orders_remove(&books->orders, order); /* after the insertion: removal may move entries, the target's too */
  return OUTCOME_APPLIED;
}
