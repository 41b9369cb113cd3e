/* SPDX-License-Identifier: MIT */
/* Price levels; see levels.h. Every loop here climbs or descends one path of a tree, or is bounded by a constant. */
#include "core/levels.h"

static unsigned side_of(const struct level *pool, uint32_t parent, uint32_t child) {
  return pool[parent].child[1] == child;
}

/* Put `replacement` (may be 0) where `old` hangs. */
static void replace_child(struct level *pool, struct ladder *ladder, uint32_t old, uint32_t replacement) {
  uint32_t parent = pool[old].parent;
  if (parent == 0) {
    ladder->root = replacement;
  } else {
    pool[parent].child[side_of(pool, parent, old)] = replacement;
  }
  if (replacement != 0) pool[replacement].parent = parent;
}

/* Lift the child of `top` on side `heavy` above it; balances are the caller's. */
static uint32_t rotate(struct level *pool, struct ladder *ladder, uint32_t top, unsigned heavy) {
  uint32_t lifted = pool[top].child[heavy];
  uint32_t inner = pool[lifted].child[!heavy];
  replace_child(pool, ladder, top, lifted);
  pool[top].child[heavy] = inner;
  if (inner != 0) pool[inner].parent = top;
  pool[lifted].child[!heavy] = top;
  pool[top].parent = lifted;
  return lifted;
}

/* Restore a node whose side `heavy` is two higher than the other; returns what now stands in its place. */
static uint32_t restore(struct level *pool, struct ladder *ladder, uint32_t top, unsigned heavy) {
  int8_t sign = heavy ? 1 : -1;
  uint32_t child = pool[top].child[heavy];
  if (pool[child].balance == -sign) {
    uint32_t inner = pool[child].child[!heavy];
    int8_t leaning = pool[inner].balance;
    rotate(pool, ladder, child, !heavy);
    rotate(pool, ladder, top, heavy);
    pool[top].balance = leaning == sign ? (int8_t)-sign : 0;
    pool[child].balance = leaning == -sign ? sign : 0;
    pool[inner].balance = 0;
    return inner;
  }
  rotate(pool, ladder, top, heavy);
  /* A level child (only on removal) leaves both leaning and the height as it was. */
  int8_t rest = pool[child].balance == 0 ? sign : 0;
  pool[top].balance = rest;
  pool[child].balance = (int8_t)-rest;
  return child;
}

/* ---- the tree ---- */
static __attribute__((noinline, cold)) void tree_insert(struct level *pool, struct ladder *ladder, uint32_t index) {
  uint32_t key = pool[index].key, parent = 0;
  for (uint32_t at = ladder->root; at != 0; at = pool[at].child[key > pool[at].key]) parent = at;
  pool[index].child[0] = pool[index].child[1] = 0;
  pool[index].parent = parent;
  pool[index].balance = 0;
  if (parent == 0) {
    ladder->root = index;
    return;
  }
  pool[parent].child[key > pool[parent].key] = index;

  for (uint32_t child = index; parent != 0; child = parent, parent = pool[parent].parent) {
    unsigned grown = side_of(pool, parent, child);
    int8_t balance = (int8_t)(pool[parent].balance + (grown ? 1 : -1));
    if (balance == 2 || balance == -2) {
      restore(pool, ladder, parent, grown);
      break;
    }
    pool[parent].balance = balance;
    if (balance == 0) break; /* the shorter side caught up: no height changed above */
  }
}

/* Exchange a node of two children with its better neighbour, which has no worse child; returns where the tree shrinks. */
static uint32_t unlink_inner(struct level *pool, struct ladder *ladder, uint32_t index, unsigned *shrunk) {
  uint32_t heir = pool[index].child[1];
  while (pool[heir].child[0] != 0) heir = pool[heir].child[0];
  uint32_t from = pool[heir].parent;
  *shrunk = from == index;
  if (from == index) {
    from = heir;
  } else {
    replace_child(pool, ladder, heir, pool[heir].child[1]);
    pool[heir].child[1] = pool[index].child[1];
    pool[pool[heir].child[1]].parent = heir;
  }
  replace_child(pool, ladder, index, heir);
  pool[heir].child[0] = pool[index].child[0];
  pool[pool[heir].child[0]].parent = heir;
  pool[heir].balance = pool[index].balance;
  return from;
}

static __attribute__((noinline, cold)) void tree_remove(struct level *pool, struct ladder *ladder, uint32_t index) {
  unsigned shrunk; /* side of `at` that lost height */
  uint32_t at;
  if (pool[index].child[0] != 0 && pool[index].child[1] != 0) {
    at = unlink_inner(pool, ladder, index, &shrunk);
  } else {
    at = pool[index].parent;
    shrunk = at != 0 && side_of(pool, at, index);
    replace_child(pool, ladder, index, pool[index].child[pool[index].child[0] == 0]);
  }

  while (at != 0) {
    int8_t balance = (int8_t)(pool[at].balance + (shrunk ? -1 : 1));
    if (balance == 2 || balance == -2) {
      at = restore(pool, ladder, at, !shrunk);
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
static uint32_t tree_nearest(const struct level *pool, const struct ladder *ladder, uint32_t key, unsigned toward) {
  uint32_t nearest = 0;
  for (uint32_t at = ladder->root; at != 0;) {
    bool beyond = toward != 0 ? pool[at].key > key : pool[at].key < key;
    if (beyond) nearest = at;
    at = pool[at].child[beyond ? !toward : toward];
  }
  return nearest;
}

uint32_t levels_find_in_tree(const struct level *pool, const struct ladder *ladder, uint32_t key) {
  uint32_t at = ladder->root;
  while (at != 0 && pool[at].key != key) at = pool[at].child[key > pool[at].key];
  return at;
}

/* ---- the window ---- */
static inline uint32_t lowest(uint64_t bits) { return (uint32_t)__builtin_ctzll(bits); }
static inline uint32_t highest(uint64_t bits) { return 63u - (uint32_t)__builtin_clzll(bits); }

static inline bool window_empty(const struct ladder *ladder) {
  return (ladder->bits[0] | ladder->bits[1] | ladder->bits[2] | ladder->bits[3]) == 0;
}
_Static_assert(WINDOW_WORDS == 4, "window_empty");

static inline void window_clear(struct ladder *ladder, uint32_t tick) { ladder->bits[tick / 64] &= ~tick_bit(tick); }

static inline uint32_t tick_key(const struct ladder *ladder, uint32_t tick) { return ladder->base + tick * TICK; }

/* The best tick that has a level, WINDOW_TICKS without one. */
static inline uint32_t window_best(const struct ladder *ladder) {
  for (uint32_t word = WINDOW_WORDS; word-- != 0;) {
    if (ladder->bits[word] != 0) return word * 64 + highest(ladder->bits[word]);
  }
  return WINDOW_TICKS;
}

/* The tick with a level nearest to `key` on its worse (0) or better (1) side; WINDOW_TICKS: there is none. */
static uint32_t window_nearest(const struct ladder *ladder, uint32_t key, unsigned toward) {
  /* The ticks from `from` upwards, or those below it: all of them if the key lies beyond. */
  uint32_t from = 0;
  if (key >= ladder->base) {
    uint32_t offset = key - ladder->base;
    from = offset / TICK + (toward != 0 || offset % TICK != 0);
  }
  if (from > WINDOW_TICKS) from = WINDOW_TICKS;
  uint32_t word = from / 64;
  uint64_t below = tick_bit(from) - 1;
  if (toward != 0) {
    for (uint64_t masked = ~below; word < WINDOW_WORDS; word++, masked = ~0ull) {
      uint64_t bits = ladder->bits[word] & masked;
      if (bits != 0) return word * 64 + lowest(bits);
    }
    return WINDOW_TICKS;
  }
  uint64_t bits = word < WINDOW_WORDS ? ladder->bits[word] & below : 0;
  while (bits == 0 && word != 0) bits = ladder->bits[--word];
  return bits != 0 ? word * 64 + highest(bits) : WINDOW_TICKS;
}

/* So that no tick of it lies beyond the largest key: differences of keys never wrap. */
static uint32_t base_around(uint32_t key) {
  uint32_t base = key > WINDOW_BELOW * TICK ? key - WINDOW_BELOW * TICK : key % TICK;
  uint32_t most = UINT32_MAX - (WINDOW_TICKS - 1) * TICK;
  return base <= most ? base : base - (base - most + TICK - 1) / TICK * TICK;
}

/* The best level has no tick: move the window there as soon as it is empty, a few levels at a time. */
static __attribute__((noinline, cold)) uint32_t window_follow(struct levels *levels, struct ladder *ladder,
                                                              uint32_t key) {
  for (unsigned i = 0; i < MOVED && !window_empty(ladder); i++) {
    uint32_t word = 0;
    while (ladder->bits[word] == 0) word++;
    uint32_t tick = word * 64 + lowest(ladder->bits[word]), index = *window_entry(levels, ladder, tick);
    window_clear(ladder, tick);
    tree_insert(levels->pool, ladder, index);
  }
  if (window_empty(ladder)) ladder->base = base_around(key);
  return ladder_tick(ladder, key);
}

/* ---- levels ---- */
void levels_begin(struct levels *levels, struct ladder *ladder, uint16_t book, enum side side, bool any) {
  struct level level = {.book = book, .side = side, .any = any, .balance = IN_WINDOW};
  uint32_t row = 2 * (book - 1u) + side;
  __builtin_memcpy(&ladder->owner, &level.book, sizeof ladder->owner);
  if (row >= levels->row_count) return;
  ladder->row = row * (sizeof *levels->rows / sizeof levels->rows->level[0]);
  ladder->ticks = WINDOW_TICKS;
}

static inline uint32_t allocate(struct levels *levels) {
  uint32_t index = levels->free;
  if (index != 0) levels->free = levels->pool[index].parent;
  else index = ++levels->fresh;
  return index;
}

uint32_t levels_insert(struct levels *levels, struct ladder *ladder, uint32_t key, uint32_t tick, uint32_t shares) {
  uint32_t index = allocate(levels);
  struct level *level = &levels->pool[index];
  level->shares = shares;
  level->key = key;
  __builtin_memcpy(&level->book, &ladder->owner, sizeof ladder->owner);
  level->orders = 1;
  ladder->count++;
  if (key >= ladder->best_key) { /* the same key only without levels: an ask may have key 0 */
    ladder->best = index;
    ladder->best_key = key;
    if (tick >= ladder->ticks) tick = window_follow(levels, ladder, key);
  }
  if (tick >= ladder->ticks) {
    tree_insert(levels->pool, ladder, index);
    return index;
  }
  ladder->bits[tick / 64] |= tick_bit(tick);
  *window_entry(levels, ladder, tick) = index;
  level->tick = tick;
  return index;
}
_Static_assert(offsetof(struct level, balance) ==
                   offsetof(struct level, book) + sizeof(((struct ladder *)0)->owner) - 1,
               "ladder.owner");

uint32_t levels_neighbour(const struct levels *levels, const struct ladder *ladder, uint32_t index, unsigned toward) {
  uint32_t key = levels->pool[index].key;
  uint32_t near = window_nearest(ladder, key, toward), far = tree_nearest(levels->pool, ladder, key, toward);
  if (near >= WINDOW_TICKS) return far;
  if (far != 0 && (levels->pool[far].key > tick_key(ladder, near)) != (toward != 0)) return far;
  return *window_entry(levels, ladder, near);
}

bool ladder_set_any(struct ladder *ladder, bool any) {
  struct level level;
  __builtin_memcpy(&level.book, &ladder->owner, sizeof ladder->owner);
  bool older = any != level.any && ladder->count != 0;
  level.any = any;
  __builtin_memcpy(&ladder->owner, &level.book, sizeof ladder->owner);
  return older;
}

/* After the best level has gone. Of one in the window the key is enough: its entry stands in another line. */
static inline void find_best(struct levels *levels, struct ladder *ladder) {
  uint32_t tick = window_best(ladder), far = ladder->root, far_key = 0;
  if (far != 0) {
    while (levels->pool[far].child[1] != 0) far = levels->pool[far].child[1];
    far_key = levels->pool[far].key;
  }
  if (tick < WINDOW_TICKS && (far == 0 || tick_key(ladder, tick) > far_key)) {
    ladder->best_key = tick_key(ladder, tick);
    ladder->best = 0;
  } else {
    ladder->best_key = far_key;
    ladder->best = far;
  }
}

void levels_remove(struct levels *levels, struct ladder *ladder, uint32_t index) {
  struct level *level = &levels->pool[index];
  if (level->balance == IN_WINDOW) window_clear(ladder, level->tick);
  else tree_remove(levels->pool, ladder, index);
  if (level->key == ladder->best_key) find_best(levels, ladder);
  level->parent = levels->free;
  levels->free = index;
  levels->room++;
  ladder->count--;
}
