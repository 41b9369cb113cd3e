/* SPDX-License-Identifier: MIT */
/* What the trading loop works with, in one place: the kernel has one, and no other state. */
#ifndef TICKLOOP_TRADING_KERNEL_H
#define TICKLOOP_TRADING_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "console/desk.h"
#include "console/trading.h"
#include "core/engine.h"
#include "core/raw.h"
#include "core/recovery.h"
#include "drivers/mailbox.h"
#include "drivers/nic.h"
#include "drivers/order_port.h"
#include "session/ouch.h"

#define TRACE_LOG2 12u
#define TRACE_ENTRIES (1u << TRACE_LOG2)

/* Whole lines: what lies beside it in memory is not the trading loop's. */
struct __attribute__((aligned(64))) kernel {
  struct mailbox_port port;
  struct nic nic;
  struct engine engine;
  struct ouch ouch;
  struct order_port orders; /* session_mode connect */
  enum link_state link; /* that the engine knows */
  struct trace_entry *trace;
  bool untold; /* a best price has changed without an entry that says so: entries have both since then */
  void *export;
  uint64_t export_bytes;
  const struct config_header *config;
  struct raw raw; /* the raw frame in hand */
  struct recovery recovery;
  uint64_t raw_frames;
  struct told told;
  /* Aligned, so that what the loop writes of it lies in other lines than what a console reads. */
  struct desk desk __attribute__((aligned(64)));
};

/* Whether an order-entry session is connected and logged in to by the kernel. */
static inline bool connects(const struct kernel *kernel) {
  return kernel->config->session_mode == SESSION_MODE_CONNECT;
}

#endif
