/* SPDX-License-Identifier: MIT */
/*
 * Price levels of all books in one pool, with each side's best level cached.
 *
 * A key is the price for bids and its complement for asks, so that on both sides the greater key is the better price and
 * one code serves both. A hash index finds a level by side and key. Their order is kept twofold:
 *
 *   - a window of WINDOW_TICKS whole ticks a side has a bit for each: a level there is ordered by setting its bit, and the
 *     next one is found by bit scans, whatever the number of levels;
 *   - levels elsewhere (far from the best price, or between ticks) are in an AVL tree a side, 1.44 log2(n) steps at most.
 *
 * The window is laid around the first level of a side, and follows the best price when that leaves it: the window's last
 * levels move to the tree then, MOVED at a time. Orders hold the index of their level, so executions, cancels and deletes
 * never search; a level keeps its index for life.
 *
 * Level 0 is "no level".
 */
#ifndef TICKLOOP_LEVELS_H
#define TICKLOOP_LEVELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum side { SIDE_BID = 0, SIDE_ASK = 1 };

#define TICK 100u /* of a price with 4 implied decimals: a cent */
#define WINDOW_WORDS 15u
#define WINDOW_TICKS (64u * WINDOW_WORDS)
#define WINDOW_BELOW (WINDOW_TICKS / 4u * 3u) /* ticks between the window's begin and the level it is laid around */
#define MOVED 4u

struct level {
  uint64_t shares;
  uint32_t key;
  uint16_t book;
  uint8_t side;
  int8_t balance; /* in the tree: height of child[1] - height of child[0]; else IN_WINDOW */
  uint32_t orders;
  uint32_t child[2]; /* 0: worse prices, 1: better prices */
  uint32_t parent;
};
_Static_assert(sizeof(struct level) == 32, "two levels a cache line");
#define IN_WINDOW 2

struct window {
  uint32_t base;  /* key of bit 0 */
  uint32_t words; /* bit i: bits[i] is not 0 */
  uint64_t bits[WINDOW_WORDS];
};
_Static_assert(sizeof(struct window) == 128, "two cache lines");

struct levels {
  struct level *pool;     /* need not be zeroed */
  uint32_t *index;        /* zeroed by the owner: open-addressed, at most half full; one more for what has no place */
  struct window *windows; /* zeroed by the owner: two a book */
  uint32_t mask;          /* entries of the index - 1 */
  uint32_t shift;         /* 64 - log2(entries) */
  uint32_t limit;         /* levels, without level 0 */
  uint32_t live;
  uint32_t fresh; /* highest index ever used */
  uint32_t free;  /* list of released levels, linked through parent */
};

struct side_tree {
  uint32_t root; /* of the levels that are not in the window */
  uint32_t best;
  uint32_t best_key; /* 0 without levels: also the bid price that stands for "no bid" */
  uint32_t count;
};

/* log2 of the index's entries for `limit` levels */
static inline uint32_t levels_log2(uint32_t limit) {
  uint32_t log2 = 4;
  while ((1ull << log2) < 2ull * limit) log2++;
  return log2;
}

static inline uint32_t level_key(uint32_t price, enum side side) { return side == SIDE_BID ? price : ~price; }

static inline uint32_t level_price(const struct level *level) {
  return level->side == SIDE_BID ? level->key : ~level->key;
}

static inline bool levels_full(const struct levels *levels) { return levels->live == levels->limit; }

/* Key, book and side as they stand in a level, its balance above them. */
#define IDENTITY_BITS 56u
#define IDENTITY_MASK ((1ull << IDENTITY_BITS) - 1)

static inline uint64_t level_identity(uint32_t key, uint16_t book, enum side side) {
  return key | (uint64_t)book << 32 | (uint64_t)side << 48;
}

static inline uint64_t level_identity_of(const struct level *level) {
  uint64_t identity;
  __builtin_memcpy(&identity, &level->key, sizeof identity);
  return identity & IDENTITY_MASK;
}

static inline uint32_t levels_home(const struct levels *levels, uint64_t identity) {
  return (uint32_t)((identity * 0x9E3779B97F4A7C15ull) >> levels->shift); /* 2^64 / golden ratio */
}

/* As among orders (orders.h): walks end, where prices chosen against the multiplier would make them long. */
#define PLACE_LIMIT 256u
#define INDEX_SHIFT_LIMIT 1024u

static inline uint32_t *levels_no_place(const struct levels *levels) { return &levels->index[levels->mask + 1]; }

/* The place of a level in the index, or the free place where it would go; levels_no_place if there is none. */
uint32_t *levels_place_on(const struct levels *levels, uint64_t identity, uint32_t home);

static inline uint32_t *levels_place(const struct levels *levels, uint64_t identity) {
  uint32_t home = levels_home(levels, identity);
  uint32_t *place = &levels->index[home];
  if (*place == 0 || level_identity_of(&levels->pool[*place]) == identity) return place;
  return levels_place_on(levels, identity, home);
}

/* No level can come into being at `place`, as levels_find gave it. */
static inline bool levels_no_room(const struct levels *levels, const uint32_t *place) {
  return levels_full(levels) || place == levels_no_place(levels);
}

/* The level of `identity`, or 0; then *place is where it goes in the index, as long as no level comes or goes. */
static inline uint32_t levels_find(const struct levels *levels, const struct side_tree *tree, uint64_t identity,
                                   uint32_t **place) {
  *place = NULL;
  if ((uint32_t)identity == tree->best_key && tree->best != 0) return tree->best; /* an ask may have key 0 */
  *place = levels_place(levels, identity);
  return **place;
}

/* A new level where levels_find found none; the caller has made sure that the pool is not full. */
uint32_t levels_insert(struct levels *levels, struct side_tree *tree, uint64_t identity, uint32_t *place);

void levels_remove(struct levels *levels, struct side_tree *tree, uint32_t index);

/* The next level in order of price: toward better (1) or worse (0); 0 at the end. */
uint32_t levels_neighbour(const struct levels *levels, const struct side_tree *tree, uint32_t index, unsigned toward);

#endif
