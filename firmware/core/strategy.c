/* SPDX-License-Identifier: MIT */
/* The registry of strategies: what the linker found in the section of that name. */
#include "core/strategy.h"

#include <stddef.h>

extern const struct strategy *const __start_strategies[];
extern const struct strategy *const __stop_strategies[];

static bool same(const uint8_t name[16], const char *of) {
  unsigned i = 0;
  for (; i < 15 && of[i] != '\0'; i++) {
    if (name[i] != (uint8_t)of[i]) return false;
  }
  return of[i] == '\0' && name[i] == 0;
}

const struct strategy *strategy_find(const uint8_t name[16]) {
  for (const struct strategy *const *at = __start_strategies; at != __stop_strategies; at++) {
    if (same(name, (*at)->name)) return *at;
  }
  return NULL;
}
