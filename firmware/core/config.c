/* SPDX-License-Identifier: MIT */
/* Validation of the configuration module: ranges of the layout, of the rings, and of OUCH 4.2 section 2.1. */
#include "core/config.h"

#include <stddef.h>

#include "core/oms.h"
#include "core/strategy.h"
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

/* `strategy` is a number: 0 none, else 1 + index of the table. */
static bool order_valid(const struct config_header *config, uint32_t strategy, uint32_t shares) {
  if (strategy == 0) return shares < OUCH_SHARES_LIMIT;
  return strategy <= config->strategy_count && within(shares, 1, OUCH_SHARES_LIMIT - 1);
}

static const char *strategies_validate(const struct config_header *config) {
  const struct config_strategy *entries = config_strategies(config);
  for (uint32_t i = 0; i < config->strategy_count; i++) {
    const struct strategy *strategy = strategy_find(entries[i].name);
    if (strategy == NULL) return "a strategy's name is none of this kernel's";
    const uint32_t *values = &entries[i].parameter_0;
    bool declared = true;
    for (uint32_t n = 0; n < STRATEGY_PARAMETERS; n++) {
      const struct strategy_parameter *parameter = &strategy->parameters[n];
      declared = declared && parameter->name != NULL;
      if (!declared && values[n] != 0) return "a strategy has no such parameter";
      if (declared && !within(values[n], parameter->least, parameter->most))
        return "a strategy's parameter is out of range";
    }
  }
  return NULL;
}

static const char *session_validate(const struct config_header *config) {
  if (config->session_mode > SESSION_MODE_CONNECT) return "session_mode is neither established nor connect";
  if (config->ouch_version != OUCH_VERSION_V42 && config->ouch_version != OUCH_VERSION_V50) {
    return "ouch_version is neither 42 nor 50";
  }
  if (!printable(config->soup_username, sizeof config->soup_username)) return "soup_username is not printable text";
  if (!printable(config->soup_password, sizeof config->soup_password)) return "soup_password is not printable text";
  if (!printable(config->soup_session, sizeof config->soup_session)) return "soup_session is not printable text";
  if (config->heartbeat_ns == 0 || config->heartbeat_ns > CONFIG_MAX_NS) return "heartbeat_ns is out of range";
  if (config->server_timeout_ns == 0 || config->server_timeout_ns > CONFIG_MAX_NS) {
    return "server_timeout_ns is out of range";
  }
  if (config->retransmit_ns == 0 || config->retransmit_ns > CONFIG_MAX_NS) return "retransmit_ns is out of range";
  if (!within(config->retransmit_limit, 1, 255)) return "retransmit_limit is not in 1..255";
  if (config->recovery_address != 0 && config->recovery_port == 0) return "recovery_port is 0";
  /* What the filter keeps back would look like a gap. */
  if (config->recovery_address != 0 && config->filter != 0) return "recovery and filter exclude each other";
  if (config->recovery_local_port == 0) return "recovery_local_port is 0";
  if (!within(config->recovery_retries, 0, 255)) return "recovery_retries is not in 0..255";
  if (config->recovery_timeout_ns == 0 || config->recovery_timeout_ns > CONFIG_MAX_NS) {
    return "recovery_timeout_ns is out of range";
  }
  if (!within(config->recovery_held, 1, CONFIG_MAX_HELD)) return "recovery_held is not in 1..1048576";
  if (!within(config->recovery_request, 1, 65534)) return "recovery_request is not in 1..65534";
  return NULL;
}

static const char *risk_validate(const struct config_header *config) {
  if (!within(config->own_orders_log2, 4, OMS_MAX_LOG2)) return "own_orders_log2 is not in 4..12";
  if (config->risk_self_trade > 1) return "risk_self_trade is neither 0 nor 1";
  if (config->risk_short_selling > 1) return "risk_short_selling is neither 0 nor 1";
  if (config->risk_collar_bp > CONFIG_MAX_COLLAR_BP) return "risk_collar_bp is above 1000000";
  if (config->risk_order_shares >= OUCH_SHARES_LIMIT) return "risk_order_shares is not below 1000000";
  if (config->risk_order_notional > CONFIG_MAX_LIMIT) return "risk_order_notional is above 10^18";
  if (config->risk_position > CONFIG_MAX_LIMIT) return "risk_position is above 10^18";
  if (config->risk_total_position > CONFIG_MAX_LIMIT) return "risk_total_position is above 10^18";
  if (config->risk_rate_interval_ns > CONFIG_MAX_NS) return "risk_rate_interval_ns is out of range";
  if (!within(config->risk_rate_burst, 1, 1000000)) return "risk_rate_burst is not in 1..1000000";
  return NULL;
}

const char *config_validate(const struct config_header *config, uint64_t bytes) {
  if (config->symbol_count > CONFIG_MAX_SYMBOLS) return "symbol_count is above 65536";
  if (config->strategy_count > CONFIG_MAX_STRATEGIES) return "strategy_count is above 255";
  if (config->size != sizeof *config + (uint64_t)config->symbol_count * sizeof(struct config_symbol) +
                          config->strategy_count * sizeof(struct config_strategy)) {
    return "size does not fit symbol_count and strategy_count";
  }
  if (config->size != bytes) return "size is not that of the module";
  if (config->subscribe_all > 1) return "subscribe_all is neither 0 nor 1";
  if (config->subscribe_all == 0 && config->symbol_count == 0) return "no symbol is subscribed";
  if (!order_valid(config, config->default_strategy, config->default_shares))
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
    if (!order_valid(config, symbols[i].strategy, symbols[i].shares))
      return "strategy or shares of a symbol are out of range";
  }
  const char *wrong = strategies_validate(config);
  if (wrong == NULL) wrong = session_validate(config);
  return wrong != NULL ? wrong : risk_validate(config);
}
