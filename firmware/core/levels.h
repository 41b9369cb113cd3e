/* SPDX-License-Identifier: MIT */
/*
 * Price levels of all books in one pool; what a side knows of its own is one cache line.
 *
 * A key is the price for bids and its complement for asks, so that on both sides the greater key is the better price and
 * one code serves both. The levels of a side are kept in one of two ways:
 *
 *   - a window of WINDOW_TICKS whole ticks has a bit and an entry for each: a level there is found by its tick, ordered by
 *     setting its bit, and the next one is found by bit scans, whatever the number of levels. The bits decide: an entry is
 *     read where there is one, and written when a level comes, so one that goes costs no more than its bit;
 *   - levels elsewhere (far from the best price, or between ticks) are in an AVL tree, 1.44 log2(n) steps at most.
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
#define WINDOW_WORDS 4u
#define WINDOW_TICKS (64u * WINDOW_WORDS)
#define WINDOW_BELOW (WINDOW_TICKS / 4u * 3u) /* ticks between the window's begin and the level it is laid around */
#define MOVED 4u

struct level {
  uint64_t shares;
  uint32_t key;
  uint16_t book;
  uint8_t side : 1;
  uint8_t any : 1; /* its book's strategy ran on any change when it came */
  int8_t balance; /* in the tree: height of child[1] - height of child[0]; else IN_WINDOW */
  uint32_t orders;
  union {
    uint32_t child[2]; /* in the tree, 0: worse prices, 1: better prices */
    uint32_t tick;     /* in the window */
  };
  uint32_t parent;
};
_Static_assert(sizeof(struct level) == 32, "two levels a cache line");
#define IN_WINDOW 2

/* Levels of a window by tick, where its bits say that there is one. One line more than that, so that the same ticks of all books are not in the same
 * few sets of a cache. */
struct tick_row {
  uint32_t level[WINDOW_TICKS + 16];
};

/* Sides that can have a window; beyond them a side has its tree alone. */
#define TICK_ROWS (1u << 15)

struct levels {
  struct level *pool;     /* need not be zeroed */
  struct tick_row *rows;  /* nor these */
  uint32_t row_count;
  uint32_t limit; /* levels, without level 0 */
  uint32_t room;  /* levels that may still come */
  uint32_t fresh; /* highest index ever used */
  uint32_t free;  /* list of released levels, linked through parent */
};

/* All levels of a side. */
struct ladder {
  uint64_t bits[WINDOW_WORDS]; /* of the window: whether there is a level */
  uint32_t best_key;           /* 0 without levels: also the bid price that stands for "no bid" */
  uint32_t best;               /* the level of best_key, 0: it is looked up when it is needed */
  uint32_t base;               /* key of tick 0 */
  uint32_t ticks;              /* WINDOW_TICKS, or 0: no window */
  uint32_t row;                /* the entry of tick 0, from that of all windows on */
  uint32_t root;               /* of the levels that are not in the window */
  uint32_t count;
  uint32_t owner; /* book, side, any and balance of a new level, as they stand there */
};
_Static_assert(sizeof(struct ladder) == 64, "a cache line");

static inline uint32_t levels_live(const struct levels *levels) { return levels->limit - levels->room; }

static inline uint32_t level_key(uint32_t price, enum side side) { return price ^ (0u - (uint32_t)side); }

static inline uint32_t level_price(const struct level *level) {
  return level->side == SIDE_BID ? level->key : ~level->key;
}

/* The ladder, zeroed, of a book's side; books count from 1. */
void levels_begin(struct levels *levels, struct ladder *ladder, uint16_t book, enum side side, bool any);

/* Whether the book's strategy runs on any change, for levels to come; true: there are levels that say something else. */
bool ladder_set_any(struct ladder *ladder, bool any);

/* The tick of `key`, ladder->ticks or more if it has none. An exact division by 4 x 25: a multiplication by the inverse of 25
 * and a rotation, which take what is no multiple beyond all quotients (Warren, Hacker's Delight, 10-17). */
static inline uint32_t ladder_tick(const struct ladder *ladder, uint32_t key) {
  uint32_t turned = (key - ladder->base) * 0xC28F5C29u;
  return turned >> 2 | turned << 30;
}
_Static_assert(TICK == 100 && 0xC28F5C29u * 25u == 1u && UINT32_MAX / TICK >= WINDOW_TICKS, "ladder_tick");

__attribute__((noinline, cold)) uint32_t levels_find_in_tree(const struct level *pool, const struct ladder *ladder,
                                                             uint32_t key);

static inline uint64_t tick_bit(uint32_t tick) { return 1ull << (tick & 63); }

static inline uint32_t *window_entry(const struct levels *levels, const struct ladder *ladder, uint32_t tick) {
  return &levels->rows->level[ladder->row + tick];
}

/* The level of `key`, or 0; then *tick is where it goes, as long as no level comes or goes. */
static inline uint32_t levels_find(const struct levels *levels, const struct ladder *ladder, uint32_t key,
                                   uint32_t *tick) {
  *tick = 0;
  if (key == ladder->best_key && ladder->best != 0) return ladder->best; /* an ask may have key 0 */
  *tick = ladder_tick(ladder, key);
  if (*tick < ladder->ticks) {
    if ((ladder->bits[*tick / 64] >> (*tick & 63) & 1) != 0) return *window_entry(levels, ladder, *tick);
    if (ladder->root == 0) return 0; /* a level of the tree stays there when the window comes */
  }
  return levels_find_in_tree(levels->pool, ladder, key);
}

/* The best level; 0: there is none. */
static inline uint32_t levels_best(const struct levels *levels, const struct ladder *ladder) {
  uint32_t tick;
  if (ladder->best != 0 || ladder->count == 0) return ladder->best;
  return levels_find(levels, ladder, ladder->best_key, &tick);
}

/* A new level of one order where levels_find found none; the caller has taken room for it. */
uint32_t levels_insert(struct levels *levels, struct ladder *ladder, uint32_t key, uint32_t tick, uint32_t shares);

void levels_remove(struct levels *levels, struct ladder *ladder, uint32_t index);

/* The next level in order of price: toward better (1) or worse (0); 0 at the end. */
uint32_t levels_neighbour(const struct levels *levels, const struct ladder *ladder, uint32_t index, unsigned toward);

#endif
