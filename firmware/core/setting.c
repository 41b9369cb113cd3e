/* SPDX-License-Identifier: MIT */
/* See setting.h. Equal settings share an instance; one that no book has any more holds the next. */
#include "core/setting.h"

#include <stddef.h>

/* The next word, words being parted by spaces; it ends in `text`'s place. Its length; 0: there is none. */
static uint32_t next_word(const char **text, const char **word) {
  uint32_t length = 0;
  while (**text == ' ') ++*text;
  *word = *text;
  while ((*text)[0] != ' ' && (*text)[0] != '\0') ++*text, length++;
  return length;
}

static bool is(const char *word, uint32_t length, const char *name) {
  uint32_t i = 0;
  while (i < length && name[i] != '\0' && word[i] == name[i]) i++;
  return i == length && name[i] == '\0';
}

static const struct strategy *strategy_of(const char *word, uint32_t length) {
  uint8_t name[16] = {0};
  if (length >= sizeof name) return NULL;
  for (uint32_t i = 0; i < length; i++) name[i] = (uint8_t)word[i];
  return strategy_find(name);
}

/* Digits alone, of a number of 32 bits. */
static bool number_of(const char *digits, uint32_t length, uint32_t *value) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < length; i++) {
    if (digits[i] < '0' || digits[i] > '9') return false;
    sum = 10 * sum + (uint64_t)(digits[i] - '0');
    if (sum > UINT32_MAX) return false;
  }
  *value = (uint32_t)sum;
  return length != 0;
}

/* Parameters that the strategy has. */
static uint32_t declared(const struct strategy *strategy) {
  uint32_t count = 0;
  while (count < STRATEGY_PARAMETERS && strategy->parameters[count].name != NULL) count++;
  return count;
}

#define SHARES STRATEGY_PARAMETERS /* the place of "shares" behind those of parameters */

/* "KEY=NUMBER"; `named` has a bit for each key of before. */
static const char *read_key(struct setting *setting, const char *word, uint32_t length, uint32_t *named) {
  const struct strategy *strategy = setting->strategy;
  uint32_t key = 0, place = 0, count = declared(strategy), value;
  while (key < length && word[key] != '=') key++;
  if (key == length || !number_of(word + key + 1, length - key - 1, &value)) return "not KEY=NUMBER";
  while (place < count && !is(word, key, strategy->parameters[place].name)) place++;
  if (place == count) {
    if (!is(word, key, "shares")) return "the strategy has no such parameter";
    place = SHARES;
  }
  if ((*named & 1u << place) != 0) return "a parameter is named twice";
  *named |= 1u << place;
  if (place == SHARES) setting->shares = value;
  else setting->parameters[place] = value;
  return NULL;
}

static const char *check(const struct setting *setting) {
  const struct strategy *strategy = setting->strategy;
  for (uint32_t i = 0; i < declared(strategy); i++) {
    const struct strategy_parameter *parameter = &strategy->parameters[i];
    if (setting->parameters[i] < parameter->least || setting->parameters[i] > parameter->most) {
      return "a parameter is out of range";
    }
  }
  return setting->shares == 0 || setting->shares >= OUCH_SHARES_LIMIT ? "shares are out of range" : NULL;
}

static bool holds(const struct instance *instance, const struct setting *setting) {
  if (instance_strategy(instance) != setting->strategy) return false;
  for (uint32_t i = 0; i < declared(setting->strategy); i++) {
    if (instance->parameters[i] != setting->parameters[i]) return false;
  }
  return true;
}

void settings_used(const struct engine *engine, bool used[INSTANCES]) {
  for (uint32_t i = 0; i < INSTANCES; i++) used[i] = i <= engine->configured;
  for (uint32_t number = 1; number <= engine->books.count; number++) used[engine->books.pool[number].strategy] = true;
  const struct symbols *symbols = &engine->books.symbols;
  for (uint32_t i = 0; i < symbols->set_count; i++) used[symbols->set[i].strategy] = true;
}

/* 0: there is none. */
static uint8_t instance_for(const struct engine *engine, const struct setting *setting) {
  bool used[INSTANCES];
  for (uint32_t i = 1; i < INSTANCES; i++) {
    if (holds(&engine->instances[i], setting)) return (uint8_t)i;
  }
  settings_used(engine, used);
  for (uint32_t i = 1; i < INSTANCES; i++) {
    if (!used[i]) return (uint8_t)i;
  }
  return 0;
}

const char *setting_target(const struct engine *engine, const char *symbol, uint32_t length,
                           struct setting_target *target) {
  const struct symbols *symbols = &engine->books.symbols;
  const struct book *book = books_named(&engine->books, symbol, length);
  uint64_t stock;
  *target = (struct setting_target){0};
  if (book != NULL) {
    target->book = book->number;
    target->begin = (struct symbol_setting){.stock = book->stock, .shares = book->shares, .strategy = book->strategy};
    return NULL;
  }
  if (!symbol_named(symbol, length, &stock) || !symbols_setting(symbols, stock, &target->begin)) {
    return "no symbol of this run";
  }
  return symbols->set_count < SYMBOL_SETTINGS ? NULL : "too many symbols without a book are set";
}

const char *setting_read(const struct engine *engine, const char *text, struct setting *setting) {
  const char *word, *wrong;
  uint32_t named = 0, length = next_word(&text, &word);
  struct setting_target target;
  if ((wrong = setting_target(engine, word, length, &target)) != NULL) return wrong;
  length = next_word(&text, &word);
  const struct strategy *strategy = strategy_of(word, length);
  if (strategy == NULL) return "neither on, off nor a strategy";
  *setting = (struct setting){
      .stock = target.begin.stock, .book = target.book, .strategy = strategy, .shares = target.begin.shares};
  const struct instance *now = &engine->instances[target.begin.strategy];
  for (uint32_t i = 0; i < declared(strategy); i++) {
    setting->parameters[i] = now->strategy == strategy ? now->parameters[i] : strategy->parameters[i].usual;
  }
  while ((length = next_word(&text, &word)) != 0) {
    if ((wrong = read_key(setting, word, length, &named)) != NULL) return wrong;
  }
  if ((wrong = check(setting)) != NULL) return wrong;
  setting->instance = instance_for(engine, setting);
  return setting->instance == 0 ? "there is no room for another setting" : NULL;
}

/* One that was switched off stays so; one that had no strategy begins. */
void setting_apply(struct engine *engine, const struct setting *setting) {
  struct book *book = &engine->books.pool[setting->book];
  uint32_t i = setting->instance;
  struct instance *instance = &engine->instances[i];
  bool any = setting->strategy->trigger == STRATEGY_ON_ANY;
  if (!holds(instance, setting)) {
    __builtin_memcpy(engine->set[i], setting->parameters, sizeof engine->set[i]);
    engine->any_change[i] = any;
    instance->parameters = engine->set[i];
    __atomic_store_n(&instance->strategy, setting->strategy, __ATOMIC_RELEASE); /* the console may be looking */
  }
  if (setting->book == 0) {
    struct symbol_setting begin;
    (void)symbols_setting(&engine->books.symbols, setting->stock, &begin);
    begin.quiet = begin.quiet && begin.strategy != 0;
    begin.strategy = setting->instance;
    begin.shares = setting->shares;
    (void)symbols_set(&engine->books.symbols, &begin);
    return;
  }
  if (book->strategy == 0) book->flags &= (uint8_t)~BOOK_FLAG_QUIET;
  for (unsigned side = 0; side < 2; side++) {
    if (ladder_set_any(&book->side[side], any)) engine->asks_each = true;
  }
  book->strategy = setting->instance;
  book->shares = setting->shares;
  book->memory = 0;
}
