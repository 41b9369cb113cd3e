/* SPDX-License-Identifier: MIT */
/* See loop.h. Every instruction of a message between dequeue and done is here or inlined here. */
#include "trading/loop.h"

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
  if (mailbox_command_given(&kernel->port)) take_command(kernel);
  take_frames(kernel);
  if (kernel->engine.cancelling != 0) send_cancels(kernel);
  nic_reclaim(&kernel->nic);
  uint32_t again_ns = ask_again(kernel);
  return nic_wait(&kernel->nic, sooner(next_due(kernel), again_ns));
}

/* One record, from dequeue to done: the hot path, in one piece but for what is marked as being off it. */
static __attribute__((flatten)) void process(struct kernel *kernel, const union rx_line *line) {
  struct mailbox_port *port = &kernel->port;
  uint32_t dequeue = work_tap(port);
  uint32_t applied = dequeue, decided = dequeue, doorbell = dequeue;
  uint32_t bid = 0, ask = 0;
  uint16_t locate = line->record.stock_locate;
  unsigned orders = 0;

  TAP_BEGIN(clock);
  enum effect effect = engine_record(&kernel->engine, line);
  TAP(clock, TAP_BOOK);
  if (effect == EFFECT_BOOK) {
    applied = work_tap(port);
    const struct book *book = kernel->engine.change.book;
    bid = book_best_bid(book);
    ask = book_best_ask(book);
    locate = book->stock_locate;
    TAP_SKIP(clock);
    enum decision decision = engine_decide(&kernel->engine);
    TAP(clock, TAP_DECISION);
    if (decision != DECISION_NONE) decided = work_tap(port);
    if (decision == DECISION_ORDER) orders = send_orders(kernel, rx_record_hw_timestamp_ns(&line->record), &doorbell);
  } else if (effect == EFFECT_BLOCK && kernel->config->filter != 0) {
    nic_block(&kernel->nic, locate);
  }

  kernel->trace[port->trace_index & (TRACE_ENTRIES - 1)] = (struct trace_entry){
      .sequence = line->record.sequence,
      .dequeue = dequeue,
      .applied = applied,
      .decision = decided,
      .doorbell = doorbell,
      .done = work_tap(port),
      .bid = bid,
      .ask = ask,
      .stock_locate = locate,
      .type = line->record.type,
      .orders = (uint8_t)orders,
  };
  port->trace_index++;
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
