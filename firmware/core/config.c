/* SPDX-License-Identifier: MIT */
/* Validation of the configuration module: ranges of the layout, of the rings, and of OUCH 4.2 section 2.1. */
#include "core/config.h"

#include "core/symbols.h"

bool config_layout_matches(const void *module, uint64_t bytes) {
  const struct config_header *config = module;
  return bytes >= sizeof *config && config->magic == CONFIG_MAGIC && config->version == LAYOUT_VERSION &&
         config->layout_hash == LAYOUT_HASH;
}

static bool within(uint32_t value, uint32_t low, uint32_t high) { return value >= low && value <= high; }

static bool one_of(uint8_t value, const char *allowed) {
  for (; *allowed != '\0'; allowed++) {
    if (value == (uint8_t)*allowed) return true;
  }
  return false;
}

static bool printable(const uint8_t *text, unsigned size) {
  for (unsigned i = 0; i < size; i++) {
    if (text[i] < ' ' || text[i] > '~') return false;
  }
  return true;
}

static bool alphanumeric(const uint8_t *text, unsigned size) {
  for (unsigned i = 0; i < size; i++) {
    uint8_t c = text[i];
    if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))) return false;
  }
  return true;
}

/* A station's own address: not zero, not a group address (IEEE 802.3, 3.2.3: bit 0 of the first octet). */
static bool station_address(const uint8_t mac[6]) {
  return (mac[0] & 1) == 0 && (mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]) != 0;
}

static bool order_valid(uint32_t strategy, uint32_t shares) {
  if (strategy == STRATEGY_NONE) return shares < OUCH_SHARES_LIMIT;
  return strategy == STRATEGY_BEST_BID && within(shares, 1, OUCH_SHARES_LIMIT - 1);
}

const char *config_validate(const struct config_header *config, uint64_t bytes) {
  if (config->symbol_count > CONFIG_MAX_SYMBOLS) return "symbol_count is above 65536";
  if (config->size != sizeof *config + (uint64_t)config->symbol_count * sizeof(struct config_symbol)) {
    return "size does not fit symbol_count";
  }
  if (config->size != bytes) return "size is not that of the module";
  if (config->subscribe_all > 1) return "subscribe_all is neither 0 nor 1";
  if (config->subscribe_all == 0 && config->symbol_count == 0) return "no symbol is subscribed";
  if (!order_valid(config->default_strategy, config->default_shares))
    return "default strategy or shares are out of range";
  if (!within(config->rx_log2, 4, 16)) return "rx_log2 is not in 4..16";
  if (!within(config->tx_log2, 4, 16)) return "tx_log2 is not in 4..16";
  if (!within(config->raw_log2, 4, 16)) return "raw_log2 is not in 4..16";
  if (config->rx_mode > RING_MODE_DESCRIPTORS) return "rx_mode is no ring mode";
  if (config->tx_mode > RING_MODE_DESCRIPTORS) return "tx_mode is no ring mode";
  if (config->filter > 1) return "filter is neither 0 nor 1";
  if (config->verified > 1) return "verified is neither 0 nor 1";
  if (!within(config->max_books, 1, CONFIG_MAX_BOOKS)) return "max_books is not in 1..65535";
  if (!within(config->max_orders, 1, CONFIG_MAX_ORDERS)) return "max_orders is not in 1..16777216";
  if (!within(config->max_levels, 1, CONFIG_MAX_LEVELS)) return "max_levels is not in 1..16777216";
  if (config->group_address == 0) return "group_address is 0";
  if (!within(config->group_port, 1, 65535)) return "group_port is not in 1..65535";
  if (!station_address(config->source_mac)) return "source_mac is not a station's address";
  if (!station_address(config->destination_mac)) return "destination_mac is not a station's address";
  if (config->source_address == 0) return "source_address is 0";
  if (config->destination_address == 0) return "destination_address is 0";
  if (config->source_port == 0) return "source_port is 0";
  if (config->destination_port == 0) return "destination_port is 0";
  if (config->time_in_force > CONFIG_MAX_TIME_IN_FORCE) return "time_in_force is above 99999";
  if (config->minimum_quantity >= OUCH_SHARES_LIMIT) return "minimum_quantity is not below 1000000";
  if (!printable(config->firm, sizeof config->firm)) return "firm is not printable text";
  if (!printable(&config->display, 1)) return "display is not a printable character";
  if (!one_of(config->capacity, "APRO")) return "capacity is none of A P R O";
  if (!one_of(config->intermarket_sweep, "YNy")) return "intermarket_sweep is none of Y N y";
  if (!one_of(config->cross_type, "NOCHSRE")) return "cross_type is none of N O C H S R E";
  if (!one_of(config->customer_type, "RN ")) return "customer_type is none of R N and space";
  if (!alphanumeric(config->token_prefix, sizeof config->token_prefix)) return "token_prefix is not alphanumeric";

  const struct config_symbol *symbols = (const struct config_symbol *)(config + 1);
  for (uint32_t i = 0; i < config->symbol_count; i++) {
    if (!symbol_valid(symbols[i].stock)) return "a symbol is not text padded with spaces on the right";
    if (!order_valid(symbols[i].strategy, symbols[i].shares)) return "strategy or shares of a symbol are out of range";
  }
  return NULL;
}
