/* SPDX-License-Identifier: MIT */
/*
 * The kernel's core as a host program under the address and undefined-behaviour sanitizers, driven by core_harness.py.
 *
 * Reads commands from standard input, { u32 command, u32 bytes, payload }, and answers each with { u32 bytes, payload }.
 * Every pool is allocated at exactly its size, so one entry too far is an error.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/engine.h"
#include "core/export.h"
#include "session/ouch.h"

enum command {
  COMMAND_CONFIGURE = 1, /* a module: the answer is empty, or what is wrong with it */
  COMMAND_RECORDS = 2,   /* first lines of records: the answer is a struct reply for each */
  COMMAND_EXPORT = 3,    /* u64 capacity: the answer is the export, empty if it does not fit */
  COMMAND_CHECK = 4,     /* the answer is empty, or the invariant that does not hold */
  COMMAND_ANSWERS =
      5,   /* struct answers: the answer to this and the next two is struct sent for each cancel they lead to */
  COMMAND_LINK = 6,      /* u32 link_state */
  COMMAND_TEXT = 7,      /* a host command */
  COMMAND_NUMBER = 8,    /* u32: the order number last used */
  COMMAND_ROOM = 9,      /* u32: so many cancels find a slot from now on; the answer is that of the three above */
};

/* An intent that passed, and for an enter the slot it is sent in. */
struct sent {
  struct tx_slot slot;
  struct intent intent;
};

struct reply {
  struct sent sent[INTENTS];
  uint32_t decision;
  uint32_t count;
};

static struct engine engine;
static struct ouch ouch;
static struct engine_memory memory;
static struct engine_sizes sizes;
static struct config_header *config;
static uint32_t room; /* for cancels */

static void answer(const void *data, uint32_t bytes) {
  fwrite(&bytes, sizeof bytes, 1, stdout);
  fwrite(data, 1, bytes, stdout);
  fflush(stdout);
}

static void answer_text(const char *text) { answer(text, (uint32_t)strlen(text)); }

static void release(void) {
  free(memory.orders);
  free(memory.levels);
  free(memory.books);
  free(memory.locates);
  free(memory.symbol_index);
  free(memory.rows);
  free(memory.collars);
  free(memory.own_orders);
  free(config);
  memory = (struct engine_memory){0};
  config = NULL;
}

/* Not zeroed by the core's contract: whatever it reads before writing shows as garbage. */
static void *dirty(uint64_t count, uint64_t size) {
  void *pool = malloc(count * size);
  memset(pool, 0xA5, count * size);
  return pool;
}

static void configure(const void *module, uint32_t bytes) {
  release();
  config = malloc(bytes ? bytes : 1);
  memcpy(config, module, bytes);
  if (!config_layout_matches(config, bytes)) {
    answer_text("layout");
    return;
  }
  const char *wrong = config_validate(config, bytes);
  if (wrong != NULL) {
    answer_text(wrong);
    return;
  }
  room = UINT32_MAX;
  sizes = engine_sizes(config);
  memory = (struct engine_memory){
      .orders = calloc(sizes.orders, sizeof(struct order)),
      .levels = dirty(sizes.levels, sizeof(struct level)),
      .books = dirty(sizes.books, sizeof(struct book)),
      .locates = calloc(sizes.locates, sizeof(struct locate)),
      .symbol_index = calloc(sizes.symbol_index, sizeof(uint32_t)),
      .rows = dirty(sizes.rows, sizeof(struct tick_row)),
      .collars = calloc(sizes.collars, sizeof(struct collar)),
      .own_orders = calloc(sizes.own_orders, sizeof(struct own_order)),
  };
  wrong = engine_init(&engine, config, &memory);
  if (wrong == NULL) wrong = ouch_init(&ouch, config);
  answer_text(wrong != NULL ? wrong : "");
}

/* Height of the subtree at `index`, or -1 if order, links, balance or owner are wrong. */
static int height(uint32_t index, uint32_t parent, uint64_t low, uint64_t high, uint16_t book, uint8_t side,
                  uint32_t *count) {
  if (index == 0) return 0;
  const struct level *level = &memory.levels[index];
  if (level->key < low || level->key > high || level->parent != parent) return -1;
  if (level->book != book || level->side != side || level->orders == 0 || level->shares == 0) return -1;
  int worse = height(level->child[0], index, low, level->key - 1ull, book, side, count);
  int better = height(level->child[1], index, level->key + 1ull, high, book, side, count);
  if (worse < 0 || better < 0 || better - worse != level->balance || abs(better - worse) > 1) return -1;
  ++*count;
  return 1 + (worse > better ? worse : better);
}

/* Each tick with a bit has its level there. Adds the levels to `count`. */
static bool window_holds(const struct ladder *ladder, uint32_t *count) {
  for (uint32_t tick = 0; tick < ladder->ticks; tick++) {
    if ((ladder->bits[tick / 64] & tick_bit(tick)) == 0) continue;
    const struct level *level = &memory.levels[*window_entry(&engine.books.levels, ladder, tick)];
    if (level->key != ladder->base + (uint64_t)tick * TICK || level->tick != tick || level->balance != IN_WINDOW)
      return false;
    ++*count;
  }
  return true;
}

/* Whatever stands between an order and its home is marked. */
static bool is_marked(const struct orders *orders, uint64_t at) {
  uint64_t home = orders_home(orders, orders->entries[at].reference);
  for (; home != at; home = (home + 1) & orders->mask) {
    const struct order *passed = &orders->entries[home];
    if (passed->shares == 0 || (order_level(passed) != 0 && (passed->level & ORDER_PASSED) == 0)) return false;
  }
  return true;
}

static const char *check(uint32_t *tallest) {
  struct sum {
    uint64_t shares;
    uint32_t orders;
  } *sums = calloc(sizes.levels, sizeof *sums);
  const struct orders *orders = &engine.books.orders;
  const char *wrong = "";
  uint32_t live = 0, levels = 0;
  *tallest = 0;
  for (uint64_t i = 0; i <= orders->mask; i++) {
    struct order *order = &memory.orders[i];
    if (order->shares == 0 || order_level(order) == 0) continue; /* free, or a barrier */
    live++;
    if (orders_probe(orders, order->reference) != order) wrong = "an order cannot be found";
    if (!is_marked(orders, i)) wrong = "an order stands behind one that is not marked";
    sums[order_level(order)].shares += order->shares;
    sums[order_level(order)].orders++;
  }
  if (live != orders_live(orders)) wrong = "live orders are miscounted";
  for (uint32_t number = 1; number <= engine.books.count; number++) {
    const struct book *book = &memory.books[number];
    for (uint8_t side = 0; side < 2; side++) {
      const struct ladder *ladder = &book->side[side];
      uint32_t best = levels_best(&engine.books.levels, ladder);
      uint32_t count = 0, walked = 0;
      int tall = height(ladder->root, 0, 0, UINT32_MAX, (uint16_t)number, side, &count);
      if (tall < 0) wrong = "a tree is broken";
      if (tall > (int)*tallest) *tallest = (uint32_t)tall;
      if (!window_holds(ladder, &count)) wrong = "a window is broken";
      if (count != ladder->count) wrong = "levels of a side are miscounted";
      if (ladder->best_key != (best != 0 ? memory.levels[best].key : 0)) wrong = "the best key is not the best's";
      uint64_t before = 1ull << 32;
      for (uint32_t at = best; at != 0; at = levels_neighbour(&engine.books.levels, ladder, at, 0)) {
        const struct level *level = &memory.levels[at];
        if (level->shares != sums[at].shares || level->orders != sums[at].orders) wrong = "a level's sum is wrong";
        if (level->key >= before) wrong = "levels are out of order";
        uint32_t better = levels_neighbour(&engine.books.levels, ladder, at, 1);
        if ((better != 0 ? memory.levels[better].key : 1ull << 32) != before) wrong = "the way back is another";
        before = level->key;
        walked++;
      }
      if (walked != count) wrong = "a walk does not pass all levels";
      levels += count;
    }
  }
  if (levels != levels_live(&engine.books.levels)) wrong = "live levels are miscounted";
  free(sums);
  return wrong;
}

/* As the kernel's loop does it. */
static bool send_intent(const struct book *book, uint64_t now_ns, struct intent *intent, struct sent *sent) {
  if (engine_check(&engine, book, now_ns, intent) != REFUSAL_NONE) return false;
  engine_sent(&engine, now_ns, intent);
  ouch_encode(&ouch, intent, &sent->slot);
  sent->intent = *intent;
  return true;
}

static void records(const uint8_t *lines, uint32_t bytes) {
  uint32_t count = bytes / LINE_BYTES;
  struct reply *replies = calloc(count ? count : 1, sizeof *replies);
  for (uint32_t i = 0; i < count; i++) {
    struct reply *reply = &replies[i];
    union rx_line line;
    memcpy(&line, lines + i * LINE_BYTES, sizeof line);
    if ((line.record.status & STATUS_EVENT) != 0) {
      engine_event(&engine, &line);
      continue;
    }
    struct change change = {0};
    if (engine_record(&engine, &line, &change) == EFFECT_BOOK) reply->decision = engine_decide(&engine, &change);
    if (reply->decision != DECISION_ORDER) continue;
    uint64_t now_ns = rx_record_hw_timestamp_ns(&line.record);
    for (uint32_t n = 0; n < engine.wanted; n++) {
      reply->count +=
          send_intent(change_book(&engine.books, &change), now_ns, &engine.intents[n], &reply->sent[reply->count]);
    }
  }
  answer(replies, count * (uint32_t)sizeof *replies);
  free(replies);
}

/* As the kernel does it when it has nothing else to do. */
static void cancels(void) {
  static struct sent sent[1u << OMS_MAX_LOG2];
  uint32_t count = 0, at = 0;
  struct intent intent;
  while (room != count && engine.cancel_due && engine_next_cancel(&engine, &at, &intent)) {
    count += send_intent(&engine.books.pool[intent.book], 0, &intent, &sent[count]);
  }
  room -= count;
  answer(sent, count * (uint32_t)sizeof *sent);
}

static void answers(const uint8_t *payload, uint32_t bytes) {
  for (uint32_t at = 0; at + sizeof(struct answer) <= bytes; at += sizeof(struct answer)) {
    struct answer said;
    memcpy(&said, payload + at, sizeof said);
    engine_answer(&engine, &said);
  }
  cancels();
}

static void text(const char *command) {
  engine_command(&engine, command);
  cancels();
}

static void export(const void *payload) {
  uint64_t capacity;
  memcpy(&capacity, payload, sizeof capacity);
  void *buffer = malloc(capacity ? capacity : 1);
  uint64_t bytes = export_write(&engine, 0, 0, buffer, capacity);
  answer(buffer, (uint32_t)bytes);
  free(buffer);
}

int main(void) {
  uint32_t header[2];
  while (fread(header, sizeof header, 1, stdin) == 1) {
    uint8_t *payload = malloc(header[1] + 8);
    if (fread(payload, 1, header[1], stdin) != header[1]) return 1;
    uint32_t tallest;
    switch ((enum command)header[0]) {
      case COMMAND_CONFIGURE: configure(payload, header[1]); break;
      case COMMAND_RECORDS: records(payload, header[1]); break;
      case COMMAND_EXPORT: export(payload); break;
      case COMMAND_CHECK: {
        const char *wrong = check(&tallest);
        char text[64];
        snprintf(text, sizeof text, "%u %s", tallest, wrong);
        answer_text(text);
        break;
      }
      case COMMAND_ANSWERS: answers(payload, header[1]); break;
      case COMMAND_LINK: {
        uint32_t state;
        memcpy(&state, payload, sizeof state);
        engine_link(&engine, (enum link_state)state);
        cancels();
        break;
      }
      case COMMAND_TEXT:
        payload[header[1]] = 0;
        text((const char *)payload);
        break;
      case COMMAND_NUMBER:
        memcpy(&engine.oms.number, payload, sizeof engine.oms.number);
        answer_text("");
        break;
      case COMMAND_ROOM:
        memcpy(&room, payload, sizeof room);
        cancels();
        break;
    }
    free(payload);
  }
  release();
  return 0;
}
