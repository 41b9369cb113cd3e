/* SPDX-License-Identifier: MIT */
/* Price levels; see levels.h. Every loop here climbs or descends one path of a tree, or is bounded by a constant. */
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

/* ---- the tree ---- */
static void tree_insert(struct level *pool, struct side_tree *tree, uint32_t index) {
  uint32_t key = pool[index].key, parent = 0;
  for (uint32_t at = tree->root; at != 0; at = pool[at].child[key > pool[at].key]) parent = at;
  pool[index].child[0] = pool[index].child[1] = 0;
  pool[index].parent = parent;
  pool[index].balance = 0;
  if (parent == 0) {
    tree->root = index;
    return;
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

static void tree_remove(struct level *pool, struct side_tree *tree, uint32_t index) {
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
}

/* The level nearest to `key` on its worse (0) or better (1) side. */
static uint32_t tree_nearest(const struct level *pool, const struct side_tree *tree, uint32_t key, unsigned toward) {
  uint32_t nearest = 0;
  for (uint32_t at = tree->root; at != 0;) {
    bool beyond = toward != 0 ? pool[at].key > key : pool[at].key < key;
    if (beyond) nearest = at;
    at = pool[at].child[beyond ? !toward : toward];
  }
  return nearest;
}

/* ---- the window ---- */
static inline uint64_t with_key(uint64_t identity, uint32_t key) { return (identity & ~0xFFFFFFFFull) | key; }

/* Number of the book's side among all: side by side, then book by book. */
static inline uint32_t identity_side(uint64_t identity) {
  return (uint32_t)(identity >> 32 & 0xFFFF) * 2 + (uint32_t)(identity >> 48);
}

/* The bit of `key`, WINDOW_TICKS or more if it has none. */
static inline uint32_t tick_of(const struct window *window, uint32_t key) {
  uint32_t offset = key - window->base;
  uint32_t tick = offset / TICK;
  return tick * TICK == offset ? tick : WINDOW_TICKS;
}

static inline void window_set(struct window *window, uint32_t tick) {
  window->bits[tick / 64] |= 1ull << (tick & 63);
  window->words |= 1u << (tick / 64);
}

static inline void window_clear(struct window *window, uint32_t tick) {
  uint64_t bits = window->bits[tick / 64] & ~(1ull << (tick & 63));
  window->bits[tick / 64] = bits;
  if (bits == 0) window->words &= ~(1u << (tick / 64));
}

static inline uint32_t lowest(uint64_t bits) { return (uint32_t)__builtin_ctzll(bits); }
static inline uint32_t highest(uint64_t bits) { return 63u - (uint32_t)__builtin_clzll(bits); }

/* The window's best level; it has one. */
static inline uint32_t window_best(const struct window *window) {
  uint32_t word = highest(window->words);
  return window->base + (word * 64 + highest(window->bits[word])) * TICK;
}

/* Key of the window's level nearest to `key` on its worse (0) or better (1) side; false: there is none. */
static bool window_nearest(const struct window *window, uint32_t key, unsigned toward, uint32_t *nearest) {
  if (window->words == 0) return false;
  /* The ticks from `from` upwards, or those below it: all of them if the key lies beyond. */
  uint32_t from = 0;
  if (key >= window->base) {
    uint32_t offset = key - window->base;
    from = offset / TICK + (toward != 0 || offset % TICK != 0);
  }
  if (from > WINDOW_TICKS) from = WINDOW_TICKS;
  for (uint32_t word = from / 64, step = 0; step <= WINDOW_WORDS; step++, word += toward != 0 ? 1u : ~0u) {
    if (word > WINDOW_WORDS) return false; /* beyond an end */
    if (word == WINDOW_WORDS) {
      if (toward != 0) return false;
      continue;
    }
    uint64_t bits = window->bits[word];
    if (step == 0) {
      uint64_t below = (1ull << (from & 63)) - 1;
      bits &= toward != 0 ? ~below : below;
    }
    if (bits == 0) continue;
    *nearest = window->base + (word * 64 + (toward != 0 ? lowest(bits) : highest(bits))) * TICK;
    return true;
  }
  return false;
}

/* So that no tick of it lies beyond the largest key: differences of keys never wrap. */
static uint32_t base_around(uint32_t key) {
  uint32_t base = key > WINDOW_BELOW * TICK ? key - WINDOW_BELOW * TICK : key % TICK;
  uint32_t most = UINT32_MAX - (WINDOW_TICKS - 1) * TICK;
  return base <= most ? base : base - (base - most + TICK - 1) / TICK * TICK;
}

/* The best level has no bit: move the window there as soon as it is empty, a few levels at a time. */
static uint32_t __attribute__((noinline, cold)) window_follow(struct levels *levels, struct side_tree *tree,
                                                              struct window *window, uint64_t identity) {
  uint32_t key = (uint32_t)identity;
  for (unsigned i = 0; i < MOVED && window->words != 0; i++) {
    uint32_t word = lowest(window->words);
    uint32_t tick = word * 64 + lowest(window->bits[word]);
    window_clear(window, tick);
    tree_insert(levels->pool, tree, *levels_place(levels, with_key(identity, window->base + tick * TICK)));
  }
  if (window->words == 0) window->base = base_around(key);
  return tick_of(window, key);
}

/* ---- levels ---- */
static inline uint32_t allocate(struct levels *levels) {
  uint32_t index = levels->free;
  if (index != 0) {
    levels->free = levels->pool[index].parent;
  } else {
    index = ++levels->fresh;
  }
  levels->live++;
  return index;
}

uint32_t levels_insert(struct levels *levels, struct side_tree *tree, uint64_t identity, uint32_t *place) {
  uint32_t key = (uint32_t)identity, index = allocate(levels);
  struct level *level = &levels->pool[index];
  struct window *window = &levels->windows[identity_side(identity)];
  uint64_t in_window = identity | (uint64_t)IN_WINDOW << IDENTITY_BITS;
  *place = index;
  level->shares = 0;
  level->orders = 0;
  __builtin_memcpy(&level->key, &in_window, sizeof in_window);
  bool best = key > tree->best_key || tree->best == 0; /* an ask may have key 0 */
  uint32_t tick = tick_of(window, key);
  if (tick >= WINDOW_TICKS && best) tick = window_follow(levels, tree, window, identity);
  if (tick < WINDOW_TICKS) window_set(window, tick);
  else tree_insert(levels->pool, tree, index);
  tree->count++;
  if (best) {
    tree->best = index;
    tree->best_key = key;
  }
  return index;
}

uint32_t levels_neighbour(const struct levels *levels, const struct side_tree *tree, uint32_t index, unsigned toward) {
  uint64_t identity = level_identity_of(&levels->pool[index]);
  uint32_t key = (uint32_t)identity, near, far = tree_nearest(levels->pool, tree, key, toward);
  if (!window_nearest(&levels->windows[identity_side(identity)], key, toward, &near)) return far;
  if (far != 0 && (levels->pool[far].key > near) != (toward != 0)) return far;
  return *levels_place(levels, with_key(identity, near));
}

uint32_t *levels_place_on(const struct levels *levels, uint64_t identity, uint32_t home) {
  for (uint32_t step = 1; step <= PLACE_LIMIT; step++) {
    uint32_t *place = &levels->index[(home + step) & levels->mask];
    if (*place == 0 || level_identity_of(&levels->pool[*place]) == identity) return place;
  }
  return levels_no_place(levels);
}

static void __attribute__((noinline)) close_up(struct levels *levels, uint32_t hole) {
  uint32_t first = hole;
  for (uint32_t step = 1; step <= INDEX_SHIFT_LIMIT; step++) {
    uint32_t at = (first + step) & levels->mask, index = levels->index[at];
    if (index == 0) {
      levels->index[hole] = 0;
      return;
    }
    uint32_t home = levels_home(levels, level_identity_of(&levels->pool[index]));
    if (((at - home) & levels->mask) >= ((at - hole) & levels->mask)) {
      levels->index[hole] = index;
      hole = at;
    }
  }
  levels->index[hole] = levels->limit + 1; /* a barrier: a level that nobody looks for */
}

/* Free the index's place: entries behind it move up unless that would put them before their home. */
static inline void index_remove(struct levels *levels, uint64_t identity) {
  uint32_t hole = (uint32_t)(levels_place(levels, identity) - levels->index);
  if (levels->index[(hole + 1) & levels->mask] == 0) levels->index[hole] = 0;
  else close_up(levels, hole);
}

static inline void find_best(struct levels *levels, struct side_tree *tree, const struct window *window,
                             uint64_t identity) {
  uint32_t far = tree->root, far_key = 0;
  if (far != 0) {
    while (levels->pool[far].child[1] != 0) far = levels->pool[far].child[1];
    far_key = levels->pool[far].key;
  }
  if (window->words != 0 && (far == 0 || window_best(window) > far_key)) {
    tree->best_key = window_best(window);
    tree->best = *levels_place(levels, with_key(identity, tree->best_key));
  } else {
    tree->best_key = far_key;
    tree->best = far;
  }
}

void levels_remove(struct levels *levels, struct side_tree *tree, uint32_t index) {
  struct level *level = &levels->pool[index];
  uint64_t identity = level_identity_of(level);
  struct window *window = &levels->windows[identity_side(identity)];
  if (level->balance == IN_WINDOW) window_clear(window, (level->key - window->base) / TICK);
  else tree_remove(levels->pool, tree, index);
  index_remove(levels, identity);
  if (index == tree->best) find_best(levels, tree, window, identity);
  level->parent = levels->free;
  levels->free = index;
  levels->live--;
  tree->count--;
}
