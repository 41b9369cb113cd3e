/* SPDX-License-Identifier: MIT */
/*
 * Which symbols are subscribed, and what each stock locate stands for.
 *
 * The feed names a locate's symbol in A, F and R; the first name holds for the run. The configured list is consulted once
 * a locate, through a hash index; afterwards a locate costs one table read.
 */
#ifndef TICKLOOP_SYMBOLS_H
#define TICKLOOP_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "include/layout.h"

#define LOCATES 65536u

enum locate_state { LOCATE_UNKNOWN = 0, LOCATE_UNSUBSCRIBED, LOCATE_SUBSCRIBED };

struct locate {
  uint64_t stock;  /* as the eight bytes stand on the wire */
  uint32_t listed; /* 1 + position in the list, 0: not listed */
  uint16_t book;   /* 0: none yet */
  uint8_t state;
  uint8_t flags; /* book_flag: what its book has, or will begin with */
};
_Static_assert(sizeof(struct locate) == 16, "four locates a cache line");

/* What a symbol's book begins with. */
struct symbol_setting {
  uint64_t stock;
  uint32_t shares;
  uint8_t strategy;
  bool quiet;
};

/* Symbols without a book that commands have set. */
#define SYMBOL_SETTINGS 8192u

struct symbols {
  struct locate *locates; /* LOCATES entries, zeroed by the owner */
  uint32_t *index;        /* 1 + position in the list; zeroed by the owner, symbols_index_log2 gives its size */
  uint32_t index_log2;
  const struct config_symbol *list;
  uint32_t count;
  bool subscribe_all;
  uint8_t default_strategy;
  uint32_t default_shares;
  struct symbol_setting *set; /* SYMBOL_SETTINGS of them; the owner's */
  uint32_t set_count;
  const uint8_t *any_change; /* by strategy: whether it runs on any change of a book; the owner's */
};

uint32_t symbols_index_log2(uint32_t count);

/* Printable ASCII, left-justified, padded with spaces on the right, not empty. */
bool symbol_valid(const uint8_t stock[8]);

/* The symbol of a text without padding; false: it cannot be one. */
bool symbol_named(const char *text, uint32_t length, uint64_t *stock);

/* Index the list; false if a symbol stands in it twice. */
bool symbols_init(struct symbols *symbols, const struct config_header *config, struct locate *locates, uint32_t *index);

/* Learn that `locate` is `stock`; false if the name is impossible or contradicts the one learned before. */
bool symbols_learn(struct symbols *symbols, uint16_t locate, uint64_t stock);

/* What the first book of a symbol would begin with; false: it is not subscribed. */
bool symbols_setting(const struct symbols *symbols, uint64_t stock, struct symbol_setting *setting);

/* Let it begin with that; false: there is no room. */
bool symbols_set(struct symbols *symbols, const struct symbol_setting *setting);

/* What a book of a named and subscribed locate begins with; the next one of the symbol does with what is configured. */
struct symbol_setting symbols_begin(struct symbols *symbols, const struct locate *locate);

/* Whether messages of `locate` concern a subscribed symbol, as far as the feed has told. */
static inline bool symbols_subscribed(const struct symbols *symbols, uint16_t locate) {
  uint8_t state = symbols->locates[locate].state;
  return state == LOCATE_SUBSCRIBED || (state == LOCATE_UNKNOWN && symbols->subscribe_all);
}

#endif
