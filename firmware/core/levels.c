/* SPDX-License-Identifier: MIT */
/* Price levels in an AVL tree with parent links; see levels.h. Every loop here climbs or descends one path of the tree. */
#include "core/levels.h"

static unsigned side_of(const struct level *pool, uint32_t parent, uint32_t child) {
  return pool[parent].child[1] == child;
}

/* Put `replacement` (may be 0) where `old` hangs. */
static void replace_child(struct level *pool, struct side_tree *tree, uint32_t old, uint32_t replacement) {
  uint32_t parent = pool[old].parent;
  if (parent == 0) {
    tree->root = replacement;
  } else {
    pool[parent].child[side_of(pool, parent, old)] = replacement;
  }
  if (replacement != 0) pool[replacement].parent = parent;
}

/* Lift the child of `top` on side `heavy` above it; balances are the caller's. */
static uint32_t rotate(struct level *pool, struct side_tree *tree, uint32_t top, unsigned heavy) {
  uint32_t lifted = pool[top].child[heavy];
  uint32_t inner = pool[lifted].child[!heavy];
  replace_child(pool, tree, top, lifted);
  pool[top].child[heavy] = inner;
  if (inner != 0) pool[inner].parent = top;
  pool[lifted].child[!heavy] = top;
  pool[top].parent = lifted;
  return lifted;
}

/* Restore a node whose side `heavy` is two higher than the other; returns what now stands in its place. */
static uint32_t restore(struct level *pool, struct side_tree *tree, uint32_t top, unsigned heavy) {
  int8_t sign = heavy ? 1 : -1;
  uint32_t child = pool[top].child[heavy];
  if (pool[child].balance == -sign) {
    uint32_t inner = pool[child].child[!heavy];
    int8_t leaning = pool[inner].balance;
    rotate(pool, tree, child, !heavy);
    rotate(pool, tree, top, heavy);
    pool[top].balance = leaning == sign ? (int8_t)-sign : 0;
    pool[child].balance = leaning == -sign ? sign : 0;
    pool[inner].balance = 0;
    return inner;
  }
  rotate(pool, tree, top, heavy);
  /* A level child (only on removal) leaves both leaning and the height as it was. */
  int8_t rest = pool[child].balance == 0 ? sign : 0;
  pool[top].balance = rest;
  pool[child].balance = (int8_t)-rest;
  return child;
}

static uint32_t allocate(struct levels *levels) {
  uint32_t index = levels->free;
  if (index != 0) {
    levels->free = levels->pool[index].parent;
  } else {
    index = ++levels->fresh;
  }
  levels->live++;
  return index;
}

uint32_t levels_insert(struct levels *levels, struct side_tree *tree, uint32_t parent, uint32_t key, uint16_t book,
                       enum side side) {
  struct level *pool = levels->pool;
  uint32_t index = allocate(levels);
  pool[index] = (struct level){.key = key, .parent = parent, .book = book, .side = (uint8_t)side};
  tree->count++;
  if (key >= tree->best_key) {
    tree->best = index;
    tree->best_key = key;
  }
  if (parent == 0) {
    tree->root = index;
    return index;
  }
  pool[parent].child[key > pool[parent].key] = index;

  for (uint32_t child = index; parent != 0; child = parent, parent = pool[parent].parent) {
    unsigned grown = side_of(pool, parent, child);
    int8_t balance = (int8_t)(pool[parent].balance + (grown ? 1 : -1));
    if (balance == 2 || balance == -2) {
      restore(pool, tree, parent, grown);
      break;
    }
    pool[parent].balance = balance;
    if (balance == 0) break; /* the shorter side caught up: no height changed above */
  }
  return index;
}

uint32_t levels_neighbour(const struct levels *levels, uint32_t index, unsigned toward) {
  const struct level *pool = levels->pool;
  uint32_t at = pool[index].child[toward];
  if (at != 0) {
    while (pool[at].child[!toward] != 0) at = pool[at].child[!toward];
    return at;
  }
  uint32_t child = index;
  for (at = pool[index].parent; at != 0 && side_of(pool, at, child) == toward; at = pool[at].parent) child = at;
  return at;
}

/* Exchange a node of two children with its better neighbour, which has no worse child; returns where the tree shrinks. */
static uint32_t unlink_inner(struct level *pool, struct side_tree *tree, uint32_t index, unsigned *shrunk) {
  uint32_t heir = pool[index].child[1];
  while (pool[heir].child[0] != 0) heir = pool[heir].child[0];
  uint32_t from = pool[heir].parent;
  *shrunk = from == index;
  if (from == index) {
    from = heir;
  } else {
    replace_child(pool, tree, heir, pool[heir].child[1]);
    pool[heir].child[1] = pool[index].child[1];
    pool[pool[heir].child[1]].parent = heir;
  }
  replace_child(pool, tree, index, heir);
  pool[heir].child[0] = pool[index].child[0];
  pool[pool[heir].child[0]].parent = heir;
  pool[heir].balance = pool[index].balance;
  return from;
}

void levels_remove(struct levels *levels, struct side_tree *tree, uint32_t index) {
  struct level *pool = levels->pool;
  if (index == tree->best) {
    tree->best = levels_neighbour(levels, index, 0);
    tree->best_key = tree->best != 0 ? pool[tree->best].key : 0;
  }

  unsigned shrunk; /* side of `at` that lost height */
  uint32_t at;
  if (pool[index].child[0] != 0 && pool[index].child[1] != 0) {
    at = unlink_inner(pool, tree, index, &shrunk);
  } else {
    at = pool[index].parent;
    shrunk = at != 0 && side_of(pool, at, index);
    replace_child(pool, tree, index, pool[index].child[pool[index].child[0] == 0]);
  }

  while (at != 0) {
    int8_t balance = (int8_t)(pool[at].balance + (shrunk ? -1 : 1));
    if (balance == 2 || balance == -2) {
      at = restore(pool, tree, at, !shrunk);
    } else {
      pool[at].balance = balance;
    }
    if (pool[at].balance != 0) break; /* still as high as before */
    uint32_t parent = pool[at].parent;
    shrunk = parent != 0 && side_of(pool, parent, at);
    at = parent;
  }

  pool[index].parent = levels->free;
  levels->free = index;
  levels->live--;
  tree->count--;
}
