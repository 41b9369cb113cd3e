/* SPDX-License-Identifier: MIT */
/* The configuration module: every field is checked against its range before anything is believed. */
#ifndef TICKLOOP_CONFIG_H
#define TICKLOOP_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "include/layout.h"

#define CONFIG_MAX_STRATEGIES 255u
#define CONFIG_MAX_SYMBOLS 65536u
#define CONFIG_MAX_BOOKS 65535u /* a locate holds its book's number in 16 bits, and 0 is none */
#define CONFIG_MAX_ORDERS (1u << 24)
#define CONFIG_MAX_LEVELS (1u << 24)
#define CONFIG_MAX_TIME_IN_FORCE 99999u /* OUCH 4.2: seconds, 99998 market hours, 99999 system hours */
#define CONFIG_MAX_NS 1000000000000ull /* 1,000 s */
#define CONFIG_MAX_LIMIT 1000000000000000000ull
#define CONFIG_MAX_COLLAR_BP 1000000u
#define CONFIG_MAX_HELD (1u << 20)

/* Whether this is a configuration module of this kernel's layout; the other fields mean nothing before. */
bool config_layout_matches(const void *module, uint64_t bytes);

static inline const struct config_strategy *config_strategies(const struct config_header *config) {
  return (const struct config_strategy *)((const struct config_symbol *)(config + 1) + config->symbol_count);
}

/* NULL, or the first field that is wrong, as one line. The layout has been found to match. */
const char *config_validate(const struct config_header *config, uint64_t bytes);

#endif
