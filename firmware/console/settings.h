/* SPDX-License-Identifier: MIT */
/*
 * Whether there is room for all settings of strategies that a file of commands makes. Equal ones share a place, with those
 * that symbols have already too. Where a symbol is set more than once, each further line is a setting of its own: what it
 * leaves out is as the lines before it say. Rather one place too many is counted than one too few.
 */
#ifndef TICKLOOP_CONSOLE_SETTINGS_H
#define TICKLOOP_CONSOLE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/config.h"
#include "core/setting.h"

/* A setting that no symbol has yet. */
struct new_setting {
  struct setting setting;
  uint16_t before; /* what the symbol had */
};

/* A symbol has an instance that is in use, below INSTANCES, or, from there on, a new setting; 0: the file has not set it. */
struct settings {
  bool used[INSTANCES];
  uint32_t room;
  uint32_t count;
  struct new_setting made[INSTANCES];
  uint16_t of_book[CONFIG_MAX_BOOKS + 1];
};

void settings_begin(struct settings *settings, const struct engine *engine);

/* One more line of the file, as it was read; false: there is no room for it. */
bool settings_fit(struct settings *settings, const struct setting *setting);

#endif
