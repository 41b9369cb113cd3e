/* SPDX-License-Identifier: MIT */
/*
 * See views.h. With a second processor the trading core may change while it is looked at: every walk here has an end of
 * its own, and what is printed is then a mixture of moments.
 */
#include "console/views.h"

#include <stddef.h>

#include "console/console.h"
#include "console/trading.h"

#define DEPTH 10u
#define SHOWN 16u
#define PRICE_TEXT 16u

static uint64_t magnitude(int64_t value) { return value < 0 ? -(uint64_t)value : (uint64_t)value; }

static const char *sign(int64_t value) { return value < 0 ? "-" : ""; }

/* Four implied decimals. */
static const char *price_text(char text[PRICE_TEXT], uint32_t price) {
  uint32_t at = PRICE_TEXT;
  text[--at] = '\0';
  for (unsigned digit = 0; digit < 4 || price != 0 || digit < 5; digit++) {
    if (digit == 4) text[--at] = '.';
    text[--at] = (char)('0' + price % 10);
    price /= 10;
  }
  return &text[at];
}

static const char *strategy_name(const struct engine *engine, const struct book *book) {
  const struct strategy *strategy = engine->instances[book->strategy].strategy;
  return book->strategy == 0 || strategy == NULL ? "none" : strategy->name;
}

/* Why no strategy runs, the first reason of all. */
static const char *state_of(const struct book *book) {
  static const struct {
    uint8_t flag;
    const char *name;
  } states[] = {{BOOK_FLAG_SUSPECT, "suspect"},    {BOOK_FLAG_STALE, "stale"},       {BOOK_FLAG_HALTED, "halted"},
                {BOOK_FLAG_OPERATIONAL, "halted"}, {BOOK_FLAG_BREACHED, "breached"}, {BOOK_FLAG_QUIET, "no strategy"}};
  for (unsigned i = 0; i < sizeof states / sizeof states[0]; i++) {
    if ((book->flags & states[i].flag) != 0) return states[i].name;
  }
  return "open";
}

static uint32_t walk(const struct engine *engine, const struct book *book, enum side side,
                     const struct level *found[DEPTH]) {
  const struct levels *levels = &engine->books.levels;
  uint32_t count = 0;
  for (uint32_t index = levels_best(levels, &book->side[side]); index != 0 && count < DEPTH; count++) {
    found[count] = &levels->pool[index];
    index = levels_neighbour(levels, &book->side[side], index, 0);
  }
  return count;
}

void view_book(const struct trading_view *trading, const char *stock) {
  const struct engine *engine = trading->engine;
  uint32_t length = 0;
  while (stock[length] != '\0') length++;
  const struct book *book = books_named(&engine->books, stock, length);
  const struct level *bids[DEPTH], *asks[DEPTH];
  char price[PRICE_TEXT];
  if (book == NULL) {
    console_print("book: there is none of %s\n", stock);
    return;
  }
  uint32_t bid_count = walk(engine, book, SIDE_BID, bids), ask_count = walk(engine, book, SIDE_ASK, asks);
  console_print("book: %.8s, locate %u, %s, %u bid levels, %u ask levels\n", (const char *)&book->stock,
                book->stock_locate, state_of(book), book->side[SIDE_BID].count, book->side[SIDE_ASK].count);
  if (bid_count + ask_count != 0) console_print("  orders    shares         bid | ask             shares  orders\n");
  for (uint32_t i = 0; i < bid_count || i < ask_count; i++) {
    if (i < bid_count) {
      console_print("%8u%10lu%12s |", bids[i]->orders, bids[i]->shares, price_text(price, level_price(bids[i])));
    } else {
      console_print("%30s |", "");
    }
    if (i < ask_count) {
      console_print(" %-12s%10lu%8u", price_text(price, level_price(asks[i])), asks[i]->shares, asks[i]->orders);
    }
    console_print("\n");
  }
}

/* The books that the latest records changed, newest first. */
static uint32_t newest(const struct engine *engine, const struct book *found[SHOWN]) {
  uint64_t records = engine_records(engine);
  uint32_t count = 0;
  for (uint64_t back = 0; back < CHANGES && back < records && count < SHOWN; back++) {
    uint16_t number = engine->changed[(records - back) & (CHANGES - 1)];
    const struct book *book = &engine->books.pool[number];
    uint32_t place = 0;
    while (place < count && found[place] != book) place++;
    if (number != 0 && place == count) found[count++] = book;
  }
  return count;
}

void view_top(const struct trading_view *trading) {
  const struct engine *engine = trading->engine;
  const struct book *found[SHOWN];
  char price[PRICE_TEXT];
  uint32_t count = newest(engine, found);
  console_print("top: %u of %u books\n", count, engine->books.count);
  if (count != 0) console_print("  symbol          bid         ask    position  state        strategy\n");
  for (uint32_t i = 0; i < count; i++) {
    const struct book *book = found[i];
    int64_t position = book_position(book);
    uint32_t bid = book_best_bid(book), ask = book_best_ask(book);
    console_print("  %-8.8s", (const char *)&book->stock);
    console_print("%12s", bid != 0 ? price_text(price, bid) : "-");
    console_print("%12s", ask != UINT32_MAX ? price_text(price, ask) : "-");
    console_print("%3s%9lu  %-13s%s\n", sign(position), magnitude(position), state_of(book),
                  strategy_name(engine, book));
  }
}

void view_positions(const struct trading_view *trading) {
  const struct engine *engine = trading->engine;
  char price[PRICE_TEXT];
  uint32_t shown = 0, more = 0;
  for (uint32_t number = 1; number <= engine->books.count; number++) {
    const struct book *book = &engine->books.pool[number];
    int64_t position = book_position(book);
    if (book->bought + book->sold == 0) continue;
    if (shown == SHOWN) {
      more++;
      continue;
    }
    if (shown++ == 0) console_print("  symbol    position    bought      sold        mark\n");
    console_print("  %-8.8s%3s%9lu%10lu%10lu", (const char *)&book->stock, sign(position), magnitude(position),
                  book->bought, book->sold);
    console_print("%12s\n", price_text(price, oms_mark(book)));
  }
  if (more != 0) console_print("  and %u more\n", more);
  int64_t profit = engine_profit(engine), cash = engine->oms.cash;
  console_print("pos: %lu shares, cash %s%lu, with positions at their marks %s%lu (1/10,000 dollar)\n",
                engine->oms.positions, sign(cash), magnitude(cash), sign(profit), magnitude(profit));
}

void view_orders(const struct trading_view *trading) {
  static const char *const states[] = {"free", "sent", "over", "pending", "live", "replacing", "canceling", "unknown"};
  const struct engine *engine = trading->engine;
  const struct oms *oms = &engine->oms;
  char price[PRICE_TEXT];
  uint32_t shown = 0, more = 0;
  for (uint32_t i = 0; i <= oms->mask; i++) {
    const struct own_order *order = &oms->orders[i];
    if (order->state == OWN_STATE_FREE || order->state == OWN_STATE_DEAD) continue;
    if (order->state >= sizeof states / sizeof states[0]) continue;
    if (shown == SHOWN) {
      more++;
      continue;
    }
    if (shown++ == 0) console_print("      number  symbol   side  shares       price  state\n");
    console_print("  %10u  %-8.8s %c %9u", order->number, (const char *)&engine->books.pool[order->book].stock,
                  order->side, order->shares);
    console_print("%12s  %s\n", price_text(price, order->price), states[order->state]);
  }
  if (more != 0) console_print("  and %u more\n", more);
  console_print("orders: %lu sent, %u open at the exchange%s\n", engine->statistics.orders_sent, oms->open,
                oms->assume ? " (it answers nothing: sent is all that is known)" : "");
}

static void limit(const char *name, uint64_t limit, const char *used_name, uint64_t used) {
  if (limit == 0) console_print("  %-22s none", name);
  else console_print("  %-22s %lu", name, limit);
  if (used_name != NULL) console_print(", %s %lu", used_name, used);
  console_print("\n");
}

void view_risk(const struct trading_view *trading) {
  const struct engine *engine = trading->engine;
  const struct risk *risk = &engine->risk;
  const char *separator = " ";
  console_print("risk: ");
  if (risk->stops == 0) console_print("orders may be sent");
  else console_print("stopped by");
  static const char *const stops[] = {"the kill switch", "order entry being down", "an answer that contradicts"};
  for (unsigned i = 0; i < sizeof stops / sizeof stops[0]; i++) {
    if ((risk->stops >> i & 1) == 0) continue;
    console_print("%s%s", separator, stops[i]);
    separator = ", ";
  }
  console_print("\n");
  limit("shares of an order", risk->order_shares, NULL, 0);
  limit("notional of an order", risk->order_notional, NULL, 0);
  limit("collar in 1/10,000", risk->collar_bp, NULL, 0);
  limit("position of a symbol", risk->position, NULL, 0);
  limit("total position", risk->total_position, "with open orders", engine->oms.exposure);
  limit("open orders", risk->open_orders, "open", engine->oms.open);
  limit("ns between orders", risk->rate_interval_ns, "at once", risk->rate_burst);
  console_print("  self-trades %s, short sales %s\n", risk->self_trade ? "prevented" : "not prevented",
                risk->short_selling ? "allowed" : "refused");
  print_refusals(engine, REFUSAL_PRICE, "  refused: ");
}

void view_strategies(const struct trading_view *trading) {
  const struct engine *engine = trading->engine;
  for (uint32_t i = 0; i < INSTANCES; i++) {
    const struct strategy *strategy = instance_strategy(&engine->instances[i]);
    uint32_t books = 0;
    if (i != 0 && strategy == NULL) continue;
    for (uint32_t number = 1; number <= engine->books.count; number++) {
      books += engine->books.pool[number].strategy == i;
    }
    console_print("  %3u  %-16s%6u books", i, i == 0 ? "none" : strategy->name, books);
    for (uint32_t n = 0; i != 0 && n < STRATEGY_PARAMETERS && strategy->parameters[n].name != NULL; n++) {
      console_print(", %s %u", strategy->parameters[n].name, engine->instances[i].parameters[n]);
    }
    console_print("\n");
  }
}

/* Two a row. */
static void print_counters(const uint32_t counters[NIC_COUNTERS]) {
#define NAME(address, name) name,
  static const char *const names[NIC_COUNTERS] = {NIC_COUNTER_REGISTERS(NAME)};
  for (unsigned i = 0; i < NIC_COUNTERS; i++) {
    console_print("%s%-25s%10u%s", i % 2 == 0 ? "  NIC       " : "   ", names[i], counters[i],
                  i % 2 == 0 && i + 1 < NIC_COUNTERS ? "" : "\n");
  }
}

void view_network(const struct trading_view *trading, const uint32_t counters[NIC_COUNTERS]) {
  const struct statistics *s = &trading->engine->statistics;
  const struct nic *nic = trading->nic;
  console_print("  RX ring   %u slots, %u lines taken, %u of them not given back\n", nic->rx_mask + 1, nic->rx_index,
                nic->rx_index - nic->rx_returned);
  console_print("  TX ring   %u slots, %u filled, %u known to have left\n", nic->tx_slots, nic->tx_tail, nic->tx_head);
  console_print("  raw ring  %u slots, %u lines, %lu frames\n", nic->raw_mask + 1, nic->raw_index,
                *trading->raw_frames);
  console_print("  feed      %lu records, %lu book messages, %lu others\n", engine_records(trading->engine),
                s->book_messages, s->other_messages);
  console_print("  trouble   %lu gaps, %lu bad frames, %lu lost messages, %lu bad records\n", s->sequence_gaps,
                s->bad_frames, s->lost_messages, s->bad_records);
  console_print("  trouble   %lu unknown references, %lu duplicate ones, %lu over-executions, %lu pool full\n",
                s->unknown_references, s->duplicate_references, s->over_executions, s->pool_full);
  print_counters(counters);
  const struct session *session = trading->session;
  if (session == NULL) {
    console_print("  session   taken as established; nothing answers\n");
    return;
  }
  console_print("  session   %s: %s; %lu answers, %lu malformed\n", session->link == LINK_STATE_READY ? "up" : "down",
                session->reason, session->answers, session->malformed);
}
