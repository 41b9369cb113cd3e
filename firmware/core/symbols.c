/* SPDX-License-Identifier: MIT */
/* Subscriptions by symbol, learned by locate; all of it off the hot path except the inline test in symbols.h. */
#include "core/symbols.h"

#include "core/bytes.h"

uint32_t symbols_index_log2(uint32_t count) {
  uint32_t log2 = 1;
  while ((1ull << log2) < 2ull * count + 1) log2++; /* at least one free entry ends a search */
  return log2;
}

bool symbol_valid(const uint8_t stock[8]) {
  bool padding = false;
  if (stock[0] == ' ') return false;
  for (unsigned i = 0; i < 8; i++) {
    if (stock[i] < ' ' || stock[i] > '~') return false;
    if (padding && stock[i] != ' ') return false;
    padding = stock[i] == ' ';
  }
  return true;
}

/* The index entry of `stock`, or the free one where it would go. */
static uint32_t *find(const struct symbols *symbols, uint64_t stock) {
  uint32_t mask = (1u << symbols->index_log2) - 1;
  uint32_t at = (uint32_t)((stock * 0x9E3779B97F4A7C15ull) >> (64 - symbols->index_log2));
  while (symbols->index[at] != 0 && load_u64(symbols->list[symbols->index[at] - 1].stock) != stock)
    at = (at + 1) & mask;
  return &symbols->index[at];
}

bool symbols_init(struct symbols *symbols, const struct config_header *config, struct locate *locates,
                  uint32_t *index) {
  *symbols = (struct symbols){
      .locates = locates,
      .index = index,
      .index_log2 = symbols_index_log2(config->symbol_count),
      .list = (const struct config_symbol *)(config + 1),
      .count = config->symbol_count,
      .subscribe_all = config->subscribe_all != 0,
      .default_strategy = (uint8_t)config->default_strategy,
      .default_shares = config->default_shares,
  };
  for (uint32_t i = 0; i < symbols->count; i++) {
    uint32_t *entry = find(symbols, load_u64(symbols->list[i].stock));
    if (*entry != 0) return false;
    *entry = i + 1;
  }
  return true;
}

bool symbols_learn(struct symbols *symbols, uint16_t locate, uint64_t stock) {
  struct locate *known = &symbols->locates[locate];
  if (known->state != LOCATE_UNKNOWN) return known->stock == stock;
  if (!symbol_valid((const uint8_t *)&stock)) return false;

  known->stock = stock;
  known->listed = *find(symbols, stock);
  known->state = known->listed != 0 || symbols->subscribe_all ? LOCATE_SUBSCRIBED : LOCATE_UNSUBSCRIBED;
  return true;
}

bool symbol_named(const char *text, uint32_t length, uint64_t *stock) {
  uint8_t bytes[8];
  if (length > sizeof bytes) return false;
  for (uint32_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i < length ? text[i] : ' ');
  *stock = load_u64(bytes);
  return symbol_valid(bytes);
}

/* The place of a symbol among those that are set, or that behind the last. */
static uint32_t place_of(const struct symbols *symbols, uint64_t stock) {
  uint32_t i = 0;
  while (i < symbols->set_count && symbols->set[i].stock != stock) i++;
  return i;
}

static struct symbol_setting configured(const struct symbols *symbols, uint64_t stock, uint32_t listed) {
  struct symbol_setting setting = {
      .stock = stock, .shares = symbols->default_shares, .strategy = symbols->default_strategy};
  if (listed == 0) return setting;
  setting.shares = symbols->list[listed - 1].shares;
  setting.strategy = (uint8_t)symbols->list[listed - 1].strategy;
  return setting;
}

bool symbols_setting(const struct symbols *symbols, uint64_t stock, struct symbol_setting *setting) {
  uint32_t place = place_of(symbols, stock), listed = *find(symbols, stock);
  if (place != symbols->set_count) *setting = symbols->set[place];
  else *setting = configured(symbols, stock, listed);
  return listed != 0 || symbols->subscribe_all;
}

bool symbols_set(struct symbols *symbols, const struct symbol_setting *setting) {
  uint32_t place = place_of(symbols, setting->stock);
  if (place == SYMBOL_SETTINGS) return false;
  symbols->set[place] = *setting;
  if (place == symbols->set_count) symbols->set_count++;
  return true;
}

struct symbol_setting symbols_begin(struct symbols *symbols, const struct locate *locate) {
  uint32_t place = place_of(symbols, locate->stock);
  if (place == symbols->set_count) return configured(symbols, locate->stock, locate->listed);
  struct symbol_setting setting = symbols->set[place];
  symbols->set[place] = symbols->set[--symbols->set_count];
  return setting;
}
