/* SPDX-License-Identifier: MIT */
/*
 * Price levels: one AVL tree a side of a book, all in one pool, with the best level cached.
 *
 * A key is the price for bids and its complement for asks, so that on both sides the greater key is the better price and
 * one code serves both. Cost: the best level, and a new best one, are found without a descent; any other in at most
 * 1.44 log2(n) steps (19 for 8,192 levels), and so are insertion and removal. Orders hold the index of their level, so
 * executions, cancels and deletes never search; a node therefore keeps its index for life and removal relinks nodes
 * instead of copying them.
 *
 * Level 0 is "no level", and the sentinel of searches: levels_find writes the wanted key into it.
 */
#ifndef TICKLOOP_LEVELS_H
#define TICKLOOP_LEVELS_H

#include <stdbool.h>
#include <stdint.h>

enum side { SIDE_BID = 0, SIDE_ASK = 1 };

struct level {
  uint64_t shares;
  uint32_t key;
  uint32_t orders;
  uint32_t child[2]; /* 0: worse prices, 1: better prices */
  uint32_t parent;
  uint16_t book;
  uint8_t side;
  int8_t balance; /* height of child[1] - height of child[0] */
};
_Static_assert(sizeof(struct level) == 32, "two levels a cache line");

struct levels {
  struct level *pool; /* need not be zeroed */
  uint32_t limit;     /* levels, without level 0 */
  uint32_t live;
  uint32_t fresh; /* highest index ever used */
  uint32_t free;  /* list of released levels, linked through parent */
};

struct side_tree {
  uint32_t root;
  uint32_t best;
  uint32_t best_key; /* 0 without levels: also the bid price that stands for "no bid" */
  uint32_t count;
};

static inline uint32_t level_key(uint32_t price, enum side side) { return side == SIDE_BID ? price : ~price; }

static inline uint32_t level_price(const struct level *level) {
  return level->side == SIDE_BID ? level->key : ~level->key;
}

static inline bool levels_full(const struct levels *levels) { return levels->live == levels->limit; }

/*
 * Where `key` is or belongs: returns its level, or 0 with the level that would become its parent (0: the tree is empty).
 */
static inline uint32_t levels_find(const struct levels *levels, const struct side_tree *tree, uint32_t key,
                                   uint32_t *parent) {
  if (key >= tree->best_key) {
    *parent = tree->best;
    return key == tree->best_key ? tree->best : 0;
  }
  struct level *pool = levels->pool;
  pool[0].key = key;
  uint32_t at = tree->root;
  uint32_t above = 0;
  for (const struct level *level = &pool[at]; level->key != key; level = &pool[at]) {
    above = at;
    at = level->child[key > level->key];
  }
  *parent = above;
  return at;
}

/* A new level under `parent` as levels_find gave it; the caller has made sure that the pool is not full. */
uint32_t levels_insert(struct levels *levels, struct side_tree *tree, uint32_t parent, uint32_t key, uint16_t book,
                       enum side side);

void levels_remove(struct levels *levels, struct side_tree *tree, uint32_t index);

/* The next level in order of price: toward better (1) or worse (0); 0 at the end. */
uint32_t levels_neighbour(const struct levels *levels, uint32_t index, unsigned toward);

#endif
