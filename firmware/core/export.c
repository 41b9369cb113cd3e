/* SPDX-License-Identifier: MIT */
/* Export writer; the format is struct export_header, then for each book an export_book and its levels. */
#include "core/export.h"

#include <stddef.h>

/* The counters of refusals stand in the header in the order of their enumeration, from the first reason on. */
#define REFUSED_BYTES ((REFUSALS - 1) * sizeof(uint64_t))
_Static_assert(offsetof(struct export_header, answers) - offsetof(struct export_header, orders_refused_price) ==
                   REFUSED_BYTES,
               "one counter a reason");

uint64_t export_limit(const struct config_header *config) {
  return sizeof(struct export_header) + (uint64_t)config->max_books * sizeof(struct export_book) +
         (uint64_t)config->max_levels * sizeof(struct export_level);
}

static uint8_t *write_side(const struct levels *levels, const struct book *book, enum side side, uint8_t *at) {
  const struct ladder *ladder = &book->side[side];
  for (uint32_t index = levels_best(levels, ladder); index != 0; index = levels_neighbour(levels, ladder, index, 0)) {
    const struct level *level = &levels->pool[index];
    struct export_level out = {.price = level_price(level), .orders = level->orders, .shares = level->shares};
    __builtin_memcpy(at, &out, sizeof out); /* a book of 24 bytes leaves the levels behind it 8-aligned only */
    at += sizeof out;
  }
  return at;
}

uint64_t export_write(const struct engine *engine, uint64_t work, uint64_t raw_frames, void *buffer,
                      uint64_t capacity) {
  const struct books *books = &engine->books;
  const struct statistics *statistics = &engine->statistics;
  uint64_t bytes = sizeof(struct export_header) + (uint64_t)books->count * sizeof(struct export_book) +
                   (uint64_t)levels_live(&books->levels) * sizeof(struct export_level);
  if (bytes > capacity) return 0;

  struct export_header header = {
      .magic = EXPORT_MAGIC,
      .version = LAYOUT_VERSION,
      .book_count = books->count,
      .bytes = bytes,
      .records = engine_records(engine),
      .book_messages = statistics->book_messages,
      .other_messages = statistics->other_messages,
      .unsubscribed = statistics->unsubscribed,
      .unknown_references = statistics->unknown_references,
      .duplicate_references = statistics->duplicate_references,
      .over_executions = statistics->over_executions,
      .pool_full = statistics->pool_full,
      .orders_sent = statistics->orders_sent,
      .sequence_gaps = statistics->sequence_gaps,
      .live_orders = orders_live(&books->orders),
      .live_levels = levels_live(&books->levels),
      .work = work,
      .bad_records = statistics->bad_records,
      .invalid_messages = statistics->invalid_messages,
      .bad_frames = statistics->bad_frames,
      .lost_messages = statistics->lost_messages,
      .raw_frames = raw_frames,
      .suspect_books = market_suspects(books),
      .stale = engine->market.stale,
      .halts = engine->market.halts,
      .answers = statistics->answers,
      .answers_unknown = statistics->answers_unknown,
      .answers_bad = statistics->answers_bad,
      .executions = statistics->executions,
      .open_orders = engine->oms.open,
      .position_cash = (uint64_t)engine->oms.cash,
      .position_total = engine->oms.positions,
      .profit = (uint64_t)engine_profit(engine),
      .commands = statistics->commands,
      .orders_lost = engine->oms.lost,
      .breached_level = engine->market.breached,
      .recovery_gaps = statistics->recovery_gaps,
      .recovery_requests = statistics->recovery_requests,
      .recovery_answers = statistics->recovery_answers,
      .recovery_ignored = statistics->recovery_ignored,
      .recovered_messages = statistics->recovered_messages,
      .recovery_voided = statistics->recovery_voided,
      .recovery_losses = statistics->recovery_losses,
  };
  __builtin_memcpy(&header.orders_refused_price, &statistics->refused[REFUSAL_PRICE], REFUSED_BYTES);
  uint8_t *at = buffer;
  __builtin_memcpy(at, &header, sizeof header);
  at += sizeof header;
  for (uint32_t locate = 0; locate < LOCATES; locate++) {
    uint16_t number = books->symbols.locates[locate].book;
    if (number == 0) continue;
    const struct book *book = &books->pool[number];
    struct export_book out = {
        .stock_locate = book->stock_locate,
        .flags = (uint8_t)(book->flags | (book->restricted != 0 ? BOOK_FLAG_RESTRICTED : 0)),
        .bids = book->side[SIDE_BID].count,
        .asks = book->side[SIDE_ASK].count,
        .open_orders = book->open,
        .position = (uint64_t)book_position(book),
        .cash = (uint64_t)book->cash,
        .bought = book->bought,
        .sold = book->sold,
        .mark = oms_mark(book),
    };
    __builtin_memcpy(out.stock, &book->stock, sizeof out.stock);
    __builtin_memcpy(at, &out, sizeof out);
    at = write_side(&books->levels, book, SIDE_BID, at + sizeof out);
    at = write_side(&books->levels, book, SIDE_ASK, at);
  }
  return bytes;
}
