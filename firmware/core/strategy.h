/* SPDX-License-Identifier: MIT */
/*
 * The interface of strategies. One is a file in strategies/ that ends with STRATEGY(name): a function from a book that
 * has just changed to at most INTENTS intents, and its parameters with their ranges. docs/strategies.md shows one whole.
 *
 * A strategy is pure: what it may look at is in its view, what it keeps is one word a book, and what it wants passes the
 * checks of core/risk.h before anything is sent. It never runs on a book that is halted, stale or suspect.
 */
#ifndef TICKLOOP_STRATEGY_H
#define TICKLOOP_STRATEGY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/books.h"
#include "core/intent.h"
#include "core/oms.h"

struct strategy_view {
  const struct book *book;
  const struct levels *levels;
  const struct oms *oms;
  const uint32_t *parameters; /* in the order of struct strategy */
  uint64_t *memory;           /* the strategy's own word of this book, 0 at first */
  uint32_t key_before;        /* best key of the changed side before the change */
  enum side side;             /* the changed side */
};

/* A parameter; its name is that of the configuration file. */
struct strategy_parameter {
  const char *name;
  uint32_t least;
  uint32_t most;
  uint32_t usual; /* where a command does not name it */
};

/* When it runs. */
enum strategy_trigger {
  STRATEGY_ON_BEST = 0, /* the best price of a side has changed */
  STRATEGY_ON_ANY = 1,  /* anything has */
};

struct strategy {
  const char *name; /* at most 15 characters */
  enum strategy_trigger trigger;
  struct strategy_parameter parameters[STRATEGY_PARAMETERS]; /* up to the first without a name */
  /* Fills in kind, side, and what goes with the kind; returns how many. */
  unsigned (*on_book)(const struct strategy_view *view, struct intent intents[INTENTS]);
};

/* Register a strategy: the linker collects the pointers, and configurations name it. */
#define STRATEGY(variable) \
  static const struct strategy *const variable##_registered __attribute__((section("strategies"), used)) = &variable

/* The registered strategy of a name padded with zeros to 16 bytes; NULL if there is none. */
const struct strategy *strategy_find(const uint8_t name[16]);

static inline const struct level *view_level(const struct strategy_view *view, uint32_t index) {
  return &view->levels->pool[index];
}

/* Index of the best level of a side, and of the next worse one; 0: there is none. */
static inline uint32_t view_best(const struct strategy_view *view, enum side side) {
  return levels_best(view->levels, &view->book->side[side]);
}

static inline uint32_t view_next(const struct strategy_view *view, uint32_t index) {
  return levels_neighbour(view->levels, &view->book->side[view_level(view, index)->side], index, 0);
}

/* The newest own order of a side that is not known to be over; NULL if there is none. */
static inline const struct own_order *view_working(const struct strategy_view *view, enum side side) {
  return oms_find(view->oms, view->book->working[side]);
}

static inline struct intent intent_enter(uint8_t side, uint32_t shares, uint32_t price) {
  return (struct intent){.kind = INTENT_KIND_ENTER, .side = side, .shares = shares, .price = price};
}

static inline struct intent intent_replace(const struct own_order *original, uint32_t shares, uint32_t price) {
  return (struct intent){.kind = INTENT_KIND_REPLACE, .original = original->number, .shares = shares, .price = price};
}

static inline struct intent intent_cancel(const struct own_order *original) {
  return (struct intent){.kind = INTENT_KIND_CANCEL, .original = original->number};
}

#endif
