/* SPDX-License-Identifier: MIT */
/* Record dispatch: ITCH 5.0 message types to book operations, outcomes to counters, changes to strategies. */
#include "core/engine.h"

#include "core/bytes.h"
#include "core/strategy.h"

struct engine_sizes engine_sizes(const struct config_header *config) {
  return (struct engine_sizes){
      .orders = 1ull << orders_log2(config->max_orders),
      .levels = config->max_levels + 1ull,
      .books = config->max_books + 1ull,
      .locates = LOCATES,
      .symbol_index = 1ull << symbols_index_log2(config->symbol_count),
  };
}

const char *engine_init(struct engine *engine, const struct config_header *config, const struct engine_memory *memory) {
  *engine = (struct engine){0};
  uint32_t log2 = orders_log2(config->max_orders);
  struct books *books = &engine->books;
  books->orders = (struct orders){
      .entries = memory->orders, .mask = (1ull << log2) - 1, .shift = 64 - log2, .limit = config->max_orders};
  books->levels = (struct levels){.pool = memory->levels, .limit = config->max_levels};
  books->pool = memory->books;
  books->limit = config->max_books;
  ouch_init(&engine->ouch, config);
  if (!symbols_init(&books->symbols, config, memory->locates, memory->symbol_index)) {
    return "a symbol is listed twice";
  }
  return NULL;
}

static void __attribute__((noinline, cold)) note_gap(struct engine *engine, uint64_t received) {
  struct statistics *statistics = &engine->statistics;
  if (statistics->sequence_gaps < GAPS_KEPT) {
    engine->gaps[statistics->sequence_gaps] = (struct gap){.expected = engine->next_sequence, .received = received};
  }
  statistics->sequence_gaps++;
}

static void __attribute__((noinline, cold)) count_refusal(struct statistics *statistics, enum outcome outcome) {
  switch (outcome) {
    case OUTCOME_UNSUBSCRIBED: statistics->unsubscribed++; break;
    case OUTCOME_UNKNOWN_REFERENCE: statistics->unknown_references++; break;
    case OUTCOME_DUPLICATE_REFERENCE: statistics->duplicate_references++; break;
    case OUTCOME_POOL_FULL: statistics->pool_full++; break;
    case OUTCOME_INVALID: statistics->invalid_messages++; break;
    case OUTCOME_BAD_SYMBOL: statistics->bad_records++; break;
    case OUTCOME_APPLIED:
    case OUTCOME_OVER_EXECUTION: break;
  }
}

/* The price check stands between every strategy and the ring: ITCH price(4) reaches beyond what is a price. */
enum decision engine_decide(struct engine *engine) {
  const struct change *change = &engine->change;
  const struct book *book = change->book;
  if (book->strategy != STRATEGY_BEST_BID) return DECISION_NONE;
  uint32_t bid = book_best_bid(book);
  if (!strategy_best_bid(change->bid_before, bid, book->stock, book->shares, &engine->intent)) return DECISION_HOLD;
  if (engine->intent.price == 0 || engine->intent.price >= PRICE_LIMIT) {
    engine->statistics.orders_refused_price++;
    return DECISION_HOLD;
  }
  return DECISION_ORDER;
}

/* Whichever line it came on. */
static inline bool is_decoded(const struct rx_record *record) {
  unsigned status = record->status & ~STATUS_LINE_B;
  return status == MESSAGE_STATUS_OK || status == MESSAGE_STATUS_TOO_LONG;
}

/* Records without effect on a book; R still names the symbol of a locate (ITCH 5.0, 1.2.1). */
static enum effect other_record(struct engine *engine, const union rx_line *line) {
  const struct rx_record *record = &line->record;
  unsigned status = record->status & ~(STATUS_RAW | STATUS_LINE_B);
  if (status > MESSAGE_STATUS_TOO_LONG) {
    engine->statistics.bad_records++;
    return EFFECT_NONE;
  }
  if (record->type == 'R' && is_decoded(record)) {
    if (!symbols_learn(&engine->books.symbols, record->stock_locate, load_u64(line->R.stock))) {
      engine->statistics.bad_records++;
      return EFFECT_NONE;
    }
    engine->statistics.other_messages++;
    return symbols_subscribed(&engine->books.symbols, record->stock_locate) ? EFFECT_NONE : EFFECT_BLOCK;
  }
  engine->statistics.other_messages++;
  return EFFECT_NONE;
}

void engine_event(struct engine *engine, const union rx_line *line) {
  const struct rx_event *event = (const struct rx_event *)line;
  switch (event->status & ~STATUS_LINE_B) {
    case STATUS_EVENT: engine->statistics.bad_frames += event->reason != DROP_REASON_ACCEPT; break;
    case STATUS_LOST: engine->statistics.lost_messages += ((const struct rx_lost *)line)->count; break;
    default: engine->statistics.bad_records++;
  }
}

enum effect engine_record(struct engine *engine, const union rx_line *line) {
  const struct rx_record *record = &line->record;
  struct statistics *statistics = &engine->statistics;
  struct books *books = &engine->books;
  uint16_t locate = record->stock_locate;

  if (record->sequence != engine->next_sequence && statistics->records != 0) note_gap(engine, record->sequence);
  engine->next_sequence = record->sequence + 1;
  statistics->records++;
  if (!is_decoded(record)) return other_record(engine, line);

  struct change *change = &engine->change;
  enum outcome outcome;
  switch (record->type) {
    case 'A':
    case 'F': /* as A; the attribution behind it is of no use to a book */
      outcome = books_add(books, locate, load_u64(line->A.stock), line->A.order_reference_number,
                          line->A.buy_sell_indicator, line->A.shares, line->A.price, change);
      break;
    case 'E':
    case 'C': /* as E: the order leaves the book at its own price, wherever it traded */
      outcome = books_reduce(books, locate, line->E.order_reference_number, line->E.executed_shares, change);
      break;
    case 'X':
      outcome = books_reduce(books, locate, line->X.order_reference_number, line->X.canceled_shares, change);
      break;
    case 'D': outcome = books_delete(books, locate, line->D.order_reference_number, change); break;
    case 'U':
      outcome = books_replace(books, locate, line->U.original_order_reference_number,
                              line->U.new_order_reference_number, line->U.shares, line->U.price, change);
      break;
    default: return other_record(engine, line);
  }
  if (outcome > OUTCOME_OVER_EXECUTION) {
    count_refusal(statistics, outcome);
    return EFFECT_NONE;
  }
  statistics->book_messages++;
  statistics->over_executions += outcome == OUTCOME_OVER_EXECUTION;
  return EFFECT_BOOK;
}

/* Two pairs of types share a branch above because their decoded fields lie at the same places. */
_Static_assert(offsetof(struct itch_A, stock) == offsetof(struct itch_F, stock) &&
                   offsetof(struct itch_A, order_reference_number) == offsetof(struct itch_F, order_reference_number) &&
                   offsetof(struct itch_A, buy_sell_indicator) == offsetof(struct itch_F, buy_sell_indicator) &&
                   offsetof(struct itch_A, shares) == offsetof(struct itch_F, shares) &&
                   offsetof(struct itch_A, price) == offsetof(struct itch_F, price),
               "A and F");
_Static_assert(offsetof(struct itch_E, order_reference_number) == offsetof(struct itch_C, order_reference_number) &&
                   offsetof(struct itch_E, executed_shares) == offsetof(struct itch_C, executed_shares),
               "E and C");
