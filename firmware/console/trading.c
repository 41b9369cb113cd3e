/* SPDX-License-Identifier: MIT */
/* The trading core on the console; see trading.h. */
#include "console/trading.h"

#include "console/console.h"

#define POSITIONS_SHOWN 16u

static const char *const refusal_names[] = {
    [REFUSAL_PRICE] = "price",
    [REFUSAL_RING] = "ring full",
    [REFUSAL_KILL] = "kill switch",
    [REFUSAL_LINK] = "link down",
    [REFUSAL_ANSWER] = "stopped by an answer",
    [REFUSAL_UNKNOWN_ORDER] = "order not live",
    [REFUSAL_SIDE] = "side",
    [REFUSAL_SIZE] = "size",
    [REFUSAL_NOTIONAL] = "notional",
    [REFUSAL_COLLAR] = "collar",
    [REFUSAL_LULD] = "auction collar",
    [REFUSAL_SHORT_SALE] = "short sale",
    [REFUSAL_POSITION] = "position",
    [REFUSAL_TOTAL_POSITION] = "total position",
    [REFUSAL_OPEN_ORDERS] = "open orders",
    [REFUSAL_SELF_TRADE] = "self-trade",
    [REFUSAL_OWN_ORDERS] = "no room for own orders",
    [REFUSAL_RATE] = "rate",
};
_Static_assert(sizeof refusal_names / sizeof refusal_names[0] == REFUSALS, "one name a reason");

static const char *doubt(enum outcome outcome) {
  switch (outcome) {
    case OUTCOME_OVER_EXECUTION: return "more executed or canceled than was left";
    case OUTCOME_UNKNOWN_REFERENCE: return "unknown reference";
    case OUTCOME_DUPLICATE_REFERENCE: return "reference in use";
    case OUTCOME_POOL_FULL: return "pool full";
    default: return "a bad frame";
  }
}

static void tell_suspects(struct told *told, const struct market *market) {
  for (; told->suspects < market->suspects && told->suspects < MARKET_NOTES; told->suspects++) {
    const struct note *note = &market->notes[told->suspects];
    if (note->stock == 0) console_print("book: locate %u is suspect: %s\n", note->locate, doubt(note->outcome));
    else console_print("book: %.8s is suspect: %s\n", (const char *)&note->stock, doubt(note->outcome));
  }
}

static void tell_stops(struct told *told, uint8_t stops) {
  uint8_t more = stops & (uint8_t)~told->stops;
  if ((more & STOP_KILL) != 0) console_print("trading: stopped by the kill switch\n");
  if ((more & STOP_LINK) != 0) console_print("trading: stopped, order entry is down\n");
  if ((more & STOP_ANSWER) != 0) console_print("trading: stopped, an answer contradicts the orders\n");
  if (stops == 0 && told->stops != 0) console_print("trading: goes on\n");
  told->stops = stops;
}

void tell_trading(struct told *told, const struct engine *engine) {
  const struct statistics *statistics = &engine->statistics;
  const struct market *market = &engine->market;
  for (; told->gaps < statistics->sequence_gaps && told->gaps < GAPS_KEPT; told->gaps++) {
    const struct gap *gap = &engine->gaps[told->gaps];
    console_print("gap: sequence %lu expected, %lu received\n", gap->expected, gap->received);
  }
  if (told->bad_frames != statistics->bad_frames) {
    console_print("nic: %lu frames were bad after delivery\n", statistics->bad_frames);
    told->bad_frames = statistics->bad_frames;
  }
  if (told->lost_messages != statistics->lost_messages) {
    console_print("nic: %lu messages lost for want of room\n", statistics->lost_messages);
    told->lost_messages = statistics->lost_messages;
  }
  if (told->stale != market->stale) {
    console_print(market->stale ? "books: stale, messages are missing\n" : "books: no messages are missing any more\n");
    told->stale = market->stale;
  }
  tell_suspects(told, market);
  if (told->breached != market->breached) {
    console_print("market: halted, circuit breaker level %c\n", market->breached);
    told->breached = market->breached;
  }
  if (told->answers_bad != statistics->answers_bad) {
    const struct answer *answer = &engine->bad_answer;
    console_print("answer: kind %u of order %u contradicts it: %u shares at %u\n", answer->kind, answer->number,
                  answer->shares, answer->price);
    told->answers_bad = statistics->answers_bad;
  }
  if (told->orders_lost != engine->oms.lost) {
    console_print("orders: %lu never reached the exchange\n", engine->oms.lost);
    told->orders_lost = engine->oms.lost;
  }
  tell_stops(told, engine->risk.stops);
}

static uint64_t magnitude(int64_t value) { return value < 0 ? -(uint64_t)value : (uint64_t)value; }

static const char *sign(int64_t value) { return value < 0 ? "-" : ""; }

void print_refusals(const struct engine *engine, enum refusal first, const char *before) {
  for (uint32_t reason = first; reason < REFUSALS; reason++) {
    uint64_t count = engine->statistics.refused[reason];
    if (count != 0) console_print("%s%s %lu\n", before, refusal_names[reason], count);
  }
}

void print_trading(const struct engine *engine) {
  print_refusals(engine, REFUSAL_KILL, "statistics: orders refused, ");
  uint64_t suspects = market_suspects(&engine->books);
  if (suspects != 0) console_print("statistics: suspect books %lu\n", suspects);
  if (engine->statistics.executions == 0) return;
  uint32_t shown = 0;
  for (uint32_t number = 1; number <= engine->books.count && shown < POSITIONS_SHOWN; number++) {
    const struct book *book = &engine->books.pool[number];
    if (book->bought + book->sold == 0) continue;
    int64_t position = book_position(book);
    console_print("position: %.8s %s%lu shares, bought %lu, sold %lu\n", (const char *)&book->stock, sign(position),
                  magnitude(position), book->bought, book->sold);
    shown++;
  }
  int64_t profit = engine_profit(engine);
  console_print("position: in all %lu shares, cash %s%lu, with positions at their marks %s%lu (1/10,000 dollar)\n",
                engine->oms.positions, sign(engine->oms.cash), magnitude(engine->oms.cash), sign(profit),
                magnitude(profit));
}
