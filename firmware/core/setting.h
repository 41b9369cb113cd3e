/* SPDX-License-Identifier: MIT */
/*
 * The strategy of a symbol and its parameters, set while the kernel trades: "SYM NAME KEY=NUMBER ...".
 *
 * KEY is a parameter of the strategy, or "shares", the size of its orders. What is not named stays as it is, if the symbol
 * has that strategy already, and otherwise is what the parameter usually is. The strategy begins anew, without memory; orders
 * that are open stay.
 */
#ifndef TICKLOOP_SETTING_H
#define TICKLOOP_SETTING_H

#include "core/engine.h"

/* The symbol that a command is about. */
struct setting_target {
  uint32_t book;               /* number, 0: it has none yet */
  struct symbol_setting begin; /* what it has, or will begin with */
};

/* NULL, or why there is none. */
const char *setting_target(const struct engine *engine, const char *symbol, uint32_t length,
                           struct setting_target *target);

struct setting {
  uint64_t stock;
  uint32_t book; /* number, 0: what the symbol's book is to begin with */
  const struct strategy *strategy;
  uint32_t shares;
  uint32_t parameters[STRATEGY_PARAMETERS];
  uint8_t instance; /* to hold it */
};

/* Read `text` and check all of it; returns NULL, or what is wrong. */
const char *setting_read(const struct engine *engine, const char *text, struct setting *setting);

void setting_apply(struct engine *engine, const struct setting *setting);

/* Instances that a book has, or may have: the configuration's. */
void settings_used(const struct engine *engine, bool used[INSTANCES]);

#endif
