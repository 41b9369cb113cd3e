/* SPDX-License-Identifier: MIT */
/* Record dispatch: ITCH 5.0 message types to book operations, outcomes to counters, changes to strategies. */
#include "core/engine.h"

#include <stddef.h>

#include "core/bytes.h"
#include "core/config.h"
#include "core/setting.h"

struct engine_sizes engine_sizes(const struct config_header *config) {
  return (struct engine_sizes){
      .orders = (1ull << orders_log2(config->max_orders)) + 2,
      .levels = config->max_levels + 1ull, /* none */
      .books = config->max_books + 1ull,
      .locates = LOCATES,
      .symbol_index = 1ull << symbols_index_log2(config->symbol_count),
      .rows = 2ull * config->max_books < TICK_ROWS ? 2ull * config->max_books : TICK_ROWS,
      .collars = LOCATES,
      .own_orders = 1ull << config->own_orders_log2,
  };
}

const char *engine_init(struct engine *engine, const struct config_header *config, const struct engine_memory *memory) {
  *engine = (struct engine){0};
  struct books *books = &engine->books;
  orders_init(&books->orders, memory->orders, orders_log2(config->max_orders), config->max_orders);
  books->levels = (struct levels){.pool = memory->levels,
                                  .rows = memory->rows,
                                  .row_count = (uint32_t)engine_sizes(config).rows,
                                  .limit = config->max_levels,
                                  .room = config->max_levels};
  books->pool = memory->books;
  books->limit = config->max_books;
  if (!symbols_init(&books->symbols, config, memory->locates, memory->symbol_index)) {
    return "a symbol is listed twice";
  }
  books->symbols.any_change = engine->any_change;
  books->symbols.set = engine->set_symbols;
  const struct config_strategy *strategies = config_strategies(config);
  for (uint32_t i = 0; i < config->strategy_count; i++) {
    const struct strategy *strategy = strategy_find(strategies[i].name);
    engine->instances[i + 1] = (struct instance){strategy, &strategies[i].parameter_0};
    engine->any_change[i + 1] = strategy->trigger == STRATEGY_ON_ANY;
  }
  engine->configured = config->strategy_count;
  engine->view.levels = &books->levels;
  engine->view.oms = &engine->oms;
  engine->market.collars = memory->collars;
  engine->filtered = config->filter != 0;
  oms_init(&engine->oms, memory->own_orders, config->own_orders_log2, memory->books,
           config->session_mode == SESSION_MODE_ESTABLISHED);
  risk_init(&engine->risk, config);
  return NULL;
}

/* Another number is the next one; as many records have been consumed as before. */
static void expect(struct engine *engine, uint64_t sequence) {
  engine->skipped += sequence - engine->next_sequence;
  engine->next_sequence = sequence;
}

/* The first record, or one whose number is not the next. Under the filter that alone says nothing. */
void engine_jump(struct engine *engine, uint64_t received) {
  struct statistics *statistics = &engine->statistics;
  uint64_t expected = engine->next_sequence;
  engine->jump = (struct jump){
      .record = engine_records(engine) + 1,
      .expected = expected,
      .books = engine->books.count,
      .started = engine->started,
      .stale = engine->market.stale,
  };
  expect(engine, received);
  engine->next_sequence++;
  if (!engine->started) {
    engine->started = true;
    return;
  }
  if (statistics->sequence_gaps < GAPS_KEPT) {
    engine->gaps[statistics->sequence_gaps] = (struct gap){.expected = expected, .received = received};
  }
  statistics->sequence_gaps++;
  if (!engine->filtered) market_stale(&engine->market, &engine->books);
}

/* A message that the books refused, or that was more than they could take. */
static __attribute__((noinline, cold)) void refused(struct engine *engine, const union rx_line *line,
                                                    enum outcome outcome, const struct book *changed) {
  struct statistics *statistics = &engine->statistics;
  struct books *books = &engine->books;
  uint16_t locate = line->record.stock_locate;
  const struct book *holder = NULL; /* of the order that the message names */
  engine_note_change(engine, 0);
  switch (outcome) {
    case OUTCOME_UNSUBSCRIBED:
      statistics->unsubscribed++;
      /* Not named yet: should the feed name it as one of ours, messages of it have passed unseen. */
      if (books->symbols.locates[locate].state == LOCATE_UNKNOWN) books_set(books, locate, BOOK_FLAG_SUSPECT);
      return;
    case OUTCOME_INVALID:
      statistics->invalid_messages++;
      if (line->record.type != 'U' || !symbols_subscribed(&books->symbols, locate)) return;
      holder = books_holder(books, line->U.original_order_reference_number); /* for the exchange it has gone */
      break;
    case OUTCOME_BAD_SYMBOL: statistics->bad_records++; return;
    case OUTCOME_UNKNOWN_REFERENCE: statistics->unknown_references++; break;
    case OUTCOME_POOL_FULL:
      statistics->pool_full++;
      holder = changed; /* that a U's order has left */
      break;
    case OUTCOME_DUPLICATE_REFERENCE:
      statistics->duplicate_references++;
      if (line->record.type == 'U') {
        holder = books_holder(books, line->U.original_order_reference_number);
        if (holder != NULL) market_suspect(&engine->market, books, holder->stock_locate, outcome);
        holder = books_holder(books, line->U.new_order_reference_number);
      } else {
        holder = books_holder(books, line->A.order_reference_number);
      }
      break;
    case OUTCOME_OVER_EXECUTION:
      statistics->over_executions++;
      holder = changed;
      break;
    case OUTCOME_APPLIED: return;
  }
  market_suspect(&engine->market, books, locate, outcome);
  if (holder != NULL) market_suspect(&engine->market, books, holder->stock_locate, outcome);
}

enum decision engine_ask_strategy(struct engine *engine, struct book *book, enum side side, uint32_t key_before) {
  if ((book->flags & BOOK_CLOSED) != 0) return DECISION_NONE;
  if (__builtin_expect(engine->asks_each, false) && engine->any_change[book->strategy] == 0 &&
      key_before == book->side[side].best_key) {
    return DECISION_NONE;
  }
  const struct instance *instance = &engine->instances[book->strategy];
  struct strategy_view *view = &engine->view;
  view->book = book;
  view->parameters = instance->parameters;
  view->memory = &book->memory;
  view->key_before = key_before;
  view->side = side;
  engine->wanted = instance->strategy->on_book(view, engine->intents);
  return engine->wanted != 0 ? DECISION_ORDER : DECISION_HOLD;
}

enum refusal engine_check(struct engine *engine, const struct book *book, uint64_t now_ns, struct intent *intent) {
  intent->book = book->number;
  intent->stock = book->stock;
  enum refusal refusal =
      risk_check(&engine->risk, &engine->oms, book, &engine->market.collars[book->stock_locate], now_ns, intent);
  if (refusal != REFUSAL_NONE) engine->statistics.refused[refusal]++;
  return refusal;
}

void engine_answer(struct engine *engine, const struct answer *answer) {
  struct statistics *statistics = &engine->statistics;
  engine->cancel_due = engine->cancelling;
  switch (oms_answer(&engine->oms, answer)) {
    case ANSWERED_APPLIED:
      statistics->answers++;
      statistics->executions += answer->kind == ANSWER_KIND_EXECUTED;
      break;
    case ANSWERED_UNKNOWN: statistics->answers_unknown++; break;
    case ANSWERED_BAD:
      statistics->answers_bad++;
      engine->bad_answer = *answer;
      engine->risk.stops |= STOP_ANSWER;
      break;
  }
}

void engine_link(struct engine *engine, enum link_state state) {
  engine->cancel_due = engine->cancelling;
  if (state == LINK_STATE_READY) {
    oms_link_ready(&engine->oms);
    engine->risk.stops &= (uint8_t)~STOP_LINK;
  } else {
    oms_link_down(&engine->oms);
    engine->risk.stops |= STOP_LINK;
  }
}

static bool same_text(const char *a, const char *b) {
  while (*a != '\0' && *a == *b) a++, b++;
  return *a == *b;
}

static bool begins_with(const char *text, const char *with) {
  while (*with != '\0' && *text == *with) text++, with++;
  return *with == '\0';
}

static const char strategy_word[] = "strategy ";

/* Whether it is "SYM off" or "SYM on", for a symbol that may be traded. */
static bool switches(const struct engine *engine, const char *text, bool *off, struct setting_target *target) {
  uint32_t length = 0;
  while (text[length] != ' ' && text[length] != '\0') length++;
  *off = same_text(text + length, " off");
  return (*off || same_text(text + length, " on")) && setting_target(engine, text, length, target) == NULL;
}

/* What stands behind "strategy ". */
static bool steer(struct engine *engine, const char *text) {
  struct setting_target target;
  struct setting setting;
  bool off;
  if (!switches(engine, text, &off, &target)) {
    if (setting_read(engine, text, &setting) != NULL) return false;
    setting_apply(engine, &setting);
  } else if (target.book == 0) {
    target.begin.quiet = off;
    (void)symbols_set(&engine->books.symbols, &target.begin);
  } else if (off) {
    engine->books.pool[target.book].flags |= BOOK_FLAG_QUIET;
  } else if (engine->books.pool[target.book].strategy != 0) {
    engine->books.pool[target.book].flags &= (uint8_t)~BOOK_FLAG_QUIET;
  }
  return true;
}

const char *engine_command_wrong(const struct engine *engine, const char *text) {
  struct setting_target target;
  struct setting setting;
  bool off;
  if (!begins_with(text, strategy_word)) return NULL;
  text += sizeof strategy_word - 1;
  return switches(engine, text, &off, &target) ? NULL : setting_read(engine, text, &setting);
}

bool engine_command_sets(const struct engine *engine, const char *text, struct setting *setting) {
  struct setting_target target;
  bool off;
  if (!begins_with(text, strategy_word)) return false;
  text += sizeof strategy_word - 1;
  return !switches(engine, text, &off, &target) && setting_read(engine, text, setting) == NULL;
}

bool __attribute__((cold)) engine_command(struct engine *engine, const char *text) {
  engine->statistics.commands++;
  if (same_text(text, "kill")) {
    engine->risk.stops |= STOP_KILL;
  } else if (same_text(text, "resume")) {
    engine->risk.stops &= STOP_LINK; /* only the link itself ends that one */
  } else if (same_text(text, "cancel all")) {
    oms_cancel_all(&engine->oms);
    engine->cancelling = engine->cancel_due = true;
  } else if (begins_with(text, strategy_word)) {
    return steer(engine, text + sizeof strategy_word - 1);
  } else {
    return false;
  }
  return true;
}

bool engine_next_cancel(struct engine *engine, uint32_t *at, struct intent *intent) {
  const struct own_order *order = oms_to_cancel(&engine->oms, at);
  if (order == NULL) {
    engine->cancel_due = false;
    engine->cancelling = oms_cancels(&engine->oms);
    return false;
  }
  *intent = intent_cancel(order);
  intent->book = order->book;
  ++*at;
  return true;
}

int64_t engine_profit(const struct engine *engine) {
  uint64_t profit = (uint64_t)engine->oms.cash;
  for (uint32_t number = 1; number <= engine->books.count; number++) {
    const struct book *book = &engine->books.pool[number];
    profit += (uint64_t)book_position(book) * oms_mark(book);
  }
  return (int64_t)profit;
}

static void touch(struct engine *engine, uint16_t locate) {
  engine->touches[engine->touches_next] = (struct touch){(uint32_t)engine_records(engine), locate};
  engine->touches_next = (engine->touches_next + 1) % TOUCHES;
}

/* A symbol of which a bad frame told: nothing undoes that. One without a name yet may be named as one of ours. */
static void distrust(struct engine *engine, uint16_t locate) {
  struct books *books = &engine->books;
  if (symbols_subscribed(&books->symbols, locate)) market_suspect(&engine->market, books, locate, OUTCOME_APPLIED);
  else books_set(books, locate, BOOK_FLAG_SUSPECT);
}

/* Records without effect on a book; R still names the symbol of a locate (ITCH 5.0, 1.2.1). */
enum effect engine_other(struct engine *engine, const union rx_line *line) {
  const struct rx_record *record = &line->record;
  unsigned status = record->status & ~(STATUS_RAW | STATUS_LINE_B);
  engine_note_change(engine, 0);
  if (status > MESSAGE_STATUS_TOO_LONG) {
    engine->statistics.bad_records++;
    return EFFECT_NONE;
  }
  if (record->type == 'R' && record_is_decoded(record)) {
    bool named = engine->books.symbols.locates[record->stock_locate].state != LOCATE_UNKNOWN;
    if (!symbols_learn(&engine->books.symbols, record->stock_locate, load_u64(line->R.stock))) {
      engine->statistics.bad_records++;
      return EFFECT_NONE;
    }
    if (!named) touch(engine, record->stock_locate);
    engine->statistics.other_messages++;
    return symbols_subscribed(&engine->books.symbols, record->stock_locate) ? EFFECT_NONE : EFFECT_BLOCK;
  }
  engine->statistics.other_messages++;
  if (record_is_decoded(record) && record->type == 'W') engine->breach = engine_records(engine);
  if (record_is_decoded(record) && market_message(&engine->market, &engine->books, line))
    touch(engine, record->stock_locate);
  return EFFECT_NONE;
}

/* Its messages, the last `delivered` records, have been applied: the books are suspect, the numbers will come again. */
static void bad_frame(struct engine *engine, uint64_t delivered) {
  struct statistics *statistics = &engine->statistics;
  struct books *books = &engine->books;
  statistics->bad_frames++;
  uint64_t records = engine_records(engine);
  if (delivered == 0 || delivered > records) return;
  uint64_t before = records - delivered;
  uint64_t kept = delivered < CHANGES ? before : records - CHANGES;
  for (uint64_t record = kept + 1; record <= records; record++) {
    uint16_t number = engine->changed[record & (CHANGES - 1)];
    if (number != 0) distrust(engine, books->pool[number].stock_locate);
  }
  for (uint32_t i = 0; i < TOUCHES; i++) {
    const struct touch *touch = &engine->touches[i];
    if ((uint32_t)records - touch->record < delivered) distrust(engine, touch->locate);
  }
  if (engine->breach > before) market_unbreach(&engine->market, books);
  const struct jump *jump = &engine->jump;
  if (jump->record <= before) {
    expect(engine, engine->next_sequence - delivered);
    return;
  }
  expect(engine, jump->expected);
  engine->started = jump->started;
  if (!jump->stale && engine->market.stale) market_fresh(&engine->market, books);
}

static void good_frame(struct engine *engine, const struct rx_event *event) {
  if ((event->flags & FRAME_SESSION_CHANGE) != 0) {
    bool inside = event->delivered != 0 && engine->jump.record > engine_records(engine) - event->delivered;
    market_session(&engine->market, &engine->books, inside ? engine->jump.books : engine->books.count);
    if (event->delivered == 0) {
      expect(engine, event->sequence);
      engine->started = true;
    }
  } else if ((event->flags & FRAME_GAP) != 0) {
    market_stale(&engine->market, &engine->books);
  }
}

void engine_event(struct engine *engine, const union rx_line *line) {
  const struct rx_event *event = (const struct rx_event *)line;
  switch (event->status & ~STATUS_LINE_B) {
    case STATUS_EVENT:
      if (event->reason != DROP_REASON_ACCEPT) bad_frame(engine, event->delivered);
      else good_frame(engine, event);
      break;
    case STATUS_LOST:
      engine->statistics.lost_messages += ((const struct rx_lost *)line)->count;
      market_stale(&engine->market, &engine->books);
      break;
    default: engine->statistics.bad_records++;
  }
}

enum effect engine_book(struct engine *engine, const union rx_line *line, uint8_t type, struct change *change) {
  const struct rx_record *record = &line->record;
  struct books *books = &engine->books;
  uint16_t locate = record->stock_locate;
  enum outcome outcome;
  switch (type) {
    case 'A': /* F as A; the attribution behind it is of no use to a book */
      outcome = books_add(books, locate, load_u64(line->A.stock), line->A.order_reference_number,
                          line->A.buy_sell_indicator, line->A.shares, line->A.price, change);
      break;
    case 'E': /* C as E: the order leaves the book at its own price, wherever it traded */
      outcome = books_reduce(books, locate, line->E.order_reference_number, line->E.executed_shares, change);
      break;
    case 'X':
      outcome = books_reduce(books, locate, line->X.order_reference_number, line->X.canceled_shares, change);
      break;
    case 'D': outcome = books_delete(books, locate, line->D.order_reference_number, change); break;
    default:
      outcome = books_replace(books, locate, line->U.original_order_reference_number,
                              line->U.new_order_reference_number, line->U.shares, line->U.price, change);
  }
  if (outcome != OUTCOME_APPLIED) {
    bool applied = outcome == OUTCOME_OVER_EXECUTION || (outcome == OUTCOME_POOL_FULL && type == 'U');
    refused(engine, line, outcome, applied ? change_book(books, change) : NULL);
    if (outcome != OUTCOME_OVER_EXECUTION) return EFFECT_NONE;
  }
  engine->statistics.book_messages++;
  engine_note_change(engine, change->level->book);
  return EFFECT_BOOK;
}

enum effect engine_record(struct engine *engine, const union rx_line *line, struct change *change) {
  if (!engine_follows(engine, &line->record)) engine_jump(engine, line->record.sequence);
  if (!record_is_decoded(&line->record)) return engine_other(engine, line);
  switch (line->record.type) {
    case 'A':
    case 'F': return engine_book(engine, line, 'A', change);
    case 'E':
    case 'C': return engine_book(engine, line, 'E', change);
    case 'X': return engine_book(engine, line, 'X', change);
    case 'D': return engine_book(engine, line, 'D', change);
    case 'U': return engine_book(engine, line, 'U', change);
    default: return engine_other(engine, line);
  }
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
