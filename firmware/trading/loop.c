/* SPDX-License-Identifier: MIT */
/* See loop.h. Every instruction of a message between dequeue and done is here or inlined here. */
#include "trading/loop.h"

#include "core/trace.h"
#include "profile/taps.h"
#include "trading/commands.h"
#include "trading/frames.h"
#include "trading/orders.h"
#include "trading/recovery.h"
#include "trading/session.h"

/* Of two times until something is due, 0 being never. */
static uint32_t sooner(uint32_t a, uint32_t b) { return a != 0 && (a < b || b == 0) ? a : b; }

/* Housekeeping belongs here, where there is nothing to trade on. */
static bool idle(struct kernel *kernel) {
  tell_trading(&kernel->told, &kernel->engine);
  if (mailbox_command_given(&kernel->port)) take_commands(kernel);
  take_frames(kernel);
  if (kernel->engine.cancel_due) send_cancels(kernel);
  nic_reclaim(&kernel->nic);
  uint32_t again_ns = ask_again(kernel);
  return nic_wait(&kernel->nic, sooner(next_due(kernel), again_ns));
}

static __attribute__((noinline, cold)) void tell_both(const struct kernel *kernel, struct trace_entry *entry) {
  const struct book *book = &kernel->engine.books.pool[entry->book];
  entry->stock_locate = book->stock_locate;
  entry->bid = book_best_bid(book);
  entry->ask = book_best_ask(book);
  entry->tells = TELLS_BID | TELLS_ASK;
}

/* The entry of a record, written behind the last tap: `done` does not hold it, only the time until the next dequeue does. */
static inline __attribute__((always_inline)) void finish_record(struct kernel *kernel, const union rx_line *line,
                                                                uint32_t dequeue, uint32_t applied, uint32_t decision,
                                                                uint32_t doorbell, uint32_t done, struct trace_top top,
                                                                unsigned orders) {
  struct mailbox_port *port = &kernel->port;
  struct trace_entry *entry = &kernel->trace[port->trace_index & (TRACE_ENTRIES - 1)];
  *entry = (struct trace_entry){
      .sequence = line->record.sequence,
      .dequeue = dequeue,
      .applied = applied,
      .decision = decision,
      .doorbell = doorbell,
      .done = done,
      .bid = top.bid,
      .ask = top.ask,
      .stock_locate = line->record.stock_locate,
      .type = line->record.type,
      .orders = (uint8_t)orders,
      .book = top.number,
      .tells = top.tells,
  };
  if (__builtin_expect(kernel->untold, false) && top.number != 0) tell_both(kernel, entry);
  port->trace_index++;
}

/* A strategy is to be asked. */
static __attribute__((noinline, flatten)) void decide(struct kernel *kernel, const union rx_line *line,
                                                      uint32_t dequeue, uint32_t applied, struct book *book,
                                                      enum side side, uint32_t key_before) {
  struct mailbox_port *port = &kernel->port;
  TAP_BEGIN(clock);
  enum decision decision = engine_ask_strategy(&kernel->engine, book, side, key_before);
  TAP(clock, TAP_DECISION);
  uint32_t decided = work_tap(port), doorbell = dequeue;
  if (decision != DECISION_ORDER) {
    uint32_t done = work_tap(port);
    finish_record(kernel, line, dequeue, applied, decided, doorbell, done, trace_asked(book, side), 0);
    return;
  }
  unsigned orders = send_orders(kernel, book, rx_record_hw_timestamp_ns(&line->record), &doorbell);
  uint32_t done = work_tap(port);
  finish_record(kernel, line, dequeue, applied, decided, doorbell, done, trace_asked(book, side), orders);
}

static inline __attribute__((always_inline)) void other(struct kernel *kernel, const union rx_line *line,
                                                        uint32_t dequeue, enum effect effect) {
  if (effect == EFFECT_BLOCK && kernel->config->filter != 0) nic_block(&kernel->nic, line->record.stock_locate);
  uint32_t done = work_tap(&kernel->port);
  finish_record(kernel, line, dequeue, dequeue, dequeue, dequeue, done, (struct trace_top){0}, 0);
}

/* The types that change books go each its own way, whole and in one piece but for what is marked as being off it: so each has
 * the registers to itself. */
static inline __attribute__((always_inline)) void apply(struct kernel *kernel, const union rx_line *line,
                                                        uint32_t dequeue, uint8_t type) {
  struct change change = {0};
  TAP_BEGIN(clock);
  enum effect effect = engine_book(&kernel->engine, line, type, &change);
  TAP(clock, TAP_BOOK);
  if (effect != EFFECT_BOOK) {
    if (change.moved) kernel->untold = true; /* a U that lost its order for want of room */
    other(kernel, line, dequeue, EFFECT_NONE);
    return;
  }
  uint32_t applied = work_tap(&kernel->port);
  if (engine_asks(&kernel->engine, &change)) {
    struct book *book = change_book(&kernel->engine.books, &change);
    decide(kernel, line, dequeue, applied, book, change_side(&change), change_key_before(&change, book));
    return;
  }
  uint32_t done = work_tap(&kernel->port);
  finish_record(kernel, line, dequeue, applied, dequeue, dequeue, done, trace_quiet(&change), 0);
}

#define APPLY(name, type)                                                                               \
  static __attribute__((noinline, flatten)) void name(struct kernel *kernel, const union rx_line *line, \
                                                      uint32_t dequeue) {                               \
    apply(kernel, line, dequeue, type);                                                                 \
  }
APPLY(apply_add, 'A')
APPLY(apply_executed, 'E')
APPLY(apply_cancel, 'X')
APPLY(apply_delete, 'D')
APPLY(apply_replace, 'U')

static __attribute__((noinline, flatten)) void apply_other(struct kernel *kernel, const union rx_line *line,
                                                           uint32_t dequeue) {
  other(kernel, line, dequeue, engine_other(&kernel->engine, line));
}

static __attribute__((noinline)) void apply_nothing(struct kernel *kernel, const union rx_line *line,
                                                    uint32_t dequeue) {
  engine_nothing(&kernel->engine);
  other(kernel, line, dequeue, EFFECT_NONE);
}

static inline __attribute__((always_inline)) void dispatch(struct kernel *kernel, const union rx_line *line,
                                                           uint32_t dequeue) {
  if (!record_is_decoded(&line->record)) {
    apply_other(kernel, line, dequeue);
    return;
  }
  switch (line->record.type) {
    case 'A':
    case 'F': apply_add(kernel, line, dequeue); return;
    case 'E':
    case 'C': apply_executed(kernel, line, dequeue); return;
    case 'X': apply_cancel(kernel, line, dequeue); return;
    case 'D': apply_delete(kernel, line, dequeue); return;
    case 'U': apply_replace(kernel, line, dequeue); return;
    case 'P':
    case 'Q':
    case 'B':
    case 'I':
    case 'L':
    case 'N':
    case 'O': apply_nothing(kernel, line, dequeue); return;
    default: apply_other(kernel, line, dequeue);
  }
}

/* The first record, or one whose number is not the next. */
static __attribute__((noinline, cold)) void process_jump(struct kernel *kernel, const union rx_line *line,
                                                         uint32_t dequeue) {
  engine_jump(&kernel->engine, line->record.sequence);
  dispatch(kernel, line, dequeue);
}

/* One record, from dequeue to done. */
static __attribute__((noinline)) void process(struct kernel *kernel, const union rx_line *line) {
  uint32_t dequeue = work_tap(&kernel->port);
  if (engine_follows(&kernel->engine, &line->record)) dispatch(kernel, line, dequeue);
  else process_jump(kernel, line, dequeue);
}

/* Until the bridge says stop. One loop a mode, with and without recovery: the hot path does not ask which it is. */
static inline __attribute__((always_inline)) void trade(struct kernel *kernel, enum ring_mode mode, bool recovers) {
  struct nic *nic = &kernel->nic;
  for (;;) {
    const union rx_line *line = nic_record(nic, mode);
    if (line == NULL) {
      if (!idle(kernel)) return;
      continue;
    }
    if ((line->record.status & STATUS_EVENT) != 0) {
      if (recovers) take_event(kernel, line);
      else engine_event(&kernel->engine, line);
    } else if (!recovers || recovery_in_order(&kernel->recovery, line) || !hold_record(kernel, line)) {
      process(kernel, line);
    }
    if (nic_consume(nic, line, mode)) take_frames(kernel); /* a stream without a pause must not starve them */
  }
}

static __attribute__((noinline)) void trade_lines(struct kernel *kernel) { trade(kernel, RING_MODE_LINES, false); }

static __attribute__((noinline)) void trade_descriptors(struct kernel *kernel) {
  trade(kernel, RING_MODE_DESCRIPTORS, false);
}

static __attribute__((noinline)) void trade_recovering(struct kernel *kernel) {
  if (kernel->config->rx_mode == RING_MODE_LINES) trade(kernel, RING_MODE_LINES, true);
  else trade(kernel, RING_MODE_DESCRIPTORS, true);
}

void trading_loop(struct kernel *kernel) {
  TAPS_INIT();
  if (kernel->config->recovery_address != 0) trade_recovering(kernel);
  else if (kernel->config->rx_mode == RING_MODE_LINES) trade_lines(kernel);
  else trade_descriptors(kernel);
  TAPS_PRINT();
}
